#include "kernels/kernels.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/cpu_info.h"

namespace twostroke {
namespace {

// Built on first use, so that no code of an ISA's folder runs before the CPU was asked.
template <Isa kIsa>
const Kernels& table() {
  if constexpr (kIsa == Isa::kScalar) {
    static const Kernels kernels = {kIsa, isa_name(kIsa), scalar::matmul_kernels(),
                                    scalar::vector_kernels(), scalar::attention_kernels()};
    return kernels;
  } else if constexpr (kIsa == Isa::kAvx2) {
    static const Kernels kernels = {kIsa, isa_name(kIsa), avx2::matmul_kernels(),
                                    avx2::vector_kernels(), avx2::attention_kernels()};
    return kernels;
  } else {
    static const Kernels kernels = {kIsa, isa_name(kIsa), avx512_vnni::matmul_kernels(),
                                    avx512_vnni::vector_kernels(),
                                    avx512_vnni::attention_kernels()};
    return kernels;
  }
}

constexpr Isa kAll[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni};

}  // namespace

std::span<const Isa> supported_isas() {
  const size_t count = cpu_info().has_avx512_vnni ? 3 : cpu_info().has_avx2 ? 2 : 1;
  return std::span(kAll).first(count);
}

Isa best_isa() {
  return supported_isas().back();
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "?";
}

Result<Isa> isa_from_name(std::string_view name) {
  if (name == "auto") return best_isa();
  for (Isa isa : supported_isas()) {
    if (name == isa_name(isa)) return isa;
  }
  for (Isa isa : kAll) {
    if (name != isa_name(isa)) continue;
    return Error{ErrorCode::kUnsupported,
                 fmt::format("this machine cannot run {} kernels; the best it can is {}", name,
                             isa_name(best_isa())),
                 "isa"};
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("no kernels are called '{}': auto, scalar, avx2 or avx512_vnni", name),
               "isa"};
}

const Kernels& kernels_for(Isa isa) {
  CHECK(isa <= best_isa());
  switch (isa) {
    case Isa::kScalar:
      return table<Isa::kScalar>();
    case Isa::kAvx2:
      return table<Isa::kAvx2>();
    case Isa::kAvx512Vnni:
      break;
  }
  return table<Isa::kAvx512Vnni>();
}

}  // namespace twostroke
