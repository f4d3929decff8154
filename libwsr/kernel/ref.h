// SPDX-License-Identifier: Apache-2.0
//
// Reference kernels: what every other kernel is compared with. Plain dense
// NCHW tensors, nested loops straight from the definition, sums in double.
// Signatures are outputs, inputs, dimensions.
//
// Backward functions overwrite their outputs.

#ifndef WSR_KERNEL_REF_H
#define WSR_KERNEL_REF_H

#include "base/base.h"

/// A two-dimensional convolution: src (n, ci, h, w), weights (co, ci/groups,
/// kh, kw), dst (n, co, oh, ow), zero padding ph, pw at the top and left.
typedef struct wsr__conv {
    int64_t n;
    int64_t ci;
    int64_t h;
    int64_t w;
    int64_t co;
    int64_t oh;
    int64_t ow;
    int64_t kh;
    int64_t kw;
    int64_t sh;
    int64_t sw;
    int64_t ph;
    int64_t pw;
    int64_t dh;
    int64_t dw;
    int64_t groups;
} wsr__conv;

/// bias (co) may be NULL.
void wsr__ref_conv_forward(float *dst, const float *src, const float *weights,
                           const float *bias, const wsr__conv *p);
void wsr__ref_conv_backward_data(float *diff_src, const float *diff_dst,
                                 const float *weights, const wsr__conv *p);
/// diff_bias (co) may be NULL.
void wsr__ref_conv_backward_weights(float *diff_weights, float *diff_bias,
                                    const float *src, const float *diff_dst,
                                    const wsr__conv *p);

/// Square pools: src (n, c, h, w), dst (n, c, oh, ow).
typedef struct wsr__ref_pool {
    int64_t n;
    int64_t c;
    int64_t h;
    int64_t w;
    int64_t oh;
    int64_t ow;
    int64_t kernel;
    int64_t stride;
    int64_t pad;
    bool count_pad; // average: padding counts as zeros
} wsr__ref_pool;

void wsr__ref_max_pool_forward(float *dst, const float *src,
                               const wsr__ref_pool *p);
/// To the first maximum in row-major order of each window.
void wsr__ref_max_pool_backward(float *diff_src, const float *src,
                                const float *diff_dst, const wsr__ref_pool *p);
void wsr__ref_avg_pool_forward(float *dst, const float *src,
                               const wsr__ref_pool *p);
void wsr__ref_avg_pool_backward(float *diff_src, const float *diff_dst,
                                const wsr__ref_pool *p);
/// Mean over h, w: dst (n, c).
void wsr__ref_global_avg_forward(float *dst, const float *src,
                                 const int64_t dims[4]);
void wsr__ref_global_avg_backward(float *diff_src, const float *diff_dst,
                                  const int64_t dims[4]);

/// Batch norm of (n, c, h, w): y = (x - mean) * inv_std * gamma + beta; gamma
/// and beta (c) may be NULL for 1 and 0.
typedef struct wsr__ref_norm {
    const float *gamma;
    const float *beta;
    double tol; // added to the variance
} wsr__ref_norm;

/// Training mode: mean and biased variance (c) of the batch are outputs.
void wsr__ref_bn_train_forward(float *dst, float *mean, float *var,
                               const float *src, const wsr__ref_norm *norm,
                               const int64_t dims[4]);
/// diff_gamma and diff_beta (c) may be NULL.
void wsr__ref_bn_train_backward(float *diff_src, float *diff_gamma,
                                float *diff_beta, const float *const data[2],
                                const wsr__ref_norm *norm,
                                const int64_t dims[4]); // data: src, diff_dst
/// Evaluation mode: mean and var (c) are given as stats[0] and stats[1].
void wsr__ref_bn_eval_forward(float *dst, const float *src,
                              const float *const stats[2],
                              const wsr__ref_norm *norm, const int64_t dims[4]);
void wsr__ref_bn_eval_backward(float *diff_src, const float *diff_dst,
                               const float *const stats[2],
                               const wsr__ref_norm *norm,
                               const int64_t dims[4]);

#endif
