// Attention against a float64 oracle, every ISA against the scalar reference bit for bit, and law
// 1: rows alone, together, in any chunks, and over splits shared by threads give the same bits.
#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace twostroke {
namespace {

struct Shape {
  int head_dim = 64;
  int num_kv_heads = 2;
  int group = 3;
  int first_position = 0;
  int rows = 1;
  int window = 0;
  bool f32 = false;
  std::string name() const {
    return fmt::format("dim {} kv heads {} group {} first {} rows {} window {} {}", head_dim,
                       num_kv_heads, group, first_position, rows, window, f32 ? "f32" : "f16");
  }
};

// One sequence with random K, V and Q over a shuffled block table; the cache is written by store_kv
// itself.
class Sequence {
 public:
  Sequence(const Shape& shape, uint32_t seed) : shape_(shape), random_(seed) {
    const int context = shape.first_position + shape.rows;
    const size_t kv_row = static_cast<size_t>(shape.num_kv_heads * shape.head_dim);
    keys_ = normals(static_cast<size_t>(context) * kv_row, 1.0F);
    values_ = normals(static_cast<size_t>(context) * kv_row, 1.0F);
    queries_ = normals(static_cast<size_t>(shape.rows) * q_stride(), 2.0F);
    if (!shape.f32) {  // what f16 keeps, so that the oracle sees the same numbers
      for (std::vector<float>* all : {&keys_, &values_}) {
        std::vector<uint16_t> halves(all->size());
        const auto& vector = scalar::vector_kernels();
        vector.f32_to_f16(all->data(), static_cast<int>(all->size()), halves.data());
        vector.f16_to_f32(halves.data(), static_cast<int>(all->size()), all->data());
      }
    }
    const int num_blocks = (context + kKvBlockTokens - 1) / kKvBlockTokens;
    block_table_.resize(static_cast<size_t>(num_blocks));
    std::iota(block_table_.begin(), block_table_.end(), 1);
    std::shuffle(block_table_.begin(), block_table_.end(), random_);
    kv_.f32 = shape.f32;
    kv_.num_kv_heads = shape.num_kv_heads;
    kv_.head_dim = shape.head_dim;
    kv_.head_bytes = static_cast<size_t>(2 * kKvBlockTokens * shape.head_dim) * (shape.f32 ? 4 : 2);
    kv_.block_bytes = kv_.head_bytes * static_cast<size_t>(shape.num_kv_heads);
    memory_ = AlignedBytes(kv_.block_bytes * static_cast<size_t>(num_blocks + 1));
    kv_.base = memory_.data();
    scratch_ = AlignedBytes(attention_scratch_bytes(shape.head_dim));
  }

  size_t q_stride() const {
    return static_cast<size_t>(shape_.num_kv_heads * shape_.group * shape_.head_dim) + 16;
  }
  size_t output_size() const { return static_cast<size_t>(shape_.rows) * q_stride(); }
  const AlignedBytes& memory() const { return memory_; }
  const KvLayer& kv() const { return kv_; }
  const std::vector<int32_t>& block_table() const { return block_table_; }

  void store(const AttentionKernels& kernels) {
    const size_t stride = static_cast<size_t>(shape_.num_kv_heads * shape_.head_dim);
    kernels.store_kv(kv_, block_table_.data(), 0, shape_.first_position + shape_.rows, keys_.data(),
                     values_.data(), stride);
  }

  AttentionInput input(int kv_head, int first_row, int rows) const {
    AttentionInput in = {};
    in.kv = kv_;
    in.block_table = block_table_.data();
    in.q = queries_.data() + static_cast<size_t>(first_row) * q_stride();
    in.q_stride = q_stride();
    in.rows = rows;
    in.first_position = shape_.first_position + first_row;
    in.kv_head = kv_head;
    in.group = shape_.group;
    in.window = shape_.window;
    in.scale = 1.0F / std::sqrt(static_cast<float>(shape_.head_dim));
    return in;
  }

  // All heads, rows in chunks of `chunk`.
  std::vector<float> attend(const AttentionKernels& kernels, int chunk) {
    std::vector<float> out(output_size(), -1.0F);
    for (int first = 0; first < shape_.rows; first += chunk) {
      const int rows = std::min(chunk, shape_.rows - first);
      for (int h = 0; h < shape_.num_kv_heads; ++h) {
        kernels.attend(input(h, first, rows), out.data() + static_cast<size_t>(first) * q_stride(),
                       q_stride(), scratch_.data());
      }
    }
    return out;
  }

