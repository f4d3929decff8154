// SPDX-License-Identifier: Apache-2.0
//
// Models of networks and graphs.
//
// With the running statistics images do not depend on each other. A batch then
// goes through the network image by image (graph/image_plans.h), unless the
// network has so many parameters that it had better read them once for many
// images. In that case a batch of any number of images is split into plans
// whose batch sizes are powers of two, each used at most once (45 = 32 + 8 + 4
// + 1), so that no plan computes rows in vain as images become inactive. Every
// plan keeps its activations until its next forward pass, so that a backward
// pass can follow over all of them. Forward-only plans keep no activations and
// share an arena. Fewer images than threads go this way, too.
//
// With the statistics of the batch the images must not be split: there is one
// plan for exactly the number of images, which is made again when that
// changes.

#include "attack/engine/model.h"
#include "graph/image_plans.h"
#include "graph/plan.h"
#include "net/net.h"

#include <string.h>

enum { DEFAULT_BATCH = 64, LEVELS = 16 };

typedef struct plans {
    wsr_model super;
    const wsr_graph *graph;
    wsr_graph *own;
    wsr_plan *at[2][LEVELS];    // [keep][log2 of the batch]
    wsr__arena arena;           // of those that keep nothing
    size_t top;                 // level of the largest
    bool batch_statistics;      // then at[keep][0] alone is used
    wsr__image_plans *image[2]; // [with gradients]; NULL: by batches alone
    uint32_t *row;              // of the pass that runs
    size_t n;
} plans;

static void free_plans(plans *m)
{
    for (size_t l = 0; l < LEVELS; l++) {
        for (size_t keep = 0; keep < 2; keep++) {
            wsr_plan_free(m->at[keep][l]);
            m->at[keep][l] = NULL;
        }
    }
    wsr__arena_free(&m->arena);
}

static void release(wsr_model *model)
{
    plans *const m = (plans *)model;
    free_plans(m);
    wsr__image_plans_free(m->image[0]);
    wsr__image_plans_free(m->image[1]);
    wsr_graph_free(m->own);
    wsr__free(m->row);
}

// The largest plan that the `left` images fill, or the smallest one.
static size_t level_for(const plans *m, size_t left)
{
    size_t level = m->top;
    while (level > 0 && ((size_t)1 << level) > left) {
        level--;
    }
    return level;
}

// Plans of the other mode are of no use, so they are freed.
static void use_batch(wsr_model *model, bool batch)
{
    plans *const m = (plans *)model;
    if (m->batch_statistics != batch) {
        free_plans(m);
        m->batch_statistics = batch;
        m->n = 0;
    }
}

// Plans with a backward pass have memory of their own, since all of them are
// in use at once.
static wsr_status make(wsr_plan **at, plans *m, size_t batch, bool keep)
{
    const unsigned mode = m->batch_statistics ? WSR_TRAIN : 0;
    return keep ? wsr_plan_new(at, m->graph, batch, WSR_GRAD_INPUT | mode)
                : wsr__plan_new_in(at, m->graph, batch, WSR_FORWARD | mode,
                                   &m->arena);
}

// Plans are made when they are first needed.
static wsr_status need(wsr_plan **out, plans *m, size_t level, bool keep)
{
    wsr_plan **const at = &m->at[keep][level];
    const wsr_status status =
        *at == NULL ? make(at, m, (size_t)1 << level, keep) : WSR_OK;
    *out = *at;
    return status;
}

// The plan for the first of `left` images.
static wsr_status plan_for(wsr_plan **out, plans *m, size_t left, bool keep)
{
    if (!m->batch_statistics) {
        return need(out, m, level_for(m, left), keep);
    }
    wsr_plan **const at = &m->at[keep][0];
    wsr_status status = WSR_OK;
    if (*at == NULL || wsr_plan_batch(*at) != left) {
        wsr_plan_free(*at);
        *at = NULL;
        status = make(at, m, left, keep);
    }
    *out = *at;
    return status;
}

static bool by_image(const plans *m, size_t n)
{
    return m->image[0] != NULL && !m->batch_statistics && n >= wsr_threads();
}

// The smaller plans need at most as much memory as the largest: 1/2 + 1/4 +
// ...
static wsr_status reserve(wsr_model *model, double *bytes)
{
    wsr_status status = WSR_OK;
    plans *const m = (plans *)model;
    wsr_plan *plan = NULL;
    if (by_image(m, m->super.batch)) {
        return wsr__image_plans_reserve(bytes, m->image[1]);
    }
    WSR_TRY(m->batch_statistics ? plan_for(&plan, m, m->super.batch, true)
                                : need(&plan, m, m->top, true));
    *bytes = 2 * sizeof(float) * (double)plan->own.floats;
out:
    return status;
}

