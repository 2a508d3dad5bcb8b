#include "prompt/marked_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "tokenizer/utf8.h"
#include "twostroke_ffi.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

// Marks of letters: two ranges, one after the other. The first is unassigned in Unicode, the second
// private: neither is a letter, a digit or a space to anybody.
constexpr char32_t kFirstRange = 0x40000;
constexpr uint32_t kFirstRangeSize = 0xA0000;
constexpr char32_t kSecondRange = TS_PART_MARKS + TS_NUM_PART_MARKS;
constexpr uint32_t kNumLetterMarks = kFirstRangeSize + (0x110000 - kSecondRange);

char32_t letter_mark(uint32_t index) {
  return index < kFirstRangeSize ? kFirstRange + index : kSecondRange + (index - kFirstRangeSize);
}

bool is_white_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool is_letter(char32_t c) {
  if (c >= 0x80) return !is_white_space(c);
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Members of a message that templates switch on or look up; never marked.
bool is_key_of_message(const std::string& key) {
  static constexpr std::string_view kKeys[] = {"role",  "name",      "id",      "type",
                                               "label", "recipient", "channel", "tool_call_id"};
  return std::ranges::find(kKeys, key) != std::end(kKeys);
}

bool is_text_of_tool(const std::string& key) {
  return key == "description" || key == "title" || key == "name";
}

const Json* find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::string string_of(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool names_a_schema(const std::string& name) {
  return name.find("schema") != std::string::npos || name == "response_format";
}

class Marker {
 public:
  Marker(const Json& request, const MarkOptions& options) : options_(options) {
    out_.request = request;
    out_.parts.emplace_back();
    out_.parts.back().source = "template";
    out_.part_marks.assign(TS_NUM_PART_MARKS, kTemplatePart);
  }

  MarkedRequest run() {
    mark_messages();
    mark_tools();
    mark_documents();
    mark_variables();
    number_documents();
    place_marks();
    return std::move(out_);
  }

 private:
  // A string of `out_.request` that is to be marked.
  struct Place {
    Json* value;
    size_t text;   // its copy in out_.texts
    bool is_json;  // JSON as text: only what is in quotes is text
  };

  size_t add_part(std::string source, std::string role, std::string label) {
    out_.parts.push_back({std::move(source), std::move(role), std::move(label)});
    return out_.parts.size() - 1;
  }
  void set_part_mark(size_t mark, size_t part) {
    if (mark < out_.part_marks.size()) out_.part_marks[mark] = part;
  }
  void mark(Json& value, size_t part, bool is_json = false) {
    out_.texts.emplace_back();
    out_.texts.back().part = part;
    out_.texts.back().text = to_code_points(value.get_ref<const std::string&>());
    places_.push_back({&value, out_.texts.size() - 1, is_json});
  }
  // Every string below `value` whose key `wanted` takes.
  template <typename Wanted>
  void mark_strings(Json& value, size_t part, const Wanted& wanted, const std::string& key) {
    if (value.is_string() && wanted(key)) mark(value, part);
    if (value.is_array()) {
      for (Json& item : value) mark_strings(item, part, wanted, key);
    } else if (value.is_object()) {
      for (auto it = value.begin(); it != value.end(); ++it) {
        mark_strings(it.value(), part, wanted, it.key());
      }
    }
  }
  void mark_all(Json& value, size_t part) {
    mark_strings(
        value, part, [](const std::string&) { return true; }, "");
  }

  void mark_messages();
  void mark_message(Json& message, size_t part);
  void mark_content(Json& content, size_t part);
  void mark_calls(Json& calls, size_t part);
  size_t part_of_content(const Json& item, size_t message_part);
  void mark_tools();
  void mark_documents();
  void mark_variables();
  void number_documents();
  void place_marks();
  std::vector<uint32_t> letters_of(const std::u32string& text, bool is_json) const;

  const MarkOptions& options_;
  MarkedRequest out_;
  std::vector<Place> places_;
  std::set<std::string> names_used_;  // by messages: a template may look them up in the tools
  std::vector<size_t> labelled_;      // parts that come after the documents
  size_t num_documents_ = 0;
};

void Marker::mark_messages() {
  Json& messages = out_.request["messages"];
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string role = string_of(messages[i], "role");
    const bool is_system = role == "system" || role == "developer";
    const size_t part = add_part(is_system ? "system" : fmt::format("message[{}]", i), role, "");
    set_part_mark(TS_PART_FIRST_MESSAGE + 2 * i, part);
    if (messages[i].is_object()) mark_message(messages[i], part);
  }
}

void Marker::mark_message(Json& message, size_t part) {
  names_used_.insert(string_of(message, "name"));
  for (auto it = message.begin(); it != message.end(); ++it) {
    if (it.key() == "content") {
      mark_content(it.value(), part);
    } else if (it.key() == "tool_calls") {
      mark_calls(it.value(), part);
    } else if (!is_key_of_message(it.key())) {
      mark_all(it.value(), part);
    }
  }
}

void Marker::mark_content(Json& content, size_t part) {
  if (content.is_string()) return mark(content, part);
  if (!content.is_array()) return;
  for (Json& item : content) {
    if (!item.is_object()) continue;
    mark_strings(
        item, part_of_content(item, part),
        [](const std::string& key) { return !is_key_of_message(key); }, "");
  }
}

size_t Marker::part_of_content(const Json& item, size_t message_part) {
  const std::string label = string_of(item, "label");
  if (label.empty()) return message_part;
  if (names_a_schema(label)) return add_part("schema", out_.parts[message_part].role, label);
  labelled_.push_back(add_part("document", out_.parts[message_part].role, label));
  return labelled_.back();
}

void Marker::mark_calls(Json& calls, size_t part) {
  if (!calls.is_array()) return;
  for (Json& call : calls) {
    if (!call.is_object() || find(call, "function") == nullptr) continue;
    Json& function = call["function"];
    names_used_.insert(string_of(function, "name"));
    if (find(function, "arguments") == nullptr) continue;
    Json& arguments = function["arguments"];
    if (arguments.is_string()) {
      mark(arguments, part, Json::accept(arguments.get_ref<const std::string&>()));
    } else {
      mark_all(arguments, part);
    }
  }
}

void Marker::mark_tools() {
  if (find(out_.request, "tools") == nullptr) return;
  const size_t part = add_part("tools", "", "");
  set_part_mark(TS_PART_TOOLS, part);
  for (Json& tool : out_.request["tools"]) {
    mark_strings(tool, part, is_text_of_tool, "");
  }
  // A name that a message has too stays, so that the template finds it.
  std::erase_if(places_, [&](const Place& place) {
    return out_.texts[place.text].part == part && place.value->is_string() &&
           names_used_.contains(place.value->get_ref<const std::string&>());
  });
}

void Marker::mark_documents() {
  if (find(out_.request, "documents") == nullptr) return;
  Json& documents = out_.request["documents"];
  num_documents_ = documents.size();
  for (size_t i = 0; i < documents.size(); ++i) {
    const size_t part =
        add_part(fmt::format("document[{}]", i), "", string_of(documents[i], "title"));
    set_part_mark(TS_PART_FIRST_DOCUMENT + 2 * i, part);
    mark_all(documents[i], part);
  }
}

// Of the template's other variables only a schema is the client's text.
void Marker::mark_variables() {
  if (find(out_.request, "chat_template_kwargs") == nullptr) return;
  Json& variables = out_.request["chat_template_kwargs"];
  if (!variables.is_object()) return;
  for (auto it = variables.begin(); it != variables.end(); ++it) {
    if (!names_a_schema(it.key())) continue;
    const size_t part = add_part("schema", "", it.key());
    set_part_mark(TS_PART_VARIABLES, part);
    mark_all(it.value(), part);
  }
}

void Marker::number_documents() {
  for (size_t i = 0; i < labelled_.size(); ++i) {
    out_.parts[labelled_[i]].source = fmt::format("document[{}]", num_documents_ + i);
  }
}

// In JSON as text, what is no part of a string (numbers, `true`, escapes) must stay what it is.
void keep_outside_quotes(const std::u32string& text, std::vector<bool>& kept) {
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    kept[i] = !in_string || text[i] == U'"' || text[i] == U'\\';
    if (text[i] == U'"') in_string = !in_string;
    if (text[i] != U'\\') continue;
    const size_t num_escaped = i + 1 < text.size() && text[i + 1] == U'u' ? 5 : 1;
    for (size_t k = 0; k < num_escaped && i + 1 < text.size(); ++k) kept[++i] = true;
  }
}

