// Internal to quant: the traits that each type's own file defines. A new type is one file, one line
// here and one row in quant_type.cpp.
#pragma once

#include "quant/quant_type.h"

namespace twostroke {

extern const QuantTraits kTraitsF32;
extern const QuantTraits kTraitsF16;
extern const QuantTraits kTraitsBF16;
extern const QuantTraits kTraitsQ4_0;
extern const QuantTraits kTraitsQ4_1;
extern const QuantTraits kTraitsQ5_0;
extern const QuantTraits kTraitsQ5_1;
extern const QuantTraits kTraitsQ8_0;
extern const QuantTraits kTraitsQ2_K;
extern const QuantTraits kTraitsQ3_K;
extern const QuantTraits kTraitsQ4_K;
extern const QuantTraits kTraitsQ5_K;
extern const QuantTraits kTraitsQ6_K;
extern const QuantTraits kTraitsIQ4_NL;
extern const QuantTraits kTraitsIQ4_XS;
extern const QuantTraits kTraitsMXFP4;

}  // namespace twostroke
