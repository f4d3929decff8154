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
#include "attack/engine/combine.h"

#include <stdio.h>

typedef struct params {
    wsr__text version;
    wsr__text norm;
    int64_t steps;
    int64_t targets;
    int64_t queries;
    int64_t restarts;
    int64_t eot;
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

static void add_apgd(wsr__str *out, const params *p, const char *loss,
                     int64_t eot)
{
    const bool sparse = is_sparse(p);
    const bool plus = wsr__streq(p->version.s, "plus");
    const int64_t published = sparse || plus ? 5 : 1;
    wsr__str_addf(out,
                  "apgd_%s:steps=%lld,restarts=%lld,eot=%lld,large=%d,"
                  "norm=%s,",
                  loss, (long long)p->steps,
                  (long long)(p->restarts > 0 ? p->restarts : published),
                  (long long)eot, sparse, p->norm.s);
}

static void add_apgd_t(wsr__str *out, const params *p)
{
    const bool sparse = is_sparse(p);
    const int64_t targets = sparse ? 5 : 9;
    const int64_t restarts = p->restarts > 0 ? p->restarts : 1;
    wsr__str_addf(out,
                  "apgd_t:steps=%lld,restarts=%lld,targets=%lld,large=%d,"
                  "norm=%s,",
                  (long long)p->steps, (long long)restarts,
                  (long long)(p->targets > 0 ? p->targets : targets), sparse,
                  p->norm.s);
}

static void add_fab_t(wsr__str *out, const params *p)
{
    wsr__str_addf(out, "fab_t:steps=%lld,targets=%lld,norm=%s,",
                  (long long)p->steps,
                  (long long)(p->targets > 0 ? p->targets : 9), p->norm.s);
}

static void add_square(wsr__str *out, const params *p)
{
    wsr__str_addf(out, "square:queries=%lld,norm=%s,", (long long)p->queries,
                  p->norm.s);
}

static void members_of(wsr__str *out, const params *p, size_t classes)
{
    const bool ratio = classes >= 3; // what the ratio of logits needs
    if (wsr__streq(p->version.s, "rand")) {
        add_apgd(out, p, "ce", p->eot);
        if (ratio) {
            add_apgd(out, p, "dlr", p->eot);
        }
        return;
    }
    add_apgd(out, p, "ce", 1);
    if (wsr__streq(p->version.s, "plus")) {
        if (ratio) {
            add_apgd(out, p, "dlr", 1);
        }
        wsr__str_addf(
            out, "fab:steps=%lld,restarts=%lld,norm=%s,", (long long)p->steps,
            (long long)(p->restarts > 0 ? p->restarts : 5), p->norm.s);
        add_square(out, p);
        add_apgd_t(out, p);
        add_fab_t(out, p);
        return;
    }
    add_apgd_t(out, p);
    add_fab_t(out, p);
    add_square(out, p);
}

static wsr_status make_members(wsr__members *out, const params *p,
                               size_t classes)
{
    wsr_status status = WSR_OK;
    wsr__str specs = {0};
    members_of(&specs, p, classes);
    WSR_TRY(wsr__str_status(&specs));
    specs.s[specs.len - 1] = '\0'; // the last comma
    WSR_TRY(wsr__members_new(out, specs.s));
out:
    wsr__str_free(&specs);
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    wsr__members members = {0};
    WSR_TRY(make_members(&members, options, s->classes));
    WSR_TRY(wsr__members_run(s, &members));
out:
    wsr__members_free(&members);
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    wsr__members members = {0};
    if (make_members(&members, options, s->classes) != WSR_OK) {
        return 0;
    }
    const uint64_t sum = wsr__members_passes(s, &members);
    wsr__members_free(&members);
    return sum;
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
    .run = run,
    .passes = passes,
};
