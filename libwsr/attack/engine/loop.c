// SPDX-License-Identifier: Apache-2.0
//
// The loop around every attack: batch by batch, each at all strengths in
// ascending order, and the records of outcomes, norms and passes.
//
// A minimum-norm attack runs once per batch, at the largest strength; its
// result is then measured at all strengths. With a part (engine/part.h) the
// loop begins where an earlier call was stopped.

#include "attack/attack.h"
#include "attack/engine/batch.h"
#include "attack/engine/part.h"
#include "attack/engine/result.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------------- checks

// The attacks that need none are listed. Combinations are left out: that
// depends on their members.
static wsr_status lacks_gradients(const wsr__attack_class *cls)
{
    wsr__str list = {0};
    for (const wsr__class *const *c = wsr__attacks.classes; *c != NULL; c++) {
        const wsr__attack_class *const other = (const wsr__attack_class *)*c;
        if (!other->needs_gradient && other->members == NULL) {
            wsr__str_addf(&list, "%s%s", list.len == 0 ? "" : ", ",
                          other->super.name);
        }
    }
    wsr_status status = wsr__str_status(&list);
    if (status == WSR_OK) {
        status = WSR_FAIL(WSR_ARG,
                          "attack %s: needs gradients, which the model lacks; "
                          "attacks that need none: %s",
                          cls->super.name, list.s);
    }
    wsr__str_free(&list);
    return status;
}

// Conditions of the class; an attack may add its own by `fits`.
static wsr_status check_model(const wsr__attack_class *cls, const void *params,
                              const wsr_model *model)
{
    if (wsr__attack_gradients_of(cls, params) && !model->differentiable) {
        return lacks_gradients(cls);
    }
    if (model->classes < cls->classes) {
        return WSR_FAIL(WSR_ARG,
                        "attack %s: needs %zu classes, the model has %zu",
                        cls->super.name, cls->classes, model->classes);
    }
    return WSR_OK;
}

// Also asked before an evaluation, for every attack.
wsr_status wsr__attack_fits(const wsr__attack_class *cls, const void *params,
                            const wsr_model *model)
{
    const wsr_status status = check_model(cls, params, model);
    return status == WSR_OK && cls->fits != NULL ? cls->fits(params, model)
                                                 : status;
}

// Conditions of a call of wsr_attack_run().
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

// Pixels and labels come from callers. The comparison is written so that NaN
// fails it.
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

// An image of the target class cannot be attacked towards it.
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

// Whether all pixels are in the range.
static bool in_box(const float *x, int64_t d, wsr__box box)
{
    bool in = true;
    for (int64_t i = 0; i < d; i++) {
        in = in && x[i] >= box.lo && x[i] <= box.hi;
    }
    return in;
}

// A pixel that is no number is neither.
static void find_ends(float *low, float *high, const float *x, int64_t d)
{
    *low = x[0];
    *high = x[0];
    for (int64_t i = 1; i < d; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
}

// Writes row `at` of a record from row `row` of the batch. An image that is
// misclassified without an attack is neither a success nor robust. An image
// without success of a minimum-norm attack is the clean one.
static void record_image(wsr__attack_record *r, const wsr__attack_batch *s,
                         size_t row, size_t at)
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
    find_ends(&r->ends[0][at], &r->ends[1][at], r->success[at] ? x : x0, s->d);
    r->member[at] = r->success[at] ? s->own->breaker[row] : 0;
    r->step[at] = r->success[at] ? s->own->step[row] : 0;
    r->queries[at] = s->queries[row];
    r->gradients[at] = s->gradients[row];
    r->flat[at] = s->flat[row];
    if (r->images != NULL) {
        memcpy(wsr__at(r->images, s->d, at), x, (size_t)s->d * sizeof(*x));
    }
}

// Rows are recorded on several threads; each writes its own row.
typedef struct record_work {
    wsr__attack_record *r;
    wsr__attack_batch *s;
    size_t at;
} record_work;

// The share of one thread.
static void record_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const record_work *const work = ctx;
    for (int64_t i = begin; i < end; i++) {
        record_image(work->r, work->s, (size_t)i, work->at + (size_t)i);
    }
}

