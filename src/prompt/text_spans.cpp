#include "prompt/text_spans.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "prompt/marked_request.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;
using Origin = MarkedRequest::Origin;

constexpr size_t kMaxParts = 64;       // that are traced one at a time, each with a rendering
constexpr size_t kMaxGapInPart = 256;  // characters between two texts of one part

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}
bool is_space(char32_t c) {
  return c == U' ' || (c >= 0x09 && c <= 0x0D);
}

// The origin of each code point of `plain`, nothing where it has none. Nothing at all when the
// marked rendering is not the plain one with letters replaced: the template looked at a text.
std::optional<std::vector<std::optional<Origin>>> origins_of(const MarkedRequest& marked,
                                                             std::u32string_view plain,
                                                             std::u32string_view rendered) {
  if (rendered.size() < plain.size()) return std::nullopt;
  std::vector<std::optional<Origin>> origins(plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == rendered[i]) continue;
    origins[i] = marked.origin_of(rendered[i]);
    // A clock may have moved between the two.
    const bool is_clock = is_digit(plain[i]) && is_digit(rendered[i]);
    if (!origins[i] && !is_clock) return std::nullopt;
  }
  return origins;
}

// Gives the code points around the marked ones their part.
class Filler {
 public:
  Filler(const MarkedRequest& marked, std::u32string_view plain,
         const std::vector<std::optional<Origin>>& origins)
      : marked_(marked), plain_(plain), origins_(origins), owners_(plain.size(), kTemplatePart) {}

  std::vector<size_t> run() {
    std::optional<size_t> before;
    for (size_t i = 0; i < plain_.size(); ++i) {
      if (!origins_[i]) continue;
      owners_[i] = origins_[i]->part;
      if (before && *before + 1 < i && belongs_together(*before, i)) {
        std::fill(owners_.begin() + static_cast<ptrdiff_t>(*before) + 1,
                  owners_.begin() + static_cast<ptrdiff_t>(i), origins_[i]->part);
      }
      before = i;
    }
    for (size_t i = 0; i < plain_.size(); ++i) {
      if (origins_[i] && origins_[i]->text) extend(i);
    }
    return std::move(owners_);
  }

 private:
  const MarkedText& text_of(const Origin& origin) const { return marked_.texts[*origin.text]; }

  bool belongs_together(size_t from, size_t to) const {
    const Origin& a = *origins_[from];
    const Origin& b = *origins_[to];
    if (a.part != b.part || a.part == kTemplatePart) return false;
    const size_t gap = to - from - 1;
    if (a.text && a.text == b.text) {
      if (a.letter > b.letter) return false;  // the text once more
      const size_t distance = text_of(b).letters[b.letter] - text_of(a).letters[a.letter];
      return gap <= 6 * distance || is_white(from + 1, to);
    }
    return gap <= kMaxGapInPart && (!a.text || a.text != b.text);
  }

  bool is_white(size_t from, size_t to) const {
    return std::all_of(plain_.begin() + static_cast<ptrdiff_t>(from),
                       plain_.begin() + static_cast<ptrdiff_t>(to), is_space);
  }

  // What stands before a text's first letter and after its last one, as far as the prompt has it.
  void extend(size_t at) {
    const Origin& origin = *origins_[at];
    const MarkedText& text = text_of(origin);
    if (origin.letter == 0) {
      size_t k = at;
      for (size_t c = text.letters.front(); c > 0 && k > 0; --c, --k) {
        if (owners_[k - 1] != kTemplatePart || plain_[k - 1] != text.text[c - 1]) break;
        owners_[k - 1] = origin.part;
      }
    }
    if (origin.letter + 1 == text.letters.size()) {
      size_t k = at + 1;
      for (size_t c = text.letters.back() + 1; c < text.text.size() && k < plain_.size();
           ++c, ++k) {
        if (owners_[k] != kTemplatePart || plain_[k] != text.text[c]) break;
        owners_[k] = origin.part;
      }
    }
  }

  const MarkedRequest& marked_;
  std::u32string_view plain_;
  const std::vector<std::optional<Origin>>& origins_;
  std::vector<size_t> owners_;  // part of each code point
};

// Texts are looked for in their order, each after the one before where it is there.
void search_for_texts(const MarkedRequest& marked, std::u32string_view plain,
                      std::vector<size_t>& owners) {
  std::vector<bool> found(marked.parts.size(), false);
  for (const size_t owner : owners) found[owner] = true;
  size_t from = 0;
  for (const MarkedText& text : marked.texts) {
    if (found[text.part]) continue;
    const auto first = std::ranges::find_if_not(text.text, is_space);
    std::u32string_view trimmed(text.text);
    trimmed.remove_prefix(static_cast<size_t>(first - text.text.begin()));
    while (!trimmed.empty() && is_space(trimmed.back())) trimmed.remove_suffix(1);
    if (trimmed.empty()) continue;
    size_t at = plain.find(trimmed, from);
    if (at == std::u32string_view::npos) at = plain.find(trimmed);
    if (at == std::u32string_view::npos) continue;
    from = at + trimmed.size();
    for (size_t i = at; i < from; ++i) {
      if (owners[i] == kTemplatePart) owners[i] = text.part;
    }
  }
}

