#include "apps/memory_probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/huge_buffer.h"

namespace twostroke {
namespace {

constexpr size_t kProbeBytes = size_t{256} << 20;
constexpr int kProbeChunks = 64;
constexpr int kProbeRows = 32;  // as a block of a prefill has
constexpr int kProbePanels = 4;
constexpr int kProbeRepetitions = 400;

// Sums 64-bit words in eight chains, so that loads and not adds are the limit.
uint64_t read_all(const uint8_t* data, size_t bytes) {
  std::array<uint64_t, 8> sums{};
  for (size_t i = 0; i + 64 <= bytes; i += 64) {
    std::array<uint64_t, 8> words;
    std::memcpy(words.data(), data + i, 64);
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += words[lane];
  }
  uint64_t sum = 0;
  for (const uint64_t lane : sums) sum += lane;
  return sum;
}

}  // namespace

Result<double> probe_read_bandwidth(ThreadPool& pool, int repetitions) {
  const HugeBuffer buffer = TRY(HugeBuffer::allocate(kProbeBytes));
  const size_t chunk_bytes = kProbeBytes / kProbeChunks;
  pool.begin_step();
  pool.parallel_for(kProbeChunks, [&](int chunk, int) {
    std::memset(buffer.data() + static_cast<size_t>(chunk) * chunk_bytes, chunk + 1, chunk_bytes);
  });
  const SteadyClock clock;
  std::vector<uint64_t> sums(kProbeChunks);
  int64_t best_ns = INT64_MAX;
  for (int i = 0; i < repetitions; ++i) {
    const int64_t start_ns = clock.now_ns();
    pool.parallel_for(kProbeChunks, [&](int chunk, int) {
      const size_t index = static_cast<size_t>(chunk);
      sums[index] += read_all(buffer.data() + index * chunk_bytes, chunk_bytes);
    });
    best_ns = std::min(best_ns, clock.now_ns() - start_ns);
  }
  pool.end_step();
  // The sums are looked at, so that the reads cannot be left out.
  if (std::count(sums.begin(), sums.end(), 1) == kProbeChunks) return 0.0;
  return double(kProbeBytes) * 1e9 / double(best_ns);
}

double probe_matmul_rate(const Kernels& kernels, const Linear& linear, ThreadPool& pool) {
  const int panels = std::min(kProbePanels, linear.num_panels);
  const size_t stride = static_cast<size_t>(panels) * kPanelRows;
  struct Tile {
    std::vector<QuantGroup> groups;
    std::vector<float> x, y;
    std::vector<uint8_t> scratch;
  };
  std::vector<Tile> tiles(static_cast<size_t>(pool.num_threads()));
  for (Tile& tile : tiles) {
    tile.groups.resize(quant_groups(kProbeRows, linear.k));
    tile.x.resize(static_cast<size_t>(kProbeRows * linear.k), 0.5F);
    tile.y.resize(kProbeRows * stride);
    tile.scratch.resize(linear.scratch_bytes() + 64);
    for (QuantGroup& group : tile.groups) std::memset(group.q, 3, sizeof(group.q));
  }
  const auto work = [&](int, int worker) {
    Tile& tile = tiles[static_cast<size_t>(worker)];
    void* scratch = tile.scratch.data();
    size_t space = tile.scratch.size();
    std::align(64, space - 64, scratch, space);
    const Activations input{
        tile.x.data(), static_cast<size_t>(linear.k), {tile.groups.data(), linear.k}};
    apply_linear(kernels, linear, 0, panels, input, 0, kProbeRows, tile.y.data(), stride,
                 static_cast<uint8_t*>(scratch));
  };
  const SteadyClock clock;
  double best = 0;
  pool.begin_step();
  for (int repetition = 0; repetition < 5; ++repetition) {
    const int64_t start_ns = clock.now_ns();
    pool.parallel_for(kProbeRepetitions, work);
    const double macs = double(kProbeRepetitions) * panels * kPanelRows * kProbeRows * linear.k;
    best = std::max(best, macs * 1e9 / double(clock.now_ns() - start_ns));
  }
  pool.end_step();
  return best;
}

}  // namespace twostroke
