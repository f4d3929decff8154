// SPDX-License-Identifier: Apache-2.0
//
// Estimated noise as an attack, so that its strength can be compared with that
// of the attacks it stands in for. The image is attacked by PGD at a few
// strengths, the sources,
//
//   n_k = PGD(x0; eps_k) - x0            k = 1, 2, ...
//
// and the noise at any other strength is estimated from them, without a
// gradient, at a given Euclidean norm:
//
//   x = clip(x0 + estimator(x0, n_1, n_2, ...; norm))
//
// In the l2 ball the norm is the strength; in the linf ball it is that of the
// source whose strength is the nearest, times the ratio of the two strengths.
// Sources serve all strengths. "Neural Architecture Search for Wide Evaluation
// Adversarial Robustness", AAAI 2023, doi:10.1609/aaai.v37i1.25118.
//
// Images are estimated one by one, so that no result depends on others.

#include "wsr/estimator.h"
#include "attack/attack.h"
#include "attack/engine/batch.h"
#include "io/io.h"

#include <math.h>
#include <string.h>

typedef struct params {
    wsr__text net;
    wsr__text spec;
    wsr__floats sources;
    int64_t steps;
    double rel_length;
    wsr__text norm;
} params;

static const char *const norms[] = {"linf", "l2", NULL};

static const wsr__option schema[] = {
    {"net", WSR__TEXT, offsetof(params, net), "", 0, 0, "",
     "file of the estimator, as wsr-search leaves it", NULL},
    {"spec", WSR__TEXT, offsetof(params, spec), "", 0, 0, "",
     "which estimator it is, where the file does not say: an", NULL},
    {"sources", WSR__FLOATS, offsetof(params, sources), "[0.03, 0.06, 0.09]",
     1e-6, 1e6, "", "strengths that are attacked, ascending", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "7", 1, 100000, "steps",
     "gradient steps at each of them", NULL},
    {"rel_length", WSR__FLOAT, offsetof(params, rel_length), "2.5", 0, 1000, "",
     "length of all steps together, in strengths", NULL},
    {"norm", WSR__WORD, offsetof(params, norm), "linf", 0, 0, "",
     "norm of the ball", norms},
    {0},
};

static wsr__lp norm(const void *options)
{
    const params *const p = options;
    return wsr__lp_named(p->norm.s);
}

// A file that is none is found here, not when other attacks have run for hours.
static wsr_status look_into(const char *file)
{
    wsr__st *st = NULL;
    const wsr_status status = wsr__st_open(&st, file);
    wsr__st_free(st);
    return status;
}

static wsr_status prepare(void *options)
{
    const params *const p = options;
    if (p->net.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "estimator.net: a file is needed");
    }
    if (p->sources.n < 1 || p->sources.n > WSR_ESTIMATOR_SOURCES) {
        return WSR_FAIL(WSR_CONFIG,
                        "estimator.sources: %zu are outside [1, %d]",
                        p->sources.n, WSR_ESTIMATOR_SOURCES);
    }
    for (size_t k = 1; k < p->sources.n; k++) {
        if (p->sources.v[k] <= p->sources.v[k - 1]) {
            return WSR_FAIL(WSR_CONFIG,
                            "estimator.sources: %g does not exceed %g",
                            p->sources.v[k], p->sources.v[k - 1]);
        }
    }
    return look_into(p->net.s);
}

// Estimators are made for images of one shape.
static wsr_status fits(const void *options, const wsr_model *model)
{
    const params *const p = options;
    const char *const spec = p->spec.s[0] == '\0' ? NULL : p->spec.s;
    wsr_estimator *estimator = NULL;
    const wsr_status status =
        wsr_estimator_load(&estimator, p->net.s, &model->shape, spec);
    wsr_estimator_free(estimator);
    return status;
}

// ---------------------------------------------------------- what is kept

// What lasts from strength to strength of a batch: the estimator, and the
// noises of the images that were attacked already.
typedef struct cache {
    params of;
    wsr_estimator *estimator;
    float *noise[WSR_ESTIMATOR_SOURCES]; // (capacity, d)
    uint8_t *known;                      // (capacity)
    uint32_t *aside;                     // (capacity)
    uint64_t id;                         // of the batch
} cache;

static void cache_free(void *object)
{
    cache *const k = object;
    if (k == NULL) {
        return;
    }
    for (size_t i = 0; i < WSR_ESTIMATOR_SOURCES; i++) {
        wsr__free(k->noise[i]);
    }
    wsr__free(k->known);
    wsr__free(k->aside);
    wsr_estimator_free(k->estimator);
    wsr__free(k);
}

static wsr_status make_cache(cache **out, const wsr__attack_batch *s,
                             const params *p)
{
    wsr_status status = WSR_OK;
    const char *const spec = p->spec.s[0] == '\0' ? NULL : p->spec.s;
    cache *k = wsr__alloc(1, sizeof(*k));
    bool made = k != NULL;
    if (made) {
        k->of = *p;
        k->id = s->id;
        k->known = wsr__alloc(s->capacity, sizeof(*k->known));
        k->aside = wsr__alloc(s->capacity, sizeof(*k->aside));
        made = k->known != NULL && k->aside != NULL;
    }
    for (size_t i = 0; made && i < p->sources.n; i++) {
        k->noise[i] = wsr__alloc(s->capacity, (size_t)s->d * sizeof(float));
        made = k->noise[i] != NULL;
    }
    if (!made) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(
        wsr_estimator_load(&k->estimator, p->net.s, &s->model->shape, spec));
    *out = k;
    k = NULL;
out:
    cache_free(k);
    return status;
}

