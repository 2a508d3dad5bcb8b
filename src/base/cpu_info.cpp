#include "base/cpu_info.h"

#include <cpuid.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <thread>

namespace twostroke {
namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

// The register states that the operating system saves and restores (XCR0).
uint64_t saved_state(bool osxsave) {
  if (!osxsave) return 0;
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

constexpr bool has_all(uint64_t value, uint64_t bits) {
  return (value & bits) == bits;
}

int count_usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails on machines with more CPUs than the set has room for; then all of them.
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

CpuInfo detect() {
  constexpr uint64_t kYmmState = 0x6;   // XMM, upper halves of YMM
  constexpr uint64_t kZmmState = 0xe6;  // and opmask, upper halves of ZMM, ZMM16-31
  const Registers leaf1 = cpuid(1, 0);
  const Registers leaf7 = cpuid(7, 0);
  const uint64_t state = saved_state((leaf1.ecx & bit_OSXSAVE) != 0);

  CpuInfo info;
  info.has_avx2 = has_all(leaf1.ecx, bit_AVX | bit_FMA | bit_F16C) &&
                  has_all(leaf7.ebx, bit_AVX2 | bit_BMI2) && has_all(state, kYmmState);
  info.has_avx512_vnni =
      info.has_avx2 &&
      has_all(leaf7.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL) &&
      has_all(leaf7.ecx, bit_AVX512VNNI) && has_all(state, kZmmState);
  info.usable_cores = count_usable_cores();
  return info;
}

}  // namespace

const CpuInfo& cpu_info() {
  static const CpuInfo info = detect();
  return info;
}

}  // namespace twostroke
