// Attention with zmm registers: 6 query rows x 64 keys (or 64 head dimensions) in 24 accumulators.
#include "kernels/attention.h"

#include "kernels/attention_generic.h"
#include "kernels/avx512_vnni/lanes.h"

namespace twostroke::avx512_vnni {

const AttentionKernels& attention_kernels() {
  return AttentionOps<Lanes>::kTable;
}

}  // namespace twostroke::avx512_vnni
