// SPDX-License-Identifier: Apache-2.0
//
// The part that all models share, and models of two callbacks.
//
// An attack passes all rows of its batch and a list of the active ones. A
// model gathers the active rows into dense arrays, computes, and scatters the
// results into the same rows, so that an attack never moves its images.
// engine/model_plan.c has the models of networks.

#include "attack/engine/model.h"

#include <math.h>
#include <string.h>

// Images in one call of a callback, unless wsr_model_set_batch() says
// otherwise.
enum { DEFAULT_BATCH = 64 };

// ------------------------------------------------------------- common part

// Called by every constructor of a model. A shape (1, c, h, w) is also
// accepted, since inputs of graphs have it.
wsr_status wsr__model_init(wsr_model *model, const wsr__model_class *cls,
                           const wsr_shape *shape, size_t classes)
{
    wsr_shape image = *shape;
    if (image.ndims == 4 && image.dims[0] == 1) {
        image = wsr__shape3(image.dims[1], image.dims[2], image.dims[3]);
    }
    bool fits = image.ndims == 3;
    for (int i = 0; i < 3; i++) {
        fits = fits && image.dims[i] > 0 && image.dims[i] <= 65536;
    }
    if (!fits) {
        char text[96];
        wsr__shape_print(text, shape);
        return WSR_FAIL(
            WSR_SHAPE, "model: images must have shape (c, h, w), not %s", text);
    }
    if (classes < 2 || classes > INT32_MAX) {
        return WSR_FAIL(WSR_ARG, "model: %zu classes are outside [2, %d]",
                        classes, INT32_MAX);
    }
    model->cls = cls;
    model->shape = image;
    model->pixels = wsr_shape_count(&image);
    model->classes = classes;
    model->batch = DEFAULT_BATCH;
    model->box = (wsr__box){0, 1};
    return WSR_OK;
}

void wsr_model_free(wsr_model *model)
{
    if (model != NULL) {
        model->cls->release(model);
        wsr__free(model->takes);
        wsr__free(model);
    }
}

wsr_status wsr_model_set_range(wsr_model *model, float lo, float hi)
{
    if (!isfinite(lo) || !isfinite(hi) || !(lo < hi)) {
        return WSR_FAIL(WSR_ARG, "model: pixel range [%g, %g] is none",
                        (double)lo, (double)hi);
    }
    model->box = (wsr__box){lo, hi};
    return WSR_OK;
}

const wsr_shape *wsr_model_shape(const wsr_model *model)
{
    return &model->shape;
}

// Makes what the largest batch needs before an evaluation starts, and says how
// many bytes that is; models of callbacks have nothing to make.
wsr_status wsr__model_reserve(double *bytes, wsr_model *model)
{
    *bytes = 0;
    return model->cls->reserve != NULL ? model->cls->reserve(model, bytes)
                                       : WSR_OK;
}

wsr_status wsr_model_set_statistics(wsr_model *model, wsr_statistics statistics)
{
    if (model->cls->use_batch == NULL) {
        return WSR_FAIL(WSR_ARG,
                        "model: one of two functions has no statistics");
    }
    if (statistics != WSR_STATISTICS_RUNNING &&
        statistics != WSR_STATISTICS_BATCH) {
        return WSR_FAIL(WSR_ARG, "model: there are no statistics %d",
                        (int)statistics);
    }
    model->cls->use_batch(model, statistics == WSR_STATISTICS_BATCH);
    return WSR_OK;
}

size_t wsr_model_classes(const wsr_model *model)
{
    return model->classes;
}

size_t wsr_model_batch(const wsr_model *model)
{
    return model->batch;
}

uint64_t wsr_model_queries(const wsr_model *model)
{
    return model->queries;
}

uint64_t wsr_model_gradients(const wsr_model *model)
{
    return model->gradients;
}

// A NaN would make every comparison false, and the image would count as
// robust.
static wsr_status check_finite(const float *logits, size_t first, size_t n,
                               size_t classes)
{
    for (size_t i = 0; i < n * classes; i++) {
        if (!isfinite(logits[i])) {
            return WSR_FAIL(WSR_NUMERIC,
                            "model: logit %zu of image %zu is %g, not finite "
                            "(in the batch of images %zu to %zu)",
                            i % classes, first + i / classes, (double)logits[i],
                            first, first + n - 1);
        }
    }
    return WSR_OK;
}

// Batches of model->batch images; the rows are consecutive, so there is no
// list of rows.
wsr_status wsr_model_logits(float *logits, wsr_model *model, const float *x,
                            size_t n)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < n; i += model->batch) {
        const size_t count = n - i < model->batch ? n - i : model->batch;
        const wsr__rows rows = {NULL, count};
        float *const to = logits + i * model->classes;
        WSR_TRY(model->cls->forward(model, to,
                                    wsr__at_const(x, model->pixels, i), &rows));
        model->queries += count;
        WSR_TRY(check_finite(to, i, count, model->classes));
    }
