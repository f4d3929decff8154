// SPDX-License-Identifier: Apache-2.0
//
// The batch that an attack works on: images, targets, logits and gradients
// with one row per image, the list of active rows, and the model.
// batch_pass.c passes it through the model, batch_strength.c takes it through
// the strengths.
//
// Rows never move; `active` lists the rows that the next pass computes, in
// ascending order. With stop, a row leaves this list at its first success.

#include "attack/engine/batch.h"
#include "attack/attack.h"

#include <math.h>
#include <string.h>

// ---------------------------------------------------------------- lifetime

// Also frees a batch that was made in part.
void wsr__attack_batch_free(wsr__attack_batch *s)
{
    if (s == NULL) {
        return;
    }
    wsr__attack_batch_own *const own = s->own;
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
        wsr__free(own->state);
        wsr__free(own->known);
        wsr__free(own->attacked);
        wsr__free(own->nested_success);
        wsr__free(own->rows);
        wsr__free(own->queries);
        wsr__free(own->gradients);
        wsr__free(own->flat);
        wsr__free(own->begun);
        wsr__free(own->breaker);
        wsr__free(own->step);
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

// Which attack found what, and when.
static void make_notes(bool *failed, wsr__attack_batch_own *own, size_t n)
{
    own->begun = row_array(failed, n, sizeof(*own->begun));
    own->breaker = row_array(failed, n, sizeof(*own->breaker));
    own->step = row_array(failed, n, sizeof(*own->step));
}

// Shapes: x, grad, found (n, d); logits, dlogits, clean (n, classes); all
// others (n). The public fields are views: attacks read and write them, but
// only this file allocates, which `own` keeps apart.
static wsr_status make_arrays(wsr__attack_batch *s)
{
    wsr__attack_batch_own *const own = s->own;
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
    own->state = row_array(&failed, n, sizeof(*own->state));
    own->known = row_array(&failed, n, sizeof(*own->known));
    own->attacked = row_array(&failed, n, sizeof(*own->attacked));
    own->nested_success = row_array(&failed, n, sizeof(*own->nested_success));
    own->rows = row_array(&failed, n, sizeof(*own->rows));
    own->queries = row_array(&failed, n, sizeof(*own->queries));
    own->gradients = row_array(&failed, n, sizeof(*own->gradients));
    own->flat = row_array(&failed, n, sizeof(*own->flat));
    own->exponent = row_array(&failed, n, sizeof(*own->exponent));
    own->clean_exponent = row_array(&failed, n, sizeof(*own->clean_exponent));
    make_notes(&failed, own, n);
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
    wsr__attack_batch_own *const own = s->own;
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
