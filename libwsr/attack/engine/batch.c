// SPDX-License-Identifier: Apache-2.0
//
// The batch that an attack works on: images, targets, logits and gradients
// with one row per image, the list of active rows, and the model.
//
// Rows never move; `active` lists the rows that the next pass computes, in
// ascending order. With stop, a row leaves this list at its first success. The
// forward pass that precedes a gradient also tests for success, so n steps
// cost n + 1 forward and n backward passes.
//
// Logits and the first gradient of the clean images do not depend on the
// strength, so they are computed once for all strengths and counted for the
// first strength that needs them.

#include "attack/engine/batch.h"
#include "attack/attack.h"

#include <math.h>
#include <string.h>

typedef struct wsr__attack_batch_own own_arrays;

// ---------------------------------------------------------------- lifetime

// Also frees a batch that was made in part.
void wsr__attack_batch_free(wsr__attack_batch *s)
{
    if (s == NULL) {
        return;
    }
    own_arrays *const own = s->own;
    if (own != NULL) {
        wsr__free(own->x);
        wsr__free(own->grad);
        wsr__free(own->logits);
        wsr__free(own->dlogits);
        wsr__free(own->loss);
        wsr__free(own->clean);
        wsr__free(own->found);
        wsr__free(own->best);
        wsr__free(own->loss_targets);
        wsr__free(own->targets);
        wsr__free(own->success);
        wsr__free(own->finished);
        wsr__free(own->bad);
        wsr__free(own->known);
        wsr__free(own->attacked);
        wsr__free(own->nested_success);
        wsr__free(own->rows);
        wsr__free(own->queries);
        wsr__free(own->gradients);
        wsr__free(own->flat);
        wsr__free(own->exponent);
        wsr__free(own->clean_grad);
        wsr__free(own->clean_exponent);
        wsr__free(own->clean_loss);
        for (size_t i = 0; i < WSR__SCRATCH_ARRAYS; i++) {
            wsr__free(own->spare[i]);
        }
        wsr__attack_batch_set_cache(s, NULL, NULL);
        wsr__free(own);
    }
    wsr__free(s);
}

// Allocates unless something failed before.
static void *row_array(bool *failed, size_t rows, size_t size)
{
    void *const array = *failed ? NULL : wsr__alloc(rows, size);
    *failed = array == NULL;
    return array;
}

// Shapes: x, grad, found (n, d); logits, dlogits, clean (n, classes); all
// others (n). The public fields are views: attacks read and write them, but
// only this file allocates, which `own` keeps apart.
static wsr_status make_arrays(wsr__attack_batch *s)
{
    own_arrays *const own = s->own;
    const size_t n = s->capacity;
    const size_t image = (size_t)s->d * sizeof(float);
    const size_t scores = s->classes * sizeof(float);
    bool failed = false;
    own->x = row_array(&failed, n, image);
    own->grad = row_array(&failed, n, image);
    own->found = row_array(&failed, n, image);
    own->logits = row_array(&failed, n, scores);
    own->dlogits = row_array(&failed, n, scores);
    own->clean = row_array(&failed, n, scores);
    own->loss = row_array(&failed, n, sizeof(*own->loss));
    own->best = row_array(&failed, n, sizeof(*own->best));
    own->loss_targets = row_array(&failed, n, sizeof(*own->loss_targets));
    own->targets = row_array(&failed, n, sizeof(*own->targets));
    own->success = row_array(&failed, n, sizeof(*own->success));
    own->finished = row_array(&failed, n, sizeof(*own->finished));
    own->bad = row_array(&failed, n, sizeof(*own->bad));
    own->known = row_array(&failed, n, sizeof(*own->known));
    own->attacked = row_array(&failed, n, sizeof(*own->attacked));
    own->nested_success = row_array(&failed, n, sizeof(*own->nested_success));
    own->rows = row_array(&failed, n, sizeof(*own->rows));
    own->queries = row_array(&failed, n, sizeof(*own->queries));
    own->gradients = row_array(&failed, n, sizeof(*own->gradients));
    own->flat = row_array(&failed, n, sizeof(*own->flat));
    own->exponent = row_array(&failed, n, sizeof(*own->exponent));
    own->clean_exponent = row_array(&failed, n, sizeof(*own->clean_exponent));
    if (failed) {
        return WSR_NOMEM;
    }
    s->x = own->x;
    s->grad = own->grad;
    s->found = own->found;
    s->logits = own->logits;
    s->dlogits = own->dlogits;
    s->clean = own->clean;
    s->loss = own->loss;
    s->best = own->best;
    s->loss_targets = own->loss_targets;
    s->targets = own->targets;
    s->success = own->success;
    s->active = own->rows;
    s->queries = own->queries;
    s->gradients = own->gradients;
    s->flat = own->flat;
    s->exponent = own->exponent;
    return WSR_OK;
}

