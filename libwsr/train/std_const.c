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

#include "train/paired.h"

#include <math.h>
#include <stddef.h>

typedef struct params {
    wsr__base_params super;
    double lambda;
    double rho;
} params;

static const wsr__option schema[] = {
    WSR__BASE_OPTIONS,
    {"lambda", WSR__FLOAT, offsetof(params, lambda), "0", -1000, 1000, "",
     "multiplier of the constraint at first", NULL},
    {"rho", WSR__FLOAT, offsetof(params, rho), "0.001", 0, 1000, "",
     "weight of its square, and rate of the multiplier", NULL},
    {0},
};

// The head of the state; that of the base network follows.
enum { GAIN, SUM, COUNT, EPOCH, HEAD };

static size_t state(const void *options, const void *own, size_t batch,
                    size_t pixels)
{
    (void)options;
    (void)batch;
    (void)pixels;
    return HEAD + wsr__base_state(own);
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
    float *const head = step->state;
    const double lambda = lambda_now(head, p, step->epoch);
    WSR_TRY(
        wsr__base_constraint(&step->constraint, step, step->x, head + HEAD));
    const double c = step->constraint;
    step->loss = lambda * c + p->rho / 2 * fmax(c, 0) * fmax(c, 0);
    WSR_TRY(wsr__base_descend(step, lambda + p->rho * fmax(c, 0)));
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
    return step->update == 0 ? constrain(step, p)
                             : wsr__base_attacked(step, &p->super);
}

const wsr__trainer_class wsr__trainer_std_const = {
    .super = {.name = "std_const",
              .summary = "images under projected gradient descent, with clean "
                         "ones no worse than for another network",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = wsr__base_attack,
    .open = wsr__base_open,
    .close = wsr__base_close,
    .bytes = wsr__base_bytes,
    .state = state,
    .updates = wsr__base_updates,
    .passes = wsr__base_passes,
    .batch = batch,
};
