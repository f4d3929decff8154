// SPDX-License-Identifier: Apache-2.0
//
// What baseline JPEG does to a plane of samples: cosine transform of blocks of
// 8 x 8, quantisation, and back. Coding of the quantised numbers loses nothing
// and is left out.
//
// The transforms are those of Loeffler, Ligtenberg and Moschytz 1989
// ("Practical fast 1-D DCT algorithms with 11 multiplications") in whole
// numbers, with the same scaling and rounding as libjpeg's method "islow", so
// that results are equal bit by bit.

#include "corrupt/corrupt.h"

enum {
    SIDE = 8,
    BITS = 13, // after the point of the constants
    KEPT = 2   // after the point between the two passes
};

// sqrt(2) times sums of cosines, times 2^BITS.
enum {
    F_0_298 = 2446,
    F_0_390 = 3196,
    F_0_541 = 4433,
    F_0_765 = 6270,
    F_0_899 = 7373,
    F_1_175 = 9633,
    F_1_501 = 12299,
    F_1_847 = 15137,
    F_1_961 = 16069,
    F_2_053 = 16819,
    F_2_562 = 20995,
    F_3_072 = 25172
};

// x / 2^n, rounded; a shift of a negative number would depend on the compiler.
static int32_t rounded(int32_t x, int n)
{
    const int32_t one = INT32_C(1) << n;
    const int32_t v = x + one / 2;
    return v >= 0 ? v / one : -((-v + one - 1) / one);
}

// The odd half of both transforms: four numbers become four.
static void odd(int32_t v[4])
{
    const int32_t z5 = (v[0] + v[2] + v[1] + v[3]) * F_1_175;
    const int32_t z1 = -(v[0] + v[3]) * F_0_899;
    const int32_t z2 = -(v[1] + v[2]) * F_2_562;
    const int32_t z3 = z5 - (v[0] + v[2]) * F_1_961;
    const int32_t z4 = z5 - (v[1] + v[3]) * F_0_390;
    v[0] = v[0] * F_0_298 + z1 + z3;
    v[1] = v[1] * F_2_053 + z2 + z4;
    v[2] = v[2] * F_3_072 + z2 + z3;
    v[3] = v[3] * F_1_501 + z1 + z4;
}

// Cosine transform of 8 numbers that lie `step` apart. `first`: of the two
// passes, whose result keeps KEPT bits more.
static void forward(int32_t *d, int64_t step, bool first)
{
    int32_t sum[4];
    int32_t diff[4]; // of the middle pair first
    const int shift = first ? BITS - KEPT : BITS + KEPT;
    for (int64_t i = 0; i < 4; i++) {
        sum[i] = d[i * step] + d[(7 - i) * step];
        diff[3 - i] = d[i * step] - d[(7 - i) * step];
    }
    const int32_t t10 = sum[0] + sum[3];
    const int32_t t13 = sum[0] - sum[3];
    const int32_t t11 = sum[1] + sum[2];
    const int32_t t12 = sum[1] - sum[2];
    const int32_t z1 = (t12 + t13) * F_0_541;
    d[0] = first ? (t10 + t11) * (1 << KEPT) : rounded(t10 + t11, KEPT);
    d[4 * step] = first ? (t10 - t11) * (1 << KEPT) : rounded(t10 - t11, KEPT);
    d[2 * step] = rounded(z1 + t13 * F_0_765, shift);
    d[6 * step] = rounded(z1 - t12 * F_1_847, shift);
    odd(diff);
    for (int64_t i = 0; i < 4; i++) {
        d[(7 - 2 * i) * step] = rounded(diff[i], shift);
    }
}

// The inverse.
static void inverse(int32_t *d, int64_t step, bool first)
{
    int32_t v[4] = {d[7 * step], d[5 * step], d[3 * step], d[step]};
    const int shift = first ? BITS - KEPT : BITS + KEPT + 3;
    const int32_t z1 = (d[2 * step] + d[6 * step]) * F_0_541;
    const int32_t t2 = z1 - d[6 * step] * F_1_847;
    const int32_t t3 = z1 + d[2 * step] * F_0_765;
    const int32_t t0 = (d[0] + d[4 * step]) * (1 << BITS);
    const int32_t t1 = (d[0] - d[4 * step]) * (1 << BITS);
    const int32_t even[4] = {t0 + t3, t1 + t2, t1 - t2, t0 - t3};
    odd(v);
    for (int64_t i = 0; i < 4; i++) {
        d[i * step] = rounded(even[i] + v[3 - i], shift);
        d[(7 - i) * step] = rounded(even[i] - v[3 - i], shift);
    }
}

// The transform is 8 times as large as the cosine transform. Halves round away
// from 0.
static int32_t quantised(int32_t x, int32_t q)
{
    const int32_t divisor = SIDE * q;
    const int32_t size = ((x < 0 ? -x : x) + divisor / 2) / divisor;
    return (x < 0 ? -size : size) * q;
}

// There and back again.
static void pass_block(int32_t d[64], const int32_t table[64])
{
    for (int64_t i = 0; i < SIDE; i++) {
        forward(d + SIDE * i, 1, true);
    }
    for (int64_t i = 0; i < SIDE; i++) {
        forward(d + i, SIDE, false);
    }
    for (int64_t i = 0; i < 64; i++) {
        d[i] = quantised(d[i], table[i]);
    }
    for (int64_t i = 0; i < SIDE; i++) {
        inverse(d + i, SIDE, true);
    }
    for (int64_t i = 0; i < SIDE; i++) {
        inverse(d + SIDE * i, 1, false);
    }
}

void wsr__jpeg_plane(int32_t *samples, int64_t h, int64_t w,
                     const int32_t table[64])
{
    for (int64_t at = 0; at < h * w; at += SIDE) {
        int32_t block[64];
        int32_t *const corner = samples + at;
        if (at / w % SIDE != 0) {
            continue;
        }
        for (int64_t i = 0; i < 64; i++) {
            block[i] = corner[i / SIDE * w + i % SIDE] - 128;
        }
        pass_block(block, table);
        for (int64_t i = 0; i < 64; i++) {
            corner[i / SIDE * w + i % SIDE] = wsr__jpeg_byte(block[i] + 128);
        }
    }
}

// ITU-T T.81, tables K.1 and K.2, row by row.
void wsr__jpeg_table(int32_t table[64], bool colour, int quality)
{
    static const int32_t luma[64] = {
        16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
        14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
        18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
    static const int32_t chroma[4][4] = {
        {17, 18, 24, 47}, {18, 21, 26, 66}, {24, 26, 56, 99}, {47, 66, 99, 99}};
    const int32_t scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int64_t i = 0; i < 64; i++) {
        const int64_t y = i / SIDE;
        const int64_t x = i % SIDE;
        const int32_t base = !colour          ? luma[i]
                             : y < 4 && x < 4 ? chroma[y][x]
                                              : 99;
        const int32_t q = (base * scale + 50) / 100;
        table[i] = q < 1 ? 1 : q > 255 ? 255 : q;
    }
}
