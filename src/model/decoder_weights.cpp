#include "model/decoder_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "quant/quant_type.h"

namespace twostroke {
namespace {

// A tensor on its way into the arena.
struct PendingMatrix {
  const GgufTensor* tensor;
  QuantType type;
  int n, k;
  size_t offset;    // in the arena
  int first_chunk;  // of the parallel packing
};

constexpr int kPanelsPerChunk = 16;

}  // namespace

class WeightLoader {
 public:
  WeightLoader(const GgufFile& file, const DecoderSpec& spec, bool exact)
      : file_(file), spec_(spec), exact_(exact) {}

  Result<DecoderWeights> load(ThreadPool& pool);

 private:
  Result<std::vector<float>> vector(const std::string& name, int size) const;
  Status optional_vector(const std::string& name, int size, bool wanted,
                         std::vector<float>& out) const;
  Result<size_t> plan_matrix(const std::string& name, int n, int k);
  Status plan_linear(Linear& linear, std::initializer_list<std::pair<const char*, int>> parts,
                     int layer, int k);
  Status plan_layer(int layer, LayerWeights& weights);
  Status plan_qkv_bias(int layer, LayerWeights& weights) const;
  Status plan_head(DecoderWeights& weights);
  void resolve(Linear& linear, const uint8_t* arena) const;
  void pack_all(ThreadPool& pool, uint8_t* arena) const;

  static std::string layer_name(int layer, const char* part) {
    return fmt::format("blk.{}.{}", layer, part);
  }

  const GgufFile& file_;
  const DecoderSpec& spec_;
  bool exact_;
  std::vector<PendingMatrix> pending_;
  size_t arena_bytes_ = 0;
  int num_chunks_ = 0;
};

Result<std::vector<float>> WeightLoader::vector(const std::string& name, int size) const {
  const GgufTensor* tensor = TRY(file_.get_tensor(name));
  const QuantTraits* traits = find_quant_traits(tensor->type);
  if (traits == nullptr || tensor->num_elements() != size) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("tensor {}: expected {} floats, found shape {} of type {}", name, size,
                             tensor->shape_text(), tensor->type),
                 name};
  }
  std::vector<float> values(static_cast<size_t>(size));
  traits->dequantize(tensor->bytes.data(), values.data(), size);
  return values;
}

Status WeightLoader::optional_vector(const std::string& name, int size, bool wanted,
                                     std::vector<float>& out) const {
  if (wanted) out = TRY(vector(name, size));
  return {};
}

Result<size_t> WeightLoader::plan_matrix(const std::string& name, int n, int k) {
  const GgufTensor* tensor = TRY(file_.get_tensor(name));
  const QuantTraits* traits = find_quant_traits(tensor->type);
  if (traits == nullptr) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("tensor {}: quantisation type {} is not supported", name, tensor->type), name};
  }
  if (tensor->num_dims != 2 || tensor->dims[0] != n || tensor->dims[1] != k) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("tensor {}: expected shape [{}, {}], found {}", name, n, k,
                             tensor->shape_text()),
                 name};
  }
  if (k % traits->block_elements != 0) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("tensor {}: rows of {} values do not fill blocks of {} ({})", name, k,
                             traits->block_elements, traits->name),
                 name};
  }
  pending_.push_back({tensor, traits->type, n, k, arena_bytes_, num_chunks_});
  const int panels = num_panels(n);
  // Matrices start on cache lines; panels are multiples of 16 bytes.
  arena_bytes_ += (static_cast<size_t>(panels) * panel_bytes(traits->type, k) + 63) / 64 * 64;
  num_chunks_ += (panels + kPanelsPerChunk - 1) / kPanelsPerChunk;
  return pending_.size() - 1;
}

