// SPDX-License-Identifier: Apache-2.0
//
// AutoAttack: the ensemble that evaluations of robustness are compared by,
// each member on the images that those before it did not fool.
//
//   standard  apgd_ce, apgd_t, fab_t, square
//   plus      apgd_ce, apgd_dlr, fab, square, apgd_t, fab_t; five restarts of
//             the untargeted ones
//   rand      apgd_ce, apgd_dlr with 20 gradients averaged, for models with a
//             random component
//
// In the L1 ball the standard version's Auto-PGD begins in larger balls, that
// without targets from five points, that with them at five classes. Croce and
// Hein, "Reliable evaluation of adversarial robustness with an ensemble of
// diverse parameter-free attacks", arXiv:2003.01690.

#include "attack/attack.h"
#include "attack/engine/auto_pgd.h"
#include "attack/engine/combine.h"
#include "attack/engine/fast_boundary.h"
#include "attack/square.h"

typedef struct params {
    wsr__text version;
    wsr__text norm;
    int64_t steps;
    int64_t targets;
    int64_t queries;
    int64_t restarts;
    int64_t eot;
    wsr__members members;
} params;

static const char *const versions[] = {"standard", "plus", "rand", NULL};

static const wsr__option schema[] = {
    {"version", WSR__WORD, offsetof(params, version), "standard", 0, 0, "",
     "which members", versions},
    {"norm", WSR__WORD, offsetof(params, norm), "linf", 0, 0, "",
     "norm of the ball", wsr__lp_names},
    {"steps", WSR__INT, offsetof(params, steps), "100", 1, 100000, "steps",
     "gradient steps of Auto-PGD and FAB", NULL},
    {"targets", WSR__INT, offsetof(params, targets), "0", 0, 100000, "",
     "target classes, 0: as published, 9, of Auto-PGD in the l1 "
     "ball "
     "5",
     NULL},
    {"queries", WSR__INT, offsetof(params, queries), "5000", 1, 1e8, "queries",
     "of Square", NULL},
    {"restarts", WSR__INT, offsetof(params, restarts), "0", 0, 10000, "",
     "of Auto-PGD, of FAB in plus; 0: as published", NULL},
    {"eot", WSR__INT, offsetof(params, eot), "20", 1, 10000, "",
     "gradients averaged in rand", NULL},
    {0},
};

static wsr__lp norm(const void *options)
{
    const params *const p = options;
    return wsr__lp_named(p->norm.s);
}

// Only the standard version has budgets of its own for the L1 ball.
static bool is_sparse(const params *p)
{
    return norm(p) == WSR__L1 && wsr__streq(p->version.s, "standard");
}

// The members get their options as structs; published numbers stand where the
// option is 0.
static wsr_status add_apgd(wsr__members *out, const params *p,
                           const wsr__attack_class *cls, int64_t eot)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    const bool sparse = is_sparse(p);
    const bool plus = wsr__streq(p->version.s, "plus");
    const int64_t published = sparse || plus ? 5 : 1;
    WSR_TRY(wsr__members_add(&options, out, cls));
    wsr__apgd *const apgd = options;
    apgd->steps = p->steps;
    apgd->restarts = p->restarts > 0 ? p->restarts : published;
    apgd->eot = eot;
    apgd->large = sparse;
    apgd->norm = p->norm;
out:
    return status;
}

// The ratio of logits needs a third class; without one it is left out.
static wsr_status add_apgd_dlr(wsr__members *out, const params *p, int64_t eot)
{
    const wsr_status status = add_apgd(out, p, &wsr__attack_apgd_dlr, eot);
    if (status == WSR_OK) {
        out->list[out->n - 1].optional = true;
    }
    return status;
}

static wsr_status add_apgd_t(wsr__members *out, const params *p)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    const bool sparse = is_sparse(p);
    const int64_t targets = sparse ? 5 : 9;
    WSR_TRY(wsr__members_add(&options, out, &wsr__attack_apgd_t));
    wsr__apgd *const apgd = options;
    apgd->steps = p->steps;
    apgd->restarts = p->restarts > 0 ? p->restarts : 1;
    apgd->targets = p->targets > 0 ? p->targets : targets;
    apgd->large = sparse;
    apgd->norm = p->norm;
out:
    return status;
}

static wsr_status add_fab(wsr__members *out, const params *p)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    WSR_TRY(wsr__members_add(&options, out, &wsr__attack_fab));
    wsr__fab *const fab = options;
    fab->steps = p->steps;
    fab->restarts = p->restarts > 0 ? p->restarts : 5;
    fab->norm = p->norm;
out:
    return status;
}

static wsr_status add_fab_t(wsr__members *out, const params *p)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    WSR_TRY(wsr__members_add(&options, out, &wsr__attack_fab_t));
    wsr__fab *const fab = options;
    fab->steps = p->steps;
    fab->targets = p->targets > 0 ? p->targets : 9;
    fab->norm = p->norm;
out:
    return status;
}

static wsr_status add_square(wsr__members *out, const params *p)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    WSR_TRY(wsr__members_add(&options, out, &wsr__attack_square));
    wsr__square *const square = options;
    square->queries = p->queries;
    square->norm = p->norm;
out:
    return status;
}

// The order of members is the published one: cheap attacks come first and
// leave fewer images to the others.
static wsr_status add_members(wsr__members *out, const params *p)
{
    wsr_status status = WSR_OK;
    const bool random = wsr__streq(p->version.s, "rand");
    const bool plus = wsr__streq(p->version.s, "plus");
    const int64_t eot = random ? p->eot : 1;
    WSR_TRY(add_apgd(out, p, &wsr__attack_apgd_ce, eot));
    if (random || plus) {
        WSR_TRY(add_apgd_dlr(out, p, eot));
    }
    if (random) {
        return WSR_OK;
    }
    if (plus) {
        WSR_TRY(add_fab(out, p));
        WSR_TRY(add_square(out, p));
    }
    WSR_TRY(add_apgd_t(out, p));
    WSR_TRY(add_fab_t(out, p));
    if (!plus) {
        WSR_TRY(add_square(out, p));
    }
out:
    return status;
}

static void release(void *options)
{
    wsr__members_free(&((params *)options)->members);
}

// Members are made once, when the attack is made, not for every batch.
static wsr_status prepare(void *options)
{
    params *const p = options;
    const wsr_status status = add_members(&p->members, p);
    if (status != WSR_OK) {
        release(p);
    }
    return status;
}

static const wsr__members *members_of(const void *options)
{
    return &((const params *)options)->members;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__members_run(s, members_of(options));
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    return wsr__members_passes(s, members_of(options));
}

const wsr__attack_class wsr__attack_autoattack = {
    .super = {.name = "autoattack",
              .summary = "AutoAttack: the standard ensemble",
              .reference = "Croce and Hein 2020, arXiv:2003.01690",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = norm,
    .needs_gradient = true,
    .early_stop = true,
    .prepare = prepare,
    .release = release,
    .members = members_of,
    .run = run,
    .passes = passes,
};
