#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <array>
#include <string>

namespace twostroke {
namespace {

// Far above what any pattern of the table needs on any text, far below what could stall a server.
constexpr uint32_t kMatchLimit = 20'000'000;
constexpr uint32_t kHeapLimitKib = 64 * 1024;

constexpr std::string_view kWhiteSpace = R"(\t-\r\x{85}\p{Z})";

std::string spell_out_white_space(std::string_view pattern) {
  std::string spelled;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's') {
        spelled += in_class ? std::string(kWhiteSpace) : fmt::format("[{}]", kWhiteSpace);
      } else if (escaped == 'S' && !in_class) {
        spelled += fmt::format("[^{}]", kWhiteSpace);
      } else {
        spelled += '\\';
        spelled += escaped;
      }
      continue;
    }
    if (pattern[i] == '[') in_class = true;
    if (pattern[i] == ']') in_class = false;
    spelled += pattern[i];
  }
  return spelled;
}

}  // namespace

void Regex::Deleter::operator()(pcre2_real_code_8* code) const {
  pcre2_code_free(code);
}

void RegexScratch::Deleter::operator()(pcre2_real_match_data_8* data) const {
  pcre2_match_data_free(data);
}

void RegexScratch::Deleter::operator()(pcre2_real_match_context_8* context) const {
  pcre2_match_context_free(context);
}

Result<Regex> Regex::compile(std::string_view pattern) {
  const std::string spelled = spell_out_white_space(pattern);
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &error,
                    &error_offset, nullptr);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> message = {};
    pcre2_get_error_message(error, message.data(), message.size());
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("pattern '{}': {} at byte {}", spelled,
                             reinterpret_cast<const char*>(message.data()), error_offset),
                 ""};
  }
  // Without JIT (a hardened kernel may forbid it) the interpreter gives the same matches, slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return Regex(code);
}

RegexScratch::RegexScratch()
    : data_(pcre2_match_data_create(1, nullptr)), context_(pcre2_match_context_create(nullptr)) {
  CHECK(data_ != nullptr && context_ != nullptr);
  pcre2_set_match_limit(context_.get(), kMatchLimit);
  pcre2_set_heap_limit(context_.get(), kHeapLimitKib);
}

std::optional<RegexMatch> RegexScratch::find(const Regex& regex, std::string_view subject,
                                             size_t from) {
  const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.data());
  constexpr uint32_t kOptions = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
  int count =
      pcre2_match(regex.code(), text, subject.size(), from, kOptions, data_.get(), context_.get());
  if (count == PCRE2_ERROR_JIT_STACKLIMIT) {  // the interpreter's backtracking lives on the heap
    count = pcre2_match(regex.code(), text, subject.size(), from, kOptions | PCRE2_NO_JIT,
                        data_.get(), context_.get());
  }
  if (count < 0) {
    hit_limit_ = hit_limit_ || count != PCRE2_ERROR_NOMATCH;
    return std::nullopt;
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data_.get());
  return RegexMatch{ends[0], ends[1]};
}

}  // namespace twostroke
