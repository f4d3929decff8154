// SPDX-License-Identifier: Apache-2.0
//
// Optimisers over a set of parameters, and learning-rate schedules.
//
//     wsr_optim_new(&optim, params, "sgd:momentum=0.9,weight_decay=3e-4");
//     wsr_sched_new(&sched, "cosine:lr_min=0.001");
//     for each step:
//         wsr_params_zero_grad(params, true);
//         ... forward, backward ...
//         wsr_optim_clip(&norm, optim, 5);
//         wsr_optim_step(optim, wsr_sched_rate(sched, 0.1, epoch, epochs));

#ifndef WSR_OPTIM_H
#define WSR_OPTIM_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An optimiser with its state. Belongs to one thread at a time. */
typedef struct wsr_optim wsr_optim;

/**
 * Make an optimiser.
 *
 * @param out [out, owned]
 * @param params [borrowed] must outlive the optimiser; parameters may be added
 *        to it later
 * @param spec "name" or "name:key=value,...", such as "sgd:momentum=0.9"; an
 *        unknown name is answered with those that there are
 * @returns WSR_NOTFOUND for an unknown name, WSR_CONFIG for its options,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_new(wsr_optim **out,
                                              wsr_params *params,
                                              const char *spec);

/** Free an optimiser; NULL is legal. */
WSR_API void wsr_optim_free(wsr_optim *optim);

/**
 * Change every trained parameter that has a gradient (see wsr_params_grad());
 * the others are skipped, their state does not age. A gradient that is zero
 * still decays its parameter and lets momentum go on.
 *
 * Allocates only in the first step of a parameter.
 *
 * @param optim an optimiser
 * @param lr learning rate of this step, at least 0
 * @returns WSR_ARG for a rate that is negative or not finite, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_step(wsr_optim *optim, double lr);

/**
 * Scale all gradients by one factor so that their joint Euclidean norm is at
 * most `max`; parameters without gradient are skipped. The norm is summed in
 * double precision in a fixed order.
 *
 * @param norm [out] the norm before, NULL is legal
 * @param optim an optimiser
 * @param max above 0; infinity measures only
 * @returns WSR_NUMERIC, naming the parameter, when a gradient is not finite
 *          (nothing is scaled then), WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_clip(double *norm, wsr_optim *optim,
                                               double max);

/**
 * Write the state of an optimiser (momenta, and how often each parameter was
 * stepped) to a safetensors file, which is replaced as a whole or not at all.
 * Its options are not part of it, nor are the parameters: wsr_params_save().
 *
 * @param optim an optimiser; arrays that its first step would make are made
 * @param path [borrowed] of the file
 * @returns WSR_IO when it cannot be written; WSR_ARG for a parameter whose name
 *          is too long for a file; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_save(wsr_optim *optim,
                                               const char *path);

/**
 * Take up the state that wsr_optim_save() wrote: with the same parameters,
 * gradients and rates the next steps are those of the optimiser that was saved,
 * bit for bit. Parameters that were ever stepped have the gradient 0 until the
 * next backward pass; wsr_params_zero_grad() with `forget` takes it away.
 *
 * @param optim of the same kind, over parameters of the same names and sizes;
 *        unchanged on failure
 * @param path [borrowed] of the file
 * @returns WSR_IO; WSR_FORMAT for a file that is not such a state; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_load(wsr_optim *optim,
                                               const char *path);

/** A learning-rate schedule: immutable, usable from several threads. */
typedef struct wsr_sched wsr_sched;

/**
 * Make a schedule.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "cosine"; an unknown name
 *        is answered with those that there are
 * @returns WSR_NOTFOUND for an unknown name, WSR_CONFIG for its options,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_sched_new(wsr_sched **out,
                                              const char *spec);

/** Free a schedule; NULL is legal. */
WSR_API void wsr_sched_free(wsr_sched *sched);

/**
 * Learning rate of a step.
 *
 * @param sched a schedule
 * @param base the rate that it scales
 * @param step from 0: an epoch or an optimiser step
 * @param total steps of the whole run, at least 1
 * @returns the rate; the same for the same arguments
 */
WSR_API double wsr_sched_rate(const wsr_sched *sched, double base, int64_t step,
                              int64_t total);

#ifdef __cplusplus
}
#endif

#endif
