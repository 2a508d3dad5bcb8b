#include "quant/quant_type.h"

#include <array>

#include "base/check.h"
#include "quant/all_types.h"

namespace twostroke {
namespace {

constexpr std::array<const QuantTraits*, 16> kAllTraits = {
    &kTraitsF32,    &kTraitsF16,    &kTraitsQ4_0, &kTraitsQ4_1,  &kTraitsQ5_0, &kTraitsQ5_1,
    &kTraitsQ8_0,   &kTraitsQ2_K,   &kTraitsQ3_K, &kTraitsQ4_K,  &kTraitsQ5_K, &kTraitsQ6_K,
    &kTraitsIQ4_NL, &kTraitsIQ4_XS, &kTraitsBF16, &kTraitsMXFP4,
};

}  // namespace

const QuantTraits* find_quant_traits(int ggml_type) {
  for (const QuantTraits* traits : kAllTraits) {
    if (static_cast<int>(traits->type) == ggml_type) return traits;
  }
  return nullptr;
}

const QuantTraits& quant_traits(QuantType type) {
  const QuantTraits* traits = find_quant_traits(static_cast<int>(type));
  CHECK(traits != nullptr);
  return *traits;
}

std::span<const QuantTraits* const> all_quant_traits() {
  return kAllTraits;
}

}  // namespace twostroke
