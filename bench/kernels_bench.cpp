// Speed of the matmul kernels. `kernels_bench [isa] [type]`: for every type, MAC per cycle on one
// core with weights in L2/L3 for 1 to 128 activation rows; then GB/s of one row x weights streamed
// from memory, as decode does, beside what this machine can read, measured in the same moments. A
// tool for people, not a test. Best of many: a busy machine only ever makes things slower.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/cpu_info.h"
#include "base/huge_buffer.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

double best_seconds(const std::function<void()>& call, double min_seconds) {
  double best = 1e9;
  const auto begin = SteadyClock::now();
  do {
    const auto start = SteadyClock::now();
    call();
    best = std::min(best, seconds_since(start));
  } while (seconds_since(begin) < min_seconds);
  return best;
}

// Cycles per second: a chain of dependent additions runs at one per cycle.
double clock_hz() {
  constexpr int kRounds = 100000;
  const double seconds = best_seconds(
      [] {
        uint64_t x = 1;
        for (int i = 0; i < kRounds; ++i) {
          asm volatile("add %0, %0; add %0, %0; add %0, %0; add %0, %0" : "+r"(x));
        }
      },
      0.02);
  return 4.0 * kRounds / seconds;
}

// Weights whose codes are arbitrary and whose constants are small numbers: every f16 constant of a
// panel made of bytes 0x21 is 0.01.
struct Weights {
  HugeBuffer memory;
  PanelMatrix matrix;
};
Weights make_weights(QuantType type, int n, int k) {
  Weights w;
  w.memory =
      HugeBuffer::allocate(panel_bytes(type, k) * static_cast<size_t>(num_panels(n))).value();
  std::memset(w.memory.data(), 0x21, w.memory.size());
  w.matrix = panel_matrix(w.memory.data(), type, n, k);
  return w;
}

struct Rows {
  HugeBuffer memory;
  QuantRows rows;
};
Rows make_rows(const Kernels& kernels, int rows, int k) {
  Rows r;
  r.memory = HugeBuffer::allocate(quant_groups(rows, k) * sizeof(QuantGroup)).value();
  r.rows = {reinterpret_cast<QuantGroup*>(r.memory.data()), k};
  std::vector<float> x(static_cast<size_t>(k));
  for (int row = 0; row < rows; ++row) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37 + 11) % 101) - 50.0F;
    kernels.vector.quantize_row(x.data(), k, r.rows, row, 0);
  }
  return r;
}

void bench_gemm(const Kernels& kernels, const QuantTraits& traits) {
  constexpr int kN = 1536;
  constexpr int kK = 768;
  constexpr int kRowCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 128};
  const Weights w = make_weights(traits.type, kN, kK);
  const Rows x = make_rows(kernels, 128, kK);
  std::vector<float> y(static_cast<size_t>(128 * kN));
  fmt::print("{:12} {:7}", kernels.name, traits.name);
  double best_per_second = 0;
  for (int rows : kRowCounts) {
    const double hz = clock_hz();
    const double seconds = best_seconds(
        [&] {
          kernels.matmul.quantized[w.matrix.type](w.matrix, 0, kN / kPanelRows, x.rows, 0, rows,
                                                  y.data(), kN);
        },
        0.08);
    const double per_second = static_cast<double>(rows) * kN * kK / seconds;
    best_per_second = std::max(best_per_second, per_second);
    fmt::print(" {:5.1f}", per_second / hz);
  }
  fmt::print("   {:6.1f} GMAC/s\n", best_per_second * 1e-9);
  std::fflush(stdout);
}

// Reads `bytes` with all threads; GB/s.
double probe_read(ThreadPool& pool, const uint8_t* memory, size_t bytes) {
  constexpr int kChunks = 32;
  const size_t words = bytes / sizeof(uint64_t) / kChunks;
  const uint64_t* data = reinterpret_cast<const uint64_t*>(memory);
  std::atomic<uint64_t> sink{0};
  const auto start = SteadyClock::now();
  pool.parallel_for(kChunks, [&](int chunk, int) {
    const uint64_t* p = data + words * static_cast<size_t>(chunk);
    uint64_t sums[8] = {};
    for (size_t i = 0; i + 8 <= words; i += 8) {
      for (size_t j = 0; j < 8; ++j) sums[j] += p[i + j];
    }
    for (uint64_t sum : sums) sink.fetch_add(sum, std::memory_order_relaxed);
  });
  return static_cast<double>(bytes) / seconds_since(start) * 1e-9;
}

constexpr int kPanelsPerCall = 96;

