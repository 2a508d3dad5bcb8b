// The flags of `twostroke runs`, and those that every measuring command has for its history.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/runs.h"

namespace twostroke {

// --runs-db and --no-save.
void add_runs_db(CLI::App* command, RunsDbOptions& db);
CLI::App* add_runs(CLI::App& app, RunsOptions& runs);

}  // namespace twostroke
