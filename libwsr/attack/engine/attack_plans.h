// SPDX-License-Identifier: Apache-2.0
//
// What attacks inside of training and search run on. With the statistics of the
// attacked batch all images take every pass together. With running statistics
// no image depends on another, and they go one by one (graph/image_plans.h).
// So they do with those of the clean batch, which one pass finds before the
// attack and which then stay as they are: they take the place of the running
// ones meanwhile.

#ifndef WSR_ATTACK_ENGINE_ATTACK_PLANS_H
#define WSR_ATTACK_ENGINE_ATTACK_PLANS_H

#include "attack/engine/pgd_plan.h"
#include "graph/image_plans.h"
#include "tensor/tensor.h"

/// Purpose of an attack, beside WSR_GRAD_INPUT, that sees the statistics of the
/// clean batch.
#define WSR__CLEAN_STATS ((unsigned)WSR__TAKE_STATS)

/// What plans are made of; all borrowed.
typedef struct wsr__attack_of {
    const wsr_graph *graph;
    unsigned purpose;         // WSR_GRAD_INPUT with WSR_TRAIN, WSR_TRAIN and
                              // WSR_MOVE_STATS, WSR__CLEAN_STATS, or nothing
    wsr__arena *arena;        // of plans of whole batches; NULL: their own
    wsr__image_plans *images; // from wsr__attack_plans_images(), or NULL
    const wsr_params *params; // of the graph
    float *stats;             // room for wsr__stats_copy(), with CLEAN_STATS
} wsr__attack_of;

/// Plans for attacks on n images.
typedef struct wsr__attack_plans {
    size_t n;
    wsr_plan *batch;          // all images at once; NULL: one by one
    wsr__image_plans *images; // borrowed, or NULL
    wsr_plan *clean; // finds the statistics of the clean batch, or NULL
    const wsr_params *params;
    float *stats; // the running ones meanwhile
} wsr__attack_plans;

/// Plans of single images, or NULL where whole batches are faster or a purpose
/// needs them. `like` is a plan of the graph. [out, owned]
wsr_status wsr__attack_plans_images(wsr__image_plans **out,
                                    const wsr_graph *graph, unsigned purpose,
                                    const wsr_plan *like);

/// Make plans for n images; on failure there are none.
wsr_status wsr__attack_plans_make(wsr__attack_plans *out,
                                  const wsr__attack_of *of, size_t n);
void wsr__attack_plans_free(wsr__attack_plans *plans);

/// Whether the logits depend on the images; of plans of single images those
/// must have been made (wsr__image_plans_reserve()).
bool wsr__attack_plans_differentiable(const wsr__attack_plans *plans);

/// Before an attack on images x, and after it: the statistics that it sees.
wsr_status wsr__attack_plans_begin(const wsr__attack_plans *plans,
                                   const float *x);
void wsr__attack_plans_end(const wsr__attack_plans *plans);

/// Takes rows `first` and following through a plan of as many images. May run
/// on several threads.
typedef wsr_status (*wsr__attack_plans_body)(void *ctx, wsr_plan *plan,
                                             size_t first);

/// Run a body for all rows, with one plan or image by image.
wsr_status wsr__attack_plans_rows(const wsr__attack_plans *plans,
                                  wsr__attack_plans_body body, void *ctx);

/// wsr__pgd_plan() on all rows, between begin and end.
wsr_status wsr__attack_plans_pgd(float *out, const wsr__attack_plans *plans,
                                 const float *x, const int32_t *labels,
                                 const wsr__pgd *pgd);

#endif
