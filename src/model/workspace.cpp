#include "model/workspace.h"

#include <algorithm>

#include "kernels/attention.h"

namespace twostroke {
namespace {

// Hands out 64-byte aligned pieces; without memory it only counts.
class Carver {
 public:
  explicit Carver(uint8_t* base) : base_(base) {}

  template <typename T>
  T* take(size_t count) {
    uint8_t* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return reinterpret_cast<T*>(piece);  // safe: 64-byte aligned raw memory
  }

  Activations activations(int rows, int max_k) {
    const size_t values = static_cast<size_t>(rows) * static_cast<size_t>(max_k);
    Activations out;
    out.f32 = take<float>(values);
    out.quantized.groups = take<QuantGroup>(quant_groups(rows, max_k));
    return out;
  }

  size_t used() const { return used_; }

 private:
  uint8_t* base_;
  size_t used_ = 0;
};

struct Sizes {
  const DecoderSpec& spec;
  const DecoderWeights& weights;
  size_t max_rows;
  int max_context;
  int num_workers;
};

void lay_out(Carver& carver, const Sizes& sizes, Workspace& out) {
  const DecoderSpec& spec = sizes.spec;
  const size_t hidden = static_cast<size_t>(spec.hidden_size);
  const LayerWeights& layer = sizes.weights.layers().front();
  const int widest = std::max(spec.hidden_size, spec.q_size());
  const size_t padded_hidden = static_cast<size_t>(layer.output.num_columns());
  const size_t gate_up = static_cast<size_t>(layer.gate_up.num_columns());
  const int rows = static_cast<int>(sizes.max_rows);

  out.x = carver.take<float>(sizes.max_rows * hidden);
  out.qkv = carver.take<float>(sizes.max_rows * static_cast<size_t>(layer.qkv.num_columns()));
  out.head = carver.activations(rows, spec.hidden_size).with_k(spec.hidden_size);
  out.head_tail = carver.take<float>(sizes.max_rows * kPanelRows);
  out.input = carver.activations(kFewRows, widest);
  out.ffn = carver.activations(kFewRows, spec.ffn_size).with_k(spec.ffn_size);
  out.wide = carver.take<float>(kFewRows * (std::max(gate_up, padded_hidden) + kRowPadding));
  out.partials = carver.take<float>(
      static_cast<size_t>(kMaxSplitRows) * static_cast<size_t>(spec.num_kv_heads) *
      partials_floats(num_kv_splits(sizes.max_context), 1, spec.group(), spec.head_dim));
  out.workers.resize(static_cast<size_t>(sizes.num_workers));
  for (WorkerScratch& worker : out.workers) {
    worker.linear = carver.take<uint8_t>(sizes.weights.scratch_bytes());
    worker.attention = carver.take<uint8_t>(attention_scratch_bytes(spec.head_dim));
    worker.embedding = carver.take<uint8_t>(sizes.weights.embedding_scratch_bytes());
    worker.input = carver.activations(kRowBlock, widest);
    worker.ffn = carver.activations(kRowBlock, spec.ffn_size).with_k(spec.ffn_size);
    worker.wide =
        carver.take<float>(kRowBlock * std::max<size_t>(padded_hidden, 2 * kFfnSliceColumns));
  }
}

}  // namespace

Result<Workspace> Workspace::allocate(const DecoderSpec& spec, const DecoderWeights& weights,
                                      int max_rows, int max_context, int num_workers) {
  const Sizes sizes{spec, weights, static_cast<size_t>(max_rows), max_context, num_workers};
  Workspace workspace;
  Carver counter(nullptr);
  lay_out(counter, sizes, workspace);
  workspace.memory_ = TRY(HugeBuffer::allocate(counter.used()));
  Carver carver(workspace.memory_.data());
  lay_out(carver, sizes, workspace);
  return workspace;
}

}  // namespace twostroke
