// SPDX-License-Identifier: Apache-2.0
//
// Adversarial images as files of 8 bits can hold them: every pixel becomes a
// multiple of 1/255, by rounding that does not leave the ball. An attack that
// succeeds only between such values succeeds on no picture.
//
// L-inf: each pixel takes the nearest value inside its own interval. L2 and L1:
// all pixels are rounded to the nearest value; if that leaves the ball, towards
// the clean image, which shortens every part of the change.

#include "eval/eval.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 255 };

// As data sets make floats of bytes.
static float value_of(double level)
{
    const double inside = fmin(fmax(level, 0), LEVELS);
    return (float)inside / (float)LEVELS;
}

// The value nearest to x, or the nearest one to it that lies within eps of x0.
static float nearest_within(float x, float x0, float eps)
{
    const double level = round((double)x * LEVELS);
    const double inward = x > x0 ? -1 : 1;
    const float value = value_of(level);
    if (fabs((double)value - (double)x0) <= (double)eps) {
        return value;
    }
    return value_of(level + inward);
}

// The value nearest to x between x and x0; that nearest to x0 where there is
// none.
static float towards(float x, float x0)
{
    const double level = (double)x * LEVELS;
    const double origin = round((double)x0 * LEVELS);
    // Products of floats that are multiples of 1/255 are whole but for
    // rounding.
    const double whole = round(level);
    if (fabs(level - whole) < 1e-4) {
        return value_of(whole);
    }
    return value_of(x > x0 ? fmax(floor(level), origin)
                           : fmin(ceil(level), origin));
}

bool wsr__quantize(float *out, const float *x, const wsr__ball *ball)
{
    const double eps = (double)ball->eps;
    for (int64_t i = 0; i < ball->d; i++) {
        out[i] = ball->norm == WSR__LINF
                     ? nearest_within(x[i], ball->x0[i], ball->eps)
                     : value_of(round((double)x[i] * LEVELS));
    }
    if (wsr__distance(ball->norm, out, ball->x0, ball->d) <= eps) {
        return true;
    }
    for (int64_t i = 0; i < ball->d; i++) {
        out[i] = towards(x[i], ball->x0[i]);
    }
    return wsr__distance(ball->norm, out, ball->x0, ball->d) <= eps;
}

// The successes of one attack on one batch at one strength.
typedef struct found {
    wsr_eval *eval;
    const float *images; // (n, d) of the whole batch
    size_t k;            // cell
    size_t at;           // first image
    size_t n;
    float *rounded;  // (n, d) successes, one after the other
    float *original; // (n, d) what they were rounded from
    float *logits;   // (n, classes) of each
    float *before;   // likewise of what they were rounded from
    size_t *row;     // (n) of the success in the batch
    size_t count;
} found;

// Gathers the successes whose rounded images lie in the ball.
static void gather(found *f)
{
    wsr_eval *const s = f->eval;
    const int64_t d = s->model->pixels;
    const wsr_attack *const attack = s->attacks[f->k / s->n_eps];
    const wsr__eval_cell *const cell = &s->cells[f->k];
    f->count = 0;
    for (size_t i = 0; i < f->n; i++) {
        const float *const x = wsr__at_const(f->images, d, i);
        const wsr__ball ball = {.x0 = wsr__at_const(s->x, d, i),
                                .d = d,
                                .eps = s->eps[f->k % s->n_eps],
                                .norm = attack->norm,
                                .box = s->model->box};
        if (cell->success[f->at + i] &&
            wsr__quantize(wsr__at(f->rounded, d, f->count), x, &ball)) {
            memcpy(wsr__at(f->original, d, f->count), x,
                   (size_t)d * sizeof(*x));
            f->row[f->count++] = i;
        }
    }
}

// A success remains one if the model still errs, or, with a target, if it
// still predicts what it predicted before rounding, which is the target.
static bool survives(const found *f, size_t k)
{
    const wsr_eval *const s = f->eval;
    const size_t classes = s->model->classes;
    const int32_t now = wsr__argmax(f->logits + k * classes, classes);
    return s->attacks[f->k / s->n_eps]->target == WSR__TARGET_NONE
               ? now != s->labels[f->at + f->row[k]]
               : now == wsr__argmax(f->before + k * classes, classes);
}

static wsr_status test_strength(found *f)
{
    wsr_status status = WSR_OK;
    wsr_eval *const s = f->eval;
    wsr__eval_cell *const cell = &s->cells[f->k];
    const bool target = s->attacks[f->k / s->n_eps]->target != WSR__TARGET_NONE;
    memcpy(cell->quantized + f->at, s->clean + f->at, f->n);
    gather(f);
    if (f->count == 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr_model_logits(f->logits, s->model, f->rounded, f->count));
    if (target) {
        WSR_TRY(wsr_model_logits(f->before, s->model, f->original, f->count));
    }
    for (size_t k = 0; k < f->count; k++) {
        if (survives(f, k)) {
            cell->quantized[f->at + f->row[k]] = 0;
        }
    }
out:
    return status;
}

// A picture that fools the model lies in every larger ball as well.
static void nest(wsr_eval *s, size_t a, size_t at, size_t n)
{
    for (size_t k = 0; k < s->n_eps * s->n_eps; k++) {
        const size_t small = k / s->n_eps;
        const size_t large = k % s->n_eps;
        const uint8_t *const from = wsr__eval_at(s, a, small)->quantized + at;
        uint8_t *const to = wsr__eval_at(s, a, large)->quantized + at;
        for (size_t i = 0; s->eps[small] < s->eps[large] && i < n; i++) {
            to[i] = to[i] && from[i];
        }
    }
}

wsr_status wsr__eval_quantize(wsr_eval *eval, const wsr_attack_result *result,
                              size_t a, size_t at)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr_attack_result_count(result);
    const size_t image = (size_t)eval->model->pixels * sizeof(float);
    const size_t scores = eval->model->classes * sizeof(float);
    found f = {.eval = eval,
               .at = at,
               .n = n,
               .rounded = wsr__alloc(n, image),
               .original = wsr__alloc(n, image),
               .logits = wsr__alloc(n, scores),
               .before = wsr__alloc(n, scores),
               .row = wsr__alloc(n, sizeof(*f.row))};
    if (f.rounded == NULL || f.original == NULL || f.logits == NULL ||
        f.before == NULL || f.row == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t e = 0; e < eval->n_eps; e++) {
        f.k = a * eval->n_eps + e;
        f.images = wsr_attack_result_images(result, e);
        WSR_TRY(test_strength(&f));
    }
    if (eval->settings.attack.nested && eval->settings.attack.stop) {
        nest(eval, a, at, n);
    }
out:
    wsr__free(f.rounded);
    wsr__free(f.original);
    wsr__free(f.logits);
    wsr__free(f.before);
    wsr__free(f.row);
    return status;
}
