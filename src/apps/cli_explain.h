// The flags of `twostroke explain` and `twostroke what-if`.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/explain.h"

namespace twostroke {

CLI::App* add_explain(CLI::App& app, ExplainOptions& explain);
CLI::App* add_what_if(CLI::App& app, WhatIfOptions& what_if);

}  // namespace twostroke