Status WeightLoader::plan_linear(Linear& linear,
                                 std::initializer_list<std::pair<const char*, int>> parts,
                                 int layer, int k) {
  for (const auto& [part, n] : parts) {
    const size_t index = TRY(plan_matrix(layer_name(layer, part), n, k));
    const PendingMatrix& matrix = pending_[index];
    // The data pointer is an arena offset until resolve().
    PanelMatrix panels = panel_matrix(nullptr, matrix.type, n, k);
    panels.data = reinterpret_cast<const uint8_t*>(matrix.offset);  // safe: an offset, see resolve
    linear.add_part(panels, !exact_ && has_integer_path(matrix.type, k));
  }
  return {};
}

Status WeightLoader::plan_qkv_bias(int layer, LayerWeights& weights) const {
  if (!spec_.has_qkv_bias) return {};
  weights.qkv_bias.assign(static_cast<size_t>(weights.qkv.num_columns()), 0.0F);
  const char* names[] = {"attn_q.bias", "attn_k.bias", "attn_v.bias"};
  for (size_t part = 0; part < 3; ++part) {
    const std::vector<float> bias =
        TRY(vector(layer_name(layer, names[part]), weights.qkv.parts[part].panels.n));
    std::copy(bias.begin(), bias.end(), weights.qkv_bias.begin() + weights.qkv.first_column(part));
  }
  return {};
}

Status WeightLoader::plan_layer(int layer, LayerWeights& weights) {
  const int hidden = spec_.hidden_size;
  weights.attention_norm = TRY(vector(layer_name(layer, "attn_norm.weight"), hidden));
  weights.ffn_norm = TRY(vector(layer_name(layer, "ffn_norm.weight"), hidden));
  TRY(optional_vector(layer_name(layer, "post_attention_norm.weight"), hidden, spec_.has_post_norms,
                      weights.post_attention_norm));
  TRY(optional_vector(layer_name(layer, "post_ffw_norm.weight"), hidden, spec_.has_post_norms,
                      weights.post_ffn_norm));
  TRY(optional_vector(layer_name(layer, "attn_q_norm.weight"), spec_.head_dim, spec_.has_qk_norm,
                      weights.q_norm));
  TRY(optional_vector(layer_name(layer, "attn_k_norm.weight"), spec_.head_dim, spec_.has_qk_norm,
                      weights.k_norm));
  TRY(plan_linear(weights.qkv,
                  {{"attn_q.weight", spec_.q_size()},
                   {"attn_k.weight", spec_.kv_size()},
                   {"attn_v.weight", spec_.kv_size()}},
                  layer, hidden));
  TRY(plan_qkv_bias(layer, weights));
  TRY(plan_linear(weights.output, {{"attn_output.weight", hidden}}, layer, spec_.q_size()));
  TRY(plan_linear(weights.gate_up,
                  {{"ffn_gate.weight", spec_.ffn_size}, {"ffn_up.weight", spec_.ffn_size}}, layer,
                  hidden));
  return plan_linear(weights.down, {{"ffn_down.weight", hidden}}, layer, spec_.ffn_size);
}

Status WeightLoader::plan_head(DecoderWeights& weights) {
  weights.output_norm_ = TRY(vector("output_norm.weight", spec_.hidden_size));
  weights.tied_ = file_.find_tensor("output.weight") == nullptr;
  const char* name = weights.tied_ ? "token_embd.weight" : "output.weight";
  const auto plan = [&](const char* tensor) -> Result<PanelMatrix> {
    const PendingMatrix& matrix =
        pending_[TRY(plan_matrix(tensor, spec_.vocab_size, spec_.hidden_size))];
    PanelMatrix panels = panel_matrix(nullptr, matrix.type, matrix.n, matrix.k);
    panels.data = reinterpret_cast<const uint8_t*>(matrix.offset);  // safe: an offset, see resolve
    return panels;
  };
  if (!weights.tied_) weights.embedding_ = TRY(plan("token_embd.weight"));
  const PanelMatrix head = TRY(plan(name));
  weights.head_.add_part(
      head, !exact_ && has_integer_path(static_cast<QuantType>(head.type), spec_.hidden_size));
  return {};
}

