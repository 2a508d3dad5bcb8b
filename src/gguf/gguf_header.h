// Internal to gguf: one file's header (metadata and tensor directory) read and checked; all of it
// views into `bytes`. GgufFile joins the headers of the parts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gguf/gguf_file.h"

namespace twostroke {

struct GgufHeader {
  uint32_t version = 0;
  uint64_t data_offset = 0;        // of the tensor data, aligned
  std::span<const uint8_t> bytes;  // everything before the padding in front of the tensor data
  std::vector<GgufEntry> entries;
  std::vector<GgufTensor> tensors;  // complete but for `part`
};

Result<GgufHeader> read_gguf_header(std::span<const uint8_t> bytes, const std::string& file_name);

}  // namespace twostroke
