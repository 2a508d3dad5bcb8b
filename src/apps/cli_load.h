// The flags of `twostroke load`.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/load_options.h"

namespace twostroke {

CLI::App* add_load(CLI::App& app, LoadOptions& load);

}  // namespace twostroke
