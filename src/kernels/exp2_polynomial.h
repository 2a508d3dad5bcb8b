// Constants of our own exponential, shared by every ISA so that all of them compute the same bits
// (law 1). 2^f = 1 + f (c1 + f (c2 + ... c6)) for f in [-0.5, 0.5]: minimax in relative error (2e-9
// before rounding to f32), fitted for this project. e^x = 2^n 2^f with n = round(x log2 e), f = x
// log2 e - n in two fma.
#pragma once

namespace twostroke {

inline constexpr float kExp2C1 = 0x1.62e430p-1F;
inline constexpr float kExp2C2 = 0x1.ebfbdcp-3F;
inline constexpr float kExp2C3 = 0x1.c6aee8p-5F;
inline constexpr float kExp2C4 = 0x1.3b2d4cp-7F;
inline constexpr float kExp2C5 = 0x1.5f3e54p-10F;
inline constexpr float kExp2C6 = 0x1.41fbbap-13F;
inline constexpr float kLog2E = 0x1.715476p+0F;
inline constexpr float kLog2ELow = 0x1.4ae0c0p-26F;  // log2(e) - kLog2E

// Arguments below these give exactly 0, so that no result is subnormal.
inline constexpr float kExp2Floor = -125.0F;
inline constexpr float kExpFloor = -87.0F;
inline constexpr float kExpCeiling = 88.0F;

// silu(x) = x / (1 + e^-x); gelu_tanh(x) = x / (1 + e^-z), z = x (kGelu1 + kGelu3 x^2).
inline constexpr float kGelu1 = 1.5957691216057308F;   // 2 sqrt(2 / pi)
inline constexpr float kGelu3 = 0.07135481627260025F;  // 0.044715 kGelu1

}  // namespace twostroke
