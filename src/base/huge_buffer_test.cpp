#include "base/huge_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "base/cpu_info.h"

namespace twostroke {
namespace {

TEST(HugeBuffer, IsAlignedZeroedAndLargeEnough) {
  Result<HugeBuffer> buffer = HugeBuffer::allocate(3'000'000);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % (size_t{2} << 20), 0U);
  EXPECT_GE(buffer->size(), 3'000'000U);
  EXPECT_EQ(buffer->data()[buffer->size() - 1], 0);
  buffer->data()[buffer->size() - 1] = 7;
}

TEST(HugeBuffer, MovesAndMayBeEmpty) {
  HugeBuffer a = std::move(HugeBuffer::allocate(1)).value();
  a.data()[0] = 42;
  HugeBuffer b = std::move(a);
  EXPECT_EQ(b.data()[0], 42);
  HugeBuffer none = std::move(HugeBuffer::allocate(0)).value();
  EXPECT_EQ(none.size(), 0U);
  EXPECT_FALSE(none.lock());
}

TEST(HugeBuffer, SaysHowMuchItCouldNotGet) {
  const Result<HugeBuffer> absurd = HugeBuffer::allocate(SIZE_MAX - 5);
  ASSERT_FALSE(absurd.ok());
  EXPECT_EQ(absurd.error().code, ErrorCode::kTooLarge);
  const Result<HugeBuffer> past_address_space = HugeBuffer::allocate(size_t{1} << 50);
  ASSERT_FALSE(past_address_space.ok());
  EXPECT_NE(past_address_space.error().message.find("1125899906842624"), std::string::npos);
}

TEST(CpuInfo, IsConsistent) {
  const CpuInfo& info = cpu_info();
  EXPECT_GE(info.usable_cores, 1);
  EXPECT_TRUE(info.has_avx2 || !info.has_avx512_vnni);
}

}  // namespace
}  // namespace twostroke
