#include "sampling/row_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace twostroke {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kLanes = 16;    // independent accumulators: enough for any vector width
constexpr size_t kBlock = 1024;  // where a maximum is remembered, so that its index costs one block

struct BlockScan {
  float maximum = -kInfinity;
  bool is_finite = true;
};

BlockScan scan_block(const float* logits, size_t size) {
  std::array<float, kLanes> maxima;
  std::array<int32_t, kLanes> num_bad{};
  maxima.fill(-kInfinity);
  const size_t whole = size - size % kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float x = logits[i + lane];
      maxima[lane] = x > maxima[lane] ? x : maxima[lane];
      num_bad[lane] += x - x == 0.0F ? 0 : 1;  // NaN and the infinities differ from themselves
    }
  }
  BlockScan scan;
  for (size_t i = whole; i < size; ++i) {
    scan.maximum = std::max(scan.maximum, logits[i]);
    scan.is_finite &= std::isfinite(logits[i]);
  }
  for (size_t lane = 0; lane < kLanes; ++lane) {
    scan.maximum = std::max(scan.maximum, maxima[lane]);
    scan.is_finite &= num_bad[lane] == 0;
  }
  return scan;
}

}  // namespace

bool scan_maximum(std::span<const float> logits, RowMaximum* maximum) {
  float best = -kInfinity;
  size_t best_block = 0;
  bool is_finite = true;
  for (size_t start = 0; start < logits.size(); start += kBlock) {
    const BlockScan scan =
        scan_block(logits.data() + start, std::min(kBlock, logits.size() - start));
    is_finite &= scan.is_finite;
    if (scan.maximum > best) {
      best = scan.maximum;
      best_block = start;
    }
  }
  const auto from = logits.begin() + static_cast<std::ptrdiff_t>(best_block);
  const auto found = std::find(from, logits.end(), best);
  *maximum = {best, static_cast<size_t>(found - logits.begin())};
  return is_finite;
}

RowMaximum masked_maximum(std::span<const float> logits) {
  RowMaximum maximum;
  scan_maximum(logits, &maximum);
  return maximum;
}

float exp_of_negative(float x) {
  constexpr float kSmallest = -87.0F;
  constexpr float kRoundingShift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;  // few bits: n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4F;
  const bool is_negligible = x < kSmallest;
  const float y = is_negligible ? kSmallest : x;
  const float shifted = y * kLog2E + kRoundingShift;
  const float n = shifted - kRoundingShift;
  const float r = (y - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  // Taylor's coefficients up to r^7/7!, whose remainder is under 6e-9.
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = (p * r) * r + r;
  const auto exponent = static_cast<int32_t>(n);
  const float power_of_two = std::bit_cast<float>((exponent + 127) << 23);
  return is_negligible ? 0.0F : power_of_two + power_of_two * p;
}

double sum_of(std::span<const float> weights) {
  std::array<double, kLanes> sums{};
  const size_t whole = weights.size() - weights.size() % kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(weights[i + lane]);
    }
  }
  double sum = 0;
  for (const double lane_sum : sums) sum += lane_sum;
  for (size_t i = whole; i < weights.size(); ++i) sum += static_cast<double>(weights[i]);
  return sum;
}

double softmax_weights(std::span<const float> logits, float maximum, float temperature,
                       std::span<float> weights) {
  for (size_t i = 0; i < logits.size(); ++i) {
    weights[i] = exp_of_negative((logits[i] - maximum) / temperature);
  }
  return sum_of(weights);
}

double sum_of_exp(std::span<const float> logits, float maximum) {
  double sum = 0;
  std::array<float, kBlock> weights;
  for (size_t start = 0; start < logits.size(); start += kBlock) {
    const size_t size = std::min(kBlock, logits.size() - start);
    sum +=
        softmax_weights(logits.subspan(start, size), maximum, 1.0F, std::span(weights).first(size));
  }
  return sum;
}

double drop_below(float lowest, std::span<float> weights) {
  for (float& weight : weights) weight = weight < lowest ? 0.0F : weight;
  return sum_of(weights);
}

size_t draw(std::span<const float> weights, double target) {
  double before = 0;
  size_t last = 0;  // that weighs anything
  for (size_t start = 0; start < weights.size(); start += kBlock) {
    const std::span<const float> block =
        weights.subspan(start, std::min(kBlock, weights.size() - start));
    const double block_sum = sum_of(block);
    const bool is_here = before + block_sum > target;
    const bool is_last = start + block.size() == weights.size();
    if (is_here || (is_last && block_sum > 0)) {
      double sum = before;
      for (size_t i = 0; i < block.size(); ++i) {
        if (block[i] == 0.0F) continue;
        sum += static_cast<double>(block[i]);
        last = start + i;
        if (sum > target) break;
      }
      return last;
    }
    if (block_sum > 0) {
      const auto from_back =
          std::find_if(block.rbegin(), block.rend(), [](float w) { return w > 0; });
      last = start + static_cast<size_t>(block.rend() - from_back) - 1;
    }
    before += block_sum;
  }
  return last;
}

}  // namespace twostroke
