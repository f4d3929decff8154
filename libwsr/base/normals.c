// SPDX-License-Identifier: Apache-2.0
//
// Many normal numbers at once: Box and Muller's method in single precision,
//
//   x = r cos(theta), y = r sin(theta),  r = sqrt(-2 ln u), theta uniform,
//
// where theta is a quarter turn times a whole number, from two bits, plus an
// angle of at most an eighth of a turn. The functions are polynomials
// (Cephes') without branches, so that compilers make vectors of the loop; the
// results are within a few units in the last place of the exact ones, and the
// same everywhere.

#include "base/base.h"

#include <math.h>
#include <string.h>

enum { PAIRS = 256 };

static inline float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint32_t as_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

// Natural logarithm of a normal number x > 0: with x = 2^e m and m in
// [sqrt(1/2), sqrt(2)), e ln 2 plus a polynomial in m - 1.
static inline float logarithm(float x)
{
    const uint32_t bits = as_bits(x);
    const int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
    const float f = as_float(bits - ((uint32_t)e << 23)) - 1;
    const float z = f * f;
    float p = 7.0376836292e-2F;
    p = p * f - 1.1514610310e-1F;
    p = p * f + 1.1676998740e-1F;
    p = p * f - 1.2420140846e-1F;
    p = p * f + 1.4249322787e-1F;
    p = p * f - 1.6668057665e-1F;
    p = p * f + 2.0000714765e-1F;
    p = p * f - 2.4999993993e-1F;
    p = p * f + 3.3333331174e-1F;
    return f + (p * f * z - 0.5F * z) + (float)e * 0.69314718056F;
}

static inline float sine(float x) // |x| <= pi / 4
{
    const float z = x * x;
    const float p = (-1.9515295891e-4F * z + 8.3321608736e-3F) * z -
                    1.6666654611e-1F;
    return p * z * x + x;
}

static inline float cosine(float x) // |x| <= pi / 4
{
    const float z = x * x;
    const float p = (2.443315711809948e-5F * z - 1.388731625493765e-3F) * z +
                    4.166664568298827e-2F;
    return p * z * z - 0.5F * z + 1;
}

// out[2 i] and out[2 i + 1] from words[2 i] and words[2 i + 1].
static void transform(float *restrict out, const uint32_t *restrict words)
{
    for (size_t i = 0; i < PAIRS; i++) {
        const uint32_t a = words[2 * i];
        const uint32_t b = words[2 * i + 1];
        const float u = (float)((int32_t)(a >> 8) + 1) * 0x1p-24F; // (0, 1]
        const float square = -2 * logarithm(u);
        const float r = sqrtf(square > 0 ? square : 0);
        const float angle = ((float)(int32_t)(b >> 8) * 0x1p-24F - 0.5F) *
                            1.57079632679F;
        const uint32_t s = as_bits(r * sine(angle));
        const uint32_t c = as_bits(r * cosine(angle));
        // Quarter turns 0: (c, s), 1: (-s, c), 2: (-c, -s), 3: (s, -c).
        const uint32_t odd = 0u - (b & 1u);
        const uint32_t half = (b >> 1) & 1u;
        out[2 * i] =
            as_float(((s & odd) | (c & ~odd)) ^ ((half ^ (b & 1u)) << 31));
        out[2 * i + 1] = as_float(((c & odd) | (s & ~odd)) ^ (half << 31));
    }
}

void wsr__rng_normals(wsr__rng *rng, float *out, size_t n)
{
    uint32_t words[2 * PAIRS] = {0};
    float made[2 * PAIRS];
    for (size_t at = 0; at < n; at += 2 * PAIRS) {
        const size_t left = n - at;
        const size_t count = left < 2 * PAIRS ? left : 2 * PAIRS;
        for (size_t i = 0; i < (count + 1) / 2 * 2; i++) {
            words[i] = wsr__rng_u32(rng);
        }
        transform(made, words);
        memcpy(out + at, made, count * sizeof(*out));
    }
}