static bool same_params(const params *a, const params *b)
{
    bool same = wsr__streq(a->net.s, b->net.s) &&
                wsr__streq(a->spec.s, b->spec.s) &&
                a->sources.n == b->sources.n && a->steps == b->steps &&
                fabs(a->rel_length - b->rel_length) <= 0;
    for (size_t i = 0; same && i < a->sources.n; i++) {
        same = fabs(a->sources.v[i] - b->sources.v[i]) <= 0;
    }
    return same;
}

static wsr_status recall(cache **out, wsr__attack_batch *s, const params *p)
{
    wsr_status status = WSR_OK;
    cache *k = wsr__attack_batch_cache(s);
    if (k == NULL || !same_params(&k->of, p)) {
        WSR_TRY(make_cache(&k, s, p));
        wsr__attack_batch_set_cache(s, k, cache_free);
    }
    if (k->id != s->id) {
        memset(k->known, 0, s->capacity * sizeof(*k->known));
        k->id = s->id;
    }
    *out = k;
out:
    return status;
}

// ----------------------------------------------------------------- sources

typedef struct source {
    float eps;
    float alpha;
    float *noise;
} source;

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const source *const from = ctx;
    wsr__ball ball = wsr__attack_batch_ball(s, row);
    ball.eps = from->eps;
    ball.norm = WSR__LINF;
    wsr__sign_step(wsr__at(s->x, s->d, row), wsr__at_const(s->grad, s->d, row),
                   from->alpha, &ball);
}

static void take_noise(wsr__attack_batch *s, size_t row, void *ctx)
{
    const source *const from = ctx;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const noise = wsr__at(from->noise, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        noise[i] = x[i] - x0[i];
    }
}

// Nothing is checked: these points may lie outside of the ball.
static wsr_status attack_source(wsr__attack_batch *s, const params *p,
                                source *from)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch_reset(s);
    for (int64_t i = 0; i < p->steps; i++) {
        WSR_TRY(i == 0 ? wsr__attack_batch_clean_gradient(s, wsr__loss_ce)
                       : wsr__attack_batch_gradient_at(s, s->x, wsr__loss_ce));
        wsr__attack_batch_each(s, step, from);
    }
    wsr__attack_batch_each(s, take_noise, from);
out:
    return status;
}

// The noises of the rows that have none yet.
static wsr_status attack_sources(wsr__attack_batch *s, const params *p,
                                 cache *k)
{
    wsr_status status = WSR_OK;
    const size_t all = s->n_active;
    memcpy(k->aside, s->active, all * sizeof(*s->active));
    s->n_active = 0;
    for (size_t i = 0; i < all; i++) {
        if (!k->known[k->aside[i]]) {
            s->active[s->n_active++] = k->aside[i];
        }
    }
    for (size_t i = 0; i < p->sources.n && s->n_active > 0; i++) {
        const double eps = p->sources.v[i];
        source from = {(float)eps,
                       (float)(p->rel_length * eps / (double)p->steps),
                       k->noise[i]};
        WSR_TRY(attack_source(s, p, &from));
    }
    for (size_t i = 0; i < all; i++) {
        k->known[k->aside[i]] = 1;
    }
out:
    memcpy(s->active, k->aside, all * sizeof(*s->active));
    s->n_active = all;
    return status;
}

// --------------------------------------------------------------- estimates

static float norm_wanted(const wsr__attack_batch *s, const cache *k, size_t row)
{
    const double eps = (double)s->eps;
    size_t near = 0;
    if (s->norm == WSR__L2) {
        return s->eps;
    }
    for (size_t i = 1; i < k->of.sources.n; i++) {
        const double *const v = k->of.sources.v;
        near = fabs(v[i] - eps) < fabs(v[near] - eps) ? i : near;
    }
    const float *const noise = wsr__at_const(k->noise[near], s->d, row);
    double squares = 0;
    for (int64_t i = 0; i < s->d; i++) {
        squares += (double)noise[i] * (double)noise[i];
    }
    return (float)(sqrt(squares) * eps / k->of.sources.v[near]);
}

static wsr_status estimate(wsr__attack_batch *s, cache *k, size_t row)
{
    wsr_status status = WSR_OK;
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    const float *sources[WSR_ESTIMATOR_SOURCES];
    const float target = norm_wanted(s, k, row);
    const size_t counts[3] = {1, k->of.sources.n, 1};
    float *const x = wsr__at(s->x, s->d, row);
    float *const dst[1] = {x};
    for (size_t i = 0; i < k->of.sources.n; i++) {
        sources[i] = wsr__at_const(k->noise[i], s->d, row);
    }
    WSR_TRY(wsr_estimator_run(dst, k->estimator, sources, x0, &target, counts));
    for (int64_t i = 0; i < s->d; i++) {
        // No noise is what there is to estimate from no noise.
        x[i] = isfinite(x[i]) ? x0[i] + x[i] : x0[i];
    }
    wsr__project(x, &ball);
out:
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    cache *k = NULL;
    WSR_TRY(recall(&k, s, options));
    WSR_TRY(attack_sources(s, options, k));
    for (size_t i = 0; i < s->n_active; i++) {
        WSR_TRY(wsr__attack_batch_report(s));
        WSR_TRY(estimate(s, k, s->active[i]));
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)p->steps * p->sources.n + 1;
}

const wsr__attack_class wsr__attack_estimator = {
    .super = {.name = "estimator",
              .summary = "noise estimated from that of pgd at other strengths",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2,
    .norm = norm,
    .needs_gradient = true,
    .prepare = prepare,
    .fits = fits,
    .targets = true,
    .clean_loss = wsr__attack_clean_ce,
    .run = run,
    .passes = passes,
};
