// Sixteen f32 lanes as one zmm register: the vocabulary that vector_ops_generic.h and
// attention_generic.h are written in. Same members as kernels/avx2/lanes.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/types.h"
#include "kernels/vector_ops.h"

namespace twostroke::avx512_vnni {
namespace {

struct Lanes {
  using F = __m512;
  using Mask = __mmask16;
  // Register tile of attention: query rows at once, and vectors of keys (or of head dimensions) for
  // that many rows.
  static constexpr int kMaxTileRows = 6;
  static constexpr int tile_vectors(int /*rows*/) { return 4; }
  static constexpr bool kQuantizesFour = true;

  static F zero() { return _mm512_setzero_ps(); }
  static F set1(float value) { return _mm512_set1_ps(value); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F load_partial(const float* p, int count) {  // lanes from `count` on are 0
    return _mm512_maskz_loadu_ps(first_lanes(count), p);
  }
  static void store_partial(float* p, F v, int count) {
    _mm512_mask_storeu_ps(p, first_lanes(count), v);
  }
  static F load_half(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static void store_half(uint16_t* p, F v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }

  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }  // b when either is NaN
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F abs(F a) { return _mm512_abs_ps(a); }
  static F negate(F a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0F)); }
  static F round(F a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // p * 2^n where that is normal; n integral.
  static F scale_by_power(F p, F n) { return _mm512_scalef_ps(p, n); }

  static Mask at_least(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
  static Mask lane_range(int first, int end) {  // first <= lane < end; any ints
    return static_cast<Mask>(first_lanes(end) & ~first_lanes(first));
  }
  static F zero_unless(Mask keep, F v) { return _mm512_maskz_mov_ps(keep, v); }
  static F select(Mask mask, F yes, F no) { return _mm512_mask_mov_ps(no, mask, yes); }

  // Lane i + lane i+8, then i+4, i+2, i+1.
  static float sum(F v) {
    __m256 low = _mm512_castps512_ps256(v);
    const __m256 high = _mm512_extractf32x8_ps(v, 1);
    low = _mm256_add_ps(low, high);
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
  }
  static float largest(F v) {
    __m256 low = _mm512_castps512_ps256(v);
    const __m256 high = _mm512_extractf32x8_ps(v, 1);
    low = _mm256_max_ps(low, high);
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
  }

  // Rounds 16 values in [-127, 127] to int8, stores them and returns their sum.
  static int store_int8(int8_t* p, F v) {
    const __m128i q = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), q);
    const __m128i biased = _mm_xor_si128(q, _mm_set1_epi8(-128));  // q + 128, unsigned
    const __m128i sums = _mm_sad_epu8(biased, _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums))) - 128 * 16;
  }

  // Four groups y[2g], y[2g + 1] at once: one tree of shuffles gives all four maxima.
  static void quantize_four(const F y[8], float factor, QuantGroup* groups, int slot) {
    F largest[4];
    for (int g = 0; g < 4; ++g) largest[g] = max(abs(y[2 * g]), abs(y[2 * g + 1]));
    const F absmax = reduce_four(largest, max);
    const Mask live = _mm512_cmp_ps_mask(absmax, set1(kQuantizeFloor), _CMP_GT_OQ);
    const F inverse = _mm512_maskz_div_ps(live, set1(127.0F), absmax);
    alignas(64) int32_t bias16[32];
    alignas(64) float d[16];
    store_codes(y, _mm512_shuffle_f32x4(inverse, inverse, 0x00),
                _mm512_shuffle_f32x4(inverse, inverse, 0x55), groups, slot, bias16);
    store_codes(y + 4, _mm512_shuffle_f32x4(inverse, inverse, 0xAA),
                _mm512_shuffle_f32x4(inverse, inverse, 0xFF), groups + 2, slot, bias16 + 16);
    store(d, mul(_mm512_maskz_div_ps(live, absmax, set1(127.0F)), set1(factor)));
    // Through memory on purpose: twenty loads and stores of general registers are cheaper than
    // twenty extractions.
    asm volatile("" : : "r"(bias16), "r"(d) : "memory");
    for (int g = 0; g < 4; ++g) {
      groups[g].d[slot] = d[4 * g];
      const int32_t bias = bias16[8 * g] + bias16[8 * g + 4];
      groups[g].s[slot] = d[4 * g] * static_cast<float>(-bias / 128);
      groups[g].bias[slot] = bias;
      groups[g].bias16[0][slot] = bias16[8 * g];
      groups[g].bias16[1][slot] = bias16[8 * g + 4];
    }
  }

  // Rotates the 8 adjacent pairs of x[16]; cos, sin: [8].
  static void rotate_pairs(float* x, const float* cos, const float* sin) {
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const __m512 c = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(cos)));
    const __m512 s = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(sin)));
    const __m512 v = load(x);
    const __m512 swapped = _mm512_permute_ps(v, 0xB1);
    store(x, _mm512_fmaddsub_ps(v, c, _mm512_mul_ps(swapped, s)));
  }

 private:
  // Lanes 4g..4g+3 = v[g] folded by `op`: lane i with i+8, then i+4, i+2, i+1.
  template <class Op>
  static F reduce_four(const F v[4], Op op) {
    const F low =
        op(_mm512_shuffle_f32x4(v[0], v[1], 0x44), _mm512_shuffle_f32x4(v[0], v[1], 0xEE));
    const F high =
        op(_mm512_shuffle_f32x4(v[2], v[3], 0x44), _mm512_shuffle_f32x4(v[2], v[3], 0xEE));
    F four = op(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xDD));
    four = op(four, _mm512_permute_ps(four, 0x4E));
    return op(four, _mm512_permute_ps(four, 0xB1));
  }

  // Codes of two groups, y[0..1] and y[2..3]; bias16[0, 4, 8, 12]: -128 * the sum of each half.
  static void store_codes(const F y[4], F inverse_a, F inverse_b, QuantGroup* groups, int slot,
                          int32_t* bias16) {
    const __m512i a = _mm512_packs_epi32(_mm512_cvtps_epi32(mul(y[0], inverse_a)),
                                         _mm512_cvtps_epi32(mul(y[1], inverse_a)));
    const __m512i b = _mm512_packs_epi32(_mm512_cvtps_epi32(mul(y[2], inverse_b)),
                                         _mm512_cvtps_epi32(mul(y[3], inverse_b)));
    const __m512i in_order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i q = _mm512_permutexvar_epi32(in_order, _mm512_packs_epi16(a, b));
    const __m512i biased = _mm512_xor_si512(q, _mm512_set1_epi8(-128));  // q + 128, unsigned
    const __m512i eights = _mm512_sad_epu8(biased, _mm512_setzero_si512());
    const __m512i sums = _mm512_add_epi32(eights, _mm512_shuffle_epi32(eights, _MM_PERM_BADC));
    // -128 * (sum of q) = -128 * (sum of biased - 16 * 128)
    _mm512_store_si512(
        bias16, _mm512_sub_epi32(_mm512_set1_epi32(128 * 16 * 128), _mm512_slli_epi32(sums, 7)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(groups[0].q[slot]), _mm512_castsi512_si256(q));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(groups[1].q[slot]),
                        _mm512_extracti64x4_epi64(q, 1));
  }

  static Mask first_lanes(int count) {
    if (count <= 0) return 0;
    return static_cast<Mask>(count >= 16 ? 0xFFFFU : (1U << count) - 1U);
  }
};

}  // namespace
}  // namespace twostroke::avx512_vnni
