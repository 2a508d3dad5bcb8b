// The row-wise kernels with pairs of ymm registers.
#include "kernels/vector_ops.h"

#include "kernels/avx2/lanes.h"
#include "kernels/vector_ops_generic.h"

namespace twostroke::avx2 {

const VectorKernels& vector_kernels() {
  return VectorOps<Lanes>::kTable;
}

}  // namespace twostroke::avx2
