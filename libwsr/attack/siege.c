// SPDX-License-Identifier: Apache-2.0
//
// What an attack works with: the images of a batch, which of them still stand,
// and the model. The forward pass that gives the gradient at an iterate also
// says whether the iterate has won, so that n steps cost n + 1 forward passes
// and n backward ones; images that have fallen are left out from then on.
// What is known of the clean images (logits, the first gradient) is computed
// once for all strengths.

#include "attack/attack.h"

#include <math.h>
#include <string.h>

typedef struct wsr__siege_own {
    float *x;
    float *grad;
    float *logits;
    float *dlogits;
    double *loss;
    float *clean;
    float *found;
    double *best;
    wsr__aim *aims;
    wsr__aim *goals;
    uint8_t *fallen;
    uint8_t *left;   // rows to go at the next wsr__siege_leave
    uint8_t *bad;    // rows with gradients that are not finite
    uint8_t *known;  // rows of clean_grad
    uint8_t *stands; // clean images that are attacked
    uint8_t *done;   // those that fell at a smaller strength
    uint32_t *rows;
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;
    int *exponent;
    float *clean_grad;
    int *clean_exponent; // of clean_grad
    double *clean_loss;
    wsr__loss clean_of; // loss that these are of, NULL: of none
    uint32_t *held;     // rows that the running attack began with
    size_t held_n;
    bool at_clean; // the model's last kept forward was of the clean images
    void *object;  // of the attack
    void (*release)(void *object);
    float *spare[WSR__SPARES];
    int64_t width[WSR__SPARES];
} own_arrays;

// ---------------------------------------------------------------- lifetime

void wsr__siege_free(wsr__siege *s)
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
        wsr__free(own->aims);
        wsr__free(own->goals);
        wsr__free(own->fallen);
        wsr__free(own->left);
        wsr__free(own->bad);
        wsr__free(own->known);
        wsr__free(own->stands);
        wsr__free(own->done);
        wsr__free(own->rows);
        wsr__free(own->queries);
        wsr__free(own->gradients);
        wsr__free(own->flat);
        wsr__free(own->exponent);
        wsr__free(own->clean_grad);
        wsr__free(own->clean_exponent);
        wsr__free(own->clean_loss);
        for (size_t i = 0; i < WSR__SPARES; i++) {
            wsr__free(own->spare[i]);
        }
        wsr__siege_keep(s, NULL, NULL);
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

static wsr_status make_arrays(wsr__siege *s)
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
    own->aims = row_array(&failed, n, sizeof(*own->aims));
    own->goals = row_array(&failed, n, sizeof(*own->goals));
    own->fallen = row_array(&failed, n, sizeof(*own->fallen));
    own->left = row_array(&failed, n, sizeof(*own->left));
    own->bad = row_array(&failed, n, sizeof(*own->bad));
    own->known = row_array(&failed, n, sizeof(*own->known));
    own->stands = row_array(&failed, n, sizeof(*own->stands));
    own->done = row_array(&failed, n, sizeof(*own->done));
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
    s->aims = own->aims;
    s->goals = own->goals;
    s->fallen = own->fallen;
    s->rows = own->rows;
    s->queries = own->queries;
    s->gradients = own->gradients;
    s->flat = own->flat;
    s->exponent = own->exponent;
    return WSR_OK;
}

wsr_status wsr__siege_new(wsr__siege **out, const wsr_attack *attack,
                          wsr_model *model, size_t capacity)
{
    wsr_status status = WSR_NOMEM;
    wsr__siege *s = wsr__alloc(1, sizeof(*s));
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
    s->stop = attack->settings.stop && !model->whole;
    WSR_TRY(make_arrays(s));
    *out = s;
    s = NULL;
out:
    wsr__siege_free(s);
    return status;
}

float *wsr__siege_spare(wsr__siege *s, size_t which, int64_t width)
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

void *wsr__siege_object(const wsr__siege *s)
{
    return s->own->object;
}

