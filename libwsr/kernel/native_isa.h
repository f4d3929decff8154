// SPDX-License-Identifier: Apache-2.0
//
// What the native kernels are written in: vectors of eight floats, one channel
// block of one pixel. Intrinsics and vector extensions of the compiler appear
// in this file and native_math.h alone. Only files that are compiled per
// instruction set (WSR_ISA) see more of it than the tables of variants.

#ifndef WSR_KERNEL_NATIVE_ISA_H
#define WSR_KERNEL_NATIVE_ISA_H

#include "kernel/native.h"

// ------------------------------------------------- tables of the variants

typedef struct wsr__native_dw {
    void (*forward)(float *dst, const wsr__dw *p, const float *src,
                    const float *weights, const wsr__fwd *fwd);
    void (*backward_data)(float *diff_src, const wsr__dw *p,
                          const float *diff_dst, const float *weights,
                          const wsr__bwd *bwd);
    void (*backward_weights)(float *diff_weights, const wsr__dw *p,
                             const float *src, const float *diff_dst,
                             const wsr__wgrad *opt);
} wsr__native_dw;

typedef struct wsr__native_pw {
    void (*forward)(float *dst, const wsr__pw *p, const float *src,
                    const float *weights, const wsr__fwd *fwd);
    void (*backward)(const wsr__pw_grads *grads, const wsr__pw *p,
                     const float *const data[2], const float *transposed,
                     const wsr__bwd *bwd);
} wsr__native_pw;

typedef struct wsr__native_few_channels {
    void (*forward)(float *dst, const wsr__few_channels *p, const float *src,
                    const float *weights, const wsr__fwd *fwd);
    void (*backward_data)(float *diff_src, const wsr__few_channels *p,
                          const float *diff_dst, const float *weights,
                          const wsr__bwd *bwd);
    void (*backward_weights)(float *diff_weights, const wsr__few_channels *p,
                             const float *src, const float *diff_dst,
                             const wsr__wgrad *opt);
} wsr__native_few_channels;

typedef struct wsr__native_sep {
    void (*forward)(float *dst, const wsr__sep *p, const float *src,
                    const wsr__sep_weights *weights, const wsr__fwd *fwd);
    void (*backward)(const wsr__sep_grads *grads, const wsr__sep *p,
                     const float *const data[2],
                     const wsr__sep_weights *weights, const wsr__bwd *bwd);
} wsr__native_sep;

/// How wsr__sep kernels divide their scratch; sizes in floats, rings in pixels.
typedef struct wsr__sep_layout {
    int64_t rows;         // of dst that pass through the cache together
    int64_t forward_ring; // padded rows of one bundle
    int64_t backward_ring;
    int64_t forward;  // of one slot
    int64_t backward; // followed by forward's for the gradients of weights
} wsr__sep_layout;

wsr__sep_layout wsr__sep_layout_of(const wsr__sep *p);

typedef struct wsr__native_bn {
    void (*moments)(double *moments, const wsr__dims *d, const float *src);
    void (*apply)(float *dst, const wsr__dims *d, const float *src,
                  const wsr__pre *pre, bool accumulate);
    void (*apply_sum)(float *dst, const wsr__dims *d,
                      const wsr__summand *summands, size_t count);
    void (*reduce)(const wsr__dims *d, const float *diff_dst,
                   const wsr__reduction *many, size_t count);
    void (*backward)(float *diff_src, const wsr__dims *d, const float *diff_dst,
                     const wsr__affine *affine, bool accumulate);
} wsr__native_bn;

typedef struct wsr__native_pool {
    void (*max_forward)(float *dst, uint8_t *index, const wsr__pool *p,
                        const float *src, double *moments);
    void (*avg_forward)(float *dst, const wsr__pool *p, const float *src,
                        double *moments);
    void (*max_backward)(float *diff_src, const wsr__pool *p,
                         const float *diff_dst, const uint8_t *index,
                         const wsr__affine *affine, bool accumulate);
    void (*avg_backward)(float *diff_src, const wsr__pool *p,
                         const float *diff_dst, const wsr__affine *affine,
                         bool accumulate);
    void (*global_forward)(float *dst, const wsr__dims *d, const float *src);
    void (*global_backward)(float *diff_src, const wsr__dims *d,
                            const float *diff_dst, bool accumulate);
} wsr__native_pool;

