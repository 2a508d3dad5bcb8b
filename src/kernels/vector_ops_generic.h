// The row-wise kernels for any ISA with 16 f32 lanes: VectorOps<Lanes>::kTable. The order of
// operations is that of kernels/scalar/vector_ops.cpp. Included only by the ISA folders, each with
// its own Lanes (kernels/<isa>/lanes.h), a type of an anonymous namespace: so every instantiation
// stays inside its folder.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/exp2_polynomial.h"
#include "kernels/types.h"
#include "kernels/vector_ops.h"

namespace twostroke {
namespace {

template <class L>
struct Exponential {
  using F = typename L::F;

  // 2^n 2^f; garbage where that is not normal: the caller masks.
  static F scaled(F n, F f) {
    F p = L::fma(L::set1(kExp2C6), f, L::set1(kExp2C5));
    p = L::fma(p, f, L::set1(kExp2C4));
    p = L::fma(p, f, L::set1(kExp2C3));
    p = L::fma(p, f, L::set1(kExp2C2));
    p = L::fma(p, f, L::set1(kExp2C1));
    p = L::fma(p, f, L::set1(1.0F));
    return L::scale_by_power(p, n);
  }
  static F exp2_or_zero(F t) {
    const F n = L::round(t);
    return L::zero_unless(L::at_least(t, L::set1(kExp2Floor)), scaled(n, L::sub(t, n)));
  }
  static F exp(F x) {
    const F clipped = L::min(x, L::set1(kExpCeiling));
    const F n = L::round(L::mul(clipped, L::set1(kLog2E)));
    F f = L::fma(clipped, L::set1(kLog2E), L::negate(n));
    f = L::fma(clipped, L::set1(kLog2ELow), f);
    return L::zero_unless(L::at_least(x, L::set1(kExpFloor)), scaled(n, f));
  }
};

template <class L>
struct VectorOps {
  using F = typename L::F;
  static constexpr int kWidth = 16;

  // Applies `body(offset, count)` to each 16 of n, count < 16 only at the end.
  template <class Body>
  static void for_each(int n, Body body) {
    int i = 0;
    for (; i + kWidth <= n; i += kWidth) body(i, kWidth);
    if (i < n) body(i, n - i);
  }
  static F load(const float* p, int count) {
    return count == kWidth ? L::load(p) : L::load_partial(p, count);
  }
  static void store(float* p, F v, int count) {
    if (count == kWidth) {
      L::store(p, v);
    } else {
      L::store_partial(p, v, count);
    }
  }

  static float inverse_rms(const float* x, int n, float eps) {
    F a = L::zero(), b = L::zero(), c = L::zero(), d = L::zero();
    int i = 0;
    for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
      const F xa = L::load(x + i), xb = L::load(x + i + 16);
      const F xc = L::load(x + i + 32), xd = L::load(x + i + 48);
      a = L::fma(xa, xa, a);
      b = L::fma(xb, xb, b);
      c = L::fma(xc, xc, c);
      d = L::fma(xd, xd, d);
    }
    F* const lanes[4] = {&a, &b, &c, &d};
    for_each(n - i, [&](int offset, int count) {
      const F v = load(x + i + offset, count);
      F& lane = *lanes[offset / kWidth];
      lane = L::fma(v, v, lane);
    });
    const float total = L::sum(L::add(L::add(a, b), L::add(c, d)));
    return 1.0F / sqrtf(total / static_cast<float>(n) + eps);
  }

  static void rms_norm(const float* x, const float* weight, int n, float eps, float* y) {
    const F inv_rms = L::set1(inverse_rms(x, n, eps));
    for_each(n, [&](int i, int count) {
      const F v = L::mul(load(x + i, count), inv_rms);
      store(y + i, L::mul(v, load(weight + i, count)), count);
    });
  }

