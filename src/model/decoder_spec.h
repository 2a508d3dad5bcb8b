// DecoderSpec: everything the decoder must know of a model that is not a weight. Each architecture
// file fills one in from the GGUF metadata; the decoder reads it and knows no architecture by name.
#pragma once

#include <string>
#include <vector>

#include "model/rope_table.h"

namespace twostroke {

enum class RopeKind { kNorm, kNeox };        // adjacent pairs, or halves
enum class Activation { kSilu, kGeluTanh };  // of the gate in the gated feed-forward

struct DecoderSpec {
  std::string architecture;
  std::string name;
  int vocab_size = 0;
  int num_layers = 0;
  int hidden_size = 0;
  int ffn_size = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_dim = 0;
  int context_length = 0;  // the longest the model was made for
  float rms_eps = 1e-5F;
  float attention_scale = 0;
  float embedding_scale = 1.0F;
  RopeKind rope_kind = RopeKind::kNorm;
  Activation activation = Activation::kSilu;
  RopeConfig rope;                   // of global layers
  RopeConfig rope_local;             // of sliding-window layers; rope_dim 0 where there are none
  int sliding_window = 0;            // keys a local layer sees, itself included
  std::vector<bool> layer_is_local;  // [num_layers]
  bool has_qkv_bias = false;         // blk.*.attn_{q,k,v}.bias
  bool has_qk_norm = false;          // blk.*.attn_{q,k}_norm, over head_dim
  bool has_post_norms = false;       // blk.*.post_{attention,ffw}_norm before each residual add

  int q_size() const { return num_heads * head_dim; }
  int kv_size() const { return num_kv_heads * head_dim; }
  int group() const { return num_heads / num_kv_heads; }
  int window(int layer) const {
    return layer_is_local[static_cast<size_t>(layer)] ? sliding_window : 0;
  }
  const RopeConfig& rope_of(int layer) const {
    return layer_is_local[static_cast<size_t>(layer)] ? rope_local : rope;
  }
};

}  // namespace twostroke
