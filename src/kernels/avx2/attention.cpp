// Attention with pairs of ymm registers: 6 query rows x 16 keys (or 16 head dimensions) in 12
// accumulators.
#include "kernels/attention.h"

#include "kernels/attention_generic.h"
#include "kernels/avx2/lanes.h"

namespace twostroke::avx2 {

const AttentionKernels& attention_kernels() {
  return AttentionOps<Lanes>::kTable;
}

}  // namespace twostroke::avx2
