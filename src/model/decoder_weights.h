// The decoder's weights: packed once at load into one arena, in the order a step reads them.
// Immutable after load; any thread reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/huge_buffer.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "gguf/gguf_file.h"
#include "model/decoder_spec.h"
#include "model/linear.h"

namespace twostroke {

struct LayerWeights {
  std::vector<float> attention_norm;                      // [hidden]
  std::vector<float> ffn_norm;                            // [hidden]
  std::vector<float> post_attention_norm, post_ffn_norm;  // [hidden], or empty
  std::vector<float> q_norm, k_norm;                      // [head_dim], or empty
  std::vector<float> qkv_bias;                            // [qkv.num_columns()], or empty
  Linear qkv;                                             // [q_size | kv_size | kv_size, hidden]
  Linear output;                                          // [hidden, q_size]
  Linear gate_up;                                         // [ffn | ffn, hidden]
  Linear down;                                            // [hidden, ffn]
};

class DecoderWeights {
 public:
  // `exact`: every matrix on the f32 path. Errors name the tensor, what was expected and found.
  static Result<DecoderWeights> load(const GgufFile& file, const DecoderSpec& spec, bool exact,
                                     ThreadPool& pool);

  const std::vector<LayerWeights>& layers() const { return layers_; }
  const std::vector<float>& output_norm() const { return output_norm_; }
  const Linear& head() const { return head_; }  // [vocab, hidden]; tied: the embedding itself
  // Bytes of packed weights that one decoded token reads (all layers and the head).
  size_t bytes_per_token() const;
  // Multiply-accumulates per token in all layers; the head is apart since only sampled rows need
  // it.
  int64_t layer_macs() const;
  int64_t head_macs() const;
  size_t scratch_bytes() const;  // of any apply_linear, per thread

  // out: [hidden] f32, the token's embedding as the file has it. `scratch`:
  // embedding_scratch_bytes().
  void embed(TokenId token, float* out, uint8_t* scratch) const;
  size_t embedding_scratch_bytes() const;

 private:
  friend class WeightLoader;

  std::vector<LayerWeights> layers_;
  std::vector<float> output_norm_;
  Linear head_;
  bool tied_ = false;
  PanelMatrix embedding_{};  // untied: the embedding's own panels
  HugeBuffer arena_;
};

}  // namespace twostroke
