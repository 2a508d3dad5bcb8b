#include "model/rope_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/check.h"

namespace twostroke {
namespace {

// The dimension pair whose wavelength makes `rotations` turns over the original context (YaRN,
// section 3.2).
double yarn_correction_dim(const RopeConfig& config, double rotations) {
  const double context = config.original_context_length;
  return config.rope_dim * std::log(context / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(double{config.freq_base}));
}

// 1 where a pair keeps its own frequency, 0 where it is interpolated, a ramp in between.
double yarn_extrapolation(const RopeConfig& config, int pair) {
  const double low = std::max(0.0, std::floor(yarn_correction_dim(config, config.yarn_beta_fast)));
  const double high = std::min(config.rope_dim - 1.0,
                               std::ceil(yarn_correction_dim(config, config.yarn_beta_slow)));
  const double ramp = (pair - low) / std::max(0.001, high - low);
  return (1.0 - std::clamp(ramp, 0.0, 1.0)) * config.yarn_ext_factor;
}

}  // namespace

RopeTable::RopeTable(RopeConfig config)
    : config_(std::move(config)), half_dim_(config_.rope_dim / 2) {
  CHECK_EQ(config_.rope_dim % 2, 0);
  CHECK(config_.freq_factors.empty() ||
        config_.freq_factors.size() == static_cast<size_t>(half_dim_));
  for (int pair = 0; pair < half_dim_; ++pair) {
    double frequency =
        std::pow(double{config_.freq_base}, -2.0 * pair / static_cast<double>(config_.rope_dim));
    if (!config_.freq_factors.empty()) {
      frequency /= double{config_.freq_factors[static_cast<size_t>(pair)]};
    }
    const double interpolated = frequency / double{config_.factor};
    if (config_.scaling == RopeScaling::kLinear) frequency = interpolated;
    if (config_.scaling == RopeScaling::kYarn) {
      const double keep = yarn_extrapolation(config_, pair);
      frequency = interpolated * (1.0 - keep) + frequency * keep;
    }
    frequencies_.push_back(frequency);
  }
  if (config_.scaling == RopeScaling::kYarn) {
    magnitude_ = config_.yarn_attn_factor;
    if (config_.yarn_ext_factor != 0.0F) magnitude_ *= 1.0 + 0.1 * std::log(double{config_.factor});
  }
}

void RopeTable::ensure(int num_positions) {
  const size_t row_size = static_cast<size_t>(2 * half_dim_);
  const int have = static_cast<int>(table_.size() / row_size);
  if (num_positions <= have) return;
  // Grows geometrically so that a long decode does not copy the table at each token.
  const int target = std::max(num_positions, std::max(512, have + have / 2));
  table_.resize(static_cast<size_t>(target) * row_size);
  for (int position = have; position < target; ++position) {
    float* out = table_.data() + static_cast<size_t>(position) * row_size;
    for (int pair = 0; pair < half_dim_; ++pair) {
      const double angle = position * frequencies_[static_cast<size_t>(pair)];
      out[pair] = static_cast<float>(std::cos(angle) * magnitude_);
      out[half_dim_ + pair] = static_cast<float>(std::sin(angle) * magnitude_);
    }
  }
}

}  // namespace twostroke