typedef struct copy_work {
    float *to;
    const float *from;
    const uint32_t *row;
    size_t pixels;
    bool gather;
} copy_work;

// Rows from their places in the batch to dense ones, or back.
static void copy_rows(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const copy_work *const work = ctx;
    const size_t size = work->pixels;
    for (int64_t k = begin; k < end; k++) {
        const size_t at = work->row[k] * size;
        const size_t dense = (size_t)k * size;
        memcpy(work->to + (work->gather ? dense : at),
               work->from + (work->gather ? at : dense),
               size * sizeof(*work->to));
    }
}

// Images first, first + 1, ... of the list of rows. A plan that is larger than
// what is left computes zero images in the rest.
static wsr_status forward_piece(plans *m, float *logits, const float *x,
                                size_t first, wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    const size_t batch = wsr_plan_batch(plan);
    const size_t left = m->n - first;
    const size_t count = batch < left ? batch : left;
    const size_t pixels = (size_t)m->super.pixels;
    const size_t classes = m->super.classes;
    float *const src = wsr_plan_src(plan, "x");
    copy_work work = {src, x, m->row + first, pixels, true};
    wsr__share((int64_t)count, (int64_t)pixels, copy_rows, &work);
    memset(src + count * pixels, 0, (batch - count) * pixels * sizeof(*src));
    WSR_TRY(wsr_plan_forward(plan));
    const float *const z = wsr_plan_dst(plan, "logits");
    for (size_t k = 0; k < count; k++) {
        memcpy(logits + m->row[first + k] * classes, z + k * classes,
               classes * sizeof(*logits));
    }
out:
    return status;
}

static wsr_status forward_pieces(plans *m, float *logits, const float *x,
                                 bool keep)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    for (size_t first = 0; first < m->n; first += wsr_plan_batch(plan)) {
        WSR_TRY(plan_for(&plan, m, m->n - first, keep));
        WSR_TRY(forward_piece(m, logits, x, first, plan));
    }
out:
    return status;
}

// Without a gradient that is wanted the pass is saved. The plan holds the
// activations of these images since the forward pass.
static wsr_status backward_piece(plans *m, float *dx, const float *logits,
                                 const wsr__model_seed *seed, size_t first,
                                 wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    const size_t batch = wsr_plan_batch(plan);
    const size_t left = m->n - first;
    const size_t count = batch < left ? batch : left;
    const size_t classes = m->super.classes;
    const size_t pixels = (size_t)m->super.pixels;
    float *const dz = wsr_plan_diff_dst(plan, "logits");
    bool any = false;
    for (size_t k = 0; k < batch; k++) {
        const size_t row = k < count ? m->row[first + k] : 0;
        const bool wanted = k < count &&
                            seed->make(seed->ctx, row, dz + k * classes,
                                       logits + row * classes);
        if (!wanted) {
            memset(dz + k * classes, 0, classes * sizeof(*dz));
        }
        any = any || wanted;
    }
    if (!any) {
        return WSR_OK;
    }
    WSR_TRY(wsr_plan_backward(plan));
    copy_work work = {dx, wsr_plan_diff_src(plan, "x"), m->row + first, pixels,
                      false};
    wsr__share((int64_t)count, (int64_t)pixels, copy_rows, &work);
out:
    return status;
}

// All rows are seeded after all have gone forward.
static wsr_status gradient_pieces(plans *m, float *dx, float *logits,
                                  const float *x, const wsr__model_seed *seed)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(forward_pieces(m, logits, x, true));
    for (size_t first = 0; first < m->n; first += wsr_plan_batch(plan)) {
        WSR_TRY(plan_for(&plan, m, m->n - first, true));
        WSR_TRY(backward_piece(m, dx, logits, seed, first, plan));
    }
out:
    return status;
}

// ------------------------------------------------------------ image by image

typedef struct image_pass {
    const plans *m;
    float *dx; // NULL: forward only
    float *logits;
    const float *x;
    const wsr__model_seed *seed;
} image_pass;

static wsr_status pass_image(void *ctx, wsr_plan *plan, size_t k)
{
    wsr_status status = WSR_OK;
    const image_pass *const p = ctx;
    const size_t row = p->m->row[k];
    const size_t pixels = (size_t)p->m->super.pixels;
    const size_t classes = p->m->super.classes;
    float *const z = p->logits + row * classes;
    memcpy(wsr_plan_src(plan, "x"), p->x + row * pixels,
           pixels * sizeof(*p->x));
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(z, wsr_plan_dst(plan, "logits"), classes * sizeof(*z));
    if (p->dx != NULL && p->seed->make(p->seed->ctx, row,
                                       wsr_plan_diff_dst(plan, "logits"), z)) {
        WSR_TRY(wsr_plan_backward(plan));
        memcpy(p->dx + row * pixels, wsr_plan_diff_src(plan, "x"),
               pixels * sizeof(*p->dx));
    }
out:
    return status;
}

