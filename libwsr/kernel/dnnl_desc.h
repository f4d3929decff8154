// SPDX-License-Identifier: Apache-2.0
//
// What differs between oneDNN's generations 2 and 3: memory descriptors, which
// are opaque handles in version 3, and the way to describe a convolution, which
// needs no op descriptor there.

#ifndef WSR_KERNEL_DNNL_DESC_H
#define WSR_KERNEL_DNNL_DESC_H

#include "kernel/dnnl.h"

#include <dnnl.h>

/// A memory descriptor that is owned, and a reference to one. In version 3 it
/// is a handle that must be freed, in version 2 a struct.
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t wsr__dnnl_md;
typedef const_dnnl_memory_desc_t wsr__dnnl_md_ref;
#else
typedef dnnl_memory_desc_t wsr__dnnl_md;
typedef const dnnl_memory_desc_t *wsr__dnnl_md_ref;
#endif

wsr__dnnl_md_ref wsr__dnnl_ref(const wsr__dnnl_md *md);
void wsr__dnnl_md_free(wsr__dnnl_md *md); // legal on one that was not made

/// A descriptor of floats in a format.
dnnl_status_t wsr__dnnl_md_make(wsr__dnnl_md *md, int ndims,
                                const dnnl_dims_t dims, dnnl_format_tag_t tag);

/// How a blocked format lies in memory.
typedef struct wsr__dnnl_blocking {
    const dnnl_dim_t *strides; // of whole blocks, per dimension
    int inner;                 // blocks inside, the innermost last
    const dnnl_dim_t *sizes;   // of those
    const dnnl_dim_t *of;      // the dimensions that they divide
} wsr__dnnl_blocking;

/// The blocking of a format, borrowed from its descriptor; unimplemented for
/// formats that are not blocked.
dnnl_status_t wsr__dnnl_md_blocking(wsr__dnnl_blocking *out,
                                    wsr__dnnl_md_ref md);

/// What oneDNN asks for to describe a convolution: src (n, ci, h, w), dst (n,
/// co, oh, ow), weights of any format, bias (co). Dilations count from 0.
typedef struct wsr__dnnl_problem {
    dnnl_dims_t strides;
    dnnl_dims_t dilates;
    dnnl_dims_t pads;
    wsr__dnnl_md src;
    wsr__dnnl_md weights;
    wsr__dnnl_md bias;
    wsr__dnnl_md dst;
    bool with_bias;
} wsr__dnnl_problem;

/// Make the primitive descriptor of a pass. Backward passes take that of the
/// forward pass as `hint`.
dnnl_status_t wsr__dnnl_make_pd(dnnl_primitive_desc_t *out,
                                const wsr__dnnl_problem *p, wsr__direction pass,
                                const_dnnl_primitive_desc_t hint,
                                dnnl_engine_t engine,
                                const_dnnl_primitive_attr_t attr);

#endif