typedef struct wsr__native_eltwise {
    void (*relu_forward)(float *dst, const float *src, int64_t n);
    void (*relu_backward)(float *diff_src, const float *dst,
                          const float *diff_dst, int64_t n, bool accumulate);
    void (*weighted_sum)(float *dst, const float *const *src,
                         const float *weights, size_t count, int64_t n);
    void (*axpy)(float *dst, float a, const float *src, int64_t n);
    void (*scale)(float *dst, float a, const float *src, int64_t n);
    void (*scale_images)(float *dst, const wsr__dims *d, const float *src,
                         const float *factor, bool accumulate);
    void (*to_blocked)(float *dst, const wsr__dims *d, const float *src,
                       bool accumulate);
    void (*to_plain)(float *dst, const wsr__dims *d, const float *src,
                     bool accumulate);
} wsr__native_eltwise;

typedef struct wsr__native_lstm {
    void (*forward)(float *dst, const wsr__lstm *p, const float *src,
                    const wsr__lstm_weights *w, float *records, bool keep);
    void (*backward)(const wsr__lstm_grads *grads, const wsr__lstm *p,
                     const float *diff_dst, const wsr__lstm_weights *w,
                     float *records, float *scratch);
} wsr__native_lstm;

#define WSR_NATIVE_DECLARE(isa)                                           \
    extern const wsr__native_dw wsr__native_dw_##isa;                     \
    extern const wsr__native_pw wsr__native_pw_##isa;                     \
    extern const wsr__native_sep wsr__native_sep_##isa;                   \
    extern const wsr__native_few_channels wsr__native_few_channels_##isa; \
    extern const wsr__native_bn wsr__native_bn_##isa;                     \
    extern const wsr__native_lstm wsr__native_lstm_##isa;                 \
    extern const wsr__native_pool wsr__native_pool_##isa;                 \
    extern const wsr__native_eltwise wsr__native_eltwise_##isa

WSR_NATIVE_DECLARE(base);
WSR_NATIVE_DECLARE(avx2);
WSR_NATIVE_DECLARE(avx512);

static inline int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#ifdef WSR_ISA

#define WSR_PASTE_(a, b) a##_##b
#define WSR_PASTE(a, b) WSR_PASTE_(a, b)
/// WSR_NAME(wsr__native_dw) is the table of the variant being compiled.
#define WSR_NAME(name) WSR_PASTE(name, WSR_ISA)

// ------------------------------------------------------------ vector words

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

/// a where y is positive, else nothing.
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

WSR_INLINE v8 relu8(v8 a)
{
    const v4 zero = {0};
    return (v8){(v4)(~(a.a < zero) & (i4)a.a), (v4)(~(a.b < zero) & (i4)a.b)};
}

#endif

// ---------------------------------------------------- pairs of channel blocks

// Sixteen channels of one pixel, from two neighbouring channel blocks.

#if WSR_AVX512

typedef __m512 v16;

