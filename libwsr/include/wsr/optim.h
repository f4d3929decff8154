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

/** An optimiser with its state. One thread at a time may use it. */
typedef struct wsr_optim wsr_optim;

/**
 * Make an optimiser.
 *
 * @param out [out, owned]
 * @param params [borrowed] must outlive the optimiser; parameters may be added
 *        to it later
 * @param spec "name" or "name:key=value,...", such as "sgd:momentum=0.9"
 * @returns WSR_NOTFOUND, with the names that exist, for an unknown name;
 *          WSR_CONFIG for its options,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_new(wsr_optim **out,
                                              wsr_params *params,
                                              const char *spec);

/** Free an optimiser; NULL is legal. */
WSR_API void wsr_optim_free(wsr_optim *optim);

/**
 * Do one optimiser step: change every trained parameter that has a gradient
 * (see wsr_params_grad()). A parameter without a gradient keeps its value and
 * its optimiser state. A parameter whose gradient is zero still gets weight
 * decay and momentum.
 *
 * The function allocates memory only in the first step of a parameter.
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
 * @param max above 0; INFINITY only computes the norm
 * @returns WSR_NUMERIC, naming the parameter, when a gradient is not finite
 *          (nothing is scaled then), WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_clip(double *norm, wsr_optim *optim,
                                               double max);

/**
 * Write the state of an optimiser (momenta and the number of steps of each
 * parameter) to a safetensors file, which is replaced as a whole or not at all.
 * The file holds neither the options nor the parameters, which
 * wsr_params_save() writes.
 *
 * @param optim an optimiser; the function allocates state that the first step
 *        would allocate
 * @param path [borrowed] path of the file
 * @returns WSR_IO when it cannot be written; WSR_ARG for a parameter whose name
 *          is too long for a file; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_save(wsr_optim *optim,
                                               const char *path);

/**
 * Load the state that wsr_optim_save() wrote. With the same parameters,
 * gradients and learning rates the next steps are bit for bit those of the
 * saved optimiser. Until the next backward pass every parameter that the saved
 * optimiser had changed has the gradient 0; wsr_params_zero_grad() with
 * `forget` removes it.
 *
 * @param optim an optimiser of the same kind, over parameters of the same names
 *        and sizes; unchanged on failure
 * @param path [borrowed] path of the file
 * @returns WSR_IO; WSR_FORMAT for a file that holds no such state; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_optim_load(wsr_optim *optim,
                                               const char *path);

/** A learning-rate schedule. It is immutable, so threads may share it. */
typedef struct wsr_sched wsr_sched;

/**
 * Make a schedule.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "cosine"
 * @returns WSR_NOTFOUND, with the names that exist, for an unknown name;
 *          WSR_CONFIG for its options,
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
 * @param base learning rate that the schedule scales
 * @param step number of the step (an epoch or an optimiser step), from 0
 * @param total number of steps of the whole run, at least 1
 * @returns the learning rate, which depends only on the arguments
 */
WSR_API double wsr_sched_rate(const wsr_sched *sched, double base, int64_t step,
                              int64_t total);

#ifdef __cplusplus
}
#endif

#endif
