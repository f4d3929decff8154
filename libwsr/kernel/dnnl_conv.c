// SPDX-License-Identifier: Apache-2.0
//
// Convolutions through oneDNN, for what no native kernel does: several groups,
// very large kernels and strides. A wsr__dnnl_conv is one pass (forward,
// backward data or backward weights) of one convolution; its primitive is made
// once and run often. What differs between oneDNN's generations 2 and 3 is in
// dnnl_desc.c.
//
// Weights go to oneDNN's blocked format and back by our own loops: the reorder
// of its 3.7 loses numbers where channels do not fill blocks, and leaves the
// padding as it was (7 x 3 x 3 x 3 to ABcd16a16b; issue 3280 there may be the
// same). The file is long because all three passes share the descriptions and
// the buffers.

#include "kernel/dnnl.h"

#include "kernel/dnnl_call.h"
#include "kernel/dnnl_desc.h"

#include <string.h>

enum { WEIGHT_DIMS = 5 }; // groups, outputs and inputs of one, rows, columns

// The memory objects hold no memory: run() points them at the arguments.
struct wsr__dnnl_conv {
    wsr__dnnl dnnl;
    wsr__direction pass;
    bool with_bias;
    bool slow;
    dnnl_primitive_t primitive;
    int64_t sizes[WEIGHT_DIMS]; // of plain weights
    int64_t *at[WEIGHT_DIMS];   // a packed weight lies at the sum over the
                                // dimensions of at[d][its index in d]
    dnnl_memory_t src;
    dnnl_memory_t weights;
    dnnl_memory_t bias;
    dnnl_memory_t dst;
    dnnl_memory_t scratch;
    size_t weights_bytes;
    size_t scratch_bytes;
};

// Our blocked layout is one of oneDNN's, so src and dst pass without a copy.
static dnnl_format_tag_t tag_of(wsr__layout layout)
{
    return layout == WSR__BLOCKED ? dnnl_nChw8c : dnnl_nchw;
}

// In the format that oneDNN likes best; without groups there is no dimension
// for them.
static dnnl_status_t any_weights(wsr__dnnl_md *md, const wsr__conv *s)
{
    const dnnl_dims_t dense = {s->co, s->ci, s->kh, s->kw};
    const dnnl_dims_t split = {s->groups, s->co / s->groups, s->ci / s->groups,
                               s->kh, s->kw};
    return s->groups > 1 ? wsr__dnnl_md_make(md, 5, split, dnnl_format_tag_any)
                         : wsr__dnnl_md_make(md, 4, dense, dnnl_format_tag_any);
}

// Padding is the same at both ends; oneDNN takes the far one as given, since
// the size of dst is given too.
static wsr_status make_problem(wsr__dnnl_problem *p, const wsr__conv *s,
                               const wsr__layout layouts[2],
                               const wsr__dnnl_conv *conv)
{
    *p = (wsr__dnnl_problem){.strides = {s->sh, s->sw},
                             .dilates = {s->dh - 1, s->dw - 1},
                             .pads = {s->ph, s->pw},
                             .with_bias = conv->with_bias};
    const dnnl_dims_t src = {s->n, s->ci, s->h, s->w};
    const dnnl_dims_t dst = {s->n, s->co, s->oh, s->ow};
    const dnnl_dims_t channels = {s->co};
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__dnnl_check(
        wsr__dnnl_md_make(&p->src, 4, src, tag_of(layouts[0])), "src"));
    WSR_TRY(wsr__dnnl_check(
        wsr__dnnl_md_make(&p->dst, 4, dst, tag_of(layouts[1])), "dst"));
    WSR_TRY(wsr__dnnl_check(wsr__dnnl_md_make(&p->bias, 1, channels, dnnl_a),
                            "bias"));
    WSR_TRY(wsr__dnnl_check(any_weights(&p->weights, s), "weights"));
out:
    return status;
}

// Legal for a problem that was made halfway.
static void problem_free(wsr__dnnl_problem *p)
{
    wsr__dnnl_md_free(&p->src);
    wsr__dnnl_md_free(&p->dst);
    wsr__dnnl_md_free(&p->bias);
    wsr__dnnl_md_free(&p->weights);
}

// Borrowed from the primitive descriptor.
static wsr__dnnl_md_ref query(const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(pd, what, 0);
}