wsr_status wsr__attack_batch_new(wsr__attack_batch **out,
                                 const wsr_attack *attack, wsr_model *model,
                                 size_t capacity)
{
    wsr_status status = WSR_NOMEM;
    wsr__attack_batch *s = wsr__alloc(1, sizeof(*s));
    *out = NULL;
    if (s == NULL) {
        goto out;
    }
    s->own = wsr__alloc(1, sizeof(*s->own));
    if (s->own == NULL) {
        goto out;
    }
    s->attack = attack;
    s->cls = attack->cls;
    s->norm = attack->norm;
    s->model = model;
    s->capacity = capacity;
    s->d = model->pixels;
    s->classes = model->classes;
    s->stop = attack->settings.stop;
    WSR_TRY(make_arrays(s));
    *out = s;
    s = NULL;
out:
    wsr__attack_batch_free(s);
    return status;
}

// (capacity, width) floats that grow when an attack asks for more. Members of
// a combination share them; their content is not kept.
float *wsr__attack_batch_scratch(wsr__attack_batch *s, size_t which,
                                 int64_t width)
{
    own_arrays *const own = s->own;
    if (own->spare[which] == NULL || own->width[which] < width) {
        wsr__free(own->spare[which]);
        own->width[which] = width;
        own->spare[which] =
            wsr__alloc(s->capacity, (size_t)width * sizeof(float));
    }
    return own->spare[which];
}

// An object that an attack keeps from strength to strength, such as the noises
// of `estimator`. A batch with one cannot be saved in part, since its object
// is not; hence the mark.
void *wsr__attack_batch_cache(const wsr__attack_batch *s)
{
    s->own->object_used = true;
    return s->own->object;
}

void wsr__attack_batch_set_cache(wsr__attack_batch *s, void *object,
                                 void (*release)(void *))
{
    if (s->own->object != NULL) {
        s->own->release(s->own->object);
    }
    s->own->object = object;
    s->own->release = release;
}

// ------------------------------------------------------------------- rows

// The ball of radius eps around the clean image of a row, intersected with the
// pixel range.
wsr__ball wsr__attack_batch_ball(const wsr__attack_batch *s, size_t row)
{
    return (wsr__ball){wsr__at_const(s->x0, s->d, row), s->d, s->eps, s->norm,
                       s->model->box};
}

// A hash of the attack's name keeps the members of a combination apart.
static uint64_t seed_of(const wsr__attack_batch *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = s->cls->super.name; *c != '\0'; c++) {
        h = (h ^ (uint64_t)(unsigned char)*c) * UINT64_C(1099511628211);
    }
    h ^= (uint64_t)s->stream << 32;
    return (uint64_t)s->attack->settings.seed ^ h;
}

wsr__rng wsr__attack_batch_rng(const wsr__attack_batch *s, size_t row,
                               uint32_t step)
{
    return wsr__rng_at(seed_of(s), WSR__RNG_ATTACK, s->id + row, step);
}

typedef struct each_work {
    wsr__attack_batch *s;
    wsr__row_body body;
    void *ctx;
} each_work;

static void each_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const each_work *const work = ctx;
    for (int64_t k = begin; k < end; k++) {
        work->body(work->s, work->s->active[k], work->ctx);
    }
}

