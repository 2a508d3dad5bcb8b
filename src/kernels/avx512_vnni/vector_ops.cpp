// The row-wise kernels with zmm registers.
#include "kernels/vector_ops.h"

#include "kernels/avx512_vnni/lanes.h"
#include "kernels/vector_ops_generic.h"

namespace twostroke::avx512_vnni {

const VectorKernels& vector_kernels() {
  return VectorOps<Lanes>::kTable;
}

}  // namespace twostroke::avx512_vnni
