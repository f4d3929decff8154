// SPDX-License-Identifier: Apache-2.0
//
// Passes of an attack's batch through the model, and their outcomes: logits,
// losses and gradients of the active rows, and which rows are adversarial.
//
// The forward pass that precedes a gradient also tests for success, so n steps
// cost n + 1 forward and n backward passes. Logits and the first gradient of
// the clean images do not depend on the strength, so they are computed once for
// all strengths and counted for the first strength that needs them.

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

wsr_status wsr__attack_batch_forward_clean(wsr__attack_batch *s, bool keep)
{
    const wsr_status status = forward(s, s->own->clean, s->x0, keep);
    s->own->at_clean = keep && status == WSR_OK;
    return status;
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
    wsr__attack_batch_own *const own = s->own;
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

// The first gradient of a strength, at the clean images. If the model's last
// forward pass was of them, its activations are still there and no forward
// pass is needed.
wsr_status wsr__attack_batch_clean_gradient(wsr__attack_batch *s,
                                            wsr__loss loss)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch_own *const own = s->own;
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
