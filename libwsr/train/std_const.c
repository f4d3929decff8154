// SPDX-License-Identifier: Apache-2.0
//
// PGD training under the constraint that clean images have no larger loss than
// with another network, by an augmented Lagrangian; two steps of the optimiser
// for each batch:
//
//   1. c = CE(f(x), y) - CE(base(x), y); loss = lambda c + rho/2 max(c, 0)^2
//   2. loss = CE(f(x'), y), x' by PGD from x
//   after an epoch: lambda <- lambda + rho mean(c)
//
// The trainer StdConstAdv of the released code of Wsr-NAS. The first step is
// taken even where its gradient is zero. The base's weights stay, its running
// statistics follow its passes.

#include "train/inner.h"
#include "train/paired.h"

#include <math.h>
#include <stddef.h>

typedef struct params {
    wsr__text base;
    double eps;
    int64_t steps;
    double alpha;
    double lambda;
    double rho;
    wsr__text mode;
} params;

static const wsr__option schema[] = {
    {"base", WSR__TEXT, offsetof(params, base), "", 0, 0, "",
     "file of the network that clean images are compared with", NULL},
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "7", 1, 1000, "steps",
     "steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1, "",
     "length of a step, 0: 2.5 eps / steps", NULL},
    {"lambda", WSR__FLOAT, offsetof(params, lambda), "0", -1000, 1000, "",
     "multiplier of the constraint at first", NULL},
    {"rho", WSR__FLOAT, offsetof(params, rho), "0.001", 0, 1000, "",
     "weight of its square, and rate of the multiplier", NULL},
    {"mode", WSR__WORD, offsetof(params, mode), "train_moving", 0, 0, "",
     WSR__ATTACK_MODE_HELP, wsr__attack_modes},
    {0},
};

// The head of the state; that of the base network follows.
enum { GAIN, SUM, COUNT, EPOCH, HEAD };

static unsigned attack(const void *options)
{
    return wsr__attack_purpose(&((const params *)options)->mode);
}

static wsr_status open_base(void **own, const void *options,
                            const wsr__training_of *of, size_t batch)
{
    wsr__paired *paired = NULL;
    const wsr_status status =
        wsr__paired_open(&paired, ((const params *)options)->base.s, of, batch);
    *own = paired;
    return status;
}

static void close_base(void *own)
{
    wsr__paired_free(own);
}

static double bytes(const void *own)
{
    return wsr__paired_bytes(own);
}

static size_t state(const void *options, const void *own, size_t batch,
                    size_t pixels)
{
    (void)options;
    (void)batch;
    (void)pixels;
    return HEAD + wsr__paired_state(own);
}

static size_t updates(const void *options)
{
    (void)options;
    return 2;
}

// What lambda has gained; the first batch of an epoch adds what the epoch
// before says.
static double lambda_now(float *head, const params *p, uint64_t epoch)
{
    if (head[EPOCH] < (float)epoch) {
        head[GAIN] += head[COUNT] > 0 ? (float)(p->rho * (double)head[SUM] /
                                                (double)head[COUNT])
                                      : 0.0F;
        head[SUM] = 0;
        head[COUNT] = 0;
        head[EPOCH] = (float)epoch;
    }
    return p->lambda + (double)head[GAIN];
}

static wsr_status constrain(wsr__train_step *step, const params *p)
{
    wsr_status status = WSR_OK;
    double none = 0;
    size_t correct = 0;
    float *const head = step->state;
    const double lambda = lambda_now(head, p, step->epoch);
    WSR_TRY(wsr__paired_constraint(&step->constraint, step->own, step, step->x,
                                   head + HEAD));
    const double c = step->constraint;
    const double weight = lambda + p->rho * fmax(c, 0);
    step->loss = lambda * c + p->rho / 2 * fmax(c, 0) * fmax(c, 0);
    WSR_TRY(wsr__train_step_loss(&none, &correct, step, step->plan,
                                 (wsr__pass){weight, 0}));
    WSR_TRY(wsr_plan_backward(step->plan));
    if (!step->reuse) {
        head[SUM] += (float)c;
        head[COUNT]++;
    }
out:
    return status;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    const params *const p = options;
    const wsr__pgd pgd = {
        .eps = (float)p->eps,
        .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
        .steps = (size_t)p->steps,
        .box_at_use = true};
    return step->update == 0 ? constrain(step, p)
                             : wsr__train_step_attacked(step, &pgd);
}

static double passes(const void *options)
{
    return (double)((const params *)options)->steps + 2.5;
}

const wsr__trainer_class wsr__trainer_std_const = {
    .super = {.name = "std_const",
              .summary = "images under projected gradient descent, with clean "
                         "ones no worse than for another network",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .open = open_base,
    .close = close_base,
    .bytes = bytes,
    .state = state,
    .updates = updates,
    .passes = passes,
    .batch = batch,
};
