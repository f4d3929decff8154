// SPDX-License-Identifier: Apache-2.0
//
// The fast adaptive boundary attack on the nearest of all boundaries, each of
// which costs a forward and a backward pass per step. The method is in
// fast_boundary.c.

#include "attack/attack.h"
#include "attack/engine/fast_boundary.h"

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(wsr__fab, steps), "100", 1, 100000, "steps",
     "gradient steps", NULL},
    {"restarts", WSR__INT, offsetof(wsr__fab, restarts), "5", 1, 10000, "",
     "walks, all but the first from a random point", NULL},
    {"alpha", WSR__FLOAT, offsetof(wsr__fab, alpha), "0.1", 0, 1, "",
     "largest share of the clean image in a step", NULL},
    {"eta", WSR__FLOAT, offsetof(wsr__fab, eta), "1.05", 1, 10, "",
     "by how much the boundary is passed", NULL},
    {"beta", WSR__FLOAT, offsetof(wsr__fab, beta), "0.9", 0, 1, "",
     "share of its change that a wrong image keeps", NULL},
    {"norm", WSR__WORD, offsetof(wsr__fab, norm), "linf", 0, 0, "",
     "norm that is to be small", wsr__lp_names},
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__fab_run(s, options);
}

const wsr__attack_class wsr__attack_fab = {
    .super = {.name = "fab",
              .summary = "smallest change, along the nearest boundary",
              .reference = "Croce and Hein 2020, arXiv:1907.02044",
              .schema = schema,
              .params_size = sizeof(wsr__fab)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = wsr__fab_norm,
    .needs_gradient = true,
    .unbounded = true,
    .min_norm = true,
    .run = run,
    .passes = wsr__fab_passes,
};