// Calls body for every active row, on several threads. A body writes to its
// own row only, so the result does not depend on the number of threads.
void wsr__attack_batch_each(wsr__attack_batch *s, wsr__row_body body, void *ctx)
{
    each_work work = {s, body, ctx};
    wsr__share((int64_t)s->n_active, s->d, each_share, &work);
}

static void reset_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->x, s->d, row), wsr__at_const(s->x0, s->d, row),
           (size_t)s->d * sizeof(*s->x));
}

// Active rows start again from their clean images.
void wsr__attack_batch_reset(wsr__attack_batch *s)
{
    wsr__attack_batch_each(s, reset_row, NULL);
}

// --------------------------------------------------------- model, outcomes

static wsr_status not_finite(const wsr__attack_batch *s, size_t row,
                             const char *what)
{
    return WSR_FAIL(WSR_NUMERIC,
                    "attack %s: %s of image %llu are not finite (in the batch "
                    "of images %llu to %llu)",
                    s->cls->super.name, what, (unsigned long long)(s->id + row),
                    (unsigned long long)s->id,
                    (unsigned long long)(s->id + s->n - 1));
}

// One forward pass of the active rows of x, into the same rows of `logits`.
// With `keep` a backward pass may follow. Every pass asks the hook first, so
// that an interruption takes effect within one pass.
static wsr_status forward(wsr__attack_batch *s, float *logits, const float *x,
                          bool keep)
{
    wsr_status status = WSR_OK;
    const wsr__rows rows = {s->active, s->n_active};
    if (s->n_active == 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__attack_batch_report(s));
    WSR_TRY(s->model->cls->forward(s->model, logits, x, &rows, keep));
    s->progress.passes++;
    s->own->at_clean = false;
    s->model->queries += s->n_active;
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        const float *const z = logits + row * s->classes;
        s->queries[row]++;
        for (size_t c = 0; c < s->classes; c++) {
            if (!isfinite(z[c])) {
                return not_finite(s, row, "logits");
            }
        }
    }
out:
    return status;
}

wsr_status wsr__attack_batch_forward(wsr__attack_batch *s, bool keep)
{
    return forward(s, s->logits, s->x, keep);
}

wsr_status wsr__attack_batch_forward_at(wsr__attack_batch *s, const float *x,
                                        bool keep)
{
    return forward(s, s->logits, x, keep);
}

typedef struct finite_work {
    const float *grad;
    uint8_t *bad; // per row
} finite_work;

// A sum of magnitudes is finite only if all of them are (or they overflow,
// which no step could use either).
static void check_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const finite_work *const work = ctx;
    const float *const g = wsr__at_const(work->grad, s->d, row);
    double sum = 0;
    for (int64_t i = 0; i < s->d; i++) {
        sum += fabs((double)g[i]);
    }
    work->bad[row] = (uint8_t)!isfinite(sum);
    s->flat[row] += sum > 0 ? 0 : 1;
}

// One backward pass for the active rows. `of` computes the loss and its
// gradient by the logits. That gradient is scaled by a power of two,
// 2^exponent, so that tiny gradients do not underflow in single precision;
// attacks use its direction, or undo the scale. Inactive rows get zero.
static wsr_status backward(wsr__attack_batch *s, float *grad, int *exponent,
                           double *loss, wsr__loss of)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    if (s->n_active == 0) {
        return WSR_OK;
    }
    memset(s->dlogits, 0, s->capacity * s->classes * sizeof(*s->dlogits));
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        loss[row] = of(s->dlogits + row * s->classes, &exponent[row],
                       s->logits + row * s->classes, &s->loss_targets[row],
                       s->classes);
    }
    WSR_TRY(wsr__attack_batch_report(s));
    WSR_TRY(s->model->cls->backward(s->model, grad, s->dlogits));
    s->model->gradients += s->n_active;
    finite_work work = {grad, own->bad};
    wsr__attack_batch_each(s, check_row, &work);
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        s->gradients[row]++;
        if (own->bad[row]) {
            status = not_finite(s, row, "gradients");
        }
    }
out:
    return status;
}

wsr_status wsr__attack_batch_backward(wsr__attack_batch *s, wsr__loss loss)
{
    return backward(s, s->grad, s->exponent, s->loss, loss);
}