static void take_rows(plans *m, const wsr__rows *rows)
{
    m->n = rows->n;
    for (size_t k = 0; k < rows->n; k++) {
        m->row[k] = (uint32_t)wsr__row(rows, k);
    }
}

static wsr_status forward(wsr_model *model, float *logits, const float *x,
                          const wsr__rows *rows)
{
    plans *const m = (plans *)model;
    image_pass p = {.m = m, .logits = logits, .x = x};
    take_rows(m, rows);
    return by_image(m, m->n)
               ? wsr__image_plans_run(m->image[0], m->n, pass_image, &p)
               : forward_pieces(m, logits, x, false);
}

static wsr_status gradient(wsr_model *model, float *dx, float *logits,
                           const float *x, const wsr__rows *rows,
                           const wsr__model_seed *seed)
{
    plans *const m = (plans *)model;
    image_pass p = {m, dx, logits, x, seed};
    take_rows(m, rows);
    return by_image(m, m->n)
               ? wsr__image_plans_run(m->image[1], m->n, pass_image, &p)
               : gradient_pieces(m, dx, logits, x, seed);
}

static const wsr__model_class cls = {.forward = forward,
                                     .gradient = gradient,
                                     .reserve = reserve,
                                     .use_batch = use_batch,
                                     .release = release};

// ------------------------------------------------------------ constructors

const wsr_shape *wsr__plan_images(const wsr_plan *plan)
{
    return wsr__plan_src_shape(plan, "x");
}

// Names and shapes are those of wsr_net_graph(); a caller's graph may lack
// them.
static wsr_status check_ports(int64_t *classes, wsr_shape *shape,
                              const wsr_plan *plan)
{
    const wsr_shape *const z = wsr_plan_shape(plan, "logits");
    const wsr_shape *const x = wsr__plan_images(plan);
    if (z == NULL || z->ndims != 2) {
        return WSR_FAIL(WSR_ARG,
                        "model: there is no output 'logits' (n, classes)");
    }
    if (x == NULL || x->ndims != 4) {
        return WSR_FAIL(WSR_ARG, "model: there is no input 'x' (n, c, h, w)");
    }
    *classes = z->dims[1];
    *shape = *x;
    shape->dims[0] = 1;
    return WSR_OK;
}

wsr_status wsr_model_from_graph(wsr_model **out, const wsr_graph *graph,
                                size_t batch)
{
    wsr_status status = WSR_OK;
    const size_t most = batch == 0 ? DEFAULT_BATCH : batch;
    plans *m = wsr__alloc(1, sizeof(*m));
    wsr_plan *first = NULL;
    wsr_shape shape = {0};
    int64_t classes = 0;
    *out = NULL;
    if (m == NULL) {
        return WSR_NOMEM;
    }
    m->graph = graph;
    while (m->top + 1 < LEVELS && ((size_t)2 << m->top) <= most) {
        m->top++;
    }
    // The plan of one image also shows that the graph serves.
    WSR_TRY(need(&first, m, 0, false));
    WSR_TRY(check_ports(&classes, &shape, first));
    WSR_TRY(wsr__model_init(&m->super, &cls, &shape, (size_t)classes));
    if (wsr__image_plans_pay(first)) {
        WSR_TRY(wsr__image_plans_new(&m->image[0], graph, WSR_FORWARD));
        WSR_TRY(wsr__image_plans_new(&m->image[1], graph, WSR_GRAD_INPUT));
    }
    m->super.differentiable = true;
    m->super.fixed_batch = true;
    m->super.batch = most < ((size_t)2 << m->top) ? most : (size_t)1 << m->top;
    m->row = wsr__alloc(m->super.batch, sizeof(*m->row));
    if (m->row == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    *out = &m->super;
    m = NULL;
out:
    if (m != NULL) {
        release(&m->super);
        wsr__free(m);
    }
    return status;
}

wsr_status wsr_model_from_net(wsr_model **out, const wsr_net *net, size_t batch)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    *out = NULL;
    WSR_TRY(wsr_net_graph(&graph, net, false));
    WSR_TRY(wsr_model_from_graph(out, graph, batch));
    ((plans *)*out)->own = graph;
    graph = NULL;
    WSR_TRY(wsr__net_normalization(&(*out)->takes, net));
out:
    if (status != WSR_OK) {
        wsr_model_free(*out);
        *out = NULL;
    }
    wsr_graph_free(graph);
    return status;
}
