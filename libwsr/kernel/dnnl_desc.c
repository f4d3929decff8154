// SPDX-License-Identifier: Apache-2.0
//
// oneDNN's generations 2 and 3 behind one set of functions, see dnnl_desc.h.
// The version is known when this is compiled: the two are not binary
// compatible.

#include "kernel/dnnl_desc.h"

// ------------------------------------------------------ memory descriptors

#if DNNL_VERSION_MAJOR >= 3
wsr__dnnl_md_ref wsr__dnnl_ref(const wsr__dnnl_md *md)
{
    return *md;
}

// Legal on zeros, so a problem that was made halfway can be freed.
void wsr__dnnl_md_free(wsr__dnnl_md *md)
{
    if (*md != NULL) {
        dnnl_memory_desc_destroy(*md);
        *md = NULL;
    }
}

dnnl_status_t wsr__dnnl_md_make(wsr__dnnl_md *md, int ndims,
                                const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(md, ndims, dims, dnnl_f32, tag);
}

dnnl_status_t wsr__dnnl_md_blocking(wsr__dnnl_blocking *out,
                                    wsr__dnnl_md_ref md)
{
    // Queries hand out pointers into the descriptor.
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    const dnnl_dims_t *strides = NULL;
    const dnnl_dims_t *sizes = NULL;
    const dnnl_dims_t *of = NULL;
    if (dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind) ||
        kind != dnnl_blocked ||
        dnnl_memory_desc_query(md, dnnl_query_strides, &strides) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &out->inner) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_blks, &sizes) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_idxs, &of)) {
        return dnnl_unimplemented;
    }
    out->strides = *strides;
    out->sizes = *sizes;
    out->of = *of;
    return dnnl_success;
}
#else
wsr__dnnl_md_ref wsr__dnnl_ref(const wsr__dnnl_md *md)
{
    return md;
}

// The struct owns nothing. The function exists so that callers need not know
// the version.
void wsr__dnnl_md_free(wsr__dnnl_md *md)
{
    (void)md;
}

dnnl_status_t wsr__dnnl_md_make(wsr__dnnl_md *md, int ndims,
                                const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(md, ndims, dims, dnnl_f32, tag);
}

dnnl_status_t wsr__dnnl_md_blocking(wsr__dnnl_blocking *out,
                                    wsr__dnnl_md_ref md)
{
    // Other kinds (Winograd, packed) have no strides.
    if (md->format_kind != dnnl_blocked) {
        return dnnl_unimplemented;
    }
    const dnnl_blocking_desc_t *const b = &md->format_desc.blocking;
    *out = (wsr__dnnl_blocking){b->strides, b->inner_nblks, b->inner_blks,
                                b->inner_idxs};
    return dnnl_success;
}
#endif

// ----------------------------------------------------- primitive descriptors

// The near and the far padding are given as the same; oneDNN works out from the
// sizes of dst where the last window ends. A bias has the format "a", forward
// and backward.
#if DNNL_VERSION_MAJOR >= 3
dnnl_status_t wsr__dnnl_make_pd(dnnl_primitive_desc_t *out,
                                const wsr__dnnl_problem *p, wsr__direction pass,
                                const_dnnl_primitive_desc_t hint,
                                dnnl_engine_t engine,
                                const_dnnl_primitive_attr_t attr)
{
    const wsr__dnnl_md_ref bias = p->with_bias ? wsr__dnnl_ref(&p->bias) : NULL;
    const dnnl_alg_kind_t alg = dnnl_convolution_direct;
    if (pass == WSR__CONV_FORWARD) {
        return dnnl_convolution_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, alg, wsr__dnnl_ref(&p->src),
            wsr__dnnl_ref(&p->weights), bias, wsr__dnnl_ref(&p->dst),
            p->strides, p->dilates, p->pads, p->pads, attr);
    }
    if (pass == WSR__CONV_BACKWARD_DATA) {
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, alg, wsr__dnnl_ref(&p->src),
            wsr__dnnl_ref(&p->weights), wsr__dnnl_ref(&p->dst), p->strides,
            p->dilates, p->pads, p->pads, hint, attr);
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, engine, alg, wsr__dnnl_ref(&p->src), wsr__dnnl_ref(&p->weights),
        bias, wsr__dnnl_ref(&p->dst), p->strides, p->dilates, p->pads, p->pads,
        hint, attr);
}
#else
dnnl_status_t wsr__dnnl_make_pd(dnnl_primitive_desc_t *out,
                                const wsr__dnnl_problem *p, wsr__direction pass,
                                const_dnnl_primitive_desc_t hint,
                                dnnl_engine_t engine,
                                const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const wsr__dnnl_md_ref bias = p->with_bias ? wsr__dnnl_ref(&p->bias) : NULL;
    const dnnl_alg_kind_t alg = dnnl_convolution_direct;
    dnnl_status_t failed = dnnl_success;
    if (pass == WSR__CONV_FORWARD) {
        failed = dnnl_dilated_convolution_forward_desc_init(
            &desc, dnnl_forward_training, alg, wsr__dnnl_ref(&p->src),
            wsr__dnnl_ref(&p->weights), bias, wsr__dnnl_ref(&p->dst),
            p->strides, p->dilates, p->pads, p->pads);
    } else if (pass == WSR__CONV_BACKWARD_DATA) {
        failed = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, alg, wsr__dnnl_ref(&p->src), wsr__dnnl_ref(&p->weights),
            wsr__dnnl_ref(&p->dst), p->strides, p->dilates, p->pads, p->pads);
    } else {
        failed = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, alg, wsr__dnnl_ref(&p->src), wsr__dnnl_ref(&p->weights),
            bias, wsr__dnnl_ref(&p->dst), p->strides, p->dilates, p->pads,
            p->pads);
    }
    return failed != dnnl_success
               ? failed
               : dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
}
#endif
