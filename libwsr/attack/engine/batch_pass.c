// SPDX-License-Identifier: Apache-2.0
//
// Passes of an attack's batch through the model, and their outcomes: logits,
// losses and gradients of the active rows, and which rows are adversarial.
//
// The forward pass that precedes a gradient also tests for success, so n steps
// cost n + 1 forward and n backward passes. Logits and the first gradient of
// the clean images do not depend on the strength, so they are computed once for
// all strengths and counted for the first strength that needs them. A model
// takes each image forward and backward in one go, see graph/image_plans.h; so
// what comes between the two is told beforehand, for each row by itself.

#include "attack/engine/batch.h"

#include <math.h>
#include <string.h>

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

// Every pass asks the hook first, so that an interruption takes effect within
// one pass.
static wsr_status count_pass(wsr__attack_batch *s)
{
    const wsr_status status = wsr__attack_batch_report(s);
    if (status == WSR_OK) {
        s->progress.passes++;
        s->model->queries += s->n_active;
    }
    return status;
}

static bool logits_finite(const wsr__attack_batch *s, const float *z)
{
    bool finite = true;
    for (size_t c = 0; c < s->classes; c++) {
        finite = finite && isfinite(z[c]);
    }
    return finite;
}

// Takes rows whose limit of queries is reached out of the attack. One that has
// not succeeded is left with its clean image; a minimum-norm attack keeps what
// it has found.
static void drop_spent(wsr__attack_batch *s)
{
    const uint64_t most = (uint64_t)s->attack->settings.queries;
    size_t kept = 0;
    for (size_t k = 0; most > 0 && k < s->n_active; k++) {
        const uint32_t row = s->active[k];
        if (s->queries[row] < most) {
            s->active[kept++] = row;
        } else if (!s->success[row] && !s->cls->min_norm) {
            memcpy(wsr__at(s->found, s->d, row),
                   wsr__at_const(s->x0, s->d, row),
                   (size_t)s->d * sizeof(*s->found));
        }
    }
    s->n_active = most > 0 ? kept : s->n_active;
}

// One forward pass of the active rows of x, into the same rows of `logits`.
static wsr_status forward(wsr__attack_batch *s, float *logits, const float *x)
{
    wsr_status status = WSR_OK;
    drop_spent(s);
    const wsr__rows rows = {s->active, s->n_active};
    if (s->n_active == 0) {
        return WSR_OK;
    }
    WSR_TRY(count_pass(s));
    WSR_TRY(s->model->cls->forward(s->model, logits, x, &rows));
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        s->queries[row]++;
        if (!logits_finite(s, logits + row * s->classes)) {
            return not_finite(s, row, "logits");
        }
    }
out:
    return status;
}

wsr_status wsr__attack_batch_forward(wsr__attack_batch *s)
{
    return forward(s, s->logits, s->x);
}

wsr_status wsr__attack_batch_forward_at(wsr__attack_batch *s, const float *x)
{
    return forward(s, s->logits, x);
}

// ---------------------------------------------------------------- gradients

// Where the results of a pass go.
typedef struct pass {
    wsr__attack_batch *s;
    float *logits;
    float *grad;
    int *exponent;
    double *loss;
    const wsr__attack_pass *wanted;
} pass;

// Between forward and backward of a row, on whatever thread has it.
static bool seed_row(void *ctx, size_t row, float *dz, const float *z)
{
    const pass *const p = ctx;
    wsr__attack_batch *const s = p->s;
    wsr__attack_batch_own *const own = s->own;
    const wsr__attack_pass *const wanted = p->wanted;
    own->state[row] = WSR__ROW_LOGITS;
    if (!logits_finite(s, z)) {
        return false;
    }
    own->state[row] = WSR__ROW_FORWARD;
    s->queries[row]++;
    if (wanted->look != NULL && !wanted->look(s, row, wanted->ctx)) {
        return false;
    }
    if (s->stop && own->finished[row]) {
        return false;
    }
    own->state[row] = WSR__ROW_BACKWARD;
    p->loss[row] = wanted->loss(dz, &p->exponent[row], z, &s->loss_targets[row],
                                s->classes);
    return true;
}

// A sum of magnitudes is finite only if all of them are (or they overflow,
// which no step could use either).
static void check_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const pass *const p = ctx;
    uint8_t *const state = &s->own->state[row];
    const float *const g = wsr__at_const(p->grad, s->d, row);
    double sum = 0;
    if (*state != WSR__ROW_BACKWARD) {
        return;
    }
    for (int64_t i = 0; i < s->d; i++) {
        sum += fabs((double)g[i]);
    }
    *state = isfinite(sum) ? WSR__ROW_BACKWARD : WSR__ROW_GRADIENT;
    s->flat[row] += sum > 0 ? 0 : 1;
}

// Counts the gradients, and reports the first row with a number that is not
// finite.
static wsr_status check_rows(const pass *p)
{
    wsr__attack_batch *const s = p->s;
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        const uint8_t state = s->own->state[row];
        if (state == WSR__ROW_LOGITS || state == WSR__ROW_GRADIENT) {
            return not_finite(
                s, row, state == WSR__ROW_LOGITS ? "logits" : "gradients");
        }
        if (state == WSR__ROW_BACKWARD) {
            s->gradients[row]++;
            s->model->gradients++;
        }
    }
    return WSR_OK;
}

