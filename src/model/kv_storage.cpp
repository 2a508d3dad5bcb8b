#include "model/kv_storage.h"

namespace twostroke {
namespace {

size_t head_bytes(const DecoderSpec& spec, bool f32) {
  const size_t element_bytes = f32 ? sizeof(float) : sizeof(uint16_t);
  return 2 * static_cast<size_t>(kKvBlockTokens) * static_cast<size_t>(spec.head_dim) *
         element_bytes;
}

}  // namespace

size_t KvStorage::bytes_per_block(const DecoderSpec& spec, bool f32) {
  return head_bytes(spec, f32) * static_cast<size_t>(spec.num_kv_heads) *
         static_cast<size_t>(spec.num_layers);
}

Result<KvStorage> KvStorage::allocate(const DecoderSpec& spec, int num_blocks, bool f32) {
  KvStorage storage;
  storage.first_.head_bytes = head_bytes(spec, f32);
  storage.first_.block_bytes = storage.first_.head_bytes * static_cast<size_t>(spec.num_kv_heads);
  storage.first_.num_kv_heads = spec.num_kv_heads;
  storage.first_.head_dim = spec.head_dim;
  storage.first_.f32 = f32;
  storage.layer_bytes_ = storage.first_.block_bytes * static_cast<size_t>(num_blocks);
  storage.buffer_ =
      TRY(HugeBuffer::allocate(storage.layer_bytes_ * static_cast<size_t>(spec.num_layers)));
  return storage;
}

KvLayer KvStorage::layer(int index) const {
  KvLayer layer = first_;
  layer.base = buffer_.data() + layer_bytes_ * static_cast<size_t>(index);
  return layer;
}

}  // namespace twostroke
