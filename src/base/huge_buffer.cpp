#include "base/huge_buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace twostroke {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

Result<HugeBuffer> HugeBuffer::allocate(size_t bytes) {
  if (bytes == 0) return HugeBuffer();
  const auto too_large = [&](const char* why) {
    return Error{ErrorCode::kTooLarge, fmt::format("cannot reserve {} bytes: {}", bytes, why), ""};
  };
  if (bytes > SIZE_MAX - 2 * kHugePage) return too_large("more than the address space");
  const size_t size = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  const size_t mapped = size + kHugePage;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return too_large(std::strerror(errno));

  // Cut the mapping to the aligned part.
  uint8_t* const begin = static_cast<uint8_t*>(memory);
  const size_t misaligned = reinterpret_cast<uintptr_t>(begin) % kHugePage;
  const size_t head = misaligned == 0 ? 0 : kHugePage - misaligned;
  if (head != 0) munmap(begin, head);
  munmap(begin + head + size, kHugePage - head);
  madvise(begin + head, size, MADV_HUGEPAGE);  // a hint: small pages work too
  return HugeBuffer(begin + head, size);
}

HugeBuffer::~HugeBuffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

HugeBuffer::HugeBuffer(HugeBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

HugeBuffer& HugeBuffer::operator=(HugeBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

bool HugeBuffer::lock() const {
  return data_ != nullptr && mlock(data_, size_) == 0;
}

}  // namespace twostroke
