#include "engine/pooling.h"

#include "base/check.h"

namespace twostroke {

bool Pooler::wants(int position) const {
  switch (pooling_) {
    case Pooling::kMean:
      return true;
    case Pooling::kLast:
      return position == num_tokens_ - 1;
    case Pooling::kCls:
      return position == 0;
    case Pooling::kNone:
      break;
  }
  return false;
}

void Pooler::add(int position, std::span<const float> row) {
  CHECK(wants(position));
  if (pooling_ != Pooling::kMean || position == 0) {
    sum_.assign(row.size(), 0.0);
    num_added_ = 0;
  }
  if (pooling_ == Pooling::kMean) CHECK_EQ(position, num_added_);
  CHECK_EQ(row.size(), sum_.size());
  for (size_t i = 0; i < row.size(); ++i) sum_[i] += static_cast<double>(row[i]);
  ++num_added_;
}

std::vector<float> Pooler::result() const {
  CHECK_EQ(num_added_, pooling_ == Pooling::kMean ? num_tokens_ : 1);
  std::vector<float> mean(sum_.size());
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = static_cast<float>(sum_[i] / num_added_);
  return mean;
}

}  // namespace twostroke
