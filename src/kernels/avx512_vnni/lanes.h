// Sixteen f32 lanes as one zmm register: the vocabulary that vector_ops_generic.h and
// attention_generic.h are written in. Same members as kernels/avx2/lanes.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace twostroke::avx512_vnni {
namespace {

struct Lanes {
  using F = __m512;
  using Mask = __mmask16;
  // Register tile of attention: query rows at once, and vectors of keys (or of head dimensions) for
  // that many rows.
  static constexpr int kMaxTileRows = 6;
  static constexpr int tile_vectors(int /*rows*/) { return 4; }

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
  static Mask first_lanes(int count) {
    if (count <= 0) return 0;
    return static_cast<Mask>(count >= 16 ? 0xFFFFU : (1U << count) - 1U);
  }
};

}  // namespace
}  // namespace twostroke::avx512_vnni
