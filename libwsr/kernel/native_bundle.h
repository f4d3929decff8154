// SPDX-License-Identifier: Apache-2.0
//
// Vectors of sixteen floats, v16, which are pairs of channel blocks, and
// bundles, vb, which are v16 with AVX-512 and v8 without. Kernels written for
// bundles use the widest registers of the processor. Names are those of
// native_vector.h with 16 or b for 8.

#ifndef WSR_KERNEL_NATIVE_BUNDLE_H
#define WSR_KERNEL_NATIVE_BUNDLE_H

#include "kernel/native_vector.h"

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

/// A pair's two blocks lie `pitch` floats apart. A pair without a second block
/// has pitch 0: a load puts the first block in both halves, a store keeps the
/// low half alone.
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

// A bundle, vb, is as many channel blocks of one pixel as a register holds: two
// with AVX-512, else one. For a bundle of one block in a register for two, the
// numbers per channel (scale, bias, ...) are in both halves, so that the
// register may hold two pixels of that block instead.

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

/// One block in all blocks of a bundle.
WSR_INLINE vb spread_block(const float *p)
{
#if WSR_AVX512
    return _mm512_broadcast_f32x8(_mm256_loadu_ps(p));
#else
    return ldu8(p);
#endif
}

WSR_INLINE vb heldb(vb v)
{
    return WSR_BUNDLE(held)(v);
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

/// A bundle whose blocks lie `pitch` floats apart; 0 if it has no second block.
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

// ---------------------------------------------------------------- prologues

/// Floats from one image to the next.
WSR_INLINE int64_t batch_stride_of(int64_t stride, int64_t c, int64_t pixels)
{
    return stride != 0 ? stride : wsr__blocks(c) * pixels * WSR__BLOCK;
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
