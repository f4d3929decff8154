// SPDX-License-Identifier: Apache-2.0
//
// The network of the controller search (Pham et al. 2018, ENAS,
// arXiv:1802.03268): an LSTM that decides on an architecture step by step. For
// every node of a cell it takes two decisions on states, by attention over the
// hidden states at earlier nodes, then two on operations.
//
// For the gradient everything is one graph. What was decided enters as one-hot
// inputs, so that one plan serves all architectures. For drawing there are
// plans of one step of the LSTM each, state in and state out
// (controller_steps.c): they compute the same numbers, and each step only once.

#ifndef WSR_SEARCH_CONTROLLER_H
#define WSR_SEARCH_CONTROLLER_H

#include "search/search.h"

enum {
    WSR__DECISIONS = 2 * WSR__PAIRS,
    WSR__CONTROLLER_HIDDEN = 64,
    WSR__CONTROLLER_ANCHORS = WSR__GENOTYPE_NODES + 2 // of a cell
};

#define WSR__EXCLUDED (-1e9F) // added to the logit of a taken state

/// What a step of the LSTM is followed by. A number of anchors, 2 or more: the
/// decision on one of so many states.
enum {
    WSR__STEP_ANCHOR, // its hidden state becomes an anchor
    WSR__STEP_OP,     // the decision on an operation
    WSR__STEPS = WSR__CONTROLLER_ANCHORS
};

typedef struct wsr__controller {
    wsr_params *params;
    wsr_plan *plan; // of one architecture, with gradients of the parameters
    wsr_plan *steps[WSR__STEPS];
    size_t nodes; // of a cell
    size_t ops;   // operations to choose from, "none" apart
    size_t decisions;
    bool distinct; // the two states of a node differ
} wsr__controller;

/// Make the network for cells of `nodes` nodes. On failure `out` is to be
/// released as well.
wsr_status wsr__controller_make(wsr__controller *out, size_t nodes, size_t ops,
                                bool distinct, uint64_t seed);
void wsr__controller_free(wsr__controller *controller);

/// Number of choices of decision i; `edge`: of the wsr__pairs that it decides
/// on, `op`: on its operation instead of its state. [out] both may be NULL
size_t wsr__controller_decision(size_t *edge, bool *op,
                                const wsr__controller *controller, size_t i);

/// Make the plan of a step. Inputs: x, h and c (1, HIDDEN), and for a state
/// mapped.K (1, HIDDEN) of each anchor and mask (1, anchors). Outputs: h, c,
/// and log_p, or mapped for an anchor.
wsr_status wsr__controller_step(wsr_plan **out, wsr__controller *controller,
                                size_t step);

/// Take decisions one by one; with rng NULL always the most probable choice.
/// [out] choices (decisions)
wsr_status wsr__controller_sample(uint32_t *choices,
                                  wsr__controller *controller, wsr__rng *rng);

/// Log-probability of decisions, and the gradient of `factor` times it, which
/// is added to that of the parameters.
wsr_status wsr__controller_backward(double *log_p, wsr__controller *controller,
                                    const uint32_t *choices, double factor);

#endif