// Success: the target class of a targeted attack, else any class but the
// label.
static bool is_reached(const wsr__loss_target *target, int32_t prediction)
{
    return target->target_class >= 0 ? prediction == target->target_class
                                     : prediction != target->label;
}

bool wsr__attack_batch_is_adversarial(const wsr__attack_batch *s, size_t row)
{
    return is_reached(&s->targets[row],
                      wsr__argmax(s->logits + row * s->classes, s->classes));
}

// With target=given the labels are target classes and the true label is
// unknown (-1); an image then counts as correct unless it already has the
// target class.
bool wsr__attack_batch_clean_correct(const wsr__attack_batch *s, size_t row)
{
    const wsr__loss_target *const target = &s->targets[row];
    const int32_t prediction =
        wsr__argmax(s->clean + row * s->classes, s->classes);
    return target->label >= 0 ? prediction == target->label
                              : prediction != target->target_class;
}

// Marks the row; wsr__attack_batch_compact() removes it. Two calls, so that a
// loop over the active rows may record successes.
void wsr__attack_batch_record_success(wsr__attack_batch *s, size_t row,
                                      const float *x)
{
    s->success[row] = 1;
    s->own->finished[row] = 1;
    memcpy(wsr__at(s->found, s->d, row), x, (size_t)s->d * sizeof(*x));
}

// Keeps the order of the active rows: it determines how a model splits them
// into plans, and with that the rounding.
void wsr__attack_batch_compact(wsr__attack_batch *s)
{
    size_t kept = 0;
    for (size_t k = 0; k < s->n_active; k++) {
        const uint32_t row = s->active[k];
        if (!s->stop || !s->own->finished[row]) {
            s->active[kept++] = row;
        }
        s->own->finished[row] = 0;
    }
    s->n_active = kept;
}

// Reads the logits of the last forward pass, which must be those of s->x.
// Without stop it changes nothing.
void wsr__attack_batch_check_success(wsr__attack_batch *s)
{
    for (size_t k = 0; s->stop && k < s->n_active; k++) {
        const size_t row = s->active[k];
        if (wsr__attack_batch_is_adversarial(s, row)) {
            wsr__attack_batch_record_success(s, row, wsr__at(s->x, s->d, row));
        }
    }
    wsr__attack_batch_compact(s);
}

wsr_status wsr__attack_batch_evaluate(wsr__attack_batch *s)
{
    const wsr_status status = wsr__attack_batch_forward(s, false);
    if (status == WSR_OK) {
        wsr__attack_batch_check_success(s);
    }
    return status;
}

// A success leaves the batch before the backward pass, which it no longer
// needs.
wsr_status wsr__attack_batch_gradient(wsr__attack_batch *s, wsr__loss loss)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__attack_batch_forward(s, true));
    wsr__attack_batch_check_success(s);
    WSR_TRY(wsr__attack_batch_backward(s, loss));
out:
    return status;
}

// The gradient at a point other than the iterate (Nesterov, sampling) does not
// test for success: the point may lie outside the ball.
wsr_status wsr__attack_batch_gradient_at(wsr__attack_batch *s, const float *x,
                                         wsr__loss loss)
{
    const wsr_status status = wsr__attack_batch_forward_at(s, x, true);
    return status == WSR_OK ? wsr__attack_batch_backward(s, loss) : status;
}

// Whether the stored first gradient is of this loss and covers all active
// rows. Losses are compared by address.
static bool clean_known(const wsr__attack_batch *s, wsr__loss loss)
{
    bool known = s->own->clean_of == loss;
    for (size_t k = 0; k < s->n_active; k++) {
        known = known && s->own->known[s->active[k]];
    }
    return known;
}

static void take_clean(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(s->own->clean_grad, s->d, row),
           (size_t)s->d * sizeof(*s->grad));
    memcpy(s->logits + row * s->classes, s->clean + row * s->classes,
           s->classes * sizeof(*s->logits));
    s->loss[row] = s->own->clean_loss[row];
    s->exponent[row] = s->own->clean_exponent[row];
}

