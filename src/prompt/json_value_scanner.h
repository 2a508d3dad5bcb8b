// JsonValueScanner: finds where a JSON value ends, one character at a time. It balances brackets
// and strings and checks no more: what is between them goes through as it was written.
#pragma once

#include <cstdint>

namespace twostroke {

class JsonValueScanner {
 public:
  enum class Status {
    kMore,
    kDone,       // the character ended the value
    kDoneByNext  // a number or a word ended before this character, which is not part of it
  };

  Status push(char c) {
    if (in_string_) return push_in_string(c);
    switch (c) {
      case '"':
        in_string_ = true;
        return Status::kMore;
      case '{':
      case '[':
        ++depth_;
        return Status::kMore;
      case '}':
      case ']':
        if (depth_ == 0) return Status::kDoneByNext;
        return --depth_ == 0 ? Status::kDone : Status::kMore;
      case ',':
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        return depth_ == 0 ? Status::kDoneByNext : Status::kMore;
      default:
        return Status::kMore;
    }
  }

 private:
  Status push_in_string(char c) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      if (depth_ == 0) return Status::kDone;
    }
    return Status::kMore;
  }

  int64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace twostroke
