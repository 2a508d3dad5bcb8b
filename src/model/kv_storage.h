// The memory of the KV cache: per layer, a row of blocks as kernels/types.h lays them out. Who uses
// which block is the KV cache's business (src/kv_cache); this only owns the bytes. Untouched blocks
// cost no memory.
#pragma once

#include <cstddef>

#include "base/huge_buffer.h"
#include "base/result.h"
#include "kernels/types.h"
#include "model/decoder_spec.h"

namespace twostroke {

class KvStorage {
 public:
  // Errors: kTooLarge when the system refuses the address space.
  static Result<KvStorage> allocate(const DecoderSpec& spec, int num_blocks, bool f32);

  // Bytes of one block over all layers.
  static size_t bytes_per_block(const DecoderSpec& spec, bool f32);

  KvLayer layer(int index) const;
  size_t bytes() const { return buffer_.size(); }

 private:
  HugeBuffer buffer_;
  KvLayer first_{};
  size_t layer_bytes_ = 0;
};

}  // namespace twostroke