// Multiplies panels [begin, end) as matrices of a transformer's size, one call each; GB/s of
// weights. y: [rows, 96 * 16].
double stream(MatmulFn fn, ThreadPool& pool, const PanelMatrix& w, int begin, int end,
              const QuantRows& x, int rows, float* y) {
  constexpr int kPanelsPerChunk = 6;
  const auto start = SteadyClock::now();
  for (int call = begin; call < end; call += kPanelsPerCall) {
    PanelMatrix part = w;
    part.data += w.panel_bytes * static_cast<size_t>(call);
    const int panels = std::min(end - call, kPanelsPerCall);
    pool.parallel_for((panels + kPanelsPerChunk - 1) / kPanelsPerChunk, [&](int chunk, int) {
      const int first = chunk * kPanelsPerChunk;
      fn(part, first, std::min(first + kPanelsPerChunk, panels), x, 0, rows, y,
         kPanelsPerCall * kPanelRows);
    });
  }
  return static_cast<double>(w.panel_bytes) * (end - begin) / seconds_since(start) * 1e-9;
}

// Windows of 16 MB, walking through 256 MB so that no cache has them; probe and kernel take turns.
// Short, so that on a busy machine some windows pass undisturbed.
void bench_stream(const Kernels& kernels, const QuantTraits& traits, int threads, int rows) {
  const int k = traits.block_elements == 256 ? 768 : 576;
  const double bytes = static_cast<double>(panel_bytes(traits.type, k));
  const int window = static_cast<int>(16e6 / bytes);
  constexpr int kWindows = 16;
  const int n = window * kWindows * kPanelRows;
  const Weights w = make_weights(traits.type, n, k);
  const Rows x = make_rows(kernels, rows, k);
  std::vector<float> y(static_cast<size_t>(rows * kPanelsPerCall * kPanelRows));
  ThreadPool pool(threads);
  pool.begin_step();
  std::vector<double> probes;
  std::vector<double> streams;
  for (int round = 0; round < 400; ++round) {
    const int begin = round % kWindows * window;
    if (round / kWindows % 2 == 0) {
      probes.push_back(probe_read(pool, w.memory.data() + static_cast<size_t>(begin * bytes),
                                  static_cast<size_t>(window * bytes)));
    } else {
      streams.push_back(stream(kernels.matmul.quantized[w.matrix.type], pool, w.matrix, begin,
                               begin + window, x.rows, rows, y.data()));
    }
  }
  std::sort(probes.begin(), probes.end());
  std::sort(streams.begin(), streams.end());
  const auto quantile = [](const std::vector<double>& v, double q) {
    return v[static_cast<size_t>(static_cast<double>(v.size() - 1) * q)];
  };
  fmt::print(
      "{:12} {:7} {} threads {} rows: p95 {:5.1f} of {:5.1f} GB/s read = {:3.0f} %, median {:5.1f} "
      "of {:5.1f}\n",
      kernels.name, traits.name, threads, rows, quantile(streams, 0.95), quantile(probes, 0.95),
      100 * quantile(streams, 0.95) / quantile(probes, 0.95), quantile(streams, 0.5),
      quantile(probes, 0.5));
  std::fflush(stdout);
}

// A call whose two chunks wait for each other, so that both threads take part, against one whose
// chunks do nothing.
void bench_fork_join() {
  ThreadPool pool(2);
  pool.begin_step();
  constexpr int kCalls = 100;
  std::atomic<int> arrived{0};
  const double together = best_seconds(
      [&] {
        for (int i = 0; i < kCalls; ++i) {
          arrived.store(0);
          pool.parallel_for(2, [&](int, int) {
            ++arrived;
            while (arrived.load() < 2) {
            }
          });
        }
      },
      0.3);
  const double empty = best_seconds(
      [&] {
        for (int i = 0; i < kCalls; ++i) pool.parallel_for(2, [](int, int) {});
      },
      0.1);
  fmt::print("fork-join of 2 threads: {:.0f} ns together, {:.0f} ns with nothing to do\n",
             together / kCalls * 1e9, empty / kCalls * 1e9);
}

int run(int argc, char** argv) {
  const std::string isa = argc > 1 ? argv[1] : "all";
  const std::string type = argc > 2 ? argv[2] : "all";
  const std::string part = argc > 3 ? argv[3] : "all";
  bench_fork_join();
  for (Isa which : supported_isas()) {
    if (isa == "all" ? which == Isa::kScalar : isa != isa_name(which)) continue;
    const Kernels& kernels = kernels_for(which);
    const auto wanted = [&](const QuantTraits* traits) {
      return has_integer_path(traits->type, 768) && (type == "all" || type == traits->name);
    };
    if (part != "stream") {
      fmt::print(
          "MAC/cycle for rows         1     2     3     4     5     6     7     8    16    64   "
          "128\n");
      for (const QuantTraits* traits : all_quant_traits()) {
        if (wanted(traits)) bench_gemm(kernels, *traits);
      }
    }
    for (const QuantTraits* traits : all_quant_traits()) {
      if (!wanted(traits) || part == "gemm") continue;
      bench_stream(kernels, *traits, 1, 1);
      for (int rows : {1, 4, 8})
        bench_stream(kernels, *traits, std::min(2, cpu_info().usable_cores), rows);
    }
  }
  return 0;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  return twostroke::run(argc, argv);
}
