// What the CPU *and* the operating system allow: instruction sets whose registers are saved on a
// context switch, and the number of cores this process may use. Any thread.
#pragma once

namespace twostroke {

struct CpuInfo {
  bool has_avx2 = false;         // AVX2, FMA, F16C, BMI2 and ymm state
  bool has_avx512_vnni = false;  // that, and AVX-512 F, BW, DQ, VL, VNNI and zmm state
  int usable_cores = 1;          // in this process's affinity mask
};

// Detected once.
const CpuInfo& cpu_info();

}  // namespace twostroke
