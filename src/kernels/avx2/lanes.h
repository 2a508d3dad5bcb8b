// Sixteen f32 lanes as two ymm registers: the vocabulary that vector_ops_generic.h and
// attention_generic.h are written in. Same members as kernels/avx512_vnni/lanes.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace twostroke::avx2 {
namespace {

struct Lanes {
  struct F {
    __m256 low, high;
  };
  using Mask = F;  // all ones or all zeros per lane
  // Register tile of attention: query rows at once, and vectors of keys (or of head dimensions) for
  // that many rows.
  static constexpr int kMaxTileRows = 6;
  static constexpr int tile_vectors(int rows) { return rows <= 2 ? 2 : 1; }
  static constexpr bool kQuantizesFour = false;

  static F zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static F set1(float value) {
    const __m256 v = _mm256_set1_ps(value);
    return {v, v};
  }
  static F load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, F v) {
    _mm256_storeu_ps(p, v.low);
    _mm256_storeu_ps(p + 8, v.high);
  }
  static F load_partial(const float* p, int count) {  // lanes from `count` on are 0
    const F mask = lane_range(0, count);
    return {_mm256_maskload_ps(p, _mm256_castps_si256(mask.low)),
            _mm256_maskload_ps(p + 8, _mm256_castps_si256(mask.high))};
  }
  static void store_partial(float* p, F v, int count) {
    const F mask = lane_range(0, count);
    _mm256_maskstore_ps(p, _mm256_castps_si256(mask.low), v.low);
    _mm256_maskstore_ps(p + 8, _mm256_castps_si256(mask.high), v.high);
  }
  static F load_half(const uint16_t* p) {
    const auto* halves = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
  }
  static void store_half(uint16_t* p, F v) {
    auto* halves = reinterpret_cast<__m128i*>(p);
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(halves, _mm256_cvtps_ph(v.low, kNearest));
    _mm_storeu_si128(halves + 1, _mm256_cvtps_ph(v.high, kNearest));
  }

  static F add(F a, F b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  static F sub(F a, F b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  static F mul(F a, F b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static F div(F a, F b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
  static F fma(F a, F b, F c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static F max(F a, F b) {  // b when either is NaN
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
  }
  static F min(F a, F b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
  static F abs(F a) {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
  }
  static F negate(F a) {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_xor_ps(sign, a.low), _mm256_xor_ps(sign, a.high)};
  }
  static F round(F a) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.low, kNearest), _mm256_round_ps(a.high, kNearest)};
  }
  // p * 2^n where that is normal; n integral.
  static F scale_by_power(F p, F n) {
    return {add_exponent(p.low, n.low), add_exponent(p.high, n.high)};
  }

  static Mask at_least(F a, F b) {
    return {_mm256_cmp_ps(a.low, b.low, _CMP_GE_OQ), _mm256_cmp_ps(a.high, b.high, _CMP_GE_OQ)};
  }
  static Mask lane_range(int first, int end) {  // first <= lane < end; any ints
    const __m256i low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i high = _mm256_add_epi32(low, _mm256_set1_epi32(8));
    return {lanes_between(low, first, end), lanes_between(high, first, end)};
  }
  static F zero_unless(Mask keep, F v) {
    return {_mm256_and_ps(keep.low, v.low), _mm256_and_ps(keep.high, v.high)};
  }
  static F select(Mask mask, F yes, F no) {
    return {_mm256_blendv_ps(no.low, yes.low, mask.low),
            _mm256_blendv_ps(no.high, yes.high, mask.high)};
  }

  // Lane i + lane i+8, then i+4, i+2, i+1.
  static float sum(F v) {
    const __m256 eight = _mm256_add_ps(v.low, v.high);
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
  }
  static float largest(F v) {
    const __m256 eight = _mm256_max_ps(v.low, v.high);
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
  }

  // Rounds 16 values in [-127, 127] to int8, stores them and returns their sum.
  static int store_int8(int8_t* p, F v) {
    const __m256i pairs = _mm256_packs_epi32(_mm256_cvtps_epi32(v.low), _mm256_cvtps_epi32(v.high));
    const __m256i words = _mm256_permute4x64_epi64(pairs, 0xD8);
    const __m128i q =
        _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), q);
    const __m128i biased = _mm_xor_si128(q, _mm_set1_epi8(-128));  // q + 128, unsigned
    const __m128i sums = _mm_sad_epu8(biased, _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums))) - 128 * 16;
  }

  // Rotates the 8 adjacent pairs of x[16]; cos, sin: [8].
  static void rotate_pairs(float* x, const float* cos, const float* sin) {
    const F v = load(x);
    store(x, {rotate_four(v.low, cos, sin), rotate_four(v.high, cos + 4, sin + 4)});
  }

 private:
  static __m256 add_exponent(__m256 p, __m256 n) {
    const __m256i shifted = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shifted));
  }
  static __m256 lanes_between(__m256i lane, int first, int end) {
    const __m256i below_end = _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane);
    const __m256i before_first = _mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before_first, below_end));
  }
  static __m256 twice(const float* p) {  // p0 p0 p1 p1 p2 p2 p3 p3
    const __m128 four = _mm_loadu_ps(p);
    return _mm256_set_m128(_mm_unpackhi_ps(four, four), _mm_unpacklo_ps(four, four));
  }
  static __m256 rotate_four(__m256 v, const float* cos, const float* sin) {
    const __m256 swapped = _mm256_permute_ps(v, 0xB1);
    return _mm256_fmaddsub_ps(v, twice(cos), _mm256_mul_ps(swapped, twice(sin)));
  }
};

}  // namespace
}  // namespace twostroke::avx2