WSR_INLINE v16 join16(v8 low, v8 high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

WSR_INLINE v8 low16(v16 v)
{
    return _mm512_castps512_ps256(v);
}

WSR_INLINE v8 high16(v16 v)
{
    return _mm512_extractf32x8_ps(v, 1);
}

WSR_INLINE v16 ld16(const float *p)
{
    return _mm512_load_ps(p);
}

WSR_INLINE void st16(float *p, v16 v)
{
    _mm512_store_ps(p, v);
}

/// Unaligned.
WSR_INLINE v16 ldu16(const float *p)
{
    return _mm512_loadu_ps(p);
}

WSR_INLINE void stu16(float *p, v16 v)
{
    _mm512_storeu_ps(p, v);
}

WSR_INLINE v16 splat16(float a)
{
    return _mm512_set1_ps(a);
}

/// The same vector, which the compiler now keeps in a register instead of
/// loading it anew for each use.
WSR_INLINE v16 held16(v16 v)
{
    __asm__("" : "+v"(v));
    return v;
}

WSR_INLINE v16 add16(v16 a, v16 b)
{
    return _mm512_add_ps(a, b);
}

WSR_INLINE v16 sub16(v16 a, v16 b)
{
    return _mm512_sub_ps(a, b);
}

WSR_INLINE v16 mul16(v16 a, v16 b)
{
    return _mm512_mul_ps(a, b);
}

WSR_INLINE v16 fma16(v16 a, v16 b, v16 c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/// a where y > 0, else 0.
WSR_INLINE v16 open16(v16 y, v16 a)
{
    const __mmask16 open =
        _mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ);
    return _mm512_maskz_mov_ps(open, a);
}

WSR_INLINE v16 relu16(v16 a) // a NaN stays
{
    return _mm512_max_ps(_mm512_setzero_ps(), a);
}

#else

typedef struct v16 {
    v8 a;
    v8 b;
} v16;

WSR_INLINE v16 join16(v8 low, v8 high)
{
    return (v16){low, high};
}

WSR_INLINE v8 low16(v16 v)
{
    return v.a;
}

WSR_INLINE v8 high16(v16 v)
{
    return v.b;
}

WSR_INLINE v16 ldu16(const float *p)
{
    return (v16){ldu8(p), ldu8(p + WSR__BLOCK)};
}

WSR_INLINE void stu16(float *p, v16 v)
{
    stu8(p, v.a);
    stu8(p + WSR__BLOCK, v.b);
}

WSR_INLINE v16 splat16(float a)
{
    return (v16){splat8(a), splat8(a)};
}

WSR_INLINE v16 held16(v16 v)
{
    return v;
}

WSR_INLINE v16 add16(v16 a, v16 b)
{
    return (v16){add8(a.a, b.a), add8(a.b, b.b)};
}

WSR_INLINE v16 sub16(v16 a, v16 b)
{
    return (v16){sub8(a.a, b.a), sub8(a.b, b.b)};
}

WSR_INLINE v16 mul16(v16 a, v16 b)
{
    return (v16){mul8(a.a, b.a), mul8(a.b, b.b)};
}

WSR_INLINE v16 fma16(v16 a, v16 b, v16 c)
{
    return (v16){fma8(a.a, b.a, c.a), fma8(a.b, b.b, c.b)};
}

WSR_INLINE v16 open16(v16 y, v16 a)
{
    return (v16){open8(y.a, a.a), open8(y.b, a.b)};
}

WSR_INLINE v16 relu16(v16 a)
{
    return (v16){relu8(a.a), relu8(a.b)};
}

#endif

/// A pair's two vectors, `pitch` floats apart. Without its second block a pair
/// has pitch 0: it is the first twice, and what is stored is the first.
WSR_INLINE v16 load_pair(const float *p, int64_t pitch)
{
    return join16(ld8(p), ld8(p + pitch));
}

WSR_INLINE void store_pair(float *p, int64_t pitch, v16 v)
{
    st8(p + pitch, high16(v));
    st8(p, low16(v));
}

// ------------------------------------------------------------------- bundles

// As many channel blocks of one pixel as a register holds: two or one. Numbers
// per channel of a lone block stand in both halves, so that a register may as
// well hold two pixels of it.

#if WSR_AVX512
typedef v16 vb;
#define WSR_BUNDLE(word) word##16
enum { BUNDLE_BLOCKS = 2 };
#else
typedef v8 vb;
#define WSR_BUNDLE(word) word##8
enum { BUNDLE_BLOCKS = 1 };
#endif
enum { BUNDLE = BUNDLE_BLOCKS * WSR__BLOCK };

WSR_INLINE vb ldb(const float *p)
{
    return WSR_BUNDLE(ld)(p);
}

WSR_INLINE void stb(float *p, vb v)
{
    WSR_BUNDLE(st)(p, v);
}

/// Unaligned.
WSR_INLINE vb ldbu(const float *p)
{
    return WSR_BUNDLE(ldu)(p);
}

WSR_INLINE void stbu(float *p, vb v)
{
    WSR_BUNDLE(stu)(p, v);
}

WSR_INLINE vb splatb(float a)
{
    return WSR_BUNDLE(splat)(a);
}

WSR_INLINE vb addb(vb a, vb b)
{
    return WSR_BUNDLE(add)(a, b);
}

WSR_INLINE vb subb(vb a, vb b)
{
    return WSR_BUNDLE(sub)(a, b);
}

WSR_INLINE vb mulb(vb a, vb b)
{
    return WSR_BUNDLE(mul)(a, b);
}

WSR_INLINE vb fmab(vb a, vb b, vb c)
{
    return WSR_BUNDLE(fma)(a, b, c);
}

WSR_INLINE vb openb(vb y, vb a)
{
    return WSR_BUNDLE(open)(y, a);
}

WSR_INLINE vb relub(vb a)
{
    return WSR_BUNDLE(relu)(a);
}

/// A bundle whose blocks lie `pitch` floats apart, 0 where the second lacks.
WSR_INLINE vb load_blocks(const float *p, int64_t pitch)
{
#if WSR_AVX512
    return load_pair(p, pitch);
#else
    (void)pitch;
    return ld8(p);
#endif
}

WSR_INLINE void store_blocks(float *p, int64_t pitch, vb v)
{
#if WSR_AVX512
    store_pair(p, pitch, v);
#else
    (void)pitch;
    st8(p, v);
#endif
}

/// Numbers per channel of a bundle of `count` blocks.
WSR_INLINE vb load_channels(const float *p, int count)
{
#if WSR_AVX512
    return join16(ldu8(p), ldu8(p + (count > 1 ? WSR__BLOCK : 0)));
#else
    (void)count;
    return ldu8(p);
#endif
}

/// Bundle k of a pair.
WSR_INLINE vb bundle_of(v16 v, int k)
{
#if WSR_AVX512
    (void)k;
    return v;
#else
    return k == 0 ? low16(v) : high16(v);
#endif
}

/// Block k of a bundle.
WSR_INLINE v8 block_of(vb v, int k)
{
#if WSR_AVX512
    return k == 0 ? low16(v) : high16(v);
#else
    (void)k;
    return v;
#endif
}

/// How many blocks the bundle from block b on has.
WSR_INLINE int bundle_count(int64_t b, int64_t blocks)
{
    return blocks - b < BUNDLE_BLOCKS ? 1 : BUNDLE_BLOCKS;
}

/// Bundles that hold so many blocks.
WSR_INLINE int64_t bundles(int64_t blocks)
{
    return (blocks + BUNDLE_BLOCKS - 1) / BUNDLE_BLOCKS;
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

// ------------------------------------------------------------ small shared

/// Floats from one image to the next.
WSR_INLINE int64_t step_of(int64_t step, int64_t c, int64_t pixels)
{
    return step != 0 ? step : wsr__blocks(c) * pixels * WSR__BLOCK;
}

/// A prologue for a bundle.
typedef struct preb {
    vb scale;
    vb shift;
    bool affine;
    bool relu;
} preb;

WSR_INLINE preb preb_of(const wsr__pre *pre, int64_t block, int count)
{
    preb r = {.scale = splatb(1.0f),
              .shift = splatb(0.0f),
              .affine = false,
              .relu = false};
    if (pre != NULL) {
        r.relu = pre->relu;
        if (pre->scale != NULL) {
            r.affine = true;
            r.scale = load_channels(pre->scale + block * WSR__BLOCK, count);
            r.shift = load_channels(pre->shift + block * WSR__BLOCK, count);
        }
    }
    return r;
}

WSR_INLINE vb preb_apply(vb x, const preb *pre)
{
    vb y = x;
    if (pre->affine) {
        y = fmab(x, pre->scale, pre->shift);
    }
    return pre->relu ? relub(y) : y;
}

#endif
#endif
