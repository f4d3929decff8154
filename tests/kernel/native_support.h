// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the native kernels share: random tensors in both layouts,
// comparison, and running a check under every instruction set and with several
// thread counts.

#ifndef WSR_TESTS_KERNEL_NATIVE_SUPPORT_H
#define WSR_TESTS_KERNEL_NATIVE_SUPPORT_H

#include "kernel/native.h"
#include "kernel/ref.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

/// n floats, owned.
static inline float *floats(int64_t n)
{
    float *const p = wsr__alloc((size_t)n, sizeof(float));
    ck_assert_ptr_nonnull(p);
    return p;
}

/// n floats of one value.
static inline float *constant_floats(int64_t n, float value)
{
    float *const p = floats(n);
    for (int64_t i = 0; i < n; i++) {
        p[i] = value;
    }
    return p;
}

static inline double *doubles(size_t n)
{
    double *const p = wsr__alloc(n, sizeof(double));
    ck_assert_ptr_nonnull(p);
    return p;
}

/// n normally distributed floats that depend on the seed alone, owned.
static inline float *random_floats(int64_t n, uint32_t seed)
{
    float *const p = floats(n);
    wsr__rng rng = wsr__rng_at(7, WSR__RNG_TEST, seed, 0);
    for (int64_t i = 0; i < n; i++) {
        p[i] = (float)wsr__rng_normal(&rng);
    }
    return p;
}

/// Per-channel vector padded to whole blocks, around `centre`, owned.
static inline float *random_channels(int64_t c, float centre, uint32_t seed)
{
    float *const p = floats(wsr__blocks(c) * WSR__BLOCK);
    wsr__rng rng = wsr__rng_at(8, WSR__RNG_TEST, seed, 0);
    for (int64_t i = 0; i < c; i++) {
        p[i] = centre + 0.5f * (float)wsr__rng_normal(&rng);
    }
    return p;
}

/// A tensor in both layouts. The blocked one starts `first` blocks into images
/// of `total` blocks, the rest of which holds a mark.
typedef struct pair {
    int64_t n;
    int64_t c;
    int64_t pixels;
    int64_t total;
    int64_t first;
    float *plain;
    float *whole; // of the blocked images
    float *blocked;
    int64_t batch_stride;
} pair;

static const float mark = -77.5f;

static inline int64_t blocked_at(const pair *t, int64_t i)
{
    const int64_t pixel = i % t->pixels;
    const int64_t c = i / t->pixels % t->c;
    const int64_t n = i / t->pixels / t->c;
    return n * t->batch_stride +
           (c / WSR__BLOCK * t->pixels + pixel) * WSR__BLOCK + c % WSR__BLOCK;
}

/// How many numbers it has.
static inline int64_t plain_size(const pair *t)
{
    return t->n * t->c * t->pixels;
}

static inline void pair_block(const pair *t) // plain to blocked
{
    for (int64_t n = 0; n < t->n; n++) {
        memset(t->blocked + n * t->batch_stride, 0,
               (size_t)(wsr__blocks(t->c) * t->pixels * WSR__BLOCK) *
                   sizeof(float));
    }
    for (int64_t i = 0; i < t->n * t->c * t->pixels; i++) {
        t->blocked[blocked_at(t, i)] = t->plain[i];
    }
}

static inline pair pair_new(int64_t n, int64_t c, int64_t pixels, bool view,
                            uint32_t seed)
{
    pair t = {.n = n, .c = c, .pixels = pixels};
    t.total = wsr__blocks(c) + (view ? 3 : 0);
    t.first = view ? 2 : 0;
    t.batch_stride = t.total * pixels * WSR__BLOCK;
    t.plain = random_floats(n * c * pixels, seed);
    t.whole = floats(n * t.batch_stride);
    for (int64_t i = 0; i < n * t.batch_stride; i++) {
        t.whole[i] = mark;
    }
    t.blocked = t.whole + t.first * pixels * WSR__BLOCK;
    pair_block(&t);
    return t;
}

static inline void pair_free(pair *t)
{
    wsr__free(t->plain);
    wsr__free(t->whole);
}

/// The difference allowed relative to the largest value that is expected.
static const double tolerance = 2e-5;

static inline void check_close(const float *got, const float *want, int64_t n,
                               const char *what)
{
    double top = 1e-30;
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++) {
        top = fmax(top, fabs((double)want[i]));
        const double off = fabs((double)got[i] - (double)want[i]);
        worst = off > worst || isnan(off) ? off : worst;
    }
    ck_assert_msg(worst <= tolerance * top, "%s (%s): off by %g of %g", what,
                  wsr__native_name(), worst, top);
}

