// A seed for requests that named none.
#pragma once

#include <cstdint>

namespace twostroke {

uint64_t fresh_seed();

}  // namespace twostroke
