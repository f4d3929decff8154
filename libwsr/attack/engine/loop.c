// SPDX-License-Identifier: Apache-2.0
//
// The loop around every attack: batch by batch, each through all strengths
// from the smallest to the largest, and the book-keeping of outcomes, norms
// and costs.

#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <math.h>
#include <string.h>

// What happened at one strength; arrays have a row per image.
typedef struct record {
    float eps;
    uint8_t *robust;
    uint8_t *success;
    float *images; // NULL: not kept
    float *norms[3];
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;
    uint8_t *outside;
    double seconds;
} record;

struct wsr_attack_result {
    size_t n;
    size_t n_eps;
    uint8_t *clean;
    record *records;
};

// ------------------------------------------------------------------ results

void wsr_attack_result_free(wsr_attack_result *result)
{
    if (result == NULL) {
        return;
    }
    for (size_t e = 0; result->records != NULL && e < result->n_eps; e++) {
        record *const r = &result->records[e];
        wsr__free(r->robust);
        wsr__free(r->success);
        wsr__free(r->images);
        for (size_t k = 0; k < 3; k++) {
            wsr__free(r->norms[k]);
        }
        wsr__free(r->queries);
        wsr__free(r->gradients);
        wsr__free(r->flat);
        wsr__free(r->outside);
    }
    wsr__free(result->records);
    wsr__free(result->clean);
    wsr__free(result);
}

static wsr_status make_record(record *r, size_t n, size_t image)
{
    r->robust = wsr__alloc(n, sizeof(*r->robust));
    r->success = wsr__alloc(n, sizeof(*r->success));
    r->queries = wsr__alloc(n, sizeof(*r->queries));
    r->gradients = wsr__alloc(n, sizeof(*r->gradients));
    r->flat = wsr__alloc(n, sizeof(*r->flat));
    r->outside = wsr__alloc(n, sizeof(*r->outside));
    bool made = r->robust != NULL && r->success != NULL && r->queries != NULL &&
                r->gradients != NULL && r->flat != NULL && r->outside != NULL;
    for (size_t k = 0; k < 3; k++) {
        r->norms[k] = wsr__alloc(n, sizeof(float));
        made = made && r->norms[k] != NULL;
    }
    if (image > 0) {
        r->images = wsr__alloc_raw(n, image * sizeof(float));
        made = made && r->images != NULL;
    }
    return made ? WSR_OK : WSR_NOMEM;
}

static wsr_status make_result(wsr_attack_result **out, const wsr_attack *attack,
                              const wsr_model *model, size_t n)
{
    wsr_status status = WSR_NOMEM;
    const bool keep = attack->settings.images;
    wsr_attack_result *result = wsr__alloc(1, sizeof(*result));
    *out = NULL;
    if (result == NULL) {
        goto out;
    }
    result->n = n;
    result->n_eps = attack->n_eps;
    result->clean = wsr__alloc(n, sizeof(*result->clean));
    result->records = wsr__alloc(attack->n_eps, sizeof(*result->records));
    if (result->clean == NULL || result->records == NULL) {
        goto out;
    }
    for (size_t e = 0; e < attack->n_eps; e++) {
        result->records[e].eps = attack->eps[e];
        WSR_TRY(make_record(&result->records[e], n,
                            keep ? (size_t)model->pixels : 0));
    }
    *out = result;
    result = NULL;
    status = WSR_OK;
out:
    wsr_attack_result_free(result);
    return status;
}

size_t wsr_attack_result_count(const wsr_attack_result *result)
{
    return result->n;
}

size_t wsr_attack_result_strengths(const wsr_attack_result *result)
{
    return result->n_eps;
}

float wsr_attack_result_eps(const wsr_attack_result *result, size_t e)
{
    return result->records[e].eps;
}

const uint8_t *wsr_attack_result_clean(const wsr_attack_result *result)
{
    return result->clean;
}

const uint8_t *wsr_attack_result_robust(const wsr_attack_result *result,
                                        size_t e)
{
    return result->records[e].robust;
}

const uint8_t *wsr_attack_result_success(const wsr_attack_result *result,
                                         size_t e)
{
    return result->records[e].success;
}

const float *wsr_attack_result_images(const wsr_attack_result *result, size_t e)
{
    return result->records[e].images;
}

const float *wsr_attack_result_linf(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__LINF];
}

const float *wsr_attack_result_l2(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__L2];
}

const float *wsr_attack_result_l1(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__L1];
}

const uint32_t *wsr_attack_result_queries(const wsr_attack_result *result,
                                          size_t e)
{
    return result->records[e].queries;
}

