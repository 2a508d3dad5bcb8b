// Result and TRY: values come through, errors return early with their text, misuse aborts.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace twostroke {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error{ErrorCode::kInvalidArgument, "odd", "value"};
  return value / 2;
}

Result<int> quarter(int value) {
  const int once = TRY(half(value));
  return TRY(half(once));
}

TEST(Result, TryPassesValuesThroughAndReturnsTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  const Result<int> failed = quarter(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "odd");
  EXPECT_EQ(failed.error().field, "value");
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  EXPECT_DEATH({ [[maybe_unused]] const int v = half(3).value(); }, "CHECK failed");
}

TEST(CheckDeathTest, PrintsBothOperands) {
  EXPECT_DEATH(CHECK_EQ(1 + 1, 3), "2 against 3");
}

}  // namespace
}  // namespace twostroke
