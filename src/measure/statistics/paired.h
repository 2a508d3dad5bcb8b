// What paired blocks say about one difference: its interval, a permutation test of "no difference",
// and Holm's correction for asking twice. A block is one run of each side under the same load; the
// difference is a log ratio or any other number per block. Blocks are the unit of replication:
// requests of one run share the machine's mood and are not independent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "measure/statistics/quantiles.h"

namespace twostroke {

struct PairedEffect {
  int num_blocks = 0;
  double mean = 0;
  double standard_deviation = 0;  // of the differences; 0 with one block
  Interval interval;              // Student's t; infinite with one block
  double hodges_lehmann = 0;      // median of all pairwise means: what a bad block cannot move far
};
// REQUIRES: at least one difference, all finite.
PairedEffect paired_effect(std::span<const double> differences, double confidence = 0.95);

struct SignFlipTest {
  double p_value = 1;     // two-sided, of |sum of differences|
  bool exact = false;     // all 2^n sign patterns were counted
  int64_t num_flips = 0;  // patterns looked at
};
constexpr int kMaxExactBlocks = 18;
constexpr int64_t kSampledFlips = 20'000;
// Under "no difference", with the order in each block randomised, a block's difference is as likely
// to have the other sign. Exact up to kMaxExactBlocks, else that many sampled patterns from
// Philox(seed), the observed one counted among them, so that p is never 0.
SignFlipTest sign_flip_test(std::span<const double> differences, uint64_t seed);

// Holm's step-down p-values in the order given: compare each with alpha itself.
std::vector<double> holm_adjusted(std::span<const double> p_values);

// The smallest two-sided level that n blocks can reach: 2 / 2^n.
double least_sign_flip_p(int num_blocks);

}  // namespace twostroke
