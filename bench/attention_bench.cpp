// Speed of attention and of the row-wise kernels on one core: GMAC/s and the share of the FMA
// limit, GB/s of KV read, cycles per element. A tool for people, not a test: `attention_bench
// [isa]`. The limit is 16 f32 multiply-adds per cycle (two 256-bit FMA pipes) times the clock
// measured beside each row. Only pairs (query, key) that the causal mask and the window leave are
// counted as work.
#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/vector_ops.h"

namespace twostroke {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Cycles per second now: a chain of dependent additions runs at one per cycle.
double clock_hz() {
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    constexpr int kRounds = 100000;
    uint64_t x = 1;
    const auto start = SteadyClock::now();
    for (int i = 0; i < kRounds; ++i) {
      asm volatile(
          "add %0, %0; add %0, %0; add %0, %0; add %0, %0;"
          "add %0, %0; add %0, %0; add %0, %0; add %0, %0"
          : "+r"(x));
    }
    best = std::max(best, 8.0 * kRounds / seconds_since(start));
  }
  return best;
}

// Best seconds per call over about 0.25 s. Calls are short, so that some run undisturbed on a busy
// machine.
double best_seconds(const std::function<void()>& call, double min_seconds = 0.25) {
  call();
  double best = 1e9;
  const auto begin = SteadyClock::now();
  while (seconds_since(begin) < min_seconds) {
    const auto start = SteadyClock::now();
    call();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

struct Case {
  const char* name;
  int head_dim, num_kv_heads, group, layers, first_position, rows, window;
  bool f32;
};

class Cache {
 public:
  explicit Cache(const Case& c) : case_(c) {
    const int context = c.first_position + c.rows;
    const int num_blocks = (context + kKvBlockTokens - 1) / kKvBlockTokens;
    block_table_.resize(static_cast<size_t>(num_blocks));
    std::iota(block_table_.begin(), block_table_.end(), 0);
    std::shuffle(block_table_.begin(), block_table_.end(), std::mt19937(1));
    const size_t element = c.f32 ? 4 : 2;
    const size_t head_bytes = static_cast<size_t>(2 * kKvBlockTokens * c.head_dim) * element;
    const size_t block_bytes = head_bytes * static_cast<size_t>(c.num_kv_heads);
    layer_bytes_ = block_bytes * static_cast<size_t>(num_blocks);
    constexpr size_t kHugePage = size_t{2} << 20;
    const size_t bytes = (layer_bytes_ * static_cast<size_t>(c.layers) / kHugePage + 1) * kHugePage;
    bytes_.reset(static_cast<uint8_t*>(std::aligned_alloc(kHugePage, bytes)));
    madvise(bytes_.get(), bytes, MADV_HUGEPAGE);
    kv_ = {bytes_.get(), block_bytes, head_bytes, c.num_kv_heads, c.head_dim, c.f32};
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    const size_t stride = static_cast<size_t>(c.num_kv_heads * c.head_dim);
    std::vector<float> row(stride);
    for (int layer = 0; layer < c.layers; ++layer) {
      for (int token = 0; token < num_blocks * kKvBlockTokens; ++token) {
        for (float& value : row) value = normal(random);
        avx2::attention_kernels().store_kv(layer_kv(layer), block_table_.data(), token, 1,
                                           row.data(), row.data(), stride);
      }
    }
    q_stride_ = stride * static_cast<size_t>(c.group);
    q_.resize(q_stride_ * static_cast<size_t>(c.rows));
    for (float& value : q_) value = normal(random);
    out_.resize(q_.size());
    scratch_.reset(static_cast<uint8_t*>(
        std::aligned_alloc(64, (attention_scratch_bytes(c.head_dim) + 63) & ~63UL)));
  }

  KvLayer layer_kv(int layer) const {
    KvLayer kv = kv_;
    kv.base += layer_bytes_ * static_cast<size_t>(layer);
    return kv;
  }

  void attend(const AttentionKernels& kernels, int max_rows) {
    for (int layer = 0; layer < case_.layers; ++layer) {
      for (int first = 0; first < case_.rows; first += max_rows) {
        for (int h = 0; h < case_.num_kv_heads; ++h) {
          AttentionInput in = {};
          in.kv = layer_kv(layer);
          in.block_table = block_table_.data();
          in.q = q_.data();  // fresh from the projection in a real step: keep it in cache
          in.q_stride = q_stride_;
          in.rows = std::min(max_rows, case_.rows - first);
          in.first_position = case_.first_position + first;
          in.kv_head = h;
          in.group = case_.group;
          in.window = case_.window;
          in.scale = 1 / std::sqrt(static_cast<float>(case_.head_dim));
          kernels.attend(in, out_.data(), q_stride_, scratch_.get());
        }
      }
    }
  }

  double macs() const {
    double pairs = 0;
    for (int r = 0; r < case_.rows; ++r) {
      const int keys = case_.first_position + r + 1;
      pairs += case_.window > 0 ? std::min(keys, case_.window) : keys;
    }
    return pairs * 2 * case_.head_dim * case_.group * case_.num_kv_heads * case_.layers;
  }
  double kv_bytes() const {  // read once per call
    const double keys = case_.first_position + case_.rows;
    return (case_.window > 0 ? std::min<double>(keys, case_.window + case_.rows - 1) : keys) * 2 *
           case_.head_dim * case_.num_kv_heads * case_.layers * (case_.f32 ? 4 : 2);
  }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  Case case_;
  size_t layer_bytes_ = 0, q_stride_ = 0;
  std::vector<int32_t> block_table_;
  std::unique_ptr<uint8_t, Free> bytes_, scratch_;
  KvLayer kv_ = {};
  std::vector<float> q_, out_;
};

void bench_attention(const AttentionKernels& kernels, const std::string& only) {
  constexpr Case kCases[] = {
      {"prefill smollm2 pp512", 64, 1, 3, 1, 0, 512, 0, false},
      {"prefill smollm2 pp512 f32", 64, 1, 3, 1, 0, 512, 0, true},
      {"prefill smollm2 at 3584", 64, 1, 3, 1, 3584, 64, 0, false},
      {"prefill gemma3 at 192", 256, 1, 4, 1, 192, 128, 0, false},
      {"prefill gemma3 swa at 1536", 256, 1, 4, 1, 1536, 64, 512, false},
      {"prefill dim 128 group 4", 128, 1, 4, 1, 0, 512, 0, false},
      {"prefill dim 128 group 1", 128, 1, 1, 1, 0, 512, 0, false},
      {"verify smollm2 5 rows at 507", 64, 3, 3, 10, 507, 5, 0, false},
      {"decode smollm2 at 255", 64, 3, 3, 30, 255, 1, 0, false},
      {"decode smollm2 at 511", 64, 3, 3, 30, 511, 1, 0, false},
      {"decode smollm2 at 4095", 64, 3, 3, 12, 4095, 1, 0, false},
      {"decode gemma3 at 511", 256, 1, 4, 18, 511, 1, 0, false},
      {"decode gemma3 at 4095", 256, 1, 4, 9, 4095, 1, 0, false},
      {"decode dim 128 group 1 at 1023", 128, 4, 1, 8, 1023, 1, 0, false},
  };
  fmt::print("{:<32} {:>9} {:>8} {:>7} {:>8} {:>6}\n", "attention, one core", "ms", "GMAC/s",
             "limit", "GB/s KV", "GHz");
  for (const Case& c : kCases) {
    if (std::string(c.name).find(only) == std::string::npos) continue;
    Cache cache(c);
    const double hz = clock_hz();
    const double seconds = best_seconds([&] { cache.attend(kernels, 128); });
    const double gmacs = cache.macs() / seconds * 1e-9;
    fmt::print("{:<32} {:9.3f} {:8.1f} {:6.1f}% {:8.1f} {:6.2f}\n", c.name, seconds * 1e3, gmacs,
               100 * gmacs * 1e9 / (16 * hz), cache.kv_bytes() / seconds * 1e-9, hz * 1e-9);
  }
}

void bench_rows(const VectorKernels& kernels) {
  const int n = 1536, rows = 16;
  std::vector<float> x(static_cast<size_t>(n)), y(x.size(), 0.5F), z(x.size());
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (float& value : x) value = normal(random);
  std::vector<QuantGroup> groups(quant_groups(rows, n));
  const QuantRows out = {groups.data(), n};
  std::vector<uint16_t> halves(x.size());
  std::vector<float> logits(262144, 0.25F);
  const auto row = [&](const char* name, int count, const std::function<void()>& call) {
    const double hz = clock_hz();
    const double seconds = best_seconds([&] {
      for (int i = 0; i < 100; ++i) call();
    });
    fmt::print("{:<32} {:9.3f} {:8.2f}\n", name, seconds * 1e4, seconds / 100 * hz / count);
  };
  fmt::print("\n{:<32} {:>9} {:>8}\n", "row-wise, n = 1536", "us", "cycles/element");
  row("rms_norm", n, [&] { kernels.rms_norm(x.data(), y.data(), n, 1e-5F, z.data()); });
  row("rms_norm_quantize", n,
      [&] { kernels.rms_norm_quantize(x.data(), y.data(), n, 1e-5F, out, 3); });
  row("quantize_row", n, [&] { kernels.quantize_row(x.data(), n, out, 3, 0); });
  row("silu_mul", n, [&] { kernels.silu_mul(x.data(), y.data(), n, z.data()); });
  row("silu_mul_quantize", n, [&] { kernels.silu_mul_quantize(x.data(), y.data(), n, out, 3, 0); });
  row("gelu_tanh_mul_quantize", n,
      [&] { kernels.gelu_tanh_mul_quantize(x.data(), y.data(), n, out, 3, 0); });
  row("exp", n, [&] { kernels.exp(x.data(), n, z.data()); });
  row("rope_norm", n, [&] { kernels.rope_norm(z.data(), y.data(), x.data(), n); });
  row("rope_neox", n, [&] { kernels.rope_neox(z.data(), y.data(), x.data(), n); });
  row("add", n, [&] { kernels.add(z.data(), y.data(), n); });
  row("argmax of 262144", 262144,
      [&] { z[0] = static_cast<float>(kernels.argmax(logits.data(), 262144)); });
}

void bench_store(const AttentionKernels& kernels) {
  std::vector<int32_t> table = {0};
  std::vector<uint8_t> block(3 * 32 * 64 * 2);
  const KvLayer kv = {block.data(), block.size(), block.size() / 3, 3, 64, false};
  std::vector<float> k(16 * 192, 1.5F);
  for (const int rows : {1, 16}) {
    const double hz = clock_hz();
    const double seconds = best_seconds([&] {
      for (int i = 0; i < 100; ++i) {
        kernels.store_kv(kv, table.data(), 0, rows, k.data(), k.data(), 192);
      }
    });
    fmt::print("store_kv, {:2} tokens of 2 x 192    {:9.3f} {:8.2f}\n", rows, seconds * 1e4,
               seconds / 100 * hz / (384 * rows));
  }
}

int run(int argc, char** argv) {
  const std::string isa = argc > 1 ? argv[1] : "avx512_vnni";
  const std::string only = argc > 2 ? argv[2] : "";
  const bool narrow = isa == "avx2";
  if (!narrow && isa != "avx512_vnni") {
    fmt::print(stderr, "usage: attention_bench [avx2|avx512_vnni [NAME]]\n");
    return 2;
  }
  const auto& attention = narrow ? avx2::attention_kernels() : avx512_vnni::attention_kernels();
  bench_attention(attention, only);
  if (!only.empty()) return 0;
  bench_rows(narrow ? avx2::vector_kernels() : avx512_vnni::vector_kernels());
  bench_store(attention);
  return 0;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  return twostroke::run(argc, argv);
}
