// dequantize_stdin_test TYPE: blocks of ggml's type number TYPE from stdin, float32 to stdout. Our
// side of compare_dequantize.py; alone it tests nothing.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <vector>

#include "quant/quant_type.h"

int main(int argc, char** argv) {
  int type = -1;
  if (argc == 2) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), type);
  const twostroke::QuantTraits* traits = twostroke::find_quant_traits(type);
  if (traits == nullptr) {
    std::fputs("usage: dequantize_stdin_test TYPE (a supported ggml type number)\n", stderr);
    return 2;
  }
  std::vector<uint8_t> blocks;
  std::vector<uint8_t> buffer(1 << 16);
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    blocks.insert(blocks.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(count));
  }
  const int64_t num_blocks = static_cast<int64_t>(blocks.size()) / traits->block_bytes;
  std::vector<float> values(static_cast<size_t>(num_blocks * traits->block_elements));
  traits->dequantize(blocks.data(), values.data(), num_blocks * traits->block_elements);
  const size_t written = std::fwrite(values.data(), sizeof(float), values.size(), stdout);
  return written == values.size() ? 0 : 1;
}