std::vector<TextSpan> tile(const MarkedRequest& marked, std::u32string_view plain,
                           const std::vector<size_t>& owners) {
  std::vector<TextSpan> spans;
  for (size_t i = 0; i < plain.size();) {
    size_t end = i;
    while (end < plain.size() && owners[end] == owners[i]) ++end;
    const RequestPart& part = marked.parts[owners[i]];
    spans.push_back({.source = part.source,
                     .role = part.role,
                     .label = part.label,
                     .num_bytes = to_utf8(plain.substr(i, end - i)).size(),
                     .num_characters = static_cast<int64_t>(end - i)});
    i = end;
  }
  return spans;
}

class Tracer {
 public:
  Tracer(const ChatTemplate& chat_template, const Json& request, const PrepareRequest& prepare,
         std::u32string_view plain)
      : chat_template_(chat_template), request_(request), prepare_(prepare), plain_(plain) {}

  std::vector<TextSpan> run(TraceMethod& how) {
    MarkOptions options;
    marked_ = mark_request(request_, options);
    how = TraceMethod::kMarked;
    auto owners = owners_with(options, /*is_traced=*/true);
    if (!owners) {
      how = TraceMethod::kMarkedExceptWords;
      options.kept = chat_template_.words();
      owners = owners_with(options, /*is_traced=*/true);
    }
    for (const bool only_ascii : {true, false}) {
      options.only_ascii = only_ascii;
      if (!owners) owners = owners_with(options, /*is_traced=*/only_ascii);
    }
    if (!owners) {
      how = TraceMethod::kOnePartAtATime;
      owners = owners_one_by_one(options);
    }
    if (std::ranges::count(*owners, kTemplatePart) == std::ssize(*owners)) {
      how = TraceMethod::kSearched;
    }
    search_for_texts(marked_, plain_, *owners);
    return tile(marked_, plain_, *owners);
  }

 private:
  std::optional<std::vector<size_t>> owners_with(const MarkOptions& options, bool is_traced) {
    const MarkedRequest marked = mark_request(request_, options);
    const Json& ready = prepare_ ? prepare_(marked.request) : marked.request;
    const Result<std::string> rendered = chat_template_.render_marked(ready, is_traced);
    if (!rendered.ok()) return std::nullopt;
    const auto origins = origins_of(marked, plain_, to_code_points(*rendered));
    if (!origins) return std::nullopt;
    return Filler(marked, plain_, *origins).run();
  }

  std::vector<size_t> owners_one_by_one(MarkOptions options) {
    std::vector<size_t> owners(plain_.size(), kTemplatePart);
    for (size_t part = 1; part < std::min(marked_.parts.size(), kMaxParts); ++part) {
      options.only_part = part;
      const auto own = owners_with(options, /*is_traced=*/false);
      for (size_t i = 0; own && i < owners.size(); ++i) {
        if ((*own)[i] == part && owners[i] == kTemplatePart) owners[i] = part;
      }
    }
    return owners;
  }

  const ChatTemplate& chat_template_;
  const Json& request_;
  const PrepareRequest& prepare_;
  std::u32string_view plain_;
  MarkedRequest marked_;
};

}  // namespace

std::vector<TextSpan> trace_spans(const ChatTemplate& chat_template, const Json& request,
                                  std::string_view text, const PrepareRequest& prepare,
                                  TraceMethod* how) {
  const std::u32string plain = to_code_points(text);
  TraceMethod method = TraceMethod::kSearched;
  std::vector<TextSpan> spans = Tracer(chat_template, request, prepare, plain).run(method);
  if (how != nullptr) *how = method;
  return spans;
}

std::vector<int> count_tokens(std::span<const TextSpan> spans, std::span<const size_t> lengths) {
  std::vector<int> counts(spans.size(), 0);
  if (spans.empty()) return counts;
  size_t current = 0;
  size_t end = spans[0].num_bytes;  // of the current span
  size_t at = 0;
  for (const size_t length : lengths) {
    // The token is [at, at + length): the first span with the most of it.
    while (current + 1 < spans.size() && end <= at) end += spans[++current].num_bytes;
    size_t best = current;
    size_t most = std::min(end, at + length) - std::min(at, end);
    size_t next_end = end;
    for (size_t i = current + 1; i < spans.size() && next_end < at + length; ++i) {
      const size_t begin = next_end;
      next_end += spans[i].num_bytes;
      const size_t part = std::min(next_end, at + length) - begin;
      if (part > most) {
        most = part;
        best = i;
      }
    }
    ++counts[best];
    at += length;
  }
  return counts;
}

std::vector<size_t> align_tokens(std::string_view text, std::span<const std::string> spellings) {
  std::vector<size_t> lengths(spellings.size(), 0);
  size_t at = 0;
  for (size_t i = 0; i < spellings.size(); ++i) {
    std::string_view spelling = spellings[i];
    const auto is_next = [&](size_t skipped) {
      return text.substr(at + skipped).starts_with(spelling);
    };
    // A space that SentencePiece put before the first word is not in the text.
    if (!is_next(0) && spelling.starts_with(' ')) spelling.remove_prefix(1);
    size_t skipped = 0;
    while (!is_next(skipped) && at + skipped < text.size() && text[at + skipped] > 0 &&
           is_space(static_cast<char32_t>(text[at + skipped]))) {
      ++skipped;  // white space that a special token took with it
    }
    if (!is_next(skipped)) {  // a token that is not in the text, or one that is spelled otherwise
      const bool is_added = i == 0 || i + 1 == spellings.size();
      lengths[i] = is_added ? 0 : std::min(spelling.size(), text.size() - at);
    } else {
      lengths[i] = skipped + spelling.size();
    }
    at += lengths[i];
  }
  if (!lengths.empty()) lengths.back() += text.size() - at;
  return lengths;
}

}  // namespace twostroke
