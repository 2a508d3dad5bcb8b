// The pictures of a comparison's page, each one SVG, or nothing where there is nothing to show.
#pragma once

#include <string>

#include "measure/decide/comparison.h"

namespace twostroke {

// Both phases' differences with interval, blocks and margin.
std::string effect_plot(const Comparison& comparison);
// End-to-end time against answer length, and where the lines cross.
std::string break_even_plot(const Comparison& comparison);
// Which side keeps more requests within which limits.
std::string slo_map_plot(const Comparison& comparison);
// Share of requests done within so many milliseconds.
std::string distribution_plot(const PooledQuantiles& quantiles, const std::string& label);

}  // namespace twostroke
