#include "model/registry.h"

#include <fmt/format.h>

#include "model/architectures/architecture.h"

namespace twostroke {
namespace {

struct ArchitectureRow {
  const char* name;
  SpecReader read;
};

constexpr ArchitectureRow kArchitectures[] = {
    {"llama", read_llama},
    {"qwen2", read_qwen2},
    {"qwen3", read_qwen3},
    {"gemma3", read_gemma3},
};

}  // namespace

std::string architecture_names() {
  std::string names;
  for (const ArchitectureRow& row : kArchitectures) {
    names += names.empty() ? row.name : fmt::format(", {}", row.name);
  }
  return names;
}

Result<DecoderSpec> read_decoder_spec(const GgufFile& file) {
  const std::string_view name = TRY(file.get_string("general.architecture"));
  for (const ArchitectureRow& row : kArchitectures) {
    if (name == row.name) return row.read(file);
  }
  return Error{ErrorCode::kUnsupported,
               fmt::format("general.architecture: expected one of {}, found \"{}\"",
                           architecture_names(), name),
               "general.architecture"};
}

}  // namespace twostroke