const uint32_t *wsr_attack_result_gradients(const wsr_attack_result *result,
                                            size_t e)
{
    return result->records[e].gradients;
}

const uint32_t *wsr_attack_result_flat(const wsr_attack_result *result,
                                       size_t e)
{
    return result->records[e].flat;
}

const uint8_t *wsr__attack_result_outside(const wsr_attack_result *result,
                                          size_t e)
{
    return result->records[e].outside;
}

double wsr_attack_result_seconds(const wsr_attack_result *result, size_t e)
{
    return result->records[e].seconds;
}

// ------------------------------------------------------------------- checks

static wsr_status check_model(const wsr__attack_class *cls, const void *params,
                              const wsr_model *model)
{
    if (wsr__attack_gradients_of(cls, params) && !model->differentiable) {
        return WSR_FAIL(WSR_ARG,
                        "attack %s: needs gradients, which the model lacks",
                        cls->super.name);
    }
    if (model->classes < cls->classes) {
        return WSR_FAIL(WSR_ARG,
                        "attack %s: needs %zu classes, the model has %zu",
                        cls->super.name, cls->classes, model->classes);
    }
    return WSR_OK;
}

wsr_status wsr__attack_fits(const wsr__attack_class *cls, const void *params,
                            const wsr_model *model)
{
    const wsr_status status = check_model(cls, params, model);
    return status == WSR_OK && cls->fits != NULL ? cls->fits(params, model)
                                                 : status;
}

static wsr_status check_fit(const wsr_attack *attack, const wsr_model *model,
                            size_t n)
{
    const wsr__attack_class *const cls = attack->cls;
    if (n < 1) {
        return WSR_FAIL(WSR_ARG, "attack %s: there are no images",
                        cls->super.name);
    }
    return check_model(cls, attack->params, model);
}

static wsr_status check_images(const wsr_model *model, const float *images,
                               const int32_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float *const x = wsr__at_const(images, model->pixels, i);
        if (labels[i] < 0 || (size_t)labels[i] >= model->classes) {
            return WSR_FAIL(WSR_ARG,
                            "label of image %zu: %ld is outside [0, %zu]", i,
                            (long)labels[i], model->classes - 1);
        }
        for (int64_t p = 0; p < model->pixels; p++) {
            if (!(x[p] >= model->box.lo && x[p] <= model->box.hi)) {
                return WSR_FAIL(
                    WSR_ARG, "pixel %lld of image %zu: %g is outside [%g, %g]",
                    (long long)p, i, (double)x[p], (double)model->box.lo,
                    (double)model->box.hi);
            }
        }
    }
    return WSR_OK;
}

// An image cannot be turned into what it is.
static wsr_status check_targets(const wsr_attack *attack,
                                const wsr_model *model, const int32_t *labels,
                                size_t n)
{
    const int64_t target = attack->settings.target_class;
    if (target >= (int64_t)model->classes) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.target_class: %lld is outside [0, %zu]",
                        (long long)target, model->classes - 1);
    }
    for (size_t i = 0; i < n; i++) {
        if (labels[i] == target) {
            return WSR_FAIL(WSR_ARG,
                            "attack.target_class: image %zu is of class %lld "
                            "already, leave it out",
                            i, (long long)target);
        }
    }
    return WSR_OK;
}

// --------------------------------------------------------------------- loop

static bool in_box(const float *x, int64_t d, wsr__box box)
{
    bool in = true;
    for (int64_t i = 0; i < d; i++) {
        in = in && x[i] >= box.lo && x[i] <= box.hi;
    }
    return in;
}

static void record_image(record *r, const wsr__attack_batch *s, size_t row,
                         size_t at)
{
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const bool clean = wsr__attack_batch_clean_correct(s, row);
    // With stop, an image that was wrong from the start is its own result.
    const bool attacked = r->eps > 0 && (clean || !s->stop);
    bool success = attacked && s->success[row];
    if (s->cls->min_norm && attacked) {
        success = wsr__attack_batch_within(s, row, r->eps);
    }
    const float *x = attacked ? wsr__at_const(s->found, s->d, row) : x0;
    if (s->cls->min_norm && !success) {
        x = x0;
    }
    r->success[at] = clean && success;
    r->robust[at] = clean && !success;
    for (size_t k = 0; k < 3; k++) {
        r->norms[k][at] = (float)wsr__distance((wsr__lp)k, x, x0, s->d);
    }
    r->outside[at] = wsr__distance(s->norm, x, x0, s->d) > (double)r->eps ||
                     !in_box(x, s->d, s->model->box);
    r->queries[at] = s->queries[row];
    r->gradients[at] = s->gradients[row];
    r->flat[at] = s->flat[row];
    if (r->images != NULL) {
        memcpy(wsr__at(r->images, s->d, at), x, (size_t)s->d * sizeof(*x));
    }
}

