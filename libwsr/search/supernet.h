// SPDX-License-Identifier: Apache-2.0
//
// A training step of the supernet: train_supernet.c has the step on a batch or
// on a part of one, supernet_parts.c divides batches.

#ifndef WSR_SEARCH_SUPERNET_H
#define WSR_SEARCH_SUPERNET_H

#include "search/search.h"

/// Plans of a path. They share the search's arena and run in turn, but for
/// those of parts with common norms.
typedef struct wsr__supernet_plans {
    wsr_graph *graph;
    wsr__path_attack attack;
    wsr_plan *train;  // gradients of the parameters; NULL: parts have theirs
    wsr_plan *both;   // released: the attack's last step
    wsr_plan **parts; // of the parts of this process; NULL: they share `train`
    size_t part_count;
} wsr__supernet_plans;

/// The results of a pass over images.
typedef struct wsr__supernet_result {
    double loss; // sum over the images
    double correct;
} wsr__supernet_result;

/// Attack a batch, or a part of one, to search->x_adv.
wsr_status wsr__supernet_attack(wsr_search *search,
                                const wsr__supernet_plans *plans,
                                const wsr_batch *batch);

/// Add gradients of the weights on attacked images, those of the last pass over
/// a part.
wsr_status wsr__supernet_learn(wsr__supernet_result *out, wsr_search *search,
                               wsr_plan *plan, const wsr_batch *batch,
                               const float *x_adv);

/// Clip, and take a step of SGD.
wsr_status wsr__supernet_descend(wsr_search *search);

/// Purpose of the training plans.
enum { WSR__SUPERNET_TRAIN = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS };

/// Make the training plans of parts with common norms, if there are any.
wsr_status wsr__supernet_part_plans(wsr__supernet_plans *plans,
                                    wsr_search *search);

/// A step on a batch that is divided into parts. Collective.
wsr_status wsr__supernet_train_parts(wsr_search *search,
                                     const wsr__supernet_plans *plans,
                                     const wsr_batch *batch);

/// Add the results of `n` images to those of the epoch.
void wsr__supernet_count(wsr_search *search, wsr__supernet_result result,
                         size_t n);

#endif