// Counts of passes are per strength, so they start again at 0.
static void record_batch(wsr__attack_record *r, wsr__attack_batch *s, size_t at)
{
    record_work work = {r, s, at};
    wsr__share((int64_t)s->n, s->d, record_share, &work);
    for (size_t i = 0; i < WSR__MEMBERS; i++) {
        r->member_seconds[i] += s->own->member_seconds[i];
        s->own->member_seconds[i] = 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->queries[i] = 0;
        s->gradients[i] = 0;
        s->flat[i] = 0;
    }
}

// order[i] is the index of the i-th smallest strength. Insertion sort is
// stable, so equal strengths keep their order.
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

// Progress treats all strengths of a batch as equal parts of the call.
static void expect(wsr__attack_batch *s, const wsr_attack_result *result,
                   size_t e)
{
    const double at = (double)s->progress.first;
    const double unit = (double)s->n /
                        ((double)result->n * (double)result->n_eps);
    s->progress.begin = at / (double)result->n + unit * (double)e;
    s->progress.end = s->progress.begin + unit;
    s->progress.eps = e;
}

// The only run of a minimum-norm attack; its time counts for the largest
// strength.
static wsr_status find_smallest(wsr_attack_result *result, wsr__attack_batch *s,
                                wsr__attack_record *largest)
{
    wsr_status status = WSR_OK;
    const size_t at = s->progress.first;
    s->progress.end = (double)(at + s->n) / (double)result->n;
    s->progress.started = wsr__seconds();
    if (largest->eps > 0) {
        WSR_TRY(wsr__attack_batch_strength(s, largest->eps));
    }
    for (size_t i = 0; i < s->n; i++) {
        result->smallest[at + i] = s->best[i];
    }
    largest->seconds += wsr__seconds() - s->progress.started;
out:
    return status;
}

// After a strength, the part is taken; after the last one the end of the batch
// is the next point to resume from.
static void keep_strengths(wsr__attack_part *part, const wsr__attack_batch *s,
                           size_t done)
{
    const wsr__attack_position position = {.first = s->progress.first,
                                           .eps = done};
    if (part != NULL && !s->cls->min_norm && done < part->result->n_eps) {
        wsr__attack_part_take(part, s, &position, 0);
    }
}

// `done` strengths, in ascending order, are complete already.
static wsr_status run_batch(wsr_attack_result *result, wsr__attack_batch *s,
                            const size_t *order, size_t done)
{
    wsr_status status = WSR_OK;
    const size_t last = result->n_eps - 1;
    if (s->cls->min_norm) {
        WSR_TRY(find_smallest(result, s, &result->records[order[last]]));
    }
    for (size_t e = done; e <= last; e++) {
        wsr__attack_record *const r = &result->records[order[e]];
        s->progress.started = wsr__seconds();
        if (!s->cls->min_norm && r->eps > 0) {
            expect(s, result, e);
            WSR_TRY(wsr__attack_batch_strength(s, r->eps));
        }
        record_batch(r, s, s->progress.first);
        r->seconds += s->progress.before + wsr__seconds() - s->progress.started;
        s->progress.before = 0;
        keep_strengths(s->part, s, e + 1);
    }
out:
    return status;
}

// What the model says about row `i` without an attack. Where only a target is
// known, the margin is that of the class predicted.
static void record_clean(wsr_attack_result *result, const wsr__attack_batch *s,
                         size_t i, size_t at)
{
    const float *const logits = s->clean + i * s->classes;
    const int32_t top = wsr__argmax(logits, s->classes);
    const int32_t label = s->targets[i].label;
    result->clean[at] = wsr__attack_batch_clean_correct(s, i);
    result->predicted[at] = (uint32_t)top;
    result->margin[at] =
        wsr__margin(logits, s->classes, label >= 0 ? label : top);
    result->smallest[at] = (double)INFINITY;
}

// The batch of images at, at + 1, ... Beginning computes the clean logits; the
// first batch after a resumption then gets the rows of the part.
static wsr_status begin_batch(wsr_attack_result *result, wsr__attack_batch *s,
                              const wsr__labelled *of, size_t at)
{
    wsr_status status = WSR_OK;
    wsr__attack_part *const part = s->part;
    const bool taken_up = part != NULL && part->position.first == at;
    const size_t n = of->n - at < s->capacity ? of->n - at : s->capacity;
    s->progress.first = at;
    WSR_TRY(wsr__attack_batch_begin(s, wsr__at_const(of->x, s->d, at),
                                    of->labels + at, n,
                                    (uint64_t)s->attack->settings.first + at));
    for (size_t i = 0; i < n; i++) {
        record_clean(result, s, i, at + i);
    }
    if (taken_up) {
        WSR_TRY(wsr__attack_part_restore(part, s));
        s->progress.before = part->seconds;
    }
out:
    return status;
}

