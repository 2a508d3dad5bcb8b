// What the kernel tests share: the ISAs that this CPU can run, aligned memory, comparison bit for
// bit.
#pragma once

#include <fmt/core.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "kernels/attention.h"
#include "kernels/kernels.h"
#include "kernels/vector_ops.h"

namespace twostroke {

struct IsaUnderTest {
  const char* name;
  const VectorKernels* vector;
  const AttentionKernels* attention;
};

inline std::vector<IsaUnderTest> isas_under_test() {
  std::vector<IsaUnderTest> isas;
  for (const Isa isa : supported_isas()) {
    const Kernels& kernels = kernels_for(isa);
    isas.push_back({kernels.name, &kernels.vector, &kernels.attention});
  }
  return isas;
}

// Zeroed bytes at a 64-byte boundary.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size)
      : size_(size), data_(static_cast<uint8_t*>(::operator new (size, std::align_val_t{64}))) {
    std::memset(data_.get(), 0, size);
  }
  uint8_t* data() const { return data_.get(); }
  bool operator==(const AlignedBytes& other) const {
    return size_ == other.size_ && std::memcmp(data(), other.data(), size_) == 0;
  }

 private:
  struct Delete {
    void operator()(uint8_t* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  size_t size_ = 0;
  std::unique_ptr<uint8_t, Delete> data_;
};

// Index of the first value whose bits differ, -1 if none.
inline int first_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i])) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace twostroke
