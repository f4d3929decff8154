// SPDX-License-Identifier: Apache-2.0
//
// Vectors of eight floats, v8: the channels of one block of one pixel. Every
// operation is a function of one line, named after what it does and the number
// of lanes: add8, fma8, relu8. Intrinsics and vector extensions of the compiler
// appear in this file, native_bundle.h and native_math.h alone; with neither
// AVX2 nor AVX-512 a v8 is two vectors of four, which every processor with
// vectors has.
//
// Loads and stores without a `u` in their names need 32-byte alignment.

#ifndef WSR_KERNEL_NATIVE_VECTOR_H
#define WSR_KERNEL_NATIVE_VECTOR_H

#include "kernel/native_dispatch.h"
#include "kernel/native_layout.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define WSR_AVX2 1
#else
#define WSR_AVX2 0
#endif
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define WSR_AVX512 1
#else
#define WSR_AVX512 0
#endif

#define WSR_INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__)
#define WSR_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WSR_UNROLL _Pragma("GCC unroll 64")
#endif

/// Ask for the line at p, soon to be read or, with `write`, written. Nothing
/// happens where there is no memory.
WSR_INLINE void prefetch(const float *p, bool write)
{
    if (write) {
        __builtin_prefetch(p, 1);
    } else {
        __builtin_prefetch(p, 0);
    }
}

/// The same pointer, whose origin the compiler cannot see: it then addresses
/// neighbours by constant offsets from it instead of keeping a register for
/// each.
WSR_INLINE const float *opaque(const float *p)
{
    __asm__("" : "+r"(p));
    return p;
}

#if WSR_AVX2

typedef __m256 v8;

WSR_INLINE v8 ld8(const float *p)
{
    return _mm256_load_ps(p);
}

WSR_INLINE void st8(float *p, v8 v)
{
    _mm256_store_ps(p, v);
}

/// Unaligned, for flat arrays.
WSR_INLINE v8 ldu8(const float *p)
{
    return _mm256_loadu_ps(p);
}

WSR_INLINE void stu8(float *p, v8 v)
{
    _mm256_storeu_ps(p, v);
}

WSR_INLINE v8 splat8(float a)
{
    return _mm256_set1_ps(a);
}

/// The same vector, which the compiler now keeps in a register instead of
/// loading it anew for each use.
WSR_INLINE v8 held8(v8 v)
{
    __asm__("" : "+x"(v));
    return v;
}

WSR_INLINE v8 add8(v8 a, v8 b)
{
    return _mm256_add_ps(a, b);
}

WSR_INLINE v8 sub8(v8 a, v8 b)
{
    return _mm256_sub_ps(a, b);
}

WSR_INLINE v8 mul8(v8 a, v8 b)
{
    return _mm256_mul_ps(a, b);
}

WSR_INLINE v8 fma8(v8 a, v8 b, v8 c) // a * b + c
{
    return _mm256_fmadd_ps(a, b, c);
}

/// All bits of a lane set where a > b, none where one is a NaN.
WSR_INLINE v8 above8(v8 a, v8 b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}

/// a where y > 0, else 0.
WSR_INLINE v8 open8(v8 y, v8 a)
{
#if WSR_AVX512
    const __mmask8 open =
        _mm256_cmp_ps_mask(y, _mm256_setzero_ps(), _CMP_GT_OQ);
    return _mm256_maskz_mov_ps(open, a);
#else
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), a);
#endif
}

WSR_INLINE v8 unordered8(v8 a, v8 b)
{
    return _mm256_cmp_ps(a, b, _CMP_UNORD_Q);
}

/// All bits of a lane set where a > b, or a is the first NaN of both.
WSR_INLINE v8 beats8(v8 a, v8 b)
{
    return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NLE_UQ),
                         _mm256_cmp_ps(b, b, _CMP_ORD_Q));
}

/// a where the mask is set, else 0.
WSR_INLINE v8 keep8(v8 mask, v8 a)
{
    return _mm256_and_ps(mask, a);
}

/// a where the mask is set, else b.
WSR_INLINE v8 select8(v8 mask, v8 a, v8 b)
{
    return _mm256_blendv_ps(b, a, mask);
}