out:
    return status;
}

// --------------------------------------------------------------- callbacks

typedef struct callbacks {
    wsr_model super;
    wsr_model_logits_fn logits;
    wsr_model_backward_fn backward;
    void *user;
    float *x; // (batch, pixels)
    float *z; // (batch, classes)
} callbacks;

static void release(wsr_model *model)
{
    callbacks *const m = (callbacks *)model;
    wsr__free(m->x);
    wsr__free(m->z);
}

// Allocated in the first pass, when the batch is final.
static wsr_status reserve(callbacks *m)
{
    if (m->x == NULL) {
        m->x = wsr__alloc_raw(m->super.batch,
                              (size_t)m->super.pixels * sizeof(*m->x));
        m->z = wsr__alloc_raw(m->super.batch, m->super.classes * sizeof(*m->z));
    }
    return m->x == NULL || m->z == NULL ? WSR_NOMEM : WSR_OK;
}

static wsr_status forward(wsr_model *model, float *logits, const float *x,
                          const wsr__rows *rows)
{
    wsr_status status = WSR_OK;
    callbacks *const m = (callbacks *)model;
    const size_t pixels = (size_t)model->pixels;
    const size_t classes = model->classes;
    WSR_TRY(reserve(m));
    for (size_t k = 0; k < rows->n; k++) {
        memcpy(m->x + k * pixels, x + wsr__row(rows, k) * pixels,
               pixels * sizeof(*x));
    }
    WSR_TRY(m->logits(m->z, m->x, rows->n, m->user));
    for (size_t k = 0; k < rows->n; k++) {
        memcpy(logits + wsr__row(rows, k) * classes, m->z + k * classes,
               classes * sizeof(*logits));
    }
out:
    return status;
}

// The caller's function for gradients takes all images of its last call for
// logits; a row of which none is wanted has a gradient of zero.
static wsr_status gradient(wsr_model *model, float *dx, float *logits,
                           const float *x, const wsr__rows *rows,
                           const wsr__model_seed *seed)
{
    wsr_status status = WSR_OK;
    callbacks *const m = (callbacks *)model;
    const size_t pixels = (size_t)model->pixels;
    const size_t classes = model->classes;
    bool any = false;
    WSR_TRY(forward(model, logits, x, rows));
    for (size_t k = 0; k < rows->n; k++) {
        const size_t i = wsr__row(rows, k);
        float *const dz = m->z + k * classes;
        const bool wanted = seed->make(seed->ctx, i, dz, logits + i * classes);
        if (!wanted) {
            memset(dz, 0, classes * sizeof(*dz));
        }
        any = any || wanted;
    }
    if (!any) {
        return WSR_OK;
    }
    WSR_TRY(m->backward(m->x, m->z, rows->n, m->user));
    for (size_t k = 0; k < rows->n; k++) {
        memcpy(dx + wsr__row(rows, k) * pixels, m->x + k * pixels,
               pixels * sizeof(*dx));
    }
out:
    return status;
}

static const wsr__model_class cls = {
    .forward = forward, .gradient = gradient, .release = release};

wsr_status wsr_model_new(wsr_model **out, const wsr_shape *shape,
                         size_t classes, wsr_model_logits_fn logits,
                         wsr_model_backward_fn back, void *user)
{
    wsr_status status = WSR_OK;
    callbacks *m = NULL;
    *out = NULL;
    if (logits == NULL) {
        return WSR_FAIL(WSR_ARG, "model: there is no function for the logits");
    }
    m = wsr__alloc(1, sizeof(*m));
    if (m == NULL) {
        return WSR_NOMEM;
    }
    m->logits = logits;
    m->backward = back;
    m->user = user;
    m->super.differentiable = back != NULL;
    WSR_TRY(wsr__model_init(&m->super, &cls, shape, classes));
    *out = &m->super;
    m = NULL;
out:
    wsr__free(m);
    return status;
}

// Frees the buffers, whose size depends on the batch.
wsr_status wsr_model_set_batch(wsr_model *model, size_t batch)
{
    if (model->fixed_batch) {
        return WSR_FAIL(WSR_ARG, "model: the batch of this one is fixed");
    }
    if (batch < 1 || batch > UINT32_MAX) {
        return WSR_FAIL(WSR_ARG, "model: batch %zu is outside [1, %u]", batch,
                        UINT32_MAX);
    }
    release(model);
    callbacks *const m = (callbacks *)model;
    m->x = NULL;
    m->z = NULL;
    model->batch = batch;
    return WSR_OK;
}
