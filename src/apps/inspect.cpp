// `twostroke inspect`: what is in a file, before anything is loaded: facts, metadata, tensors by
// type.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "apps/model_paths.h"
#include "apps/options.h"
#include "apps/report.h"
#include "gguf/gguf_file.h"
#include "model/kv_storage.h"
#include "model/registry.h"
#include "quant/quant_type.h"

namespace twostroke {
namespace {

std::string type_name(int type) {
  const QuantTraits* traits = find_quant_traits(type);
  return traits != nullptr ? traits->name : fmt::format("type {} (not supported)", type);
}

struct TypeTotal {
  int count = 0;
  uint64_t bytes = 0;
};

std::map<std::string, TypeTotal> totals_by_type(const GgufFile& file) {
  std::map<std::string, TypeTotal> totals;
  for (const GgufTensor& tensor : file.tensors()) {
    TypeTotal& total = totals[type_name(tensor.type)];
    ++total.count;
    total.bytes += tensor.bytes.size();
  }
  return totals;
}

int64_t num_parameters(const GgufFile& file) {
  int64_t parameters = 0;
  for (const GgufTensor& tensor : file.tensors()) parameters += tensor.num_elements();
  return parameters;
}

void print_text(const GgufFile& file, const Result<DecoderSpec>& spec, bool tensors) {
  fmt::print(
      "{}\n  GGUF v{}, {} bytes in {} part(s), {} tensors, {} parameters\n  fingerprint {}\n",
      file.path(), file.version(), file.file_bytes(), file.num_parts(), file.tensors().size(),
      num_parameters(file), file.fingerprint());
  if (spec.ok()) {
    fmt::print("  {}: {} layers, hidden {}, {} query and {} key-value heads of {}, context {}\n",
               spec->architecture, spec->num_layers, spec->hidden_size, spec->num_heads,
               spec->num_kv_heads, spec->head_dim, spec->context_length);
    fmt::print("  KV cache: {} bytes per token (f16)\n",
               KvStorage::bytes_per_block(*spec, false) / kKvBlockTokens);
  } else {
    fmt::print("  cannot be run: {}\n", spec.error().message);
  }
  fmt::print("\nmetadata\n");
  for (const GgufEntry& entry : file.entries()) {
    fmt::print("  {:<44} {:<18} {}\n", entry.key, entry.value.type_name(),
               gguf_value_text(entry.value));
  }
  fmt::print("\ntensors by type\n");
  for (const auto& [name, total] : totals_by_type(file)) {
    fmt::print("  {:<10} {:>5} tensors {:>15} bytes\n", name, total.count, total.bytes);
  }
  if (!tensors) return;
  fmt::print("\ntensors\n");
  for (const GgufTensor& tensor : file.tensors()) {
    fmt::print("  {:<40} {:<8} {:<20} {:>12} bytes at {}\n", tensor.name, type_name(tensor.type),
               tensor.shape_text(), tensor.bytes.size(), tensor.offset);
  }
}

nlohmann::ordered_json as_json(const GgufFile& file, const Result<DecoderSpec>& spec,
                               bool tensors) {
  nlohmann::ordered_json out;
  out["path"] = file.path();
  out["gguf_version"] = file.version();
  out["file_bytes"] = file.file_bytes();
  out["parts"] = file.num_parts();
  out["parameters"] = num_parameters(file);
  out["fingerprint"] = file.fingerprint();
  if (spec.ok()) {
    out["architecture"] = spec->architecture;
    out["layers"] = spec->num_layers;
    out["hidden_size"] = spec->hidden_size;
    out["heads"] = spec->num_heads;
    out["kv_heads"] = spec->num_kv_heads;
    out["head_dim"] = spec->head_dim;
    out["context_length"] = spec->context_length;
    out["kv_bytes_per_token"] = KvStorage::bytes_per_block(*spec, false) / kKvBlockTokens;
  } else {
    out["error"] = spec.error().message;
  }
  nlohmann::ordered_json metadata;
  for (const GgufEntry& entry : file.entries()) {
    metadata[std::string(entry.key)] = {{"type", entry.value.type_name()},
                                        {"value", gguf_value_text(entry.value)}};
  }
  out["metadata"] = std::move(metadata);
  for (const auto& [name, total] : totals_by_type(file)) {
    out["types"][name] = {{"tensors", total.count}, {"bytes", total.bytes}};
  }
  for (const GgufTensor& tensor : file.tensors()) {
    if (!tensors) break;
    out["tensors"].push_back({{"name", tensor.name},
                              {"type", type_name(tensor.type)},
                              {"shape", tensor.shape()},
                              {"bytes", tensor.bytes.size()},
                              {"offset", tensor.offset}});
  }
  return out;
}

Status inspect(const InspectOptions& options) {
  const std::string path = TRY(resolve_model_path(options.model.path));
  const GgufFile file = TRY(GgufFile::open(path));
  const Result<DecoderSpec> spec = read_decoder_spec(file);
  if (options.json) {
    // Strings of a file may be anything: what is not UTF-8 is replaced.
    fmt::print("{}\n", as_json(file, spec, options.tensors)
                           .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_text(file, spec, options.tensors);
  }
  return {};
}

}  // namespace

int run_inspect(const InspectOptions& options) {
  const Status status = inspect(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke
