// SPDX-License-Identifier: Apache-2.0
//
// Activation functions and their derivatives on flat arrays:
//
//   silu   x s(x),  s(x) = 1 / (1 + exp(-x));   s(x) (1 + x s(-x))
//   gelu   x P(x),  P(x) = erfc(-x / sqrt 2) / 2;   P(x) + x exp(-x^2 / 2) /
//          sqrt(2 pi)
//
// erfc(z) = t exp(-z^2 + q(t)) with t = 1 / (1 + z / 2) for z >= 0 and a
// polynomial q (Press et al., Numerical Recipes, erfcc). Small results keep
// their digits: exponentials are squares of those of half the number, which
// exp8 does not cut off, and z^2 is formed without rounding.

#include "kernel/native_math.h"

#include <string.h>

WSR_INLINE v8 minus8(v8 x)
{
    return sub8(splat8(0.0f), x);
}

WSR_INLINE v8 abs8(v8 x)
{
    return select8(above8(splat8(0.0f), x), minus8(x), x);
}

// exp(-x) for x >= 0, down to 0.
WSR_INLINE v8 decay8(v8 x)
{
    const v8 half = exp8(mul8(x, splat8(-0.5f)));
    return mul8(half, half);
}

// s(x), and s(-x) with other.
WSR_INLINE v8 logistic8(v8 x, bool other)
{
    const v8 one = splat8(1.0f);
    const v8 e = decay8(abs8(x));
    const v8 below = above8(splat8(0.0f), x);
    const v8 top = other ? select8(below, one, e) : select8(below, e, one);
    return div8(top, add8(one, e));
}

WSR_INLINE v8 silu8(v8 x)
{
    return mul8(x, logistic8(x, false));
}

WSR_INLINE v8 silu_slope8(v8 x)
{
    const v8 other = logistic8(x, true);
    return mul8(logistic8(x, false), fma8(x, other, splat8(1.0f)));
}

// The exponent of erfc without -z^2.
WSR_INLINE v8 erfc_exponent8(v8 t)
{
    v8 q = splat8(0.17087277f);
    q = fma8(q, t, splat8(-0.82215223f));
    q = fma8(q, t, splat8(1.48851587f));
    q = fma8(q, t, splat8(-1.13520398f));
    q = fma8(q, t, splat8(0.27886807f));
    q = fma8(q, t, splat8(-0.18628806f));
    q = fma8(q, t, splat8(0.09678418f));
    q = fma8(q, t, splat8(0.37409196f));
    q = fma8(q, t, splat8(1.00002368f));
    return fma8(q, t, splat8(-1.26551223f));
}

// Twice P(x); `*square` gets exp(-x^2 / 2). Beyond 28 nothing changes.
WSR_INLINE v8 erfc8(v8 x, v8 *square)
{
    const v8 one = splat8(1.0f);
    const v8 half = splat8(0.5f);
    const v8 far = abs8(x);
    const v8 a = select8(above8(far, splat8(28.0f)), splat8(28.0f), far);
    // Multiples of 1/128, whose squares are exact, and the rest: what is added
    // to 1.5 * 2^16 is rounded to them.
    const v8 whole = splat8(98304.0f);
    const v8 high = sub8(add8(a, whole), whole);
    const v8 rest = mul8(half, mul8(sub8(a, high), add8(a, high)));
    const v8 fall = decay8(mul8(half, mul8(high, high)));
    // 1 / (1 + z / 2) with z = a / sqrt 2.
    const v8 t = div8(one, fma8(a, splat8(0.35355339f), one));
    const v8 e = exp8(sub8(erfc_exponent8(t), rest));
    const v8 tail = mul8(mul8(t, e), fall);
    *square = mul8(fall, exp8(minus8(rest)));
    return select8(above8(x, splat8(0.0f)), sub8(splat8(2.0f), tail), tail);
}

WSR_INLINE v8 gelu8(v8 x)
{
    v8 square;
    const v8 p = erfc8(x, &square);
    return mul8(x, mul8(splat8(0.5f), p));
}

WSR_INLINE v8 gelu_slope8(v8 x)
{
    v8 square;
    const v8 p = erfc8(x, &square);
    const v8 density = mul8(splat8(0.39894228f), square);
    return fma8(x, density, mul8(splat8(0.5f), p));
}

// dst = f(src), times diff where there is one. What is left of the last vector
// is computed as a whole one, so that no number depends on its place.
WSR_INLINE void apply(float *dst, const float *src, const float *diff,
                      int64_t n, v8 (*f)(v8))
{
    int64_t i = 0;
    for (; i + WSR__BLOCK <= n; i += WSR__BLOCK) {
        const v8 y = f(ldu8(src + i));
        stu8(dst + i, diff == NULL ? y : mul8(ldu8(diff + i), y));
    }
    if (i < n) {
        const size_t bytes = (size_t)(n - i) * sizeof(*dst);
        float x[WSR__BLOCK] = {0};
        float dy[WSR__BLOCK] = {0};
        memcpy(x, src + i, bytes);
        if (diff != NULL) {
            memcpy(dy, diff + i, bytes);
        }
        const v8 y = f(ldu8(x));
        stu8(x, diff == NULL ? y : mul8(ldu8(dy), y));
        memcpy(dst + i, x, bytes);
    }
}

void WSR_NAME(wsr__silu_forward)(float *dst, const float *src, int64_t n)
{
    apply(dst, src, NULL, n, silu8);
}

void WSR_NAME(wsr__silu_backward)(float *diff_src, const float *diff_dst,
                                  const float *src, int64_t n)
{
    apply(diff_src, src, diff_dst, n, silu_slope8);
}

void WSR_NAME(wsr__gelu_forward)(float *dst, const float *src, int64_t n)
{
    apply(dst, src, NULL, n, gelu8);
}

void WSR_NAME(wsr__gelu_backward)(float *diff_src, const float *diff_dst,
                                  const float *src, int64_t n)
{
    apply(diff_src, src, diff_dst, n, gelu_slope8);
}
