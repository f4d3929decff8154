// SPDX-License-Identifier: Apache-2.0
//
// Dispatch of the native kernels. Each kernel file is compiled once per
// instruction set, with WSR_ISA defined as base, avx2 or avx512, and exports
// one table of functions per compilation: wsr__native_dw_avx2, for example.
// native.c chooses one instruction set when it is first asked and calls the
// kernels through its tables.

#ifndef WSR_KERNEL_NATIVE_DISPATCH_H
#define WSR_KERNEL_NATIVE_DISPATCH_H

#include "kernel/native.h"

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

#ifdef WSR_ISA
#define WSR_PASTE_(a, b) a##_##b
#define WSR_PASTE(a, b) WSR_PASTE_(a, b)
/// A name of the instruction set that is being compiled: WSR_NAME(wsr__x) is
/// wsr__x_base, wsr__x_avx2 or wsr__x_avx512.
#define WSR_NAME(name) WSR_PASTE(name, WSR_ISA)
#endif

#endif
