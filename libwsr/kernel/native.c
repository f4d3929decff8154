// SPDX-License-Identifier: Apache-2.0
//
// Choice of the instruction set of the native kernels, made once and kept in
// one pointer, and the public face of what was chosen.

#include "kernel/native_dispatch.h"

#include <stdatomic.h>

typedef struct variant {
    const char *name;
    const wsr__native_dw *dw;
    const wsr__native_pw *pw;
    const wsr__native_sep *sep;
    const wsr__native_few_channels *few_channels;
    const wsr__native_bn *bn;
    const wsr__native_pool *pool;
    const wsr__native_eltwise *eltwise;
    const wsr__native_lstm *lstm;
} variant;

#define VARIANT(isa)                                                  \
    {                                                                 \
        .name = #isa, .dw = &wsr__native_dw_##isa,                    \
        .pw = &wsr__native_pw_##isa, .sep = &wsr__native_sep_##isa,   \
        .bn = &wsr__native_bn_##isa, .pool = &wsr__native_pool_##isa, \
        .eltwise = &wsr__native_eltwise_##isa,                        \
        .lstm = &wsr__native_lstm_##isa,                              \
        .few_channels = &wsr__native_few_channels_##isa,              \
    }

// From plain to best.
static const variant variants[] = {
    VARIANT(base),
#if WSR_HAVE_X86_VARIANTS
    VARIANT(avx2),
    VARIANT(avx512),
#endif
};

static bool supported(const variant *v)
{
#if WSR_HAVE_X86_VARIANTS
    __builtin_cpu_init();
    if (v == &variants[1]) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    if (v == &variants[2]) {
        return __builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    }
#endif
    return v == &variants[0];
}

static _Atomic(const variant *) chosen;

static const variant *native(void)
{
    const variant *v = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (v == NULL) {
        size_t best = sizeof(variants) / sizeof(variants[0]) - 1;
        while (!supported(&variants[best])) {
            best--;
        }
        v = &variants[best];
        atomic_store_explicit(&chosen, v, memory_order_relaxed);
    }
    return v;
}

const char *wsr__native_name(void)
{
    return native()->name;
}

wsr_status wsr__native_force(const char *name)
{
    if (name == NULL) {
        atomic_store_explicit(&chosen, NULL, memory_order_relaxed);
        return WSR_OK;
    }
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        if (wsr__streq(name, variants[i].name) && supported(&variants[i])) {
            atomic_store_explicit(&chosen, &variants[i], memory_order_relaxed);
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "native kernels: this processor cannot run '%s'", name);
}

// --------------------------------------------------- depthwise convolutions

void wsr__dw_forward(float *dst, const wsr__dw *p, const float *src,
                     const float *weights, const wsr__fwd *fwd)
{
    native()->dw->forward(dst, p, src, weights, fwd);
}

void wsr__dw_backward_data(float *diff_src, const wsr__dw *p,
                           const float *diff_dst, const float *weights,
                           const wsr__bwd *bwd)
{
    native()->dw->backward_data(diff_src, p, diff_dst, weights, bwd);
}

void wsr__dw_backward_weights(float *diff_weights, const wsr__dw *p,
                              const float *src, const float *diff_dst,
                              const wsr__wgrad *opt)
{
    native()->dw->backward_weights(diff_weights, p, src, diff_dst, opt);
}

// --------------------------------------------------- pointwise convolutions

void wsr__pw_forward(float *dst, const wsr__pw *p, const float *src,
                     const float *weights, const wsr__fwd *fwd)
{
    native()->pw->forward(dst, p, src, weights, fwd);
}

void wsr__pw_backward(const wsr__pw_grads *grads, const wsr__pw *p,
                      const float *const data[2], const float *transposed,
                      const wsr__bwd *bwd)
{
    native()->pw->backward(grads, p, data, transposed, bwd);
}

// ------------------------------------------------------------ few channels

void wsr__few_channels_forward(float *dst, const wsr__few_channels *p,
                               const float *src, const float *weights,
                               const wsr__fwd *fwd)
{
    native()->few_channels->forward(dst, p, src, weights, fwd);
}

void wsr__few_channels_backward_data(float *diff_src,
                                     const wsr__few_channels *p,
                                     const float *diff_dst,
                                     const float *weights, const wsr__bwd *bwd)
{
    native()->few_channels->backward_data(diff_src, p, diff_dst, weights, bwd);
}

void wsr__few_channels_backward_weights(float *diff_weights,
                                        const wsr__few_channels *p,
                                        const float *src, const float *diff_dst,
                                        const wsr__wgrad *opt)
{
    native()->few_channels->backward_weights(diff_weights, p, src, diff_dst,
                                             opt);
}

// -------------------------------------------------- depthwise and pointwise