// Where the letters are; a text without any (dots, brackets) is marked wherever it is not white.
std::vector<uint32_t> Marker::letters_of(const std::u32string& text, bool is_json) const {
  std::vector<bool> kept(text.size(), false);
  if (is_json) keep_outside_quotes(text, kept);
  for (const std::u32string& word : options_.kept) {
    for (size_t at = text.find(word); at != std::u32string::npos; at = text.find(word, at + 1)) {
      std::fill_n(kept.begin() + static_cast<ptrdiff_t>(at), word.size(), true);
    }
  }
  std::vector<uint32_t> letters;
  for (const bool only_letters : {true, false}) {
    for (size_t i = 0; i < text.size(); ++i) {
      const bool wanted = only_letters ? is_letter(text[i]) : !is_white_space(text[i]);
      if (options_.only_ascii && text[i] >= 0x80) continue;
      if (wanted && !kept[i]) letters.push_back(static_cast<uint32_t>(i));
    }
    if (!letters.empty()) break;
  }
  return letters;
}

void Marker::place_marks() {
  std::vector<std::vector<uint32_t>> letters;  // [places]
  size_t num_letters = 0;
  for (const Place& place : places_) {
    const MarkedText& text = out_.texts[place.text];
    const bool wanted = !options_.only_part || *options_.only_part == text.part;
    letters.push_back(wanted ? letters_of(text.text, place.is_json) : std::vector<uint32_t>());
    num_letters += letters.back().size() + 1;
  }
  // In a very long conversation neighbouring letters share a mark.
  const size_t stride = 1 + num_letters / (kNumLetterMarks / 2);
  uint32_t next_mark = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    MarkedText& text = out_.texts[places_[i].text];
    std::u32string marked = text.text;
    text.first_mark = next_mark;
    for (size_t k = 0; k < letters[i].size() && next_mark < kNumLetterMarks; ++k) {
      if (k % stride == 0) {
        text.letters.push_back(letters[i][k]);
        ++next_mark;
      }
      marked[letters[i][k]] = letter_mark(next_mark - 1);
    }
    if (!text.letters.empty()) out_.marked_texts.push_back(places_[i].text);
    *places_[i].value = to_utf8(marked);
  }
}

}  // namespace