  // All heads, all rows, each split on its own and in reverse order, then merged.
  std::vector<float> attend_by_splits(const AttentionKernels& kernels) {
    std::vector<float> out(output_size(), -1.0F);
    const int splits = num_kv_splits(shape_.first_position + shape_.rows);
    std::vector<float> partials(partials_floats(splits, shape_.rows, shape_.group, shape_.head_dim),
                                std::numeric_limits<float>::quiet_NaN());
    for (int h = 0; h < shape_.num_kv_heads; ++h) {
      const AttentionInput in = input(h, 0, shape_.rows);
      for (int split = splits - 1; split >= 0; --split) {
        kernels.attend_partial(in, split, split + 1, partials.data(), scratch_.data());
      }
      kernels.merge_partials(in, splits, partials.data(), out.data(), q_stride());
    }
    return out;
  }

  // The largest |out - float64 oracle|.
  double worst_error(const std::vector<float>& out) const {
    double worst = 0;
    for (int r = 0; r < shape_.rows; ++r) {
      for (int head = 0; head < shape_.num_kv_heads * shape_.group; ++head) {
        const std::vector<double> expected = oracle(r, head);
        for (int d = 0; d < shape_.head_dim; ++d) {
          const size_t at =
              static_cast<size_t>(r) * q_stride() + static_cast<size_t>(head * shape_.head_dim + d);
          const double error = std::abs(expected[static_cast<size_t>(d)] - out[at]);
          if (!(error <= worst)) worst = error;  // NaN counts
        }
      }
    }
    return worst;
  }

 private:
  std::vector<float> normals(size_t count, float deviation) {
    std::normal_distribution<float> distribution(0.0F, deviation);
    std::vector<float> out(count);
    for (float& value : out) value = distribution(random_);
    return out;
  }