void wsr__sep_forward(float *dst, const wsr__sep *p, const float *src,
                      const wsr__sep_weights *weights, const wsr__fwd *fwd)
{
    native()->sep->forward(dst, p, src, weights, fwd);
}

void wsr__sep_backward(const wsr__sep_grads *grads, const wsr__sep *p,
                       const float *const data[2],
                       const wsr__sep_weights *weights, const wsr__bwd *bwd)
{
    native()->sep->backward(grads, p, data, weights, bwd);
}

// ------------------------------------------------------ batch normalisation

void wsr__bn_moments(double *moments, const wsr__dims *d, const float *src)
{
    native()->bn->moments(moments, d, src);
}

void wsr__bn_apply(float *dst, const wsr__dims *d, const float *src,
                   const wsr__pre *pre, bool accumulate)
{
    native()->bn->apply(dst, d, src, pre, accumulate);
}

void wsr__bn_apply_sum(float *dst, const wsr__dims *d,
                       const wsr__summand *summands, size_t count)
{
    native()->bn->apply_sum(dst, d, summands, count);
}

void wsr__bn_reduce(const wsr__dims *d, const float *diff_dst,
                    const wsr__reduction *many, size_t count)
{
    native()->bn->reduce(d, diff_dst, many, count);
}

void wsr__bn_backward(float *diff_src, const wsr__dims *d,
                      const float *diff_dst, const wsr__affine *affine,
                      bool accumulate)
{
    native()->bn->backward(diff_src, d, diff_dst, affine, accumulate);
}

// ------------------------------------------------------------------- pools

void wsr__max_pool_forward(float *dst, uint8_t *index, const wsr__pool *p,
                           const float *src, double *moments)
{
    native()->pool->max_forward(dst, index, p, src, moments);
}

void wsr__avg_pool_forward(float *dst, const wsr__pool *p, const float *src,
                           double *moments)
{
    native()->pool->avg_forward(dst, p, src, moments);
}

void wsr__max_pool_backward(float *diff_src, const wsr__pool *p,
                            const float *diff_dst, const uint8_t *index,
                            const wsr__affine *affine, bool accumulate)
{
    native()->pool->max_backward(diff_src, p, diff_dst, index, affine,
                                 accumulate);
}

void wsr__avg_pool_backward(float *diff_src, const wsr__pool *p,
                            const float *diff_dst, const wsr__affine *affine,
                            bool accumulate)
{
    native()->pool->avg_backward(diff_src, p, diff_dst, affine, accumulate);
}

void wsr__global_avg_forward(float *dst, const wsr__dims *d, const float *src)
{
    native()->pool->global_forward(dst, d, src);
}

void wsr__global_avg_backward(float *diff_src, const wsr__dims *d,
                              const float *diff_dst, bool accumulate)
{
    native()->pool->global_backward(diff_src, d, diff_dst, accumulate);
}

// ------------------------------------------------------------- elementwise

void wsr__relu_forward(float *dst, const float *src, int64_t n)
{
    native()->eltwise->relu_forward(dst, src, n);
}

void wsr__relu_backward(float *diff_src, const float *dst,
                        const float *diff_dst, int64_t n, bool accumulate)
{
    native()->eltwise->relu_backward(diff_src, dst, diff_dst, n, accumulate);
}

void wsr__sum(float *dst, const float *const *src, const float *weights,
              size_t count, int64_t n)
{
    native()->eltwise->weighted_sum(dst, src, weights, count, n);
}

void wsr__axpy(float *dst, float a, const float *src, int64_t n)
{
    native()->eltwise->axpy(dst, a, src, n);
}

void wsr__scale(float *dst, float a, const float *src, int64_t n)
{
    native()->eltwise->scale(dst, a, src, n);
}

void wsr__scale_images(float *dst, const wsr__dims *d, const float *src,
                       const float *factor, bool accumulate)
{
    native()->eltwise->scale_images(dst, d, src, factor, accumulate);
}

void wsr__to_blocked(float *dst, const wsr__dims *d, const float *src,
                     bool accumulate)
{
    native()->eltwise->to_blocked(dst, d, src, accumulate);
}

void wsr__to_plain(float *dst, const wsr__dims *d, const float *src,
                   bool accumulate)
{
    native()->eltwise->to_plain(dst, d, src, accumulate);
}

// --------------------------------------------------------------- recurrent

void wsr__lstm_forward(float *dst, const wsr__lstm *p, const float *src,
                       const wsr__lstm_weights *w, float *records, bool keep)
{
    native()->lstm->forward(dst, p, src, w, records, keep);
}

void wsr__lstm_backward(const wsr__lstm_grads *grads, const wsr__lstm *p,
                        const float *diff_dst, const wsr__lstm_weights *w,
                        float *records, float *scratch)
{
    native()->lstm->backward(grads, p, diff_dst, w, records, scratch);
}
