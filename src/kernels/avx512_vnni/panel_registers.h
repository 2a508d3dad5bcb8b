// How a panel's bits become registers: eight zmm of unsigned codes per group (lane = weight row,
// four consecutive K in each) and the group's scales. Everything follows from the PanelLayout but
// the scales of the super-block types.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/panel_layout.h"

namespace twostroke::avx512_vnni {
namespace {

// The bytes of 16-bit lanes shifted up (or down, when negative); what crosses into the neighbour is
// for the caller to mask.
template <int kUp>
inline __m512i shift_up(__m512i x) {
  if constexpr (kUp > 0) {
    return _mm512_slli_epi16(x, kUp);
  } else if constexpr (kUp < 0) {
    return _mm512_srli_epi16(x, -kUp);
  } else {
    return x;
  }
}

// Register kJ of a plane of kBits-bit codes, the codes at bits [kTo, kTo + kBits) of their bytes
// and the rest zero.
template <int kBits, int kTo, int kJ>
inline __m512i field(const uint8_t* plane) {
  const __m512i bytes = _mm512_loadu_si512(plane + 64 * (kJ % kBits));
  if constexpr (kBits == 8) {
    return bytes;
  } else {
    constexpr int kFrom = kBits * (kJ / kBits);
    constexpr int kMask = ((1 << kBits) - 1) << kTo;
    return _mm512_and_si512(shift_up<kTo - kFrom>(bytes),
                            _mm512_set1_epi8(static_cast<char>(kMask)));
  }
}

inline __m512i look_up(const uint8_t table[16], __m512i nibbles) {
  const __m128i t = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), nibbles);
}

// Codes 4 kJ to 4 kJ + 3 of the group: as they are when the type has minima, else moved up in their
// bytes until their zero is 128.
template <PanelLayout kLayout, int kJ>
inline __m512i codes(const uint8_t* block, int group) {
  constexpr bool kMoved = !kLayout.has_minimum() && !is_table_type(kLayout);
  constexpr int kTo = kMoved ? 8 - kLayout.bits() : 0;
  const __m512i low = field<kLayout.low_bits, kTo, kJ>(block + kLayout.low(group));
  if constexpr (kLayout.type == kPanelMXFP4.type) {
    return look_up(kMxfp4Codes, low);
  } else if constexpr (is_table_type(kLayout)) {
    return look_up(kIq4Codes, low);
  } else if constexpr (kLayout.high_bits == 0) {
    return low;
  } else {
    constexpr int kHighTo = kTo + kLayout.low_bits;
    return _mm512_or_si512(low, field<kLayout.high_bits, kHighTo, kJ>(block + kLayout.high(group)));
  }
}

inline __m512 load_f16(const uint8_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline __m512i load_u8(const uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m512i load_s8(const uint8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m512 times(__m512 d, __m512i integer) {
  return _mm512_mul_ps(d, _mm512_cvtepi32_ps(integer));
}

// What all groups of a block share.
struct Constants {
  __m512 d;     // times 2^-moved
  __m512 dmin;  // as the sum wants it: the sign and factor of kernels/scalar
};

template <PanelLayout kLayout>
inline Constants load_constants(const uint8_t* block) {
  const uint8_t* p = block + kLayout.constants();
  Constants c;
  c.dmin = _mm512_setzero_ps();
  if constexpr (kLayout.type == kPanelMXFP4.type) {
    const __m512i exponent = load_u8(p);
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(exponent, _mm512_set1_epi32(1)), 23);
    const __m512i subnormal = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), exponent);
    const __mmask16 small = _mm512_cmplt_epi32_mask(exponent, _mm512_set1_epi32(2));
    c.d = _mm512_castsi512_ps(_mm512_mask_mov_epi32(normal, small, subnormal));
    return c;
  }
  c.d = load_f16(p);
  if constexpr (scale_factor(kLayout) != 1.0F) {
    c.d = _mm512_mul_ps(c.d, _mm512_set1_ps(scale_factor(kLayout)));
  }
  if constexpr (kLayout.has_minimum()) {
    c.dmin = load_f16(p + 32);
    if constexpr (minimum_factor(kLayout) != 1.0F) {
      c.dmin = _mm512_mul_ps(c.dmin, _mm512_set1_ps(minimum_factor(kLayout)));
    }
  }
  return c;
}

// Of a group's two halves; types with one scale use the first.
struct Scales {
  __m512 scale[2];
  __m512 minimum[2];
};

template <PanelLayout kLayout>
inline Scales load_scales(const uint8_t* block, int group, const Constants& c) {
  const uint8_t* p = block + kLayout.scales(group);
  Scales s = {{c.d, c.d}, {c.dmin, c.dmin}};
  if constexpr (kLayout.type == kPanelQ4_K.type || kLayout.type == kPanelQ5_K.type) {
    s.scale[0] = times(c.d, load_u8(p));
    s.minimum[0] = times(c.dmin, load_u8(p + 16));
  } else if constexpr (kLayout.type == kPanelIQ4_XS.type) {
    s.scale[0] = times(c.d, _mm512_sub_epi32(load_u8(p), _mm512_set1_epi32(32)));
  } else if constexpr (kLayout.has_halves()) {
    for (int half = 0; half < 2; ++half) {
      if constexpr (kLayout.type == kPanelQ2_K.type) {
        const __m512i pair = load_u8(p + 16 * half);
        s.scale[half] = times(c.d, _mm512_and_si512(pair, _mm512_set1_epi32(15)));
        s.minimum[half] = times(c.dmin, _mm512_srli_epi32(pair, 4));
      } else if constexpr (kLayout.type == kPanelQ3_K.type) {
        s.scale[half] = times(c.d, _mm512_sub_epi32(load_u8(p + 16 * half), _mm512_set1_epi32(32)));
      } else {
        s.scale[half] = times(c.d, load_s8(p + 16 * half));
      }
    }
  }
  return s;
}

}  // namespace
}  // namespace twostroke::avx512_vnni