void wsr__siege_keep(wsr__siege *s, void *object, void (*release)(void *))
{
    if (s->own->object != NULL) {
        s->own->release(s->own->object);
    }
    s->own->object = object;
    s->own->release = release;
}

// ------------------------------------------------------------------- rows

wsr__ball wsr__siege_ball(const wsr__siege *s, size_t row)
{
    return (wsr__ball){wsr__at_const(s->x0, s->d, row), s->d, s->eps, s->norm,
                       s->model->box};
}

// A hash of the attack's name keeps the members of a combination apart.
static uint64_t seed_of(const wsr__siege *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = s->cls->super.name; *c != '\0'; c++) {
        h = (h ^ (uint64_t)(unsigned char)*c) * UINT64_C(1099511628211);
    }
    h ^= (uint64_t)s->stream << 32;
    return (uint64_t)s->attack->settings.seed ^ h;
}

wsr__rng wsr__siege_rng(const wsr__siege *s, size_t row, uint32_t step)
{
    return wsr__rng_at(seed_of(s), WSR__RNG_ATTACK, s->id + row, step);
}

typedef struct each_work {
    wsr__siege *s;
    wsr__row_body body;
    void *ctx;
} each_work;

static void each_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const each_work *const work = ctx;
    for (int64_t k = begin; k < end; k++) {
        work->body(work->s, work->s->rows[k], work->ctx);
    }
}

void wsr__siege_each(wsr__siege *s, wsr__row_body body, void *ctx)
{
    each_work work = {s, body, ctx};
    wsr__share((int64_t)s->m, s->d, each_share, &work);
}

static void reset_row(wsr__siege *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->x, s->d, row), wsr__at_const(s->x0, s->d, row),
           (size_t)s->d * sizeof(*s->x));
}

void wsr__siege_reset(wsr__siege *s)
{
    wsr__siege_each(s, reset_row, NULL);
}

// --------------------------------------------------------- model, outcomes

static wsr_status not_finite(const wsr__siege *s, size_t row, const char *what)
{
    return WSR_FAIL(WSR_NUMERIC,
                    "attack %s: %s of image %llu are not finite (in the batch "
                    "of images %llu to %llu)",
                    s->cls->super.name, what, (unsigned long long)(s->id + row),
                    (unsigned long long)s->id,
                    (unsigned long long)(s->id + s->n - 1));
}

