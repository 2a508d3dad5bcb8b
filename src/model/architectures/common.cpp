#include <fmt/format.h>

#include <cmath>

#include "model/architectures/architecture.h"
#include "quant/quant_type.h"

namespace twostroke {
namespace {

// Far above real models; they keep every size product within int64 and every index within int.
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxDimension = 1 << 20;
constexpr int64_t kMaxContext = 1 << 24;
constexpr int64_t kMaxVocab = 1 << 24;

class SpecBuilder {
 public:
  SpecBuilder(const GgufFile& file, const std::string& architecture)
      : file_(file), architecture_(architecture) {}

  Result<DecoderSpec> build();

 private:
  std::string key(const char* name) const { return architecture_ + "." + name; }
  Result<int> size(const char* name, int64_t limit) const;
  Result<int> size_or(const char* name, int64_t limit, int fallback) const;
  Result<int> vocab_size() const;
  Status read_heads(DecoderSpec& spec) const;
  Status read_rope(DecoderSpec& spec) const;
  Status read_rope_scaling(RopeConfig& rope) const;
  Status read_freq_factors(RopeConfig& rope) const;

  const GgufFile& file_;
  std::string architecture_;
};

Result<int> SpecBuilder::size(const char* name, int64_t limit) const {
  const int64_t value = TRY(file_.get_i64(key(name)));
  if (value < 1 || value > limit) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: expected 1 to {}, found {}", key(name), limit, value), key(name)};
  }
  return static_cast<int>(value);
}

Result<int> SpecBuilder::size_or(const char* name, int64_t limit, int fallback) const {
  if (!file_.has(key(name))) return fallback;
  return size(name, limit);
}

Result<int> SpecBuilder::vocab_size() const {
  const GgufTensor* embedding = TRY(file_.get_tensor("token_embd.weight"));
  const int64_t rows = embedding->dims[0];
  if (embedding->num_dims != 2 || rows > kMaxVocab) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("tensor token_embd.weight: expected [vocab, hidden], found {}",
                             embedding->shape_text()),
                 "token_embd.weight"};
  }
  return static_cast<int>(rows);
}

Status SpecBuilder::read_heads(DecoderSpec& spec) const {
  spec.num_heads = TRY(size("attention.head_count", kMaxDimension));
  spec.num_kv_heads = TRY(size_or("attention.head_count_kv", kMaxDimension, spec.num_heads));
  if (spec.num_heads % spec.num_kv_heads != 0) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{} query heads cannot share {} key-value heads evenly",
                             spec.num_heads, spec.num_kv_heads),
                 key("attention.head_count_kv")};
  }
  const int head_dim = spec.hidden_size / spec.num_heads;
  spec.head_dim = TRY(size_or("attention.key_length", 1024, head_dim));
  const int value_length = TRY(size_or("attention.value_length", 1024, head_dim));
  if (value_length != spec.head_dim || spec.head_dim % 16 != 0) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("heads need equal key and value lengths, a multiple of 16; found {} "
                             "and {}",
                             spec.head_dim, value_length),
                 key("attention.key_length")};
  }
  spec.attention_scale = static_cast<float>(1.0 / std::sqrt(double(spec.head_dim)));
  return {};
}

Status SpecBuilder::read_rope_scaling(RopeConfig& rope) const {
  const std::string_view type = TRY(file_.get_string_or(key("rope.scaling.type"), "linear"));
  // A factor without a type means linear, as in llama.cpp; old converters wrote rope.scale_linear
  // instead.
  const float old_factor = TRY(file_.get_f32_or(key("rope.scale_linear"), 1.0F));
  rope.factor = TRY(file_.get_f32_or(key("rope.scaling.factor"), old_factor));
  if (!(rope.factor > 0.0F) || !std::isfinite(rope.factor)) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: expected a positive factor, found {}", key("rope.scaling.factor"),
                             rope.factor),
                 key("rope.scaling.factor")};
  }
  if (type == "linear") {
    rope.scaling = RopeScaling::kLinear;
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    rope.original_context_length = TRY(size("rope.scaling.original_context_length", kMaxContext));
    rope.yarn_attn_factor = TRY(file_.get_f32_or(key("rope.scaling.attn_factor"), 1.0F));
    rope.yarn_ext_factor = TRY(file_.get_f32_or(key("rope.scaling.yarn_ext_factor"), 1.0F));
    rope.yarn_beta_fast = TRY(file_.get_f32_or(key("rope.scaling.yarn_beta_fast"), 32.0F));
    rope.yarn_beta_slow = TRY(file_.get_f32_or(key("rope.scaling.yarn_beta_slow"), 1.0F));
  } else if (type != "none") {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: expected none, linear or yarn, found \"{}\"",
                             key("rope.scaling.type"), type),
                 key("rope.scaling.type")};
  }
  return {};
}

// Llama 3 scaling comes as a tensor of divisors, written by the converter.
Status SpecBuilder::read_freq_factors(RopeConfig& rope) const {
  const GgufTensor* tensor = file_.find_tensor("rope_freqs.weight");
  if (tensor == nullptr) return {};
  if (tensor->num_elements() != rope.rope_dim / 2 ||
      tensor->type != static_cast<int>(QuantType::kF32)) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("tensor rope_freqs.weight: expected {} floats, found {} of type {}",
                             rope.rope_dim / 2, tensor->shape_text(), tensor->type),
                 "rope_freqs.weight"};
  }
  rope.freq_factors.resize(static_cast<size_t>(rope.rope_dim / 2));
  quant_traits(QuantType::kF32)
      .dequantize(tensor->bytes.data(), rope.freq_factors.data(), rope.rope_dim / 2);
  return {};
}

Status SpecBuilder::read_rope(DecoderSpec& spec) const {
  spec.rope.rope_dim = TRY(size_or("rope.dimension_count", 1024, spec.head_dim));
  if (spec.rope.rope_dim % 2 != 0 || spec.rope.rope_dim > spec.head_dim) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: expected an even number up to the head's {}, found {}",
                             key("rope.dimension_count"), spec.head_dim, spec.rope.rope_dim),
                 key("rope.dimension_count")};
  }
  spec.rope.freq_base = TRY(file_.get_f32_or(key("rope.freq_base"), 10000.0F));
  TRY(read_rope_scaling(spec.rope));
  return read_freq_factors(spec.rope);
}

Result<DecoderSpec> SpecBuilder::build() {
  DecoderSpec spec;
  spec.architecture = architecture_;
  spec.name = std::string(file_.find_string("general.name").value_or(architecture_));
  spec.vocab_size = TRY(vocab_size());
  spec.num_layers = TRY(size("block_count", kMaxLayers));
  spec.hidden_size = TRY(size("embedding_length", kMaxDimension));
  spec.ffn_size = TRY(size("feed_forward_length", kMaxDimension));
  spec.context_length = TRY(size("context_length", kMaxContext));
  spec.rms_eps = TRY(file_.get_f32(key("attention.layer_norm_rms_epsilon")));
  spec.layer_is_local.assign(static_cast<size_t>(spec.num_layers), false);
  for (const int width : {spec.hidden_size, spec.ffn_size}) {
    if (width % 32 != 0) {
      return Error{
          ErrorCode::kUnsupported,
          fmt::format("{}: widths must be multiples of 32, found {}", architecture_, width),
          key("embedding_length")};
    }
  }
  TRY(read_heads(spec));
  TRY(read_rope(spec));
  return spec;
}

}  // namespace

Result<DecoderSpec> read_common_spec(const GgufFile& file, const std::string& architecture) {
  return SpecBuilder(file, architecture).build();
}

}  // namespace twostroke
