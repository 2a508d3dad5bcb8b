// Tiny random-weight models in memory, for tests of the decoder that need no file and no Python:
// every kind of layer, any block type, seeded. Their numbers mean nothing; that they never depend
// on the batch is the point.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quant/quant_type.h"

namespace twostroke {

struct TinyModelOptions {
  std::string architecture = "llama";  // llama, qwen2, qwen3, gemma3
  QuantType type = QuantType::kQ4_1;   // of every matrix
  int num_layers = 3;
  int hidden_size = 64;
  int ffn_size = 96;
  int num_heads = 4;
  int num_kv_heads = 2;
  int head_dim = 16;
  int vocab_size = 101;  // not a multiple of a panel
  int context_length = 2048;
  int sliding_window = 8;  // gemma3
  uint64_t seed = 1;
};

// The bytes of a GGUF file without a tokenizer.
std::vector<uint8_t> make_tiny_model(const TinyModelOptions& options);

}  // namespace twostroke
