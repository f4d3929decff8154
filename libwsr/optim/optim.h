// SPDX-License-Identifier: Apache-2.0
//
// Optimisers. A variant defines the update of a range of scalars. optim.c
// chooses the parameters, holds their state and runs the parallel loop.

#ifndef WSR_OPTIM_OPTIM_H
#define WSR_OPTIM_OPTIM_H

#include "base/registry.h"
#include "base/state.h"
#include "tensor/tensor.h"
#include "wsr/optim.h"

enum { WSR__OPTIM_STATES = 2 };

/// A range of scalars of one parameter in one step.
typedef struct wsr__update {
    float *restrict data;
    const float *restrict grad;
    float *state[WSR__OPTIM_STATES]; // as many as the class names
    int64_t n;
    double lr;
    int64_t step; // of this parameter, from 1
} wsr__update;

typedef struct wsr__optim_class {
    wsr__class super;
    /// Names of the arrays kept per parameter, as PyTorch has them.
    const char *state_names[WSR__OPTIM_STATES];
    void (*update)(const wsr__update *u, const void *params);
} wsr__optim_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "optim/optims.def"
#undef WSR_REG

extern const wsr__family wsr__optims;

/// Params of sgd.
typedef struct wsr__sgd {
    double momentum;
    double weight_decay;
} wsr__sgd;

/// Params of adam and adamw.
typedef struct wsr__adam {
    double beta1;
    double beta2;
    double tol;
    double weight_decay;
} wsr__adam;

/// Make an optimiser of a class and its params [copied]; NULL: its defaults.
/// [out, owned]
wsr_status wsr__optim_make(wsr_optim **out, wsr_params *params,
                           const wsr__optim_class *cls, const void *options);

/// Moments and step of Adam; `decay` is added to the gradient.
void wsr__adam_update(const wsr__update *u, const wsr__adam *p, float decay);

// ------------------------------------------------------------------- state

/// The state of an optimiser: "steps" (I64, how often each parameter of the
/// set was stepped, in its order), then "<parameter>.<state name>" of each
/// trained parameter. Reserve first, so that state exists before the first
/// step; the arrays stay where they are until parameters are added.
wsr_status wsr__optim_reserve(wsr_optim *optim);
size_t wsr__optim_states(const wsr_optim *optim);
wsr__state wsr__optim_state(const wsr_optim *optim, size_t i);

/// Name of its class, such as "sgd".
const char *wsr__optim_name(const wsr_optim *optim);

/// Make sure that all trained parameters have memory for a gradient, so that
/// wsr__optim_recall cannot fail.
wsr_status wsr__optim_need_grads(const wsr_optim *optim);

/// After an import, for those whose zeroed gradients count as present
/// (wsr_params_zero_grad without forget): give every parameter that was ever
/// stepped its gradient back, zero until the next backward pass.
wsr_status wsr__optim_recall(wsr_optim *optim);

#endif
