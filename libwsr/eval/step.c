// SPDX-License-Identifier: Apache-2.0
//
// The steps of an evaluation. A step is one attack on one batch at all
// strengths; step number p is attack p % n_attacks on batch p / n_attacks.
// Images are numbered through the data set, so that an interrupted evaluation
// ends with the same bits.
//
// If there is a hook, a step keeps a part (attack/engine/part.h): the complete
// strengths and members, after which a stopped step continues.

#include "data/data.h"
#include "eval/eval.h"
#include "io/crc32.h"

#include <string.h>

size_t wsr_eval_position(const wsr_eval *eval)
{
    return eval->position;
}

size_t wsr_eval_steps(const wsr_eval *eval)
{
    return eval->model == NULL
               ? 0
               : (eval->n + eval->batch - 1) / eval->batch * eval->n_attacks;
}

// Steps go through all attacks before the next batch, so attack a has one
// batch more while the position is behind it.
size_t wsr_eval_count(const wsr_eval *eval, size_t a)
{
    const size_t batches = (eval->position + eval->n_attacks - 1 - a) /
                           eval->n_attacks;
    const size_t done = batches * eval->batch;
    return done < eval->n ? done : eval->n;
}

// All attacks on a batch share its images.
static wsr_status load_batch(wsr_eval *s, size_t number, size_t count)
{
    wsr_status status = WSR_OK;
    if (s->loaded != number) {
        s->loaded = SIZE_MAX;
        WSR_TRY(wsr_dataset_images(s->x, s->dataset,
                                   s->index + number * s->batch, count));
        s->loaded = number;
    }
out:
    return status;
}

// The pixels as the model sees them tell whether two evaluations are of the
// same images.
static void take_clean(wsr_eval *s, const wsr_attack_result *r, size_t a,
                       size_t at)
{
    const wsr__attack_clean clean = wsr__attack_result_logits(r);
    const size_t n = wsr_attack_result_count(r);
    const size_t d = (size_t)s->model->pixels;
    memcpy(s->clean + at, wsr_attack_result_clean(r), n);
    for (size_t i = 0; i < n; i++) {
        s->predicted[at + i] = (int32_t)clean.predicted[i];
        s->margin[at + i] = clean.margin[i];
        s->crc32[at + i] = wsr__crc32(s->x + i * d, d * sizeof(*s->x));
        if (s->smallest[a] != NULL) {
            s->smallest[a][at + i] = clean.smallest[i];
        }
    }
}

// Copies the result of one attack on one batch into its cells, from row `at`
// on.
static void take(wsr_eval *s, const wsr_attack_result *r, size_t a, size_t at)
{
    const size_t n = wsr_attack_result_count(r);
    for (size_t e = 0; e < s->n_eps; e++) {
        wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
        const size_t floats = n * sizeof(float);
        const size_t words = n * sizeof(uint32_t);
        memcpy(cell->robust + at, wsr_attack_result_robust(r, e), n);
        memcpy(cell->success + at, wsr_attack_result_success(r, e), n);
        memcpy(cell->norms[WSR__LINF] + at, wsr_attack_result_linf(r, e),
               floats);
        memcpy(cell->norms[WSR__L2] + at, wsr_attack_result_l2(r, e), floats);
        memcpy(cell->norms[WSR__L1] + at, wsr_attack_result_l1(r, e), floats);
        for (size_t k = 0; k < 2; k++) {
            memcpy(cell->ends[k] + at, wsr__attack_result_end(r, e, k == 1),
                   floats);
        }
        memcpy(cell->queries + at, wsr_attack_result_queries(r, e), words);
        memcpy(cell->gradients + at, wsr_attack_result_gradients(r, e), words);
        memcpy(cell->flat + at, wsr_attack_result_flat(r, e), words);
        memcpy(cell->outside + at, wsr__attack_result_outside(r, e), n);
        const wsr__attack_breaks breaks = wsr__attack_result_breaks(r, e);
        memcpy(cell->member + at, breaks.member, words);
        memcpy(cell->step + at, breaks.step, words);
        for (size_t i = 0; i < WSR__MEMBERS; i++) {
            cell->member_seconds[i] += breaks.seconds[i];
        }
        const float *const images = wsr_attack_result_images(r, e);
        for (size_t i = 0; images != NULL && i < n && at + i < s->keep; i++) {
            memcpy(wsr__at(cell->images, s->model->pixels, at + i),
                   wsr__at_const(images, s->model->pixels, i),
                   (size_t)s->model->pixels * sizeof(float));
        }
    }
    take_clean(s, r, a, at);
}