  std::vector<double> oracle(int row, int head) const {
    const int position = shape_.first_position + row;
    const int first = shape_.window > 0 ? std::max(0, position - shape_.window + 1) : 0;
    const size_t kv_row = static_cast<size_t>(shape_.num_kv_heads * shape_.head_dim);
    const size_t kv_offset = static_cast<size_t>(head / shape_.group * shape_.head_dim);
    const float* q = queries_.data() + static_cast<size_t>(row) * q_stride() +
                     static_cast<size_t>(head * shape_.head_dim);
    std::vector<double> scores;
    for (int j = first; j <= position; ++j) {
      double dot = 0;
      for (int d = 0; d < shape_.head_dim; ++d) {
        dot += double{q[d]} *
               keys_[static_cast<size_t>(j) * kv_row + kv_offset + static_cast<size_t>(d)];
      }
      scores.push_back(dot / std::sqrt(static_cast<double>(shape_.head_dim)));
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    std::vector<double> out(static_cast<size_t>(shape_.head_dim));
    for (int j = first; j <= position; ++j) {
      const double weight = std::exp(scores[static_cast<size_t>(j - first)] - largest);
      sum += weight;
      for (int d = 0; d < shape_.head_dim; ++d) {
        out[static_cast<size_t>(d)] +=
            weight * values_[static_cast<size_t>(j) * kv_row + kv_offset + static_cast<size_t>(d)];
      }
    }
    for (double& value : out) value /= sum;
    return out;
  }

  Shape shape_;
  std::mt19937 random_;
  std::vector<float> keys_, values_, queries_;
  std::vector<int32_t> block_table_;
  KvLayer kv_ = {};
  AlignedBytes memory_, scratch_;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int head_dim : {16, 64, 80, 96, 112, 128, 256}) {
    for (const int group : {1, 3, 4, 8}) {
      Shape shape;
      shape.head_dim = head_dim;
      shape.group = group;
      shape.num_kv_heads = group == 3 ? 2 : 1;
      shape.f32 = group == 1;
      shape.first_position = group * 37 % 70;
      shape.rows = head_dim <= 64 ? 41 : 17;
      all.push_back(shape);
    }
  }
  for (const int window : {1, 16, 40, 64, 300}) {
    all.push_back({.group = 2, .first_position = 230, .rows = 70, .window = window});
    all.push_back({.group = 4, .first_position = 700, .rows = 1, .window = window, .f32 = true});
  }
  all.push_back({.group = 1, .first_position = 0, .rows = 1});
  all.push_back({.group = 3, .first_position = 0, .rows = 130});
  all.push_back({.group = 3, .first_position = 255, .rows = 3});
  all.push_back({.group = 8, .first_position = 1021, .rows = 5});
  all.push_back({.head_dim = 256, .num_kv_heads = 1, .group = 4, .first_position = 640, .rows = 1});
  all.push_back({.num_kv_heads = 1, .group = 100, .first_position = 63, .rows = 2});
  return all;
}

class AttentionTest : public testing::TestWithParam<IsaUnderTest> {};

TEST_P(AttentionTest, AgreesWithFloat64) {
  uint32_t seed = 1;
  for (const Shape& shape : shapes()) {
    if (std::string(GetParam().name) == "scalar" && shape.rows > 80) continue;
    Sequence sequence(shape, seed++);
    sequence.store(*GetParam().attention);
    EXPECT_LE(sequence.worst_error(sequence.attend(*GetParam().attention, shape.rows)), 1e-5)
        << shape.name();
  }
}

TEST_P(AttentionTest, HasTheScalarReferencesBits) {
  uint32_t seed = 1;
  for (const Shape& shape : shapes()) {
    Sequence sequence(shape, seed);
    Sequence reference(shape, seed++);
    sequence.store(*GetParam().attention);
    reference.store(scalar::attention_kernels());
    ASSERT_TRUE(sequence.memory() == reference.memory()) << shape.name();
    EXPECT_EQ(first_difference(sequence.attend(*GetParam().attention, shape.rows),
                               reference.attend(scalar::attention_kernels(), shape.rows)),
              -1)
        << shape.name();
  }
}

TEST_P(AttentionTest, DoesNotDependOnChunksOrSplits) {
  uint32_t seed = 100;
  for (const Shape& shape : shapes()) {
    Sequence sequence(shape, seed++);
    sequence.store(*GetParam().attention);
    const std::vector<float> whole = sequence.attend(*GetParam().attention, shape.rows);
    for (const int chunk : {1, 2, 5, 16, 33}) {
      if (chunk >= shape.rows) break;
      EXPECT_EQ(first_difference(sequence.attend(*GetParam().attention, chunk), whole), -1)
          << shape.name() << " chunk " << chunk;
    }
    EXPECT_EQ(first_difference(sequence.attend_by_splits(*GetParam().attention), whole), -1)
        << shape.name();
  }
}

// Scores far apart and far from zero: the running max moves in every tile, most weights vanish.
TEST_P(AttentionTest, SurvivesExtremeScores) {
  Shape shape{.num_kv_heads = 1, .group = 2, .first_position = 300, .rows = 9};
  Sequence sequence(shape, 7);
  Sequence reference(shape, 7);
  sequence.store(*GetParam().attention);
  reference.store(scalar::attention_kernels());
  for (const float scale : {-300.0F, 1e-30F, 40.0F, 3000.0F}) {
    std::vector<float> out[2];
    const AttentionKernels* kernels[2] = {GetParam().attention, &scalar::attention_kernels()};
    Sequence* sequences[2] = {&sequence, &reference};
    AlignedBytes scratch(attention_scratch_bytes(shape.head_dim));
    for (int i = 0; i < 2; ++i) {
      AttentionInput in = sequences[i]->input(0, 0, shape.rows);
      in.scale = scale;
      out[i].resize(sequence.output_size());
      kernels[i]->attend(in, out[i].data(), sequence.q_stride(), scratch.data());
    }
    EXPECT_EQ(first_difference(out[0], out[1]), -1) << scale;
    for (const float value : out[0]) EXPECT_LE(std::abs(value), 10.0F) << scale;
  }
}

// Whatever lies in slots that no row sees must not show, as long as it is finite.
TEST_P(AttentionTest, IgnoresWhatIsMasked) {
  Shape shape{.num_kv_heads = 1, .group = 3, .first_position = 20, .rows = 7, .f32 = true};
  Sequence sequence(shape, 11);
  sequence.store(*GetParam().attention);
  const std::vector<float> before = sequence.attend(*GetParam().attention, shape.rows);
  const std::vector<float> garbage(static_cast<size_t>(shape.head_dim) * 5, 3e38F);
  GetParam().attention->store_kv(sequence.kv(), sequence.block_table().data(), 27, 5,
                                 garbage.data(), garbage.data(),
                                 static_cast<size_t>(shape.head_dim));
  EXPECT_EQ(first_difference(sequence.attend(*GetParam().attention, shape.rows), before), -1);
}

TEST_P(AttentionTest, StoresOnlyFiniteValues) {
  for (const bool f32 : {false, true}) {
    Shape shape{.head_dim = 16, .num_kv_heads = 1, .group = 1, .f32 = f32};
    Sequence sequence(shape, 3);
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> bad(16, 1.0F);
    bad[0] = infinity;
    bad[1] = -infinity;
    bad[2] = std::numeric_limits<float>::quiet_NaN();
    bad[3] = 1e38F;
    GetParam().attention->store_kv(sequence.kv(), sequence.block_table().data(), 0, 1, bad.data(),
                                   bad.data(), 16);
    for (const float value : sequence.attend(*GetParam().attention, 1)) {
      EXPECT_TRUE(std::isfinite(value)) << value;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionTest, testing::ValuesIn(isas_under_test()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace twostroke
