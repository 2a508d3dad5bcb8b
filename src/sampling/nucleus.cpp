#include "sampling/nucleus.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace twostroke {
namespace {

// The upper bits of a float in [0, 1] order as the floats do: 128 bins for each power of two.
constexpr int kBinShift = 16;
constexpr size_t kNumBins = (std::bit_cast<uint32_t>(1.0F) >> kBinShift) + 1;

size_t bin_of(float weight) {
  return std::bit_cast<uint32_t>(weight) >> kBinShift;
}

}  // namespace

Nucleus::Nucleus(size_t vocab_size) : bin_sums_(kNumBins) {
  border_.reserve(vocab_size);
}

double Nucleus::keep(double wanted, std::span<const float> logits, std::span<float> weights) {
  std::fill(bin_sums_.begin(), bin_sums_.end(), 0.0);
  for (const float weight : weights) bin_sums_[bin_of(weight)] += static_cast<double>(weight);
  double sum = 0;
  size_t border_bin = kNumBins;
  while (border_bin > 1) {
    --border_bin;
    if (bin_sums_[border_bin] > 0 && sum + bin_sums_[border_bin] >= wanted) break;
    sum += bin_sums_[border_bin];
  }
  border_.clear();
  for (size_t i = 0; i < weights.size(); ++i) {
    const size_t bin = bin_of(weights[i]);
    if (bin > border_bin) continue;
    if (bin == border_bin) border_.push_back({logits[i], static_cast<TokenId>(i)});
    if (bin < border_bin) weights[i] = 0.0F;
  }
  std::sort(border_.begin(), border_.end(), is_likelier);
  for (const Candidate& candidate : border_) {
    float& weight = weights[static_cast<size_t>(candidate.token)];
    if (sum > 0 && sum >= wanted) {
      weight = 0.0F;
    } else {
      sum += static_cast<double>(weight);
    }
  }
  return sum;
}

}  // namespace twostroke
