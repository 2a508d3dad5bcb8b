#include "sampling/logit_edits.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kHighest = 1e30F;

// Overflow upwards would make NaN of the softmax; downwards it only means never.
float at_most_highest(float logit) {
  return std::min(logit, kHighest);
}

}  // namespace

LogitEdits::LogitEdits(size_t vocab_size) : marks_(vocab_size) {
  edits_.reserve(vocab_size);
}

void LogitEdits::begin(std::span<float> logits) {
  CHECK_EQ(logits.size(), marks_.size());
  CHECK(edits_.empty());
  logits_ = logits;
  if (++row_ == 0) {  // the marks of 2^32 rows ago would be this row's
    std::fill(marks_.begin(), marks_.end(), Marks{});
    row_ = 1;
  }
}

float& LogitEdits::edit(TokenId token) {
  const auto index = static_cast<size_t>(token);
  CHECK_LT(index, marks_.size());
  if (marks_[index].edited != row_) {
    marks_[index].edited = row_;
    edits_.push_back({token, logits_[index]});
  }
  return logits_[index];
}

void LogitEdits::apply_bias_and_penalties(const SamplingParams& params,
                                          const TokenHistory& history) {
  for (const auto& [token, bias] : params.logit_bias) {
    float& logit = edit(token);
    logit = at_most_highest(logit + bias);
  }
  if (params.repetition_penalty != 1.0F && params.repeat_last_n != 0) {
    const size_t window =
        params.repeat_last_n < 0
            ? history.tokens.size()
            : std::min(history.tokens.size(), static_cast<size_t>(params.repeat_last_n));
    penalize_repetition(params.repetition_penalty, history.tokens.last(window));
  }
  if (params.presence_penalty != 0.0F || params.frequency_penalty != 0.0F) {
    penalize_output(params, history.output());
  }
}

void LogitEdits::penalize_repetition(float penalty, std::span<const TokenId> window) {
  for (const TokenId token : window) {
    float& logit = edit(token);
    Marks& marks = marks_[static_cast<size_t>(token)];
    if (marks.repeated == row_) continue;
    marks.repeated = row_;
    logit = at_most_highest(logit > 0 ? logit / penalty : logit * penalty);
  }
}

void LogitEdits::penalize_output(const SamplingParams& params, std::span<const TokenId> output) {
  for (const TokenId token : output) {
    edit(token);
    ++marks_[static_cast<size_t>(token)].count;
  }
  for (const TokenId token : output) {
    int32_t& count = marks_[static_cast<size_t>(token)].count;
    if (count == 0) continue;  // done at an earlier occurrence
    float& logit = logits_[static_cast<size_t>(token)];
    const float penalty =
        params.presence_penalty + params.frequency_penalty * static_cast<float>(count);
    logit = at_most_highest(logit - penalty);
    count = 0;
  }
}

void LogitEdits::mask(std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) edit(token) = kNever;
}

void LogitEdits::restore() {
  for (const Edit& edit : edits_) logits_[static_cast<size_t>(edit.token)] = edit.logit;
  edits_.clear();
}

}  // namespace twostroke
