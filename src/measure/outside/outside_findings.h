// The sentences of a report from outside.
#pragma once

#include "measure/outside/outside_report.h"

namespace twostroke {

// Fills `findings` and `unknown` from the numbers.
void add_outside_findings(OutsideReport& report);

}  // namespace twostroke
