#include "testing/tiny_model.h"

#include <array>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "quant/f16.h"
#include "testing/gguf_writer.h"

namespace twostroke {
namespace {

class Builder {
 public:
  explicit Builder(const TinyModelOptions& options) : options_(options), state_(options.seed) {}

  std::vector<uint8_t> build();

 private:
  uint64_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return state_ >> 33;
  }
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(next() % 65536) / 65536.0F;
  }
  std::string key(const char* name) const { return options_.architecture + "." + name; }
  void add_metadata();
  void add_vector(const std::string& name, int size, float low, float high);
  void add_matrix(const std::string& name, int n, int k);
  void add_layer(const std::string& prefix);

  const TinyModelOptions& options_;
  uint64_t state_;
  GgufWriter writer_;
};

void Builder::add_metadata() {
  const auto count = [&](const char* name, int value) {
    writer_.add_u32(key(name), static_cast<uint32_t>(value));
  };
  writer_.add_string("general.architecture", options_.architecture);
  count("block_count", options_.num_layers);
  count("embedding_length", options_.hidden_size);
  count("feed_forward_length", options_.ffn_size);
  count("context_length", options_.context_length);
  count("attention.head_count", options_.num_heads);
  count("attention.head_count_kv", options_.num_kv_heads);
  count("attention.key_length", options_.head_dim);
  count("attention.value_length", options_.head_dim);
  count("rope.dimension_count", options_.head_dim);
  writer_.add_f32(key("attention.layer_norm_rms_epsilon"), 1e-5F);
  if (options_.architecture == "gemma3") {
    count("attention.sliding_window", options_.sliding_window);
  }
}

void Builder::add_vector(const std::string& name, int size, float low, float high) {
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = uniform(low, high);
  const std::array<int64_t, 1> dims = {size};
  writer_.add_f32_tensor(name, dims, values);
}

// Random codes under small f16 scales; the types whose scale is the block's first two bytes (and
// its minimum the next two), and F32.
void Builder::add_matrix(const std::string& name, int n, int k) {
  const std::array<int64_t, 2> dims = {n, k};
  const QuantTraits& traits = quant_traits(options_.type);
  const size_t row_bytes = static_cast<size_t>(traits.bytes_for(k));
  std::vector<uint8_t> bytes(row_bytes * static_cast<size_t>(n));
  if (options_.type == QuantType::kF32) {
    for (size_t i = 0; i < bytes.size(); i += 4) {
      const float value = uniform(-0.2F, 0.2F);
      std::memcpy(bytes.data() + i, &value, 4);
    }
  } else {
    CHECK(options_.type == QuantType::kQ4_0 || options_.type == QuantType::kQ4_1 ||
          options_.type == QuantType::kQ5_0 || options_.type == QuantType::kQ8_0);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(next());
    const float levels = options_.type == QuantType::kQ8_0 ? 128.0F : 8.0F;
    for (size_t i = 0; i < bytes.size(); i += static_cast<size_t>(traits.block_bytes)) {
      const float d = uniform(0.1F, 0.3F) / levels;
      const uint16_t scale = f32_to_f16(d);
      std::memcpy(bytes.data() + i, &scale, 2);
      if (options_.type != QuantType::kQ4_1) continue;
      const uint16_t minimum = f32_to_f16(-7.5F * d);
      std::memcpy(bytes.data() + i + 2, &minimum, 2);
    }
  }
  writer_.add_tensor(name, dims, static_cast<int>(options_.type), bytes);
}

void Builder::add_layer(const std::string& prefix) {
  const int hidden = options_.hidden_size;
  const int q_size = options_.num_heads * options_.head_dim;
  const int kv_size = options_.num_kv_heads * options_.head_dim;
  const bool gemma = options_.architecture == "gemma3";
  add_vector(prefix + "attn_norm.weight", hidden, 0.5F, 1.5F);
  add_vector(prefix + "ffn_norm.weight", hidden, 0.5F, 1.5F);
  if (gemma) {
    add_vector(prefix + "post_attention_norm.weight", hidden, 0.5F, 1.5F);
    add_vector(prefix + "post_ffw_norm.weight", hidden, 0.5F, 1.5F);
  }
  if (gemma || options_.architecture == "qwen3") {
    add_vector(prefix + "attn_q_norm.weight", options_.head_dim, 0.5F, 1.5F);
    add_vector(prefix + "attn_k_norm.weight", options_.head_dim, 0.5F, 1.5F);
  }
  if (options_.architecture == "qwen2") {
    add_vector(prefix + "attn_q.bias", q_size, -0.5F, 0.5F);
    add_vector(prefix + "attn_k.bias", kv_size, -0.5F, 0.5F);
    add_vector(prefix + "attn_v.bias", kv_size, -0.5F, 0.5F);
  }
  add_matrix(prefix + "attn_q.weight", q_size, hidden);
  add_matrix(prefix + "attn_k.weight", kv_size, hidden);
  add_matrix(prefix + "attn_v.weight", kv_size, hidden);
  add_matrix(prefix + "attn_output.weight", hidden, q_size);
  add_matrix(prefix + "ffn_gate.weight", options_.ffn_size, hidden);
  add_matrix(prefix + "ffn_up.weight", options_.ffn_size, hidden);
  add_matrix(prefix + "ffn_down.weight", hidden, options_.ffn_size);
}

std::vector<uint8_t> Builder::build() {
  add_metadata();
  add_matrix("token_embd.weight", options_.vocab_size, options_.hidden_size);
  add_vector("output_norm.weight", options_.hidden_size, 0.5F, 1.5F);
  for (int layer = 0; layer < options_.num_layers; ++layer) {
    add_layer("blk." + std::to_string(layer) + ".");
  }
  return writer_.bytes();
}

}  // namespace

std::vector<uint8_t> make_tiny_model(const TinyModelOptions& options) {
  return Builder(options).build();
}

}  // namespace twostroke