/// Whole numbers from 0 to 255, floats in registers and bytes in memory.
WSR_INLINE void st8_bytes(uint8_t *p, v8 v)
{
    const __m256i wide = _mm256_cvttps_epi32(v);
    const __m128i half = _mm_packus_epi32(_mm256_castsi256_si128(wide),
                                          _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(half, half));
}

WSR_INLINE v8 ld8_bytes(const uint8_t *p)
{
    const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}

WSR_INLINE v8 equal8(v8 a, v8 b)
{
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}

WSR_INLINE v8 min8(v8 a, v8 b) // a NaN in b stays
{
    return _mm256_min_ps(a, b);
}

WSR_INLINE v8 relu8(v8 a) // a NaN stays
{
    return _mm256_max_ps(_mm256_setzero_ps(), a);
}

#else

// Two vectors of four, which every processor with vectors has.
typedef float v4 __attribute__((vector_size(16)));
typedef int32_t i4 __attribute__((vector_size(16)));
typedef float v4_memory __attribute__((vector_size(16), may_alias));
typedef struct v8 {
    v4 a;
    v4 b;
} v8;

WSR_INLINE v8 ld8(const float *p)
{
    return (v8){*(const v4_memory *)p, *(const v4_memory *)(p + 4)};
}

WSR_INLINE void st8(float *p, v8 v)
{
    *(v4_memory *)p = v.a;
    *(v4_memory *)(p + 4) = v.b;
}