// Each row goes forward and, where a gradient is wanted, backward at once. The
// gradient of a loss by the logits is scaled by a power of two, 2^exponent, so
// that tiny gradients do not underflow in single precision; attacks use its
// direction, or undo the scale.
static wsr_status run_pass(const pass *p, const float *x)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch *const s = p->s;
    drop_spent(s);
    const wsr__rows rows = {s->active, s->n_active};
    pass given = *p;
    const wsr__model_seed seed = {seed_row, &given};
    if (s->n_active == 0) {
        return WSR_OK;
    }
    WSR_TRY(count_pass(s));
    WSR_TRY(
        s->model->cls->gradient(s->model, p->grad, p->logits, x, &rows, &seed));
    wsr__attack_batch_each(s, check_row, &given);
    WSR_TRY(check_rows(p));
    wsr__attack_batch_compact(s);
out:
    return status;
}

wsr_status wsr__attack_batch_pass(wsr__attack_batch *s,
                                  const wsr__attack_pass *wanted)
{
    const pass p = {s, s->logits, s->grad, s->exponent, s->loss, wanted};
    return run_pass(&p, wanted->x != NULL ? wanted->x : s->x);
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

// Which attack has just found `found` of a row, after how many forward passes
// of its own.
static void note_step(wsr__attack_batch *s, size_t row)
{
    s->own->breaker[row] = s->stream;
    s->own->step[row] = s->queries[row] - s->own->begun[row];
}

// Marks the row; wsr__attack_batch_compact() removes it. Two calls, so that a
// loop over the active rows may record successes.
void wsr__attack_batch_record_success(wsr__attack_batch *s, size_t row,
                                      const float *x)
{
    s->success[row] = 1;
    s->own->finished[row] = 1;
    note_step(s, row);
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
    const wsr_status status = wsr__attack_batch_forward(s);
    if (status == WSR_OK) {
        wsr__attack_batch_check_success(s);
    }
    return status;
}

// A success leaves the batch before the backward pass, which it no longer
// needs.
static bool check_success(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    if (s->stop && wsr__attack_batch_is_adversarial(s, row)) {
        wsr__attack_batch_record_success(s, row, wsr__at(s->x, s->d, row));
    }
    return true;
}

wsr_status wsr__attack_batch_gradient(wsr__attack_batch *s, wsr__loss loss)
{
    const wsr__attack_pass wanted = {.look = check_success, .loss = loss};
    return wsr__attack_batch_pass(s, &wanted);
}

// The gradient at a point other than the iterate (Nesterov, sampling) does not
// test for success: the point may lie outside the ball.
wsr_status wsr__attack_batch_gradient_at(wsr__attack_batch *s, const float *x,
                                         wsr__loss loss)
{
    const wsr__attack_pass wanted = {.x = x, .loss = loss};
    return wsr__attack_batch_pass(s, &wanted);
}

// ------------------------------------------------------------- clean images

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
    wsr__attack_batch_own *const own = s->own;
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

static wsr_status clean_pass(wsr__attack_batch *s,
                             const wsr__attack_pass *wanted)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch_own *const own = s->own;
    WSR_TRY(wsr__attack_batch_make_clean_gradient(s));
    const pass p = {s,
                    own->clean,
                    own->clean_grad,
                    own->clean_exponent,
                    own->clean_loss,
                    wanted};
    WSR_TRY(run_pass(&p, s->x0));
    own->clean_of = wanted->loss;
    memset(own->known, 0, s->capacity);
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        own->known[row] = own->state[row] == WSR__ROW_BACKWARD;
    }
out:
    return status;
}

wsr_status wsr__attack_batch_clean(wsr__attack_batch *s, wsr__row_look look,
                                   void *ctx)
{
    const wsr__attack_class *const cls = s->attack->cls;
    const wsr__attack_pass wanted = {
        .look = look,
        .ctx = ctx,
        .loss = cls->clean_loss != NULL && s->model->differentiable
                    ? cls->clean_loss(s->attack->params)
                    : NULL};
    if (wanted.loss != NULL) {
        return clean_pass(s, &wanted);
    }
    const wsr_status status = forward(s, s->own->clean, s->x0);
    for (size_t k = 0; k < s->n_active && status == WSR_OK; k++) {
        (void)look(s, s->active[k], ctx);
    }
    return status;
}

// The first gradient of a strength, at the clean images.
wsr_status wsr__attack_batch_clean_gradient(wsr__attack_batch *s,
                                            wsr__loss loss)
{
    wsr_status status = WSR_OK;
    if (!clean_known(s, loss)) {
        const wsr__attack_pass wanted = {.loss = loss};
        WSR_TRY(clean_pass(s, &wanted));
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
    note_step(s, row);
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
        note_step(s, row);
        memcpy(wsr__at(s->found, s->d, row), x, (size_t)s->d * sizeof(*x));
    }
    if (s->stop_at_eps && wsr__attack_batch_within(s, row, s->eps)) {
        s->own->finished[row] = 1;
    }
}