// DNNL_MEMORY_NONE: no buffer yet.
static wsr_status make_memory(dnnl_memory_t *out, dnnl_engine_t engine,
                              wsr__dnnl_md_ref md)
{
    return wsr__dnnl_check(
        dnnl_memory_create(out, md, engine, DNNL_MEMORY_NONE), "memory");
}

// Where index i of a dimension lies: what is left of it after the blocks inside
// counts whole blocks.
static int64_t place_of(const wsr__dnnl_blocking *b, int dimension, int64_t i)
{
    int64_t at = 0;
    int64_t step = 1;
    for (int k = b->inner - 1; k >= 0; k--) {
        if (b->of[k] == dimension) {
            at += i % b->sizes[k] * step;
            i /= b->sizes[k];
        }
        step *= b->sizes[k];
    }
    return at + i * b->strides[dimension];
}

// A blocked format places an element at a sum with one term per dimension, so a
// small table for each dimension describes it: packing is then two loops over
// tables, whatever format oneDNN chose.
static wsr_status map_weights(wsr__dnnl_conv *conv, const wsr__conv *s,
                              wsr__dnnl_md_ref md)
{
    wsr__dnnl_blocking b = {0};
    const int64_t sizes[WEIGHT_DIMS] = {s->groups, s->co / s->groups,
                                        s->ci / s->groups, s->kh, s->kw};
    const int first = s->groups > 1 ? 0 : 1; // dimension of md
    const dnnl_status_t failed = wsr__dnnl_md_blocking(&b, md);
    if (failed != dnnl_success) {
        return wsr__dnnl_check(failed, "format of weights");
    }
    for (int d = 0; d < WEIGHT_DIMS; d++) {
        conv->sizes[d] = sizes[d];
        conv->at[d] = wsr__alloc((size_t)sizes[d], sizeof(*conv->at[d]));
        if (conv->at[d] == NULL) {
            return WSR_NOMEM;
        }
        for (int64_t i = 0; i < sizes[d]; i++) {
            conv->at[d][i] = d < first ? 0 : place_of(&b, d - first, i);
        }
    }
    return WSR_OK;
}

// Under which names oneDNN asks for the three tensors of a pass.
typedef struct roles {
    dnnl_query_t src;
    dnnl_query_t weights;
    dnnl_query_t dst;
} roles;

static roles roles_of(wsr__direction pass)
{
    static const roles table[] = {
        [WSR__CONV_FORWARD] = {dnnl_query_src_md, dnnl_query_weights_md,
                               dnnl_query_dst_md},
        [WSR__CONV_BACKWARD_DATA] = {dnnl_query_diff_src_md,
                                     dnnl_query_weights_md,
                                     dnnl_query_diff_dst_md},
        [WSR__CONV_BACKWARD_WEIGHTS] = {dnnl_query_src_md,
                                        dnnl_query_diff_weights_md,
                                        dnnl_query_diff_dst_md},
    };
    return table[pass];
}

// All that exists while a convolution is made, so that nothing is lost when
// oneDNN throws.
typedef struct making {
    const wsr__conv *shape;
    const wsr__layout *layouts; // of src and dst
    wsr__dnnl_problem problem;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t hint;
    dnnl_primitive_desc_t pd;
    wsr__dnnl_conv *conv;
} making;

// The finished convolution has left `conv` by then.
static void making_free(making *m)
{
    problem_free(&m->problem);
    if (m->pd != NULL) {
        dnnl_primitive_desc_destroy(m->pd);
    }
    if (m->hint != NULL) {
        dnnl_primitive_desc_destroy(m->hint);
    }
    if (m->attr != NULL) {
        dnnl_primitive_attr_destroy(m->attr);
    }
    wsr__dnnl_conv_free(m->conv);
}

// Sizes of weights and scratchpad are known only to the primitive.
static wsr_status make_memories(making *m)
{
    wsr__dnnl_conv *const conv = m->conv;
    const roles role = roles_of(conv->pass);
    dnnl_engine_t engine = conv->dnnl.engine;
    const wsr__dnnl_md_ref weights = query(m->pd, role.weights);
    const wsr__dnnl_md_ref scratch = query(m->pd, dnnl_query_scratchpad_md);
    wsr_status status = WSR_OK;
    WSR_TRY(make_memory(&conv->src, engine, query(m->pd, role.src)));
    WSR_TRY(make_memory(&conv->dst, engine, query(m->pd, role.dst)));
    WSR_TRY(make_memory(&conv->weights, engine, weights));
    WSR_TRY(make_memory(&conv->scratch, engine, scratch));
    if (conv->with_bias) {
        WSR_TRY(
            make_memory(&conv->bias, engine, wsr__dnnl_ref(&m->problem.bias)));
    }
    conv->weights_bytes = dnnl_memory_desc_get_size(weights);
    conv->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    WSR_TRY(map_weights(conv, m->shape, weights));
out:
    return status;
}