static wsr_status forward(wsr__siege *s, float *logits, const float *x,
                          bool keep)
{
    wsr_status status = WSR_OK;
    const wsr__rows rows = {s->rows, s->m};
    if (s->m == 0) {
        return WSR_OK;
    }
    WSR_TRY(s->model->cls->forward(s->model, logits, x, &rows, keep));
    s->own->at_clean = false;
    s->model->queries += s->m;
    for (size_t k = 0; k < s->m; k++) {
        const size_t row = s->rows[k];
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

wsr_status wsr__siege_forward(wsr__siege *s, bool keep)
{
    return forward(s, s->logits, s->x, keep);
}

wsr_status wsr__siege_forward_at(wsr__siege *s, const float *x, bool keep)
{
    return forward(s, s->logits, x, keep);
}

typedef struct finite_work {
    const float *grad;
    uint8_t *bad; // per row
} finite_work;

// A sum of magnitudes is finite only if all of them are (or they overflow,
// which no step could use either).
static void check_row(wsr__siege *s, size_t row, void *ctx)
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

static wsr_status backward(wsr__siege *s, float *grad, int *exponent,
                           double *loss, wsr__loss of)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    if (s->m == 0) {
        return WSR_OK;
    }
    memset(s->dlogits, 0, s->capacity * s->classes * sizeof(*s->dlogits));
    int common = WSR__EXPONENT_NONE;
    for (size_t k = 0; k < s->m; k++) {
        const size_t row = s->rows[k];
        loss[row] = of(s->dlogits + row * s->classes, &exponent[row],
                       s->logits + row * s->classes, &s->aims[row], s->classes);
        if (s->model->whole) { // where all rows are there, in their order
            wsr__gradient_join(s->dlogits, &common, exponent[row], row,
                               s->classes);
        }
    }
    for (size_t k = 0; s->model->whole && k < s->m; k++) {
        exponent[s->rows[k]] = common;
    }
    WSR_TRY(s->model->cls->backward(s->model, grad, s->dlogits));
    s->model->gradients += s->m;
    finite_work work = {grad, own->bad};
    wsr__siege_each(s, check_row, &work);
    for (size_t k = 0; k < s->m; k++) {
        const size_t row = s->rows[k];
        s->gradients[row]++;
        if (own->bad[row]) {
            status = not_finite(s, row, "gradients");
        }
    }
out:
    return status;
}

wsr_status wsr__siege_backward(wsr__siege *s, wsr__loss loss)
{
    return backward(s, s->grad, s->exponent, s->loss, loss);
}

static bool goal_met(const wsr__aim *goal, int32_t prediction)
{
    return goal->target >= 0 ? prediction == goal->target
                             : prediction != goal->label;
}

bool wsr__siege_won(const wsr__siege *s, size_t row)
{
    return goal_met(&s->goals[row],
                    wsr__argmax(s->logits + row * s->classes, s->classes));
}

bool wsr__siege_clean_stands(const wsr__siege *s, size_t row)
{
    const wsr__aim *const goal = &s->goals[row];
    const int32_t prediction =
        wsr__argmax(s->clean + row * s->classes, s->classes);
    return goal->label >= 0 ? prediction == goal->label
                            : prediction != goal->target;
}

void wsr__siege_take(wsr__siege *s, size_t row, const float *x)
{
    s->fallen[row] = 1;
    s->own->left[row] = 1;
    memcpy(wsr__at(s->found, s->d, row), x, (size_t)s->d * sizeof(*x));
}

void wsr__siege_leave(wsr__siege *s)
{
    size_t kept = 0;
    for (size_t k = 0; k < s->m; k++) {
        const uint32_t row = s->rows[k];
        if (!s->stop || !s->own->left[row]) {
            s->rows[kept++] = row;
        }
        s->own->left[row] = 0;
    }
    s->m = kept;
}

void wsr__siege_fell(wsr__siege *s)
{
    for (size_t k = 0; s->stop && k < s->m; k++) {
        const size_t row = s->rows[k];
        if (wsr__siege_won(s, row)) {
            wsr__siege_take(s, row, wsr__at(s->x, s->d, row));
        }
    }
    wsr__siege_leave(s);
}

wsr_status wsr__siege_judge(wsr__siege *s)
{
    const wsr_status status = wsr__siege_forward(s, false);
    if (status == WSR_OK) {
        wsr__siege_fell(s);
    }
    return status;
}

wsr_status wsr__siege_gradient(wsr__siege *s, wsr__loss loss)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__siege_forward(s, true));
    wsr__siege_fell(s);
    WSR_TRY(wsr__siege_backward(s, loss));
out:
    return status;
}

wsr_status wsr__siege_gradient_at(wsr__siege *s, const float *x, wsr__loss loss)
{
    const wsr_status status = wsr__siege_forward_at(s, x, true);
    return status == WSR_OK ? wsr__siege_backward(s, loss) : status;
}

static bool clean_known(const wsr__siege *s, wsr__loss loss)
{
    bool known = s->own->clean_of == loss;
    for (size_t k = 0; k < s->m; k++) {
        known = known && s->own->known[s->rows[k]];
    }
    return known;
}

static void take_clean(wsr__siege *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(s->own->clean_grad, s->d, row),
           (size_t)s->d * sizeof(*s->grad));
    memcpy(s->logits + row * s->classes, s->clean + row * s->classes,
           s->classes * sizeof(*s->logits));
    s->loss[row] = s->own->clean_loss[row];
    s->exponent[row] = s->own->clean_exponent[row];
}

