// Regex: one compiled PCRE2 pattern (UTF, Unicode properties, JIT where the machine allows it), and
// the scratch memory that one thread needs to run it. Knows nothing of tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace twostroke {

struct RegexMatch {
  size_t begin = 0;
  size_t end = 0;
};

// Immutable after compile: any number of threads, each with a RegexScratch of its own.
class Regex {
 public:
  // `pattern`: Perl syntax; \s and \S outside nested classes mean Unicode's White_Space (PCRE2's
  // own \s has U+180E besides, which is not white space since Unicode 6.3).
  static Result<Regex> compile(std::string_view pattern);

  const pcre2_real_code_8* code() const { return code_.get(); }

 private:
  struct Deleter {
    void operator()(pcre2_real_code_8* code) const;
  };
  explicit Regex(pcre2_real_code_8* code) : code_(code) {}

  std::unique_ptr<pcre2_real_code_8, Deleter> code_;
};

class RegexScratch {
 public:
  RegexScratch();

  // The first non-empty match at or after `from`; nothing when there is none, or when matching
  // would need more steps or memory than the limits in regex.cpp allow. REQUIRES: `subject` is
  // valid UTF-8 and `from` is at a code point.
  std::optional<RegexMatch> find(const Regex& regex, std::string_view subject, size_t from);
  // Has a limit ever been reached? No pattern of the table should.
  bool hit_limit() const { return hit_limit_; }

 private:
  struct Deleter {
    void operator()(pcre2_real_match_data_8* data) const;
    void operator()(pcre2_real_match_context_8* context) const;
  };
  std::unique_ptr<pcre2_real_match_data_8, Deleter> data_;
  std::unique_ptr<pcre2_real_match_context_8, Deleter> context_;
  bool hit_limit_ = false;
};

}  // namespace twostroke