// Backward passes take the forward one as a hint. The scratchpad is ours
// (scratchpad_mode_user): a run must not allocate.
static wsr_status make_descriptor(making *m)
{
    const wsr__direction pass = m->conv->pass;
    dnnl_engine_t engine = m->conv->dnnl.engine;
    wsr_status status = WSR_OK;
    WSR_TRY(
        wsr__dnnl_check(dnnl_primitive_attr_create(&m->attr), "attributes"));
    WSR_TRY(wsr__dnnl_check(dnnl_primitive_attr_set_scratchpad_mode(
                                m->attr, dnnl_scratchpad_mode_user),
                            "attributes"));
    if (pass != WSR__CONV_FORWARD) {
        WSR_TRY(wsr__dnnl_check(wsr__dnnl_make_pd(&m->hint, &m->problem,
                                                  WSR__CONV_FORWARD, NULL,
                                                  engine, m->attr),
                                "convolution"));
    }
    WSR_TRY(wsr__dnnl_check(
        wsr__dnnl_make_pd(&m->pd, &m->problem, pass, m->hint, engine, m->attr),
        "convolution"));
out:
    return status;
}

// "ref:any" and the like; benchmarks ask, so that it is not compared with.
static bool is_reference(const_dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) ==
               dnnl_success &&
           name != NULL && strncmp(name, "ref", 3) == 0;
}

bool wsr__dnnl_conv_is_slow(const wsr__dnnl_conv *conv)
{
    return conv->slow;
}

// Runs behind the guard of wsr__dnnl_create(): it may be left at any call, and
// whatever it has made by then is in `making`.
static wsr_status make(void *ctx)
{
    making *const m = ctx;
    wsr_status status = WSR_OK;
    WSR_TRY(make_problem(&m->problem, m->shape, m->layouts, m->conv));
    WSR_TRY(make_descriptor(m));
    WSR_TRY(make_memories(m));
    m->conv->slow = is_reference(m->pd);
    WSR_TRY(wsr__dnnl_check(dnnl_primitive_create(&m->conv->primitive, m->pd),
                            "convolution"));
out:
    return status;
}

