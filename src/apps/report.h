// How commands speak to people: one line for a failure, and whether they look at a terminal.
#pragma once

#include "base/result.h"

namespace twostroke {

// Prints "twostroke: message" on stderr; returns the exit code for a failure.
int report_failure(const Error& error);

// True when the stream is a terminal; colours are off too when NO_COLOR is set.
bool stdout_is_terminal();
bool stderr_is_terminal();
bool colors_wanted();

}  // namespace twostroke