static wsr_status run_batches(wsr_attack_result *result, wsr__attack_batch *s,
                              const wsr__labelled *of, const size_t *order)
{
    wsr_status status = WSR_OK;
    wsr__attack_part *const part = s->part;
    const wsr__attack_position begin = part != NULL ? part->position
                                                    : (wsr__attack_position){0};
    for (size_t at = begin.first; at < of->n; at += s->capacity) {
        const double start = wsr__seconds();
        WSR_TRY(begin_batch(result, s, of, at));
        result->records[order[0]].seconds += wsr__seconds() - start;
        WSR_TRY(run_batch(result, s, order, at == begin.first ? begin.eps : 0));
        if (part != NULL && at + s->capacity < of->n) {
            part->seconds = 0;
            part->position = (wsr__attack_position){.first = at + s->capacity};
            part->taken++;
        }
    }
out:
    return status;
}

// Images of a whole batch: the option, the model's limit, or all images.
size_t wsr__attack_batch_size(const wsr_attack *attack, const wsr_model *model,
                              size_t n)
{
    const size_t wanted = (size_t)attack->settings.batch;
    const size_t most = wanted == 0 || wanted > model->batch ? model->batch
                                                             : wanted;
    return most < n ? most : n;
}

wsr_status wsr__attack_run_part(wsr_attack_result **out,
                                const wsr_attack *attack, wsr_model *model,
                                const wsr__labelled *of, wsr__attack_part *part)
{
    wsr_status status = WSR_OK;
    wsr_attack_result *result = NULL;
    wsr__attack_batch *s = NULL;
    size_t *const order = wsr__alloc(attack->n_eps, sizeof(*order));
    *out = NULL;
    if (order == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(check_fit(attack, model, of->n));
    WSR_TRY(check_images(model, of->x, of->labels, of->n));
    WSR_TRY(check_targets(attack, model, of->labels, of->n));
    if (part == NULL) {
        WSR_TRY(wsr__attack_result_new(&result, attack, model, of->n));
    }
    WSR_TRY(wsr__attack_batch_new(
        &s, attack, model, wsr__attack_batch_size(attack, model, of->n)));
    s->part = part;
    sort_strengths(order, attack);
    WSR_TRY(run_batches(part == NULL ? result : part->result, s, of, order));
    *out = part == NULL ? result : part->result;
    result = NULL;
    if (part != NULL) {
        part->result = NULL;
    }
out:
    wsr__attack_batch_free(s);
    wsr_attack_result_free(result);
    wsr__free(order);
    return status;
}

wsr_status wsr__attack_count_passes(double *out, const wsr_attack *attack,
                                    wsr_model *model)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch *s = NULL;
    double sum = 1; // for the clean image
    double most = 0;
    *out = 0;
    WSR_TRY(wsr__attack_batch_new(&s, attack, model, 1));
    for (size_t e = 0; e < attack->n_eps; e++) {
        s->eps = attack->eps[e];
        const uint64_t limit = (uint64_t)attack->settings.queries;
        uint64_t passes = s->eps > 0 ? attack->cls->passes(s, attack->params)
                                     : 0;
        if (s->eps > 0 && passes == 0) {
            status = WSR_NOMEM;
            goto out;
        }
        passes = limit > 0 && passes > limit ? limit : passes;
        most = (double)passes > most ? (double)passes : most;
        sum += (double)passes;
    }
    *out = attack->cls->min_norm ? 1 + most : sum;
out:
    wsr__attack_batch_free(s);
    return status;
}

wsr_status wsr_attack_run(wsr_attack_result **out, const wsr_attack *attack,
                          wsr_model *model, const float *images,
                          const int32_t *labels, size_t n)
{
    return wsr__attack_run_part(out, attack, model,
                                &(wsr__labelled){images, labels, n}, NULL);
}