void WeightLoader::resolve(Linear& linear, const uint8_t* arena) const {
  for (LinearPart& part : linear.parts) {
    part.panels.data = arena + reinterpret_cast<size_t>(part.panels.data);  // safe: was an offset
  }
}

void WeightLoader::pack_all(ThreadPool& pool, uint8_t* arena) const {
  pool.begin_step();
  constexpr int kMaxPerCall = ThreadPool::kMaxChunks;
  for (int base = 0; base < num_chunks_; base += kMaxPerCall) {
    pool.parallel_for(std::min(kMaxPerCall, num_chunks_ - base), [&](int chunk, int) {
      const int global = base + chunk;
      const auto after = std::upper_bound(
          pending_.begin(), pending_.end(), global,
          [](int value, const PendingMatrix& matrix) { return value < matrix.first_chunk; });
      const PendingMatrix& matrix = *std::prev(after);
      const int first = (global - matrix.first_chunk) * kPanelsPerChunk;
      const int last = std::min(first + kPanelsPerChunk, num_panels(matrix.n));
      const size_t bytes = panel_bytes(matrix.type, matrix.k);
      for (int panel = first; panel < last; ++panel) {
        pack_panel(matrix.type, matrix.n, matrix.k, matrix.tensor->bytes.data(), panel,
                   arena + matrix.offset + static_cast<size_t>(panel) * bytes);
      }
    });
  }
  pool.end_step();
}

Result<DecoderWeights> WeightLoader::load(ThreadPool& pool) {
  DecoderWeights weights;
  weights.layers_.resize(static_cast<size_t>(spec_.num_layers));
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    TRY(plan_layer(layer, weights.layers_[static_cast<size_t>(layer)]));
  }
  TRY(plan_head(weights));
  // Kernels may prefetch a little past the last panel.
  weights.arena_ = TRY(HugeBuffer::allocate(arena_bytes_ + 4096));
  uint8_t* arena = weights.arena_.data();
  for (LayerWeights& layer : weights.layers_) {
    for (Linear* linear : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      resolve(*linear, arena);
    }
  }
  resolve(weights.head_, arena);
  if (weights.tied_) {
    weights.embedding_ = weights.head_.parts[0].panels;
  } else {
    weights.embedding_.data =
        arena + reinterpret_cast<size_t>(weights.embedding_.data);  // safe: was an offset
  }
  pack_all(pool, arena);
  weights.arena_.lock();
  file_.release_pages();
  return weights;
}

Result<DecoderWeights> DecoderWeights::load(const GgufFile& file, const DecoderSpec& spec,
                                            bool exact, ThreadPool& pool) {
  return WeightLoader(file, spec, exact).load(pool);
}

size_t DecoderWeights::bytes_per_token() const {
  size_t bytes = head_.weight_bytes();
  for (const LayerWeights& layer : layers_) {
    bytes += layer.qkv.weight_bytes() + layer.output.weight_bytes() + layer.gate_up.weight_bytes() +
             layer.down.weight_bytes();
  }
  return bytes;
}

int64_t DecoderWeights::layer_macs() const {
  int64_t macs = 0;
  for (const LayerWeights& layer : layers_) {
    for (const Linear* linear : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      for (const LinearPart& part : linear->parts) macs += int64_t{part.panels.n} * part.panels.k;
    }
  }
  return macs;
}

int64_t DecoderWeights::head_macs() const {
  return int64_t{head_.parts[0].panels.n} * head_.parts[0].panels.k;
}

size_t DecoderWeights::scratch_bytes() const {
  size_t bytes = head_.scratch_bytes();
  for (const LayerWeights& layer : layers_) {
    for (const Linear* linear : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      bytes = std::max(bytes, linear->scratch_bytes());
    }
  }
  return bytes;
}

void DecoderWeights::embed(TokenId token, float* out, uint8_t* scratch) const {
  dequantize_row(embedding_, token, out, scratch);
}

size_t DecoderWeights::embedding_scratch_bytes() const {
  return row_scratch_bytes(embedding_);
}

}  // namespace twostroke