std::optional<MarkedRequest::Origin> MarkedRequest::origin_of(char32_t c) const {
  if (c >= TS_PART_MARKS && c < kSecondRange) {
    return Origin{.part = part_marks[c - TS_PART_MARKS], .text = std::nullopt, .letter = 0};
  }
  const bool in_first = c >= kFirstRange && c < kFirstRange + kFirstRangeSize;
  if (!in_first && c < kSecondRange) return std::nullopt;
  const uint32_t index =
      in_first ? uint32_t(c - kFirstRange) : uint32_t(c - kSecondRange) + kFirstRangeSize;
  const auto next = std::ranges::upper_bound(marked_texts, index, {},
                                             [&](size_t i) { return texts[i].first_mark; });
  if (next == marked_texts.begin()) return std::nullopt;
  const MarkedText& text = texts[*std::prev(next)];
  const uint32_t letter = index - text.first_mark;
  if (letter >= text.letters.size()) return std::nullopt;
  return Origin{.part = text.part, .text = *std::prev(next), .letter = letter};
}

MarkedRequest mark_request(const Json& request, const MarkOptions& options) {
  return Marker(request, options).run();
}

std::vector<std::u32string> words_in_template(std::string_view source) {
  std::set<std::u32string> words;
  size_t at = 0;
  while ((at = source.find('{', at)) != std::string_view::npos && at + 1 < source.size()) {
    const char kind = source[at + 1];
    at += 2;
    if (kind != '%' && kind != '{') continue;
    const char closing = kind == '%' ? '%' : '}';
    for (; at + 1 < source.size() && !(source[at] == closing && source[at + 1] == '}'); ++at) {
      if (source[at] != '\'' && source[at] != '"') continue;
      const size_t end = source.find(source[at], at + 1);
      if (end == std::string_view::npos) break;
      const std::u32string word = to_code_points(source.substr(at + 1, end - at - 1));
      if (std::ranges::any_of(word, is_letter)) words.insert(word);
      at = end;
    }
  }
  return {words.begin(), words.end()};
}

std::u32string to_code_points(std::string_view utf8) {
  std::u32string out;
  out.reserve(utf8.size());
  for (size_t at = 0; at < utf8.size();) {
    const Utf8Step step = utf8_step(utf8, at);
    if (step.status != Utf8Status::kValid) {
      out += U'\uFFFD';
      at += step.length;
      continue;
    }
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(utf8[at + i]); };
    char32_t c = step.length == 1 ? byte(0) : byte(0) & (0xFFU >> (step.length + 1));
    for (size_t i = 1; i < step.length; ++i) c = (c << 6) | (byte(i) & 0x3FU);
    out += c;
    at += step.length;
  }
  return out;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | (c >> 6));
      tail(0);
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0 | (c >> 12));
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xF0 | (c >> 18));
      tail(12);
      tail(6);
      tail(0);
    }
  }
  return out;
}

}  // namespace twostroke
