// The kernels of one instruction set behind one table, chosen once at start. What this machine can
// run, and by what names the user asks for it (--isa). Immutable after the first call; any thread.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "kernels/attention.h"
#include "kernels/matmul.h"
#include "kernels/vector_ops.h"

namespace twostroke {

enum class Isa { kScalar, kAvx2, kAvx512Vnni };

struct Kernels {
  Isa isa;
  const char* name;  // "scalar", "avx2", "avx512_vnni"
  MatmulKernels matmul;
  VectorKernels vector;
  AttentionKernels attention;
};

// Slowest first; only what this CPU and its operating system can run.
std::span<const Isa> supported_isas();
// The fastest of them.
Isa best_isa();
const char* isa_name(Isa isa);
// Errors: kInvalidArgument for a name that no build knows (the message lists them), kUnsupported
// for one that this machine cannot run. "auto" is best_isa().
Result<Isa> isa_from_name(std::string_view name);
// REQUIRES: isa is in supported_isas().
const Kernels& kernels_for(Isa isa);

}  // namespace twostroke
