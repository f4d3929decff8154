// SPDX-License-Identifier: Apache-2.0
//
// Ops that work sample by sample on plain tensors: losses, norms, means. A
// sample is the work of one thread, in one order, so its bits do not depend on
// the number of threads.

#ifndef WSR_OP_PER_SAMPLE_H
#define WSR_OP_PER_SAMPLE_H

#include "op/op.h"

/// What such an op supplies, for samples [begin, end). backward honours
/// want_diff and accumulate of the sources.
typedef struct wsr__per_sample {
    void (*forward)(const wsr__node *node, int64_t begin, int64_t end);
    void (*backward)(const wsr__node *node, int64_t begin, int64_t end);
    uint32_t reads[2]; // tensors that the gradient of each source reads: bit i
                       // is src i, WSR__NEED_DST is dst
} wsr__per_sample;

/// Shape rule "one number per sample, of sources that are alike".
wsr_status wsr__per_sample_infer(wsr_shape *dst, const void *params,
                                 const wsr_shape *srcs, size_t n);

/// Implementations of classes that have `per_sample`.
extern const wsr__impl *const wsr__per_sample_impls[];

#endif
