// How small a difference so many blocks can find, and how many blocks a difference needs. For the
// paired sign-flip test, whose power is the t test's at the level it can really reach: with n
// blocks p is a multiple of 2 / 2^n. Effects are in standard deviations of a block's difference.
#pragma once

namespace twostroke {

// The largest level <= alpha that the exact test on n blocks can have; 0 when it cannot reject at
// all.
double attainable_level(int num_blocks, double alpha);
// Probability of p <= alpha, two-sided, when the true mean is `effect` standard deviations and
// differences are normal: simulated (always with the same draws) up to kSimulatedBlocks, where the
// test's steps matter; beyond, the t test's at the attainable level.
constexpr int kSimulatedBlocks = 10;
double sign_flip_power(double effect, int num_blocks, double alpha = 0.05);
// The paired t test's power, without the test's steps.
double paired_t_power(double effect, int num_blocks, double alpha = 0.05);
// Minimum detectable effect: found with probability `power`. Infinite when n blocks cannot reject.
double detectable_effect(int num_blocks, double alpha = 0.05, double power = 0.8);
// Fewest blocks that find `effect` with probability `power`; at most kMaxPlannedBlocks.
constexpr int kMaxPlannedBlocks = 10'000;
int blocks_to_detect(double effect, double alpha = 0.05, double power = 0.8);

}  // namespace twostroke
