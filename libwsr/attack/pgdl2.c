// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the cross entropy in the Euclidean ball: pgd
// with norm=l2 under the name that others use. The iteration is in descent.c.

#include "attack/attack.h"
#include "attack/engine/steps.h"

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(wsr__descent, steps), "20", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(wsr__descent, alpha), "0", 0, 1e9,
     "pixel values", "length of a step, 0: from rel_length", NULL},
    {"rel_length", WSR__FLOAT, offsetof(wsr__descent, rel_length), "2.5", 0,
     1000, "", "length of all steps together, in strengths", NULL},
    {"random_start", WSR__BOOL, offsetof(wsr__descent, random_start), "false",
     0, 0, "", "begin at a random point of the ball", NULL},
    {"restarts", WSR__INT, offsetof(wsr__descent, restarts), "1", 1, 10000, "",
     "tries; the second and later ones begin at random", NULL},
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__descent_run(s, options, wsr__loss_ce);
}

const wsr__attack_class wsr__attack_pgdl2 = {
    .super = {.name = "pgdl2",
              .summary = "steps along the gradient in the Euclidean ball",
              .reference = "Madry et al. 2018, arXiv:1706.06083",
              .schema = schema,
              .params_size = sizeof(wsr__descent)},
    .norms = 1u << WSR__L2,
    .needs_gradient = true,
    .single_step = wsr__descent_single_step,
    .targets = true,
    .clean_loss = wsr__descent_clean_ce,
    .run = run,
    .passes = wsr__descent_passes,
};
