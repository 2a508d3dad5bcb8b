// How a panel's bits become registers with AVX2: for each half of the panel (8 weight rows), ymm of
// codes (lane = row, four consecutive K in each) and the group's scales. Unlike with VNNI, products
// are summed in 16 bits first, so codes stay as small as the file has them.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/panel_layout.h"

namespace twostroke::avx2 {
namespace {

// Types whose codes need all 8 bits (their zero is 128): they are multiplied nibble by nibble.
constexpr bool is_wide(const PanelLayout& layout) {
  return layout.low_bits == 8 || is_table_type(layout);
}

// How many products of (two codes, two activations of up to 127) a 16-bit lane can sum.
constexpr int max_chain(const PanelLayout& layout) {
  const int largest = is_wide(layout) ? 15 : (1 << layout.bits()) - 1;
  int chain = 8;
  while (chain * 2 * 127 * largest > 32767) chain /= 2;
  return chain;
}

// How far the dot of a symmetric type must move up to be the one that the specification adds bias
// to: there the codes' zero is 128.
constexpr int dot_shift(const PanelLayout& layout) {
  return layout.has_minimum() || is_wide(layout) ? 0 : 8 - layout.bits();
}

template <int kUp>
inline __m256i shift_up(__m256i x) {
  if constexpr (kUp > 0) {
    return _mm256_slli_epi16(x, kUp);
  } else if constexpr (kUp < 0) {
    return _mm256_srli_epi16(x, -kUp);
  } else {
    return x;
  }
}

// Register kJ of one half of a plane of kBits-bit codes, the codes at bits [kTo, kTo + kBits) of
// their bytes and the rest zero.
template <int kBits, int kTo, int kJ>
inline __m256i field(const uint8_t* plane, int half) {
  constexpr int kFrom = kBits * (kJ / kBits);
  constexpr int kMask = ((1 << kBits) - 1) << kTo;
  const __m256i bytes =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(plane + 64 * (kJ % kBits) + 32 * half));
  return _mm256_and_si256(shift_up<kTo - kFrom>(bytes), _mm256_set1_epi8(static_cast<char>(kMask)));
}

inline __m256i look_up(const uint8_t table[16], __m256i nibbles) {
  const __m128i t = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), nibbles);
}

// Codes 4 kJ to 4 kJ + 3 of the group for the 8 rows of a half.
template <PanelLayout kLayout, int kJ>
inline __m256i codes(const uint8_t* block, int group, int half) {
  const __m256i low = field<kLayout.low_bits, 0, kJ>(block + kLayout.low(group), half);
  if constexpr (kLayout.type == kPanelMXFP4.type) {
    return look_up(kMxfp4Codes, low);
  } else if constexpr (is_table_type(kLayout)) {
    return look_up(kIq4Codes, low);
  } else if constexpr (kLayout.high_bits == 0) {
    return low;
  } else {
    return _mm256_or_si256(
        low, field<kLayout.high_bits, kLayout.low_bits, kJ>(block + kLayout.high(group), half));
  }
}

inline __m256 load_f16(const uint8_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m256i load_u8(const uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline __m256i load_s8(const uint8_t* p) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline __m256 times(__m256 d, __m256i integer) {
  return _mm256_mul_ps(d, _mm256_cvtepi32_ps(integer));
}

// What all groups of a block share, for the 8 rows of a half.
struct Constants {
  __m256 d;     // times scale_factor
  __m256 dmin;  // times minimum_factor
};

template <PanelLayout kLayout>
inline Constants load_constants(const uint8_t* block, int half) {
  const uint8_t* p = block + kLayout.constants();
  Constants c;
  c.dmin = _mm256_setzero_ps();
  if constexpr (kLayout.type == kPanelMXFP4.type) {
    const __m256i exponent = load_u8(p + 8 * half);
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(exponent, _mm256_set1_epi32(1)), 23);
    const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), exponent);
    const __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), exponent);
    c.d = _mm256_castsi256_ps(_mm256_blendv_epi8(normal, subnormal, small));
    return c;
  }
  c.d = load_f16(p + 16 * half);
  if constexpr (scale_factor(kLayout) != 1.0F) {
    c.d = _mm256_mul_ps(c.d, _mm256_set1_ps(scale_factor(kLayout)));
  }
  if constexpr (kLayout.has_minimum()) {
    c.dmin = load_f16(p + 32 + 16 * half);
    if constexpr (minimum_factor(kLayout) != 1.0F) {
      c.dmin = _mm256_mul_ps(c.dmin, _mm256_set1_ps(minimum_factor(kLayout)));
    }
  }
  return c;
}

// Of the two halves of the group's K; types with one scale use the first.
struct Scales {
  __m256 scale[2];
  __m256 minimum[2];
};

template <PanelLayout kLayout>
inline Scales load_scales(const uint8_t* block, int group, int half, const Constants& c) {
  const uint8_t* p = block + kLayout.scales(group) + 8 * half;
  Scales s = {{c.d, c.d}, {c.dmin, c.dmin}};
  if constexpr (kLayout.type == kPanelQ4_K.type || kLayout.type == kPanelQ5_K.type) {
    s.scale[0] = times(c.d, load_u8(p));
    s.minimum[0] = times(c.dmin, load_u8(p + 16));
  } else if constexpr (kLayout.type == kPanelIQ4_XS.type) {
    s.scale[0] = times(c.d, _mm256_sub_epi32(load_u8(p), _mm256_set1_epi32(32)));
  } else if constexpr (kLayout.has_halves()) {
    for (int k_half = 0; k_half < 2; ++k_half) {
      const uint8_t* q = p + 16 * k_half;
      if constexpr (kLayout.type == kPanelQ2_K.type) {
        s.scale[k_half] = times(c.d, _mm256_and_si256(load_u8(q), _mm256_set1_epi32(15)));
        s.minimum[k_half] = times(c.dmin, _mm256_srli_epi32(load_u8(q), 4));
      } else if constexpr (kLayout.type == kPanelQ3_K.type) {
        s.scale[k_half] = times(c.d, _mm256_sub_epi32(load_u8(q), _mm256_set1_epi32(32)));
      } else {
        s.scale[k_half] = times(c.d, load_s8(q));
      }
    }
  }
  return s;
}

}  // namespace
}  // namespace twostroke::avx2