// Backward data has no bias.
wsr_status wsr__dnnl_conv_new(wsr__dnnl_conv **out, wsr__direction pass,
                              const wsr__conv *shape,
                              const wsr__layout layouts[2], bool bias)
{
    wsr_status status = WSR_OK;
    making m = {.shape = shape, .layouts = layouts};
    *out = NULL;
    m.conv = wsr__alloc(1, sizeof(*m.conv));
    if (m.conv == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    m.conv->pass = pass;
    m.conv->with_bias = bias && pass != WSR__CONV_BACKWARD_DATA;
    WSR_TRY(wsr__dnnl_open(&m.conv->dnnl));
    WSR_TRY(wsr__dnnl_create(make, &m));
    *out = m.conv;
    m.conv = NULL;
out:
    making_free(&m);
    return status == WSR_OK
               ? status
               : wsr__fail_at(
                     status,
                     "convolution (%lld, %lld, %lld, %lld) to %lld channels "
                     "in %lld groups",
                     (long long)shape->n, (long long)shape->ci,
                     (long long)shape->h, (long long)shape->w,
                     (long long)shape->co, (long long)shape->groups);
}

static void memory_free(dnnl_memory_t memory)
{
    if (memory != NULL) {
        dnnl_memory_destroy(memory);
    }
}

static void primitive_free(dnnl_primitive_t primitive)
{
    if (primitive != NULL) {
        dnnl_primitive_destroy(primitive);
    }
}

void wsr__dnnl_conv_free(wsr__dnnl_conv *conv)
{
    if (conv == NULL) {
        return;
    }
    primitive_free(conv->primitive);
    for (int d = 0; d < WEIGHT_DIMS; d++) {
        wsr__free(conv->at[d]);
    }
    memory_free(conv->src);
    memory_free(conv->weights);
    memory_free(conv->bias);
    memory_free(conv->dst);
    memory_free(conv->scratch);
    wsr__free(conv);
}

// In floats, rounded up.
size_t wsr__dnnl_conv_weights_size(const wsr__dnnl_conv *conv)
{
    return (conv->weights_bytes + sizeof(float) - 1) / sizeof(float);
}

size_t wsr__dnnl_conv_scratch(const wsr__dnnl_conv *conv)
{
    return (conv->scratch_bytes + sizeof(float) - 1) / sizeof(float);
}

// oneDNN's handles are not const, though it does not write to sources.
static void point(dnnl_memory_t memory, const float *data)
{
    union {
        const float *in;
        void *out;
    } handle = {data};
    (void)dnnl_memory_set_data_handle(memory, handle.out);
}

// Where row `row` of filters begins, counted over all of them. A row is the kw
// weights of one (group, output, input, ky).
static int64_t row_at(const wsr__dnnl_conv *conv, int64_t row)
{
    int64_t at = 0;
    for (int d = WEIGHT_DIMS - 2; d >= 0; d--) {
        at += conv->at[d][row % conv->sizes[d]];
        row /= conv->sizes[d];
    }
    return at;
}

static int64_t row_count(const wsr__dnnl_conv *conv)
{
    int64_t rows = 1;
    for (int d = 0; d < WEIGHT_DIMS - 1; d++) {
        rows *= conv->sizes[d];
    }
    return rows;
}

// Cleared first: padding of blocks must be zero for oneDNN.
void wsr__dnnl_conv_pack(const wsr__dnnl_conv *conv, float *packed,
                         const float *plain)
{
    const int64_t *const column = conv->at[WEIGHT_DIMS - 1];
    const int64_t columns = conv->sizes[WEIGHT_DIMS - 1];
    memset(packed, 0, conv->weights_bytes);
    for (int64_t row = 0; row < row_count(conv); row++) {
        float *const to = packed + row_at(conv, row);
        for (int64_t i = 0; i < columns; i++) {
            to[column[i]] = plain[row * columns + i];
        }
    }
}

// The same map, read the other way.
void wsr__dnnl_conv_unpack(const wsr__dnnl_conv *conv, float *plain,
                           const float *packed)
{
    const int64_t *const column = conv->at[WEIGHT_DIMS - 1];
    const int64_t columns = conv->sizes[WEIGHT_DIMS - 1];
    for (int64_t row = 0; row < row_count(conv); row++) {
        const float *const from = packed + row_at(conv, row);
        for (int64_t i = 0; i < columns; i++) {
            plain[row * columns + i] = from[column[i]];
        }
    }
}

typedef struct running {
    const wsr__dnnl_conv *conv;
    const dnnl_exec_arg_t *args;
    int count;
} running;

// The only call of a run that enters oneDNN.
static wsr_status execute(void *ctx)
{
    const running *const r = ctx;
    return wsr__dnnl_check(dnnl_primitive_execute(r->conv->primitive,
                                                  r->conv->dnnl.stream,
                                                  r->count, r->args),
                           "convolution");
}

// Backward passes take gradients where forward takes data: `src`, `weights` and
// `dst` of the arguments are whichever of both the pass needs.
wsr_status wsr__dnnl_conv_run(wsr__dnnl_conv *conv, const wsr__dnnl_args *args)
{
    static const int names[][4] = {
        [WSR__CONV_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                               DNNL_ARG_BIAS},
        [WSR__CONV_BACKWARD_DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS,
                                     DNNL_ARG_DIFF_DST, 0},
        [WSR__CONV_BACKWARD_WEIGHTS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS,
                                        DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS},
    };
    const int *const name = names[conv->pass];
    point(conv->src, args->src);
    point(conv->weights, args->weights);
    point(conv->dst, args->dst);
    point(conv->scratch, args->scratch);
    dnnl_exec_arg_t list[5] = {{name[0], conv->src},
                               {name[1], conv->weights},
                               {name[2], conv->dst},
                               {DNNL_ARG_SCRATCHPAD, conv->scratch}};
    int count = 4;
    if (conv->with_bias) {
        point(conv->bias, args->bias);
        list[count++] = (dnnl_exec_arg_t){name[3], conv->bias};
    }
    running r = {.conv = conv, .args = list, .count = count};
    return wsr__dnnl_call(execute, &r);
}