// Replaces the outcomes by those on the evaluated model; norms and passes
// remain those of the attack. An image may be broken that the attack did not
// break on its own model, so which step did it is not known.
static wsr_status evaluate_transfer(wsr_eval *s, const wsr_attack_result *r,
                                    size_t a, size_t at)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr_attack_result_count(r);
    const size_t classes = s->model->classes;
    const int32_t *const labels = s->labels + at;
    WSR_TRY(wsr_model_logits(s->logits, s->model, s->x, n));
    for (size_t i = 0; i < n; i++) {
        const float *const logits = s->logits + i * classes;
        const int32_t top = wsr__argmax(logits, classes);
        s->clean[at + i] = top == labels[i] ? 1 : 0;
        s->predicted[at + i] = top;
        s->margin[at + i] = wsr__margin(logits, classes, labels[i]);
    }
    for (size_t e = 0; e < s->n_eps; e++) {
        wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
        WSR_TRY(wsr_model_logits(s->logits, s->model,
                                 wsr_attack_result_images(r, e), n));
        for (size_t i = 0; i < n; i++) {
            const bool right = wsr__argmax(s->logits + i * classes, classes) ==
                               labels[i];
            const uint8_t clean = s->clean[at + i];
            cell->robust[at + i] = right ? clean : 0;
            cell->success[at + i] = right ? 0 : clean;
            cell->member[at + i] = 0;
            cell->step[at + i] = 0;
        }
    }
out:
    return status;
}

void wsr_eval_set_hook(wsr_eval *eval, wsr_eval_hook hook, void *user)
{
    eval->hook = hook;
    eval->user = user;
}

// Of an image under the first n attacks.
static double passes_of(const wsr_eval *s, size_t n)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++) {
        sum += s->passes[a];
    }
    return sum;
}

double wsr__eval_passes(const wsr_eval *eval)
{
    return (double)eval->n * passes_of(eval, eval->n_attacks);
}

// Part of the whole before the step in hand, with a part of this one.
static double part_done(const wsr_eval *s, double of_step)
{
    const size_t batches = wsr_eval_steps(s) / s->n_attacks;
    const size_t a = s->position % s->n_attacks;
    const size_t whole = s->position / s->n_attacks; // batches that are done
    const double all = passes_of(s, s->n_attacks);
    const double done = passes_of(s, a) + of_step * s->passes[a];
    return ((double)whole + done / all) / (double)batches;
}

double wsr__eval_part_done(const wsr_eval *eval)
{
    return part_done(eval, 0);
}

static size_t savepoints(const wsr_eval *s)
{
    return s->savepoints + (s->part != NULL ? s->part->taken : 0);
}

// A pass of the running attack, seen from the evaluation.
static bool pass_on(const wsr_attack_progress *attack, void *user)
{
    const wsr_eval *const s = user;
    const size_t steps = wsr_eval_steps(s);
    const wsr_eval_progress progress = {.step = s->position,
                                        .steps = steps,
                                        .done = part_done(s, attack->done),
                                        .savepoints = savepoints(s),
                                        .attack = attack};
    return s->hook(&progress, s->user);
}

// One batch under one attack.
typedef struct step {
    size_t number; // of the batch
    size_t a;      // attack
    size_t at;     // first image
    size_t n;      // images
} step;