// Allocated when first needed: black-box attacks never do.
wsr_status wsr__attack_batch_make_clean_gradient(wsr__attack_batch *s)
{
    own_arrays *const own = s->own;
    if (own->clean_grad == NULL) {
        own->clean_grad =
            wsr__alloc_raw(s->capacity, (size_t)s->d * sizeof(float));
    }
    if (own->clean_loss == NULL) {
        own->clean_loss = wsr__alloc(s->capacity, sizeof(double));
    }
    return own->clean_grad != NULL && own->clean_loss != NULL ? WSR_OK
                                                              : WSR_NOMEM;
}

// The first gradient of a strength, at the clean images. If the model's last
// forward pass was of them, its activations are still there and no forward
// pass is needed.
wsr_status wsr__attack_batch_clean_gradient(wsr__attack_batch *s,
                                            wsr__loss loss)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    WSR_TRY(wsr__attack_batch_make_clean_gradient(s));
    if (!clean_known(s, loss)) {
        if (!own->at_clean) {
            WSR_TRY(forward(s, own->clean, s->x0, true));
        }
        memcpy(s->logits, own->clean,
               s->capacity * s->classes * sizeof(*s->logits));
        WSR_TRY(backward(s, own->clean_grad, own->clean_exponent,
                         own->clean_loss, loss));
        own->clean_of = loss;
        memset(own->known, 0, s->capacity);
        for (size_t k = 0; k < s->n_active; k++) {
            own->known[s->active[k]] = 1;
        }
    }
    wsr__attack_batch_each(s, take_clean, NULL);
out:
    return status;
}

// Without stop the last iterate is the result, adversarial or not.
static void publish(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->found, s->d, row), wsr__at(s->x, s->d, row),
           (size_t)s->d * sizeof(*s->x));
    s->success[row] = wsr__attack_batch_is_adversarial(s, row) ? 1 : 0;
}

wsr_status wsr__attack_batch_finish(wsr__attack_batch *s)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__attack_batch_evaluate(s));
    wsr__attack_batch_each(s, publish, NULL);
out:
    return status;
}

// A minimum-norm attack offers every adversarial image that it finds; the
// closest one is kept. `best` is its norm, infinite before the first.
void wsr__attack_batch_offer(wsr__attack_batch *s, size_t row, const float *x)
{
    const double norm =
        wsr__distance(s->norm, x, wsr__at_const(s->x0, s->d, row), s->d);
    if (norm < s->best[row]) {
        s->best[row] = norm;
        memcpy(wsr__at(s->found, s->d, row), x, (size_t)s->d * sizeof(*x));
    }
    if (s->stop_at_eps && wsr__attack_batch_within(s, row, s->eps)) {
        s->own->finished[row] = 1;
    }
}

// --------------------------------------------------------------- a strength

// A min-norm attack succeeds by what it found inside the ball.
static void settle(wsr__attack_batch *s)
{
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        if (wsr__attack_batch_within(s, row, s->eps)) {
            s->success[row] = 1;
        } else {
            memcpy(wsr__at(s->found, s->d, row),
                   wsr__at_const(s->x0, s->d, row),
                   (size_t)s->d * sizeof(*s->x));
        }
    }
}

// Successes become inactive, with stop.
static void compact_successes(wsr__attack_batch *s)
{
    for (size_t k = 0; k < s->n_active; k++) {
        s->own->finished[s->active[k]] = s->success[s->active[k]];
    }
    wsr__attack_batch_compact(s);
}