wsr_status wsr__siege_clean_gradient(wsr__siege *s, wsr__loss loss)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    if (own->clean_grad == NULL) {
        own->clean_grad =
            wsr__alloc_raw(s->capacity, (size_t)s->d * sizeof(float));
    }
    if (own->clean_loss == NULL) {
        own->clean_loss = wsr__alloc(s->capacity, sizeof(double));
    }
    if (own->clean_grad == NULL || own->clean_loss == NULL) {
        return WSR_NOMEM;
    }
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
        for (size_t k = 0; k < s->m; k++) {
            own->known[s->rows[k]] = 1;
        }
    }
    wsr__siege_each(s, take_clean, NULL);
out:
    return status;
}

static void publish(wsr__siege *s, size_t row, void *ctx)
{
    (void)ctx;
    memcpy(wsr__at(s->found, s->d, row), wsr__at(s->x, s->d, row),
           (size_t)s->d * sizeof(*s->x));
    s->fallen[row] = wsr__siege_won(s, row) ? 1 : 0;
}

wsr_status wsr__siege_finish(wsr__siege *s)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__siege_judge(s));
    wsr__siege_each(s, publish, NULL);
out:
    return status;
}

void wsr__siege_offer(wsr__siege *s, size_t row, const float *x)
{
    const double norm =
        wsr__distance(s->norm, x, wsr__at_const(s->x0, s->d, row), s->d);
    if (norm < s->best[row]) {
        s->best[row] = norm;
        memcpy(wsr__at(s->found, s->d, row), x, (size_t)s->d * sizeof(*x));
    }
    if (s->hurry && wsr__siege_within(s, row, s->eps)) {
        s->own->left[row] = 1;
    }
}

// --------------------------------------------------------------- a strength

// A minimal attack is judged: what it found inside the ball has fallen.
static void settle(wsr__siege *s)
{
    for (size_t k = 0; k < s->m; k++) {
        const size_t row = s->rows[k];
        if (wsr__siege_within(s, row, s->eps)) {
            s->fallen[row] = 1;
        } else {
            memcpy(wsr__at(s->found, s->d, row),
                   wsr__at_const(s->x0, s->d, row),
                   (size_t)s->d * sizeof(*s->x));
        }
    }
}

// What fell leaves, if images do so at all.
static void leave_fallen(wsr__siege *s)
{
    for (size_t k = 0; k < s->m; k++) {
        s->own->left[s->rows[k]] = s->fallen[s->rows[k]];
    }
    wsr__siege_leave(s);
}