static step step_at(const wsr_eval *s)
{
    const size_t number = s->position / s->n_attacks;
    const size_t at = number * s->batch;
    return (step){.number = number,
                  .a = s->position % s->n_attacks,
                  .at = at,
                  .n = s->n - at < s->batch ? s->n - at : s->batch};
}

wsr__eval_rows wsr__eval_rows_of(const wsr_eval *eval, size_t number)
{
    const size_t at = number / eval->n_attacks * eval->batch;
    const size_t rest = eval->n - at;
    return (wsr__eval_rows){.attack = number % eval->n_attacks,
                            .first = at,
                            .n = rest < eval->batch ? rest : eval->batch};
}

// Settings of the attack that depend on the step. In a transfer evaluation
// success on the attacked model does not count, so no image stops early.
static wsr_attack *attack_of(wsr_eval *s, const step *now)
{
    wsr_attack *const attack = s->attacks[now->a];
    attack->settings.first = (int64_t)(s->first + now->at);
    attack->settings.images = now->at < s->keep || s->source != NULL ||
                              s->settings.quantize;
    attack->settings.stop = s->settings.attack.stop && s->source == NULL;
    wsr_attack_set_hook(attack, s->hook == NULL ? NULL : pass_on, s);
    return attack;
}

wsr_status wsr__eval_make_part(wsr_eval *eval)
{
    const step now = step_at(eval);
    wsr__attack_part_free(eval->part);
    return wsr__attack_part_new(
        &eval->part, attack_of(eval, &now),
        eval->source != NULL ? eval->source : eval->model, now.n);
}

// A part costs memory and copies, and without a hook nobody can stop the step.
// The probe is computed before the first pass, since a hook that saves must
// not use the model.
static wsr_status prepare_step(wsr_eval *s)
{
    wsr_status status = WSR_OK;
    if (s->position == 0) {
        WSR_TRY(wsr__eval_ask_twice(s));
    }
    if (s->hook != NULL) {
        WSR_TRY(wsr__eval_make_probe(s));
    }
    if (s->hook != NULL && s->part == NULL) {
        WSR_TRY(wsr__eval_make_part(s));
    }
out:
    return status;
}

// Points passed inside a step keep counting after it.
static void drop_part(wsr_eval *s)
{
    s->savepoints = savepoints(s);
    wsr__attack_part_free(s->part);
    s->part = NULL;
}

wsr_status wsr_eval_step(wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr_eval *const s = eval;
    wsr_attack_result *result = NULL;
    if (s->model == NULL || s->position >= wsr_eval_steps(s)) {
        return WSR_FAIL(WSR_ARG, "evaluation: there is no step left to do");
    }
    const step now = step_at(s);
    WSR_TRY(prepare_step(s));
    WSR_TRY(load_batch(s, now.number, now.n));
    WSR_TRY(wsr__attack_run_part(
        &result, attack_of(s, &now), s->source != NULL ? s->source : s->model,
        &(wsr__labelled){s->x, s->labels + now.at, now.n}, s->part));
    drop_part(s); // all of the step is in the result
    take(s, result, now.a, now.at);
    if (s->source != NULL) {
        WSR_TRY(evaluate_transfer(s, result, now.a, now.at));
    }
    if (s->settings.quantize) {
        WSR_TRY(wsr__eval_quantize(s, result, now.a, now.at));
    }
    for (size_t e = 0; e < s->n_eps; e++) {
        wsr__eval_at(s, now.a, e)->seconds +=
            wsr_attack_result_seconds(result, e);
    }
    s->position++;
    s->savepoints++;
out:
    if (s->part != NULL && !wsr__attack_part_begun(s->part)) {
        drop_part(s);
    }
    wsr_attack_result_free(result);
    return status;
}

wsr_status wsr_eval_finish(wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    while (eval->position < wsr_eval_steps(eval)) {
        WSR_TRY(wsr_eval_step(eval));
    }
out:
    return status;
}
