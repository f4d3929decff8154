// SPDX-License-Identifier: Apache-2.0
//
// Functions of eight floats at once. Errors are a few units in the last place.
// A NaN stays a NaN.
//
//   exp      x = n ln 2 + r with |r| <= ln 2 / 2; a polynomial in r, whose
//            exponent n is then added to. Beyond +-87 it stays what it is
//            there.
//   sigmoid  1 / (1 + exp(-x))
//   tanh     an odd polynomial near 0, 1 - 2 / (exp(2 x) + 1) elsewhere
//
// The polynomials are minimax fits of (exp(r) - 1 - r) / r^2 on +-0.35
// (error 4e-9) and of (tanh(x) - x) / x^3 in x^2 on [0, 0.42] (7e-9).

#ifndef WSR_KERNEL_NATIVE_MATH_H
#define WSR_KERNEL_NATIVE_MATH_H

#include "kernel/native_vector.h"

#if WSR_AVX2

WSR_INLINE v8 div8(v8 a, v8 b)
{
    return _mm256_div_ps(a, b);
}

/// a * 2^n, where n is the low bits of `bits`.
WSR_INLINE v8 raise8(v8 a, v8 bits)
{
    const __m256i n = _mm256_slli_epi32(_mm256_castps_si256(bits), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), n));
}

#else

WSR_INLINE v8 div8(v8 a, v8 b)
{
    return (v8){a.a / b.a, a.b / b.b};
}

WSR_INLINE v8 raise8(v8 a, v8 bits)
{
    return (v8){(v4)((i4)a.a + ((i4)bits.a << 23)),
                (v4)((i4)a.b + ((i4)bits.b << 23))};
}

#endif

WSR_INLINE v8 exp8(v8 x)
{
    // 1.5 * 2^23: what is added to it is rounded to whole numbers, which then
    // lie in the low bits.
    const v8 whole = splat8(12582912.0f);
    const v8 most = splat8(87.0f);
    const v8 least = splat8(-87.0f);
    const v8 high = select8(above8(x, most), most, x);
    const v8 cut = select8(above8(least, high), least, high);
    const v8 t = fma8(cut, splat8(1.44269504f), whole);
    const v8 n = sub8(t, whole);
    // ln 2 in two parts: the product of n and the first is exact.
    const v8 near = fma8(n, splat8(-0.693359375f), cut);
    const v8 r = fma8(n, splat8(2.12194440e-4f), near);
    v8 q = splat8(1.395171916e-3f);
    q = fma8(q, r, splat8(8.369598221e-3f));
    q = fma8(q, r, splat8(4.166618726e-2f));
    q = fma8(q, r, splat8(1.666651289e-1f));
    q = fma8(q, r, splat8(0.5f));
    const v8 p = fma8(mul8(r, r), q, add8(r, splat8(1.0f)));
    return select8(unordered8(x, x), x, raise8(p, t));
}

WSR_INLINE v8 sigmoid8(v8 x)
{
    const v8 one = splat8(1.0f);
    return div8(one, add8(one, exp8(sub8(splat8(0.0f), x))));
}

WSR_INLINE v8 tanh8(v8 x)
{
    const v8 one = splat8(1.0f);
    const v8 z = mul8(x, x);
    v8 q = splat8(-5.515163275e-3f);
    q = fma8(q, z, splat8(2.046941925e-2f));
    q = fma8(q, z, splat8(-5.368802287e-2f));
    q = fma8(q, z, splat8(1.333083034e-1f));
    q = fma8(q, z, splat8(-3.333325985e-1f));
    const v8 near = fma8(mul8(x, z), q, x);
    const v8 e = exp8(add8(x, x));
    const v8 far = sub8(one, div8(splat8(2.0f), add8(e, one)));
    return select8(above8(splat8(0.4f), z), near, far);
}

#endif
