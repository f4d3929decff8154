// SPDX-License-Identifier: Apache-2.0
//
// oneDNN in libwsr's terms. Failures carry the shapes in their detail line.

#ifndef WSR_KERNEL_DNNL_H
#define WSR_KERNEL_DNNL_H

#include "kernel/ref.h"
#include "tensor/tensor.h"

typedef enum wsr__direction {
    WSR__CONV_FORWARD,
    WSR__CONV_BACKWARD_DATA,
    WSR__CONV_BACKWARD_WEIGHTS
} wsr__direction;

/// One pass of one convolution, ready to run. Belongs to one thread at a time.
typedef struct wsr__dnnl_conv wsr__dnnl_conv;

/// src and dst have the given layouts in memory; weights the one that oneDNN
/// picks, see pack and unpack.
wsr_status wsr__dnnl_conv_new(wsr__dnnl_conv **out, wsr__direction pass,
                              const wsr__conv *shape,
                              const wsr__layout layouts[2], bool bias);
void wsr__dnnl_conv_free(wsr__dnnl_conv *conv);

/// Whether oneDNN has nothing but its reference kernel for this, which is some
/// thousand times slower than its others.
bool wsr__dnnl_conv_is_slow(const wsr__dnnl_conv *conv);

/// Floats of the weights in oneDNN's layout, and of its scratch memory.
size_t wsr__dnnl_conv_weights_size(const wsr__dnnl_conv *conv);
size_t wsr__dnnl_conv_scratch(const wsr__dnnl_conv *conv);

/// Plain (co, ci/groups, kh, kw) weights to and from oneDNN's layout.
void wsr__dnnl_conv_pack(const wsr__dnnl_conv *conv, float *packed,
                         const float *plain);
void wsr__dnnl_conv_unpack(const wsr__dnnl_conv *conv, float *plain,
                           const float *packed);

/// What a run reads and writes; which is which depends on the pass.
typedef struct wsr__dnnl_args {
    float *src;     // or diff_src
    float *weights; // packed, or the packed diff
    float *bias;    // or diff_bias; NULL without
    float *dst;     // or diff_dst
    float *scratch;
} wsr__dnnl_args;

wsr_status wsr__dnnl_conv_run(wsr__dnnl_conv *conv, const wsr__dnnl_args *args);

/// A row-major matrix in memory.
typedef struct wsr__matrix {
    float *data;
    int64_t rows;
    int64_t cols;
    bool transposed; // use it as (cols, rows)
} wsr__matrix;

/// Generate the code of all products, which else the first of them would do:
/// plans with products call it when they are made.
wsr_status wsr__gemm_prepare(void);

/// c = a b, or c += a b with accumulate; c is never transposed.
wsr_status wsr__gemm(const wsr__matrix *c, const wsr__matrix *a,
                     const wsr__matrix *b, bool accumulate);

/// "2.6.3", of the library in use.
const char *wsr__dnnl_version(void);

#endif
