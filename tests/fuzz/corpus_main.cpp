// Runs a fuzz target without libFuzzer over every file of a folder, and over the simplest mutations
// of small ones: every truncation, and every byte set to a few telling values. Deterministic.
// usage: PROGRAM CORPUS_FOLDER
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxMutatedBytes = 1024;

// From a heap block of exactly this size, so that AddressSanitizer sees a read past the end.
void run_on(const std::vector<uint8_t>& input, size_t size) {
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);  // safe: owned at once
  std::copy_n(input.begin(), size, exact.get());
  LLVMFuzzerTestOneInput(exact.get(), size);
}

size_t run_mutations(std::vector<uint8_t> input) {
  size_t num_runs = 0;
  for (size_t size = 0; size < input.size(); ++size, ++num_runs) run_on(input, size);
  for (uint8_t& byte : input) {
    const uint8_t original = byte;
    const std::array<uint8_t, 5> values = {0, 0xff, static_cast<uint8_t>(original ^ 0x80),
                                           static_cast<uint8_t>(original + 1),
                                           static_cast<uint8_t>(original - 1)};
    for (const uint8_t value : values) {
      byte = value;
      run_on(input, input.size());
      ++num_runs;
    }
    byte = original;
  }
  return num_runs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    fmt::print(stderr, "usage: {} CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  size_t num_runs = 0;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<uint8_t> input{std::istreambuf_iterator<char>(file), {}};
    fmt::print("{} ({} bytes)\n", path.filename().string(), input.size());
    std::fflush(stdout);  // so that a crash has a name before it
    run_on(input, input.size());
    num_runs += 1 + (input.size() <= kMaxMutatedBytes ? run_mutations(input) : 0);
  }
  fmt::print("{} inputs from {} files\n", num_runs, paths.size());
  return paths.empty() ? 1 : 0;
}
