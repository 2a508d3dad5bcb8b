// The flags of `twostroke compare`.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/compare.h"

namespace twostroke {

CLI::App* add_compare(CLI::App& app, CompareOptions& compare);

}  // namespace twostroke