/// Compare the blocked tensor with `want` (plain); padding channels must be
/// zero, and blocks outside of the view untouched.
static inline void check_blocked(const pair *t, const float *want,
                                 const char *what)
{
    const int64_t count = t->n * t->c * t->pixels;
    float *const got = floats(count);
    for (int64_t i = 0; i < count; i++) {
        got[i] = t->blocked[blocked_at(t, i)];
    }
    check_close(got, want, count, what);
    wsr__free(got);
    for (int64_t i = 0; i < t->n * t->batch_stride; i++) {
        const int64_t block = i % t->batch_stride / (t->pixels * WSR__BLOCK) -
                              t->first;
        const int64_t c = block * WSR__BLOCK + i % WSR__BLOCK;
        if (block < 0 || block >= wsr__blocks(t->c)) {
            ck_assert_msg(t->whole[i] == mark, "%s: outside of view", what);
        } else if (c >= t->c) {
            ck_assert_msg(t->whole[i] == 0.0f, "%s (%s): padding is %g", what,
                          wsr__native_name(), (double)t->whole[i]);
        }
    }
}

/// pre(src) of plain tensors.
static inline void plain_pre(float *dst, const pair *src, const wsr__pre *pre)
{
    for (int64_t i = 0; i < src->n * src->c * src->pixels; i++) {
        const int64_t c = i / src->pixels % src->c;
        float y = src->plain[i];
        if (pre->scale != NULL) {
            y = pre->scale[c] * y + pre->shift[c];
        }
        dst[i] = pre->relu && y < 0.0f ? 0.0f : y;
    }
}

/// Backward of the above's relu, in place on diff.
static inline void plain_relu_mask(float *diff, const pair *src,
                                   const wsr__pre *pre)
{
    for (int64_t i = 0; i < src->n * src->c * src->pixels; i++) {
        const int64_t c = i / src->pixels % src->c;
        float y = src->plain[i];
        if (pre->scale != NULL) {
            y = pre->scale[c] * y + pre->shift[c];
        }
        diff[i] = pre->relu && y <= 0.0f ? 0.0f : diff[i];
    }
}

/// alpha * diff + beta * dst + gamma of plain tensors.
static inline void plain_affine(float *out, const pair *diff, const pair *dst,
                                const wsr__affine *a)
{
    for (int64_t i = 0; i < diff->n * diff->c * diff->pixels; i++) {
        const int64_t c = i / diff->pixels % diff->c;
        out[i] = a->alpha[c] * diff->plain[i] + a->beta[c] * dst->plain[i] +
                 a->gamma[c];
    }
}

/// For loops over the instruction sets that this processor has, `i` from 0:
/// force the next one. After the last the usual one is back, and the result is
/// false. A reference that is computed before such a loop serves them all.
static inline bool next_variant(size_t *i)
{
    static const char *const names[] = {"base", "avx2", "avx512"};
    while (*i < sizeof(names) / sizeof(names[0])) {
        const wsr_status status = wsr__native_force(names[(*i)++]);
        ck_assert(status == WSR_OK || *i > 1); // "base" is everywhere
        if (status == WSR_OK) {
            return true;
        }
    }
    ck_assert_ok(wsr__native_force(NULL));
    return false;
}

/// Run a check under every instruction set that this processor has.
static inline void each_variant(void (*check)(void))
{
    wsr_set_threads(1); // small work
    for (size_t i = 0; next_variant(&i);) {
        check();
    }
}

/// Fill `out` (n floats) with one thread and with two and three: the same
/// bits.
static inline void check_threads(void (*fill)(float *out, void *ctx), void *ctx,
                                 int64_t n, const char *what)
{
    float *const one = floats(n);
    float *const more = floats(n);
    wsr_set_threads(1);
    fill(one, ctx);
    for (size_t threads = 2; threads <= 3; threads++) {
        wsr_set_threads(threads);
        memset(more, 0, (size_t)n * sizeof(*more));
        fill(more, ctx);
        ck_assert_msg(memcmp(one, more, (size_t)n * sizeof(*one)) == 0,
                      "%s (%s): %zu threads differ", what, wsr__native_name(),
                      threads);
    }
    wsr_set_threads(2);
    wsr__free(one);
    wsr__free(more);
}

#endif