// Runs an attack that drops rows when it likes: afterwards all are back.
static wsr_status run_held(wsr__siege *s, const wsr__attack_class *cls,
                           const void *params)
{
    own_arrays *const own = s->own;
    uint32_t *const outer_held = own->held;
    const size_t outer_n = own->held_n;
    const bool outer_stop = s->stop;
    const bool outer_hurry = s->hurry;
    wsr_status status = WSR_OK;
    own->held = wsr__alloc(s->m, sizeof(*own->held));
    if (own->held == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    own->held_n = s->m;
    memcpy(own->held, s->rows, s->m * sizeof(*s->rows));
    s->stop = true;
    s->hurry = cls != s->attack->cls;
    WSR_TRY(cls->run(s, params));
    memcpy(s->rows, own->held, own->held_n * sizeof(*s->rows));
    s->m = own->held_n;
    for (size_t k = 0; k < s->m; k++) {
        own->left[s->rows[k]] = 0;
    }
out:
    s->stop = outer_stop;
    s->hurry = outer_hurry;
    wsr__free(own->held);
    own->held = outer_held;
    own->held_n = outer_n;
    return status;
}

wsr_status wsr__siege_sub(wsr__siege *s, const wsr__attack_class *cls,
                          const void *params, uint32_t stream)
{
    wsr_status status = WSR_OK;
    const wsr__attack_class *const outer = s->cls;
    const uint32_t outer_stream = s->stream;
    s->cls = cls;
    s->stream = stream;
    for (size_t k = 0; k < s->m; k++) {
        s->best[s->rows[k]] = (double)INFINITY;
        s->aims[s->rows[k]] = s->goals[s->rows[k]];
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
    if (s->m > 0 && (cls->minimal || cls->leaves)) {
        WSR_TRY(run_held(s, cls, params));
    } else if (s->m > 0) {
        WSR_TRY(cls->run(s, params));
    }
    if (cls->minimal) {
        settle(s);
    }
    leave_fallen(s);
out:
    s->cls = outer;
    s->stream = outer_stream;
    return status;
}

void wsr__siege_retire(wsr__siege *s, size_t row)
{
    s->own->left[row] = 1;
}

void wsr__siege_recall(wsr__siege *s)
{
    const own_arrays *const own = s->own;
    s->m = 0;
    for (size_t k = 0; k < own->held_n; k++) {
        const uint32_t row = own->held[k];
        const bool done = s->cls->minimal
                              ? s->hurry && wsr__siege_within(s, row, s->eps)
                              : s->fallen[row] != 0;
        own->left[row] = 0;
        if (!done) {
            s->rows[s->m++] = row;
        }
    }
}

// The class to reach, chosen by the logits of the clean image.
static int32_t pick(const wsr__siege *s, size_t row, int32_t label)
{
    const float *const z = s->clean + row * s->classes;
    const wsr__target target = s->attack->target;
    if (target == WSR__TARGET_CLASS) {
        return (int32_t)s->attack->settings.target_class;
    }
    if (target == WSR__TARGET_RANDOM) {
        wsr__rng rng = wsr__siege_rng(s, row, UINT32_MAX);
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

static void set_goals(wsr__siege *s, const int32_t *labels)
{
    for (size_t i = 0; i < s->n; i++) {
        wsr__aim *const goal = &s->own->goals[i];
        goal->label = labels[i];
        goal->target = -1;
        goal->clean = s->clean + i * s->classes;
        if (s->attack->target == WSR__TARGET_GIVEN) {
            goal->label = -1;
            goal->target = labels[i];
        } else if (s->attack->target != WSR__TARGET_NONE) {
            goal->target = pick(s, i, labels[i]);
        }
    }
}

wsr_status wsr__siege_begin(wsr__siege *s, const float *x0,
                            const int32_t *labels, size_t n, uint64_t id)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    s->x0 = x0;
    s->n = n;
    s->id = id;
    s->m = n;
    own->clean_of = NULL;
    for (size_t i = 0; i < n; i++) {
        s->rows[i] = (uint32_t)i;
        s->queries[i] = 0;
        s->gradients[i] = 0;
        s->flat[i] = 0;
        s->fallen[i] = 0;
        own->left[i] = 0;
    }
    const bool keep = wsr_attack_needs_gradients(s->attack) &&
                      s->model->differentiable;
    WSR_TRY(forward(s, own->clean, x0, keep));
    own->at_clean = keep;
    set_goals(s, labels);
    for (size_t i = 0; i < n; i++) {
        own->stands[i] = !s->stop || wsr__siege_clean_stands(s, i);
        own->done[i] = 0;
    }
out:
    return status;
}

wsr_status wsr__siege_strength(wsr__siege *s, float eps)
{
    wsr_status status = WSR_OK;
    own_arrays *const own = s->own;
    const bool nested = s->stop && s->attack->settings.nested;
    s->eps = eps;
    s->m = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (own->stands[i] && !own->done[i]) {
            s->rows[s->m++] = (uint32_t)i;
            s->fallen[i] = 0;
        }
    }
    WSR_TRY(wsr__siege_sub(s, s->cls, s->attack->params, 0));
    for (size_t i = 0; nested && i < s->n; i++) {
        own->done[i] = s->fallen[i];
    }
out:
    return status;
}
