// Where measured runs are kept on this machine, and the one call that keeps one.
#pragma once

#include <string>

#include "base/result.h"
#include "measure/history/run_history.h"

namespace twostroke {

struct RunsDbOptions {
  std::string path;      // empty: $XDG_DATA_HOME/twostroke/runs.sqlite, else ~/.local/share/…
  bool no_save = false;  // keep nothing
};

Result<std::string> runs_db_path(const RunsDbOptions& options);

// Saves the run with the present date and this version, unless --no-save. A history that cannot be
// written must not cost a result: it is one line on stderr. Returns the run's id, 0 when not saved.
int64_t remember_run(const RunsDbOptions& options, StoredRun run);

}  // namespace twostroke
