// The readers of calls whose arguments are no JSON: they are kept until the call is over, and
// become JSON in one piece.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "prompt/call_reader.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;
using Status = CallReader::Status;

constexpr size_t kMaxCallBytes = size_t{256} << 10;
constexpr int kMaxDepth = 64;

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// Reads `key:value` lists with strings between `quote`s, or Python's `key="value"` lists.
class ValueReader {
 public:
  ValueReader(std::string_view text, std::string_view quote, char assign)
      : text_(text), quote_(quote), assign_(assign) {}

  // Members up to `close`, which is taken too.
  std::optional<Json> members(char close, int depth = 0) {
    Json object = Json::object();
    if (depth > kMaxDepth) return std::nullopt;
    for (skip_space(); !take(close); skip_space()) {
      if (!object.empty() && !take(',')) return std::nullopt;
      skip_space();
      const std::optional<std::string> key = read_key();
      skip_space();
      if (!key || !take(assign_)) return std::nullopt;
      std::optional<Json> value = read_value(depth);
      if (!value) return std::nullopt;
      object[*key] = std::move(*value);
    }
    return object;
  }
  bool at_end() {
    skip_space();
    return text_.empty();
  }

 private:
  void skip_space() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front())) != 0)
      text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (word.empty() || !text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string> read_key() {
    if (take_word(quote_)) return read_until_quote();
    size_t length = 0;
    while (length < text_.size() && is_name_char(text_[length])) ++length;
    if (length == 0) return std::nullopt;
    std::string key(text_.substr(0, length));
    text_.remove_prefix(length);
    return key;
  }

  std::optional<std::string> read_until_quote() {
    const size_t end = text_.find(quote_);
    if (end == text_.npos) return std::nullopt;
    std::string content(text_.substr(0, end));
    text_.remove_prefix(end + quote_.size());
    return content;
  }

  std::optional<Json> read_value(int depth) {
    skip_space();
    if (take_word(quote_)) {
      auto content = read_until_quote();
      return content ? std::optional<Json>(std::move(*content)) : std::nullopt;
    }
    if (take('{')) return members('}', depth + 1);
    if (take('[')) return read_list(depth + 1);
    return read_literal();
  }

  std::optional<Json> read_list(int depth) {
    Json list = Json::array();
    if (depth > kMaxDepth) return std::nullopt;
    for (skip_space(); !take(']'); skip_space()) {
      if (!list.empty() && !take(',')) return std::nullopt;
      std::optional<Json> value = read_value(depth);
      if (!value) return std::nullopt;
      list.push_back(std::move(*value));
    }
    return list;
  }

  // A JSON string, number or word, or Python's spelling of a word.
  std::optional<Json> read_literal() {
    size_t length = 0;
    if (!text_.empty() && text_.front() == '"') {
      length = string_length();
    } else {
      while (length < text_.size() && (is_name_char(text_[length]) || text_[length] == '+'))
        ++length;
    }
    const std::string_view word = text_.substr(0, length);
    if (word.empty()) return std::nullopt;
    text_.remove_prefix(length);
    if (word == "True") return Json(true);
    if (word == "False") return Json(false);
    if (word == "None") return Json(nullptr);
    Json value = Json::parse(word, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
  }

  size_t string_length() const {
    for (size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        return i + 1;
      }
    }
    return 0;
  }

  std::string_view text_;
  std::string_view quote_;
  char assign_;
};

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class GemmaCallReader final : public CallReader {
 public:
  GemmaCallReader(std::string_view quote, std::string_view close) : quote_(quote), close_(close) {}

  Status push(char c, CallSink& sink) override {
    text_ += c;
    constexpr std::string_view kOpening = "call:";
    if (!std::string_view(text_).starts_with(kOpening.substr(0, text_.size())) ||
        text_.size() > kMaxCallBytes) {
      return Status::kNotACall;
    }
    // A string may hold the closing words: they count outside of strings alone.
    if (text_.ends_with(quote_)) in_string_ = !in_string_;
    if (in_string_ || !text_.ends_with(close_)) return Status::kMore;
    std::string_view call = std::string_view(text_).substr(kOpening.size());
    call.remove_suffix(close_.size());
    const size_t brace = call.find('{');
    if (brace == call.npos || brace == 0) return Status::kNotACall;
    const std::string_view name = call.substr(0, brace);
    ValueReader reader(call.substr(brace + 1), quote_, ':');
    const std::optional<Json> arguments = reader.members('}');
    if (!arguments || !reader.at_end() || !std::ranges::all_of(name, is_name_char))
      return Status::kNotACall;
    sink.start_call(name);
    sink.add_arguments(dump(*arguments));
    return Status::kDone;
  }

  Status finish(CallSink&) override { return Status::kMore; }

 private:
  std::string_view quote_, close_;
  std::string text_;
  bool in_string_ = false;
};

class PythonCallReader final : public CallReader {
 public:
  // Code of the model's own is content: there is no tool that it calls.
  Status push(char c, CallSink&) override {
    text_ += c;
    if (text_.size() > kMaxCallBytes) return Status::kNotACall;
    const size_t end = text_.find_first_of(".(");
    const std::string_view name = std::string_view(text_).substr(0, end);
    constexpr std::string_view kCall = ".call(";
    if (!std::ranges::all_of(name, is_name_char)) return Status::kNotACall;
    if (end == text_.npos) return Status::kMore;
    const std::string_view after = std::string_view(text_).substr(end, kCall.size());
    return kCall.starts_with(after) ? Status::kMore : Status::kNotACall;
  }

  Status finish(CallSink& sink) override {
    const size_t open = text_.find(".call(");
    if (open == text_.npos || open == 0) return Status::kMore;
    ValueReader reader(std::string_view(text_).substr(open + 6), "", '=');
    const std::optional<Json> arguments = reader.members(')');
    if (!arguments || !reader.at_end()) return Status::kMore;
    sink.start_call(text_.substr(0, open));
    sink.add_arguments(dump(*arguments));
    return Status::kDone;
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<CallReader> make_gemma_call_reader(std::string_view quote, std::string_view close) {
  return std::make_unique<GemmaCallReader>(quote, close);
}

std::unique_ptr<CallReader> make_python_call_reader() {
  return std::make_unique<PythonCallReader>();
}

}  // namespace twostroke
