// Memory for what is read end to end every step (weights, KV): 2 MiB aligned, on huge pages where
// the system gives them, pinned against reclaim where it may. Zero-filled by the system on first
// touch, which the caller may do in parallel. Owns its pages; move-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace twostroke {

class HugeBuffer {
 public:
  // Errors: kTooLarge when the system refuses the address space.
  static Result<HugeBuffer> allocate(size_t bytes);

  HugeBuffer() = default;
  ~HugeBuffer();
  HugeBuffer(HugeBuffer&& other) noexcept;
  HugeBuffer& operator=(HugeBuffer&& other) noexcept;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<uint8_t> span() const { return {data_, size_}; }

  // Asks the system to keep the pages in memory; false (and no harm done) where it may not. Touches
  // every page, so call it after the parallel first touch.
  bool lock() const;

 private:
  HugeBuffer(uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace twostroke
