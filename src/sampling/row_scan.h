// Passes over one row of logits that the compiler can make vectors of: finite or not, the maximum,
// softmax weights. Pure functions; no allocation.
#pragma once

#include <cstddef>
#include <span>

namespace twostroke {

struct RowMaximum {
  float value = 0;
  size_t index = 0;  // the lowest index that has it
};

// False when any logit is NaN or infinite. `logits` has at least one element.
bool scan_maximum(std::span<const float> logits, RowMaximum* maximum);

// The maximum of a row that may hold -inf (masked tokens) but no NaN. -inf when all are masked.
RowMaximum masked_maximum(std::span<const float> logits);

// exp(x) for x <= 0, relative error under 2e-7; exactly 0 below -87 and for -inf. Plain arithmetic,
// so the same bits on every machine.
float exp_of_negative(float x);

// weights[i] = exp((logits[i] - maximum) / temperature), all <= 1; returns their sum. Sizes are
// equal.
double softmax_weights(std::span<const float> logits, float maximum, float temperature,
                       std::span<float> weights);

// The sum alone, of exp(logit - maximum).
double sum_of_exp(std::span<const float> logits, float maximum);

double sum_of(std::span<const float> weights);

// Zeroes the weights below `lowest`; returns the sum of the rest.
double drop_below(float lowest, std::span<float> weights);

// The first index at which the running sum of weights exceeds `target`, or, when rounding left the
// sum below it, the last that weighs anything.
size_t draw(std::span<const float> weights, double target);

}  // namespace twostroke
