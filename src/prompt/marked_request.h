// A chat request whose texts are marked: every letter that came from a message, a tool, a document
// or a schema is replaced by a code point that says which letter of which text it was. What a
// template makes of the marked request shows where each text went: trimming, splitting and
// concatenating treat a mark as they treat a letter. Pure functions; trace_spans() (text_spans.h)
// uses them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace twostroke {

// A part of a request that can have spans of the prompt: PromptSpan's fields.
struct RequestPart {
  std::string source, role, label;
};
inline constexpr size_t kTemplatePart = 0;  // what the template brings itself

// One string of the request.
struct MarkedText {
  size_t part = kTemplatePart;
  std::u32string text;
  uint32_t first_mark = 0;        // it has the marks [first_mark, first_mark + letters.size())
  std::vector<uint32_t> letters;  // where in `text` the letter of each mark is
};

struct MarkedRequest {
  nlohmann::ordered_json request;
  std::vector<RequestPart> parts;  // [0] is the template
  std::vector<MarkedText> texts;
  std::vector<size_t> marked_texts;  // those that have letters, ascending first_mark
  std::vector<size_t> part_marks;    // the part of each TS_PART_… mark; kTemplatePart: of none

  // What a code point of the marked rendering came from; nothing when it is no mark.
  struct Origin {
    size_t part = kTemplatePart;
    std::optional<size_t> text;  // none: a map, not a string in it
    uint32_t letter = 0;         // index into texts[*text].letters
  };
  std::optional<Origin> origin_of(char32_t c) const;
};

struct MarkOptions {
  // Words that the template may look for: where they occur in a text they stay as they are.
  std::vector<std::u32string> kept;
  std::optional<size_t> only_part;  // mark this part alone
  bool only_ascii = false;          // for templates that escape all other letters
};

// `request`: the client's, whose text parts may have labels.
MarkedRequest mark_request(const nlohmann::ordered_json& request, const MarkOptions& options);

// The quoted words in the code of a template: what it may compare a text with.
std::vector<std::u32string> words_in_template(std::string_view source);

// Lossless for valid UTF-8.
std::u32string to_code_points(std::string_view utf8);
std::string to_utf8(std::u32string_view text);

}  // namespace twostroke
