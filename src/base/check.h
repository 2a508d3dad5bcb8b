// CHECK: programmer errors stop the process, always, with the failed condition and its operands.
// Not for bad input: that is a Result (base/result.h).
#pragma once

#include <sstream>
#include <string>

namespace twostroke::internal {

[[noreturn]] void check_failed(const char* file, int line, const std::string& message);

template <typename A, typename B>
[[noreturn]] void check_op_failed(const char* file, int line, const char* expression, const A& a,
                                  const B& b) {
  std::ostringstream out;
  out << expression << " (" << a << " against " << b << ")";
  check_failed(file, line, out.str());
}

}  // namespace twostroke::internal

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) [[unlikely]]                                         \
      ::twostroke::internal::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

#define TWOSTROKE_CHECK_OP(a, op, b)                                                          \
  do {                                                                                        \
    const auto& check_a_ = (a);                                                               \
    const auto& check_b_ = (b);                                                               \
    if (!(check_a_ op check_b_)) [[unlikely]]                                                 \
      ::twostroke::internal::check_op_failed(__FILE__, __LINE__, #a " " #op " " #b, check_a_, \
                                             check_b_);                                       \
  } while (false)

#define CHECK_EQ(a, b) TWOSTROKE_CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) TWOSTROKE_CHECK_OP(a, !=, b)
#define CHECK_LT(a, b) TWOSTROKE_CHECK_OP(a, <, b)
#define CHECK_LE(a, b) TWOSTROKE_CHECK_OP(a, <=, b)
#define CHECK_GT(a, b) TWOSTROKE_CHECK_OP(a, >, b)
#define CHECK_GE(a, b) TWOSTROKE_CHECK_OP(a, >=, b)

#ifdef NDEBUG
#define DCHECK(condition) \
  do {                    \
  } while (false && (condition))
#else
#define DCHECK(condition) CHECK(condition)
#endif