  static void quantize_group(F low, F high, float factor, QuantGroup& group, int slot) {
    const float absmax = L::largest(L::max(L::abs(low), L::abs(high)));
    const bool zero = !(absmax > kQuantizeFloor);
    const F inverse = L::set1(zero ? 0.0F : 127.0F / absmax);
    const int sum_low = L::store_int8(group.q[slot], L::mul(low, inverse));
    const int sum_high = L::store_int8(group.q[slot] + kWidth, L::mul(high, inverse));
    group.d[slot] = zero ? 0.0F : (absmax / 127.0F) * factor;
    group.s[slot] = group.d[slot] * static_cast<float>(sum_low + sum_high);
    group.bias[slot] = -128 * (sum_low + sum_high);
    group.bias16[0][slot] = -128 * sum_low;
    group.bias16[1][slot] = -128 * sum_high;
  }

  // Quantises n values, 16 at a time as value(i) gives them.
  template <class Value>
  static void quantize(int n, float factor, QuantGroup* groups, int slot, Value value) {
    int i = 0;
    if constexpr (L::kQuantizesFour) {
      for (; i + 4 * kGroup <= n; i += 4 * kGroup) {
        F y[8];
        for (int j = 0; j < 8; ++j) y[j] = value(i + j * kWidth);
        L::quantize_four(y, factor, groups + i / kGroup, slot);
      }
    }
    for (; i < n; i += kGroup) {
      quantize_group(value(i), value(i + kWidth), factor, groups[i / kGroup], slot);
    }
  }

  static void rms_norm_quantize(const float* x, const float* weight, int n, float eps,
                                const QuantRows& out, int out_row) {
    quantize(n, inverse_rms(x, n, eps), &quant_group(out, out_row, 0), out_row % kRowTile,
             [&](int i) { return L::mul(L::load(x + i), L::load(weight + i)); });
  }
  static void quantize_row(const float* x, int n, const QuantRows& out, int out_row,
                           int out_column) {
    quantize(n, 1.0F, &quant_group(out, out_row, out_column / kGroup), out_row % kRowTile,
             [&](int i) { return L::load(x + i); });
  }

  static void rope_norm(float* x, const float* cos, const float* sin, int rope_dim) {
    const int half = rope_dim / 2;
    int i = 0;
    for (; i + kWidth / 2 <= half; i += kWidth / 2) L::rotate_pairs(x + 2 * i, cos + i, sin + i);
    if (i == half) return;
    float tail[kWidth] = {}, c[kWidth / 2] = {}, s[kWidth / 2] = {};
    for (int j = i; j < half; ++j) {
      tail[2 * (j - i)] = x[2 * j];
      tail[2 * (j - i) + 1] = x[2 * j + 1];
      c[j - i] = cos[j];
      s[j - i] = sin[j];
    }
    L::rotate_pairs(tail, c, s);
    for (int j = 2 * i; j < rope_dim; ++j) x[j] = tail[j - 2 * i];
  }
  static void rope_neox(float* x, const float* cos, const float* sin, int rope_dim) {
    float* y = x + rope_dim / 2;
    for_each(rope_dim / 2, [&](int i, int count) {
      const F a = load(x + i, count), b = load(y + i, count);
      const F c = load(cos + i, count), s = load(sin + i, count);
      store(x + i, L::fma(a, c, L::negate(L::mul(b, s))), count);
      store(y + i, L::fma(b, c, L::mul(a, s)), count);
    });
  }

  static F silu(F x) { return L::div(x, L::add(L::set1(1.0F), Exponential<L>::exp(L::negate(x)))); }
  static F gelu_tanh(F x) {
    const F z = L::mul(x, L::fma(L::mul(x, x), L::set1(kGelu3), L::set1(kGelu1)));
    return L::div(x, L::add(L::set1(1.0F), Exponential<L>::exp(L::negate(z))));
  }
  template <F (*kActivation)(F)>
  static void activate_mul(const float* gate, const float* up, int n, float* out) {
    for_each(n, [&](int i, int count) {
      store(out + i, L::mul(kActivation(load(gate + i, count)), load(up + i, count)), count);
    });
  }
  template <F (*kActivation)(F)>
  static void activate_mul_quantize(const float* gate, const float* up, int n, const QuantRows& out,
                                    int out_row, int out_column) {
    quantize(n, 1.0F, &quant_group(out, out_row, out_column / kGroup), out_row % kRowTile,
             [&](int i) { return L::mul(kActivation(L::load(gate + i)), L::load(up + i)); });
  }

