// The flags of `twostroke explain URL`.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/explain_server.h"

namespace twostroke {

// Onto the command `explain`, beside the flags of its other uses.
void add_explain_server_flags(CLI::App* command, ExplainServerOptions& options);

}  // namespace twostroke