// Runs an attack that deactivates and reactivates rows itself. `held` is the
// list of rows at its start, which is restored afterwards. In a combination
// such an attack may stop for a row within eps; alone it serves all strengths
// and must go on. Calls nest, so the outer values are kept.
static wsr_status run_held(wsr__attack_batch *s, const wsr__attack_class *cls,
                           const void *params)
{
    own_arrays *const own = s->own;
    uint32_t *const outer_held = own->held;
    const size_t outer_n = own->held_n;
    const bool outer_stop = s->stop;
    const bool outer_stop_at_eps = s->stop_at_eps;
    wsr_status status = WSR_OK;
    own->held = wsr__alloc(s->n_active, sizeof(*own->held));
    if (own->held == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    own->held_n = s->n_active;
    memcpy(own->held, s->active, s->n_active * sizeof(*s->active));
    s->stop = true;
    s->stop_at_eps = cls != s->attack->cls;
    WSR_TRY(cls->run(s, params));
    memcpy(s->active, own->held, own->held_n * sizeof(*s->active));
    s->n_active = own->held_n;
    for (size_t k = 0; k < s->n_active; k++) {
        own->finished[s->active[k]] = 0;
    }
out:
    s->stop = outer_stop;
    s->stop_at_eps = outer_stop_at_eps;
    wsr__free(own->held);
    own->held = outer_held;
    own->held_n = outer_n;
    return status;
}

// The number of passes serves the progress report only, so it is computed only
// with a hook. 0 stands for a failed allocation.
static wsr_status passes_of(uint64_t *out, const wsr__attack_batch *s,
                            const wsr__attack_class *cls, const void *params)
{
    const bool watched = s->attack->hook != NULL;
    *out = watched ? cls->passes(s, params) : 0;
    return watched && *out == 0 ? WSR_NOMEM : WSR_OK;
}

// Runs an attack, or a member of a combination, on the active rows. `stream`
// gives members random numbers of their own. The member's passes are added in
// full when it ends, also those that it saved, so that progress does not
// depend on luck.
wsr_status wsr__attack_batch_run_member(wsr__attack_batch *s,
                                        const wsr__attack_class *cls,
                                        const void *params, uint32_t stream)
{
    wsr_status status = WSR_OK;
    const wsr__attack_class *const outer = s->cls;
    const uint32_t outer_stream = s->stream;
    const uint64_t passes_before = s->progress.passes;
    uint64_t passes = 0;
    WSR_TRY(passes_of(&passes, s, cls, params));
    s->cls = cls;
    s->stream = stream;
    for (size_t k = 0; k < s->n_active; k++) {
        s->best[s->active[k]] = (double)INFINITY;
        s->loss_targets[s->active[k]] = s->targets[s->active[k]];
    }
    if (cls->classes > s->classes) {
        status = WSR_FAIL(WSR_ARG,
                          "attack %s: needs %zu classes, the model has %zu",
                          cls->super.name, cls->classes, s->classes);
        goto out;
    }
    if (s->attack->target != WSR__TARGET_NONE && !cls->targets) {
        status = WSR_FAIL(WSR_CONFIG, "attack.target: %s knows no targets",
                          cls->super.name);
        goto out;
    }
    if (s->n_active > 0 && (cls->min_norm || cls->early_stop)) {
        WSR_TRY(run_held(s, cls, params));
    } else if (s->n_active > 0) {
        WSR_TRY(cls->run(s, params));
    }
    if (cls->min_norm) {
        settle(s);
    }
    compact_successes(s);
    s->progress.passes = passes_before + passes;
out:
    s->cls = outer;
    s->stream = outer_stream;
    return status;
}

// A resumed batch passes over the members that were complete.
wsr_status wsr__attack_batch_skip_member(wsr__attack_batch *s,
                                         const wsr__attack_class *cls,
                                         const void *params)
{
    uint64_t passes = 0;
    const wsr_status status = passes_of(&passes, s, cls, params);
    s->skip--;
    s->progress.members++;
    s->progress.passes += passes;
    return status;
}

void wsr__attack_batch_deactivate(wsr__attack_batch *s, size_t row)
{
    s->own->finished[row] = 1;
}

// All held rows become active again, except those that are done: fooled or,
// for a minimum-norm attack inside a combination, fooled within eps.
void wsr__attack_batch_reactivate(wsr__attack_batch *s)
{
    const own_arrays *const own = s->own;
    s->n_active = 0;
    for (size_t k = 0; k < own->held_n; k++) {
        const uint32_t row = own->held[k];
        const bool done = s->cls->min_norm
                              ? s->stop_at_eps &&
                                    wsr__attack_batch_within(s, row, s->eps)
                              : s->success[row] != 0;
        own->finished[row] = 0;
        if (!done) {
            s->active[s->n_active++] = row;
        }
    }
}

// The class to reach, chosen by the logits of the clean image.
static int32_t pick(const wsr__attack_batch *s, size_t row, int32_t label)
{
    const float *const z = s->clean + row * s->classes;
    const wsr__target_mode target = s->attack->target;
    if (target == WSR__TARGET_CLASS) {
        return (int32_t)s->attack->settings.target_class;
    }
    if (target == WSR__TARGET_RANDOM) {
        wsr__rng rng = wsr__attack_batch_rng(s, row, UINT32_MAX);
        const int32_t t =
            (int32_t)wsr__rng_below(&rng, (uint32_t)s->classes - 1);
        return t + (t >= label);
    }
    const float sign = target == WSR__TARGET_LEAST ? -1 : 1;
    int32_t best = label == 0 ? 1 : 0;
    for (int32_t c = 0; c < (int32_t)s->classes; c++) {
        if (c != label && sign * z[c] > sign * z[best]) {
            best = c;
        }
    }
    return best;
}

static void set_targets(wsr__attack_batch *s, const int32_t *labels)
{
    for (size_t i = 0; i < s->n; i++) {
        wsr__loss_target *const target = &s->own->targets[i];
        target->label = labels[i];
        target->target_class = -1;
        target->clean = s->clean + i * s->classes;
        if (s->attack->target == WSR__TARGET_GIVEN) {
            target->label = -1;
            target->target_class = labels[i];
        } else if (s->attack->target != WSR__TARGET_NONE) {
            target->target_class = pick(s, i, labels[i]);
        }
    }
}

// Begins a batch of n images with the numbers id, id + 1, ... and computes the
// clean logits. Images that are misclassified already are not attacked, with
// stop.
wsr_status wsr__attack_batch_begin(wsr__attack_batch *s, const float *x0,
                                   const int32_t *labels, size_t n, uint64_t id)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    s->x0 = x0;
    s->n = n;
    s->id = id;
    s->n_active = n;
    s->eps = 0;
    s->skip = 0;
    s->progress = (wsr__attack_progress){.begin = s->progress.end,
                                         .end = s->progress.end,
                                         .first = s->progress.first};
    own->clean_of = NULL;
    own->object_used = false;
    for (size_t i = 0; i < n; i++) {
        s->active[i] = (uint32_t)i;
        s->queries[i] = 0;
        s->gradients[i] = 0;
        s->flat[i] = 0;
        s->success[i] = 0;
        own->finished[i] = 0;
    }
    const bool keep = wsr_attack_needs_gradients(s->attack) &&
                      s->model->differentiable;
    WSR_TRY(forward(s, own->clean, x0, keep));
    own->at_clean = keep;
    set_targets(s, labels);
    for (size_t i = 0; i < n; i++) {
        own->attacked[i] = !s->stop || wsr__attack_batch_clean_correct(s, i);
        own->nested_success[i] = 0;
    }
out:
    return status;
}

// Attacks the batch at one strength. Strengths come in ascending order, so
// that with `nested` a success stays one: its image lies in every larger ball.
// After a resumption (skip > 0) the successes of the complete members are
// already in `success`.
wsr_status wsr__attack_batch_strength(wsr__attack_batch *s, float eps)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    const bool nested = s->stop && s->attack->settings.nested;
    const bool taken_up = s->skip > 0;
    s->eps = eps;
    s->n_active = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->success[i] = own->nested_success[i] || (taken_up && s->success[i]);
        if (own->attacked[i] && !s->success[i]) {
            s->active[s->n_active++] = (uint32_t)i;
        }
    }
    s->progress.passes = 0;
    s->progress.members = 0;
    WSR_TRY(passes_of(&s->progress.most, s, s->cls, s->attack->params));
    WSR_TRY(wsr__attack_batch_run_member(s, s->cls, s->attack->params, 0));
    s->skip = 0;
    for (size_t i = 0; nested && i < s->n; i++) {
        own->nested_success[i] = s->success[i];
    }
out:
    return status;
}
