#include "apps/model_paths.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

namespace twostroke {
namespace {

constexpr const char* kDefaultModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

std::string default_model_path() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path folder =
      cache != nullptr && *cache != '\0'
          ? std::filesystem::path(cache)
          : std::filesystem::path(home != nullptr ? home : ".") / ".cache";
  return (folder / "twostroke" / "models" / kDefaultModel).string();
}

}  // namespace

Result<std::string> resolve_model_path(const std::string& path) {
  if (!path.empty()) return path;
  const char* named = std::getenv("TWOSTROKE_MODEL");
  if (named != nullptr && *named != '\0') return std::string(named);
  std::string standard = default_model_path();
  std::error_code ignored;
  if (std::filesystem::exists(standard, ignored)) return standard;
  return Error{ErrorCode::kNotFound,
               fmt::format("no model named, and the default is not at {}: name a GGUF file, set "
                           "TWOSTROKE_MODEL, or run `make run` once to fetch it",
                           standard),
               "model"};
}

std::string model_id_of(const std::string& path) {
  const std::filesystem::path file(path);
  return file.extension() == ".gguf" ? file.stem().string() : file.filename().string();
}

}  // namespace twostroke