  static void add(float* x, const float* y, int n) {
    for_each(n, [&](int i, int count) {
      store(x + i, L::add(load(x + i, count), load(y + i, count)), count);
    });
  }
  static void scale(float* x, float factor, int n) {
    const F f = L::set1(factor);
    for_each(n, [&](int i, int count) { store(x + i, L::mul(load(x + i, count), f), count); });
  }
  static void exp(const float* x, int n, float* y) {
    for_each(
        n, [&](int i, int count) { store(y + i, Exponential<L>::exp(load(x + i, count)), count); });
  }
  static float exp_sum(const float* x, int n, float shift) {
    F lanes[4] = {L::zero(), L::zero(), L::zero(), L::zero()};
    const F s = L::set1(shift);
    for_each(n, [&](int i, int count) {
      const F e = Exponential<L>::exp(L::sub(load(x + i, count), s));
      F& lane = lanes[(i / kWidth) % 4];
      lane = L::add(lane, count == kWidth ? e : L::zero_unless(L::lane_range(0, count), e));
    });
    return L::sum(L::add(L::add(lanes[0], lanes[1]), L::add(lanes[2], lanes[3])));
  }

  // Maximum per 256 values first; only the winning stretch is searched for its index.
  static int argmax(const float* x, int n) {
    constexpr int kStretch = 256;
    int best_stretch = 0;
    float best = -INFINITY;
    for (int begin = 0; begin < n; begin += kStretch) {
      const int end = n - begin < kStretch ? n : begin + kStretch;
      F largest = L::set1(-INFINITY);
      int i = begin;
      for (; i + kWidth <= end; i += kWidth) largest = L::max(L::load(x + i), largest);
      float top = L::largest(largest);
      for (; i < end; ++i) top = x[i] > top ? x[i] : top;
      if (top > best) {
        best = top;
        best_stretch = begin;
      }
    }
    for (int i = best_stretch; i < n; ++i) {
      if (x[i] == best) return i;
    }
    return 0;
  }

  static void f32_to_f16(const float* x, int n, uint16_t* y) {
    for_each(n, [&](int i, int count) {
      uint16_t halves[kWidth];
      L::store_half(halves, load(x + i, count));
      for (int j = 0; j < count; ++j) y[i + j] = halves[j];
    });
  }
  static void f16_to_f32(const uint16_t* x, int n, float* y) {
    for_each(n, [&](int i, int count) {
      uint16_t halves[kWidth] = {};
      for (int j = 0; j < count; ++j) halves[j] = x[i + j];
      store(y + i, L::load_half(halves), count);
    });
  }

  static constexpr VectorKernels kTable = {
      .rms_norm = rms_norm,
      .rms_norm_quantize = rms_norm_quantize,
      .quantize_row = quantize_row,
      .rope_norm = rope_norm,
      .rope_neox = rope_neox,
      .silu_mul = activate_mul<silu>,
      .gelu_tanh_mul = activate_mul<gelu_tanh>,
      .silu_mul_quantize = activate_mul_quantize<silu>,
      .gelu_tanh_mul_quantize = activate_mul_quantize<gelu_tanh>,
      .add = add,
      .scale = scale,
      .exp = exp,
      .argmax = argmax,
      .exp_sum = exp_sum,
      .f32_to_f16 = f32_to_f16,
      .f16_to_f32 = f16_to_f32,
  };
};

}  // namespace
}  // namespace twostroke