typedef struct record_work {
    record *r;
    wsr__attack_batch *s;
    size_t at;
} record_work;

static void record_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const record_work *const work = ctx;
    for (int64_t i = begin; i < end; i++) {
        record_image(work->r, work->s, (size_t)i, work->at + (size_t)i);
    }
}

static void record_batch(record *r, wsr__attack_batch *s, size_t at)
{
    record_work work = {r, s, at};
    wsr__share((int64_t)s->n, s->d, record_share, &work);
    for (size_t i = 0; i < s->n; i++) {
        s->queries[i] = 0;
        s->gradients[i] = 0;
        s->flat[i] = 0;
    }
}

// Strengths in ascending order, as indices.
static void sort_strengths(size_t *order, const wsr_attack *attack)
{
    for (size_t i = 0; i < attack->n_eps; i++) {
        size_t at = i;
        for (; at > 0 && attack->eps[order[at - 1]] > attack->eps[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

// Strength `e` of a batch is as large a part of the call as any other.
static void expect(wsr__attack_batch *s, const wsr_attack_result *result,
                   size_t at, size_t e)
{
    const double unit = (double)s->n /
                        ((double)result->n * (double)result->n_eps);
    s->progress.begin = (double)at / (double)result->n + unit * (double)e;
    s->progress.end = s->progress.begin + unit;
}

static wsr_status run_batch(wsr_attack_result *result, wsr__attack_batch *s,
                            const size_t *order, size_t at)
{
    wsr_status status = WSR_OK;
    const size_t last = result->n_eps - 1;
    for (size_t i = 0; i < s->n; i++) {
        result->clean[at + i] = wsr__attack_batch_clean_correct(s, i);
    }
    // A min-norm attack runs once, its result is then measured at all
    // strengths.
    if (s->cls->min_norm && result->records[order[last]].eps > 0) {
        record *const r = &result->records[order[last]];
        const double start = wsr__seconds();
        s->progress.end = (double)(at + s->n) / (double)result->n;
        WSR_TRY(wsr__attack_batch_strength(s, r->eps));
        r->seconds += wsr__seconds() - start;
    }
    for (size_t e = 0; e <= last; e++) {
        record *const r = &result->records[order[e]];
        const double start = wsr__seconds();
        if (!s->cls->min_norm && r->eps > 0) {
            expect(s, result, at, e);
            WSR_TRY(wsr__attack_batch_strength(s, r->eps));
        }
        record_batch(r, s, at);
        r->seconds += wsr__seconds() - start;
    }
out:
    return status;
}

wsr_status wsr_attack_run(wsr_attack_result **out, const wsr_attack *attack,
                          wsr_model *model, const float *images,
                          const int32_t *labels, size_t n)
{
    wsr_status status = WSR_OK;
    wsr_attack_result *result = NULL;
    wsr__attack_batch *s = NULL;
    size_t *const order = wsr__alloc(attack->n_eps, sizeof(*order));
    size_t batch = (size_t)attack->settings.batch;
    *out = NULL;
    if (order == NULL) {
        return WSR_NOMEM;
    }
    if (batch == 0 || batch > model->batch) {
        batch = model->batch;
    }
    batch = batch < n ? batch : n;
    WSR_TRY(check_fit(attack, model, n));
    WSR_TRY(check_images(model, images, labels, n));
    WSR_TRY(check_targets(attack, model, labels, n));
    WSR_TRY(make_result(&result, attack, model, n));
    WSR_TRY(wsr__attack_batch_new(&s, attack, model, batch));
    sort_strengths(order, attack);
    for (size_t i = 0; i < n; i += batch) {
        const size_t count = n - i < batch ? n - i : batch;
        const double start = wsr__seconds();
        WSR_TRY(wsr__attack_batch_begin(
            s, wsr__at_const(images, model->pixels, i), labels + i, count,
            (uint64_t)attack->settings.first + i));
        result->records[order[0]].seconds += wsr__seconds() - start;
        WSR_TRY(run_batch(result, s, order, i));
    }
    *out = result;
    result = NULL;
out:
    wsr__attack_batch_free(s);
    wsr_attack_result_free(result);
    wsr__free(order);
    return status;
}