WSR_INLINE v8 ldu8(const float *p)
{
    v8 v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

WSR_INLINE void stu8(float *p, v8 v)
{
    __builtin_memcpy(p, &v, sizeof(v));
}

WSR_INLINE v8 splat8(float a)
{
    const v4 v = {a, a, a, a};
    return (v8){v, v};
}

WSR_INLINE v8 held8(v8 v)
{
    return v;
}

WSR_INLINE v8 add8(v8 a, v8 b)
{
    return (v8){a.a + b.a, a.b + b.b};
}

WSR_INLINE v8 sub8(v8 a, v8 b)
{
    return (v8){a.a - b.a, a.b - b.b};
}

WSR_INLINE v8 mul8(v8 a, v8 b)
{
    return (v8){a.a * b.a, a.b * b.b};
}

WSR_INLINE v8 fma8(v8 a, v8 b, v8 c)
{
    return (v8){a.a * b.a + c.a, a.b * b.b + c.b};
}

WSR_INLINE v8 above8(v8 a, v8 b)
{
    return (v8){(v4)(a.a > b.a), (v4)(a.b > b.b)};
}

WSR_INLINE v8 open8(v8 y, v8 a)
{
    const v4 zero = {0};
    return (v8){(v4)((y.a > zero) & (i4)a.a), (v4)((y.b > zero) & (i4)a.b)};
}

WSR_INLINE v8 unordered8(v8 a, v8 b)
{
    return (v8){(v4)((a.a != a.a) | (b.a != b.a)),
                (v4)((a.b != a.b) | (b.b != b.b))};
}

WSR_INLINE v8 beats8(v8 a, v8 b)
{
    return (v8){(v4)(~(a.a <= b.a) & (b.a == b.a)),
                (v4)(~(a.b <= b.b) & (b.b == b.b))};
}

WSR_INLINE v8 keep8(v8 mask, v8 a)
{
    return (v8){(v4)((i4)mask.a & (i4)a.a), (v4)((i4)mask.b & (i4)a.b)};
}

WSR_INLINE v8 select8(v8 mask, v8 a, v8 b)
{
    const v8 one = keep8(mask, a);
    return (v8){(v4)((i4)one.a | (~(i4)mask.a & (i4)b.a)),
                (v4)((i4)one.b | (~(i4)mask.b & (i4)b.b))};
}

WSR_INLINE void st8_bytes(uint8_t *p, v8 v)
{
    float lanes[WSR__BLOCK];
    stu8(lanes, v);
    for (int k = 0; k < WSR__BLOCK; k++) {
        p[k] = (uint8_t)lanes[k];
    }
}

WSR_INLINE v8 ld8_bytes(const uint8_t *p)
{
    return (v8){{p[0], p[1], p[2], p[3]}, {p[4], p[5], p[6], p[7]}};
}

WSR_INLINE v8 equal8(v8 a, v8 b)
{
    return (v8){(v4)(a.a == b.a), (v4)(a.b == b.b)};
}

WSR_INLINE v8 min8(v8 a, v8 b)
{
    const v8 less = {(v4)(a.a < b.a), (v4)(a.b < b.b)};
    return select8(less, a, b);
}

WSR_INLINE v8 relu8(v8 a)
{
    const v4 zero = {0};
    return (v8){(v4)(~(a.a < zero) & (i4)a.a), (v4)(~(a.b < zero) & (i4)a.b)};
}

#endif

/// to[r * pitch + i] = from[4 * i + r] for eight i.
WSR_INLINE void split4(float *to, int64_t pitch, const float *from)
{
#if WSR_AVX2
    const __m256 a = _mm256_loadu_ps(from);
    const __m256 b = _mm256_loadu_ps(from + 8);
    const __m256 c = _mm256_loadu_ps(from + 16);
    const __m256 d = _mm256_loadu_ps(from + 24);
    // Each half of a vector holds one i, those of the second half are four
    // greater: two transpositions of four by four.
    const __m256 even[2] = {_mm256_permute2f128_ps(a, c, 0x20),
                            _mm256_permute2f128_ps(b, d, 0x20)};
    const __m256 odd[2] = {_mm256_permute2f128_ps(a, c, 0x31),
                           _mm256_permute2f128_ps(b, d, 0x31)};
    const __m256 low[2] = {_mm256_unpacklo_ps(even[0], odd[0]),
                           _mm256_unpacklo_ps(even[1], odd[1])};
    const __m256 high[2] = {_mm256_unpackhi_ps(even[0], odd[0]),
                            _mm256_unpackhi_ps(even[1], odd[1])};
    _mm256_storeu_ps(to, _mm256_shuffle_ps(low[0], low[1], 0x44));
    _mm256_storeu_ps(to + pitch, _mm256_shuffle_ps(low[0], low[1], 0xee));
    _mm256_storeu_ps(to + 2 * pitch, _mm256_shuffle_ps(high[0], high[1], 0x44));
    _mm256_storeu_ps(to + 3 * pitch, _mm256_shuffle_ps(high[0], high[1], 0xee));
#else
    for (int64_t i = 0; i < 32; i++) {
        to[i % 4 * pitch + i / 4] = from[i];
    }
#endif
}

/// The sums of the lanes of eight vectors, in one order:
/// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)).
WSR_INLINE v8 sum_lanes8(const float *p)
{
#if WSR_AVX2
    __m256 half[4]; // of vectors i and i + 4, the lanes k and k + 4 added
    for (int i = 0; i < 4; i++) {
        const __m256 a = _mm256_loadu_ps(p + i * 8);
        const __m256 b = _mm256_loadu_ps(p + (i + 4) * 8);
        half[i] = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20),
                                _mm256_permute2f128_ps(a, b, 0x31));
    }
    __m256 pair[2]; // (0 + 4) + (2 + 6) and (1 + 5) + (3 + 7) of two vectors
    for (int i = 0; i < 2; i++) {
        const __m256 low =
            _mm256_shuffle_ps(half[2 * i], half[2 * i + 1], 0x44);
        const __m256 high =
            _mm256_shuffle_ps(half[2 * i], half[2 * i + 1], 0xee);
        pair[i] = _mm256_add_ps(low, high);
    }
    return _mm256_add_ps(_mm256_shuffle_ps(pair[0], pair[1], 0x88),
                         _mm256_shuffle_ps(pair[0], pair[1], 0xdd));
#else
    float sums[8];
    for (int i = 0; i < 8; i++) {
        const float *const v = p + i * 8;
        sums[i] = ((v[0] + v[4]) + (v[2] + v[6])) +
                  ((v[1] + v[5]) + (v[3] + v[7]));
    }
    return ldu8(sums);
#endif
}

/// Add to eight doubles.
WSR_INLINE void add_d8(double *sum, v8 v)
{
    float lanes[WSR__BLOCK];
    stu8(lanes, v);
    for (int k = 0; k < WSR__BLOCK; k++) {
        sum[k] += (double)lanes[k];
    }
}

#endif
