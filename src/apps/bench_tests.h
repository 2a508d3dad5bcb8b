// The two phases alone, as llama-bench times them: random tokens, no sampling, logits of the last
// prompt token only in prefill and of every token in decode. Here with the model's bytes and
// multiplications beside the rate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/decoder.h"

namespace twostroke {

struct BenchTest {
  int prompt = 0;    // tokens of prefill; 0: a decode test
  int generate = 0;  // tokens of decode, per sequence
  int batch = 1;     // sequences that decode together
  int depth = 0;     // tokens in the cache before the test starts

  std::string name() const;  // "pp512", "tg128", "tg128 b8 @ d256"
};

struct BenchRow {
  BenchTest test;
  std::vector<double> tokens_per_second;  // one per repetition; all sequences together
  double median = 0;
  double relative_spread = 0;   // (p75 - p25) / median
  double gmacs_per_second = 0;  // of matrix multiplications, at the median
  double gigabytes_per_second =
      0;  // of weights and KV read, at the median; decode with one sequence or more
};

// REQUIRES: the model has blocks for batch * (depth + prompt + generate) tokens.
BenchRow run_bench_test(Decoder& model, const BenchTest& test, int repetitions);

// KV blocks that a test needs.
int bench_blocks(const BenchTest& test);

}  // namespace twostroke
