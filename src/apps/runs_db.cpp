#include "apps/runs_db.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace twostroke {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

// The XDG base directory specification: a relative XDG_DATA_HOME is ignored.
Result<std::string> runs_db_path(const RunsDbOptions& options) {
  if (!options.path.empty()) return options.path;
  std::string folder = environment("XDG_DATA_HOME");
  if (folder.empty() || folder.front() != '/') {
    const std::string home = environment("HOME");
    if (home.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "neither XDG_DATA_HOME nor HOME says where runs are kept: name a file with "
                   "--runs-db",
                   "runs-db"};
    }
    folder = home + "/.local/share";
  }
  return folder + "/twostroke/runs.sqlite";
}

int64_t remember_run(const RunsDbOptions& options, StoredRun run) {
  if (options.no_save) return 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  run.created_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  run.version = TWOSTROKE_VERSION;
  const Result<std::string> path = runs_db_path(options);
  const Result<int64_t> id = path.ok() ? save_run(*path, run) : path.error();
  if (!id.ok()) {
    fmt::print(stderr, "twostroke: the run was not saved: {}\n", id.error().message);
    return 0;
  }
  return *id;
}

}  // namespace twostroke
