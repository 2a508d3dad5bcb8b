// Result<T>: a value or an Error, for failures that input or the operating system can cause.
// It is not for programmer errors (base/check.h aborts on those), and nothing here throws.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace twostroke {

// Few on purpose: a code says how a caller reacts, the message says what happened.
enum class ErrorCode {
  kInvalidArgument,  // the caller's value is wrong: fix it and call again
  kNotFound,
  kUnsupported,  // well formed, but not something this build can do
  kCorrupt,      // a file contradicts itself or its size
  kTooLarge,     // past a stated limit
  kOverloaded,   // a bounded queue or pool is full: try later
  kCancelled,
  kIo,
};

struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;  // what was expected, what was found, where
  std::string field;    // request field, flag, key or tensor the message is about; may be empty
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok().
  const Error& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { CHECK(ok()); }
  const Error& error() const {
    CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace twostroke

// Evaluates a Result expression; returns its Error from the enclosing function, or yields its
// value.
#define TRY(expression)                                        \
  __extension__({                                              \
    auto try_result_ = (expression);                           \
    if (!try_result_.ok()) return try_result_.error();         \
    ::twostroke::internal::take_value(std::move(try_result_)); \
  })

namespace twostroke::internal {
template <typename T>
T take_value(Result<T>&& result) {
  return std::move(result).value();
}
inline void take_value(Result<void>&&) {}
}  // namespace twostroke::internal
