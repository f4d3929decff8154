// SPDX-License-Identifier: Apache-2.0
//
// The inside of a plan. Compilation goes through these files in turn:
//   compile.c  reachable ops, shapes for the batch, kernels, layouts, wanted
//              gradients
//   fuse.c     passes over memory that can be saved
//   memory.c   lifetimes, one arena
//   bind.c     pointers
//   run.c      forward, backward, timing
//   dump.c     the plan as text

#ifndef WSR_GRAPH_PLAN_H
#define WSR_GRAPH_PLAN_H

#include "graph/graph.h"

#define WSR__NONE UINT32_MAX

/// A source of a step: the step reads a slot as source `src`.
typedef struct wsr__consumer {
    uint32_t step;
    uint32_t src;
} wsr__consumer;

/// A value of a plan. Its data lie in its own span, or in that of another
/// slot (`data_in`), `data_at` floats into each image; likewise its gradient.
typedef struct wsr__slot {
    wsr__role role;
    wsr__desc desc;
    const char *name; // of an input, owned by the plan
    wsr__param *param;
    uint32_t producer;        // step, or WSR__NONE for inputs and parameters
    wsr__consumer *consumers; // all that read it, also of dead steps; owned
    size_t consumer_count;
    size_t consumer_capacity;
    bool needs_grad; // a wanted gradient flows through it
    bool gets_diff;  // backward computes its gradient
    bool is_output;
    bool deferred;      // readers apply `norm` and `relu` to what lies there
    bool relu;          // deferred: a relu comes last
    bool view;          // a part of a concatenation
    uint32_t norm;      // deferred: step of the norm to apply, or WSR__NONE
    uint32_t reordered; // the same value in the other layout, or WSR__NONE
    uint32_t data_in;   // slot, or WSR__NONE
    uint32_t diff_in;   // slot, or WSR__NONE
    int64_t data_at;
    int64_t diff_at;
    uint32_t data; // span of its data
    uint32_t diff; // span of its gradient
} wsr__slot;

/// One op of a plan.
typedef struct wsr__step {
    wsr__node node;
    bool dead;      // its work is done elsewhere
    void *options;  // owned copy, node.params
    uint32_t *srcs; // slots
    uint32_t dst;   // slot
    uint32_t *temp; // span per source of a gradient that must be added up
    wsr__relu_mask *relu_masks; // per source
    wsr__deferred deferred;     // of a deferred norm
    uint32_t norm_consumer; // step of the deferred norm whose source it makes
    uint32_t summed;  // source whose mask fills that norm's sums, or WSR__NONE
    bool sums_shared; // the gates of all that share its gradient do
    uint32_t workspace;
    uint32_t scratch;
    double forward_s;
    double backward_s;
} wsr__step;

typedef struct wsr__port {
    char *name;
    uint32_t slot;
    uint32_t initial_diff; // span of the gradient the caller gives (outputs)
    bool adds;             // the seed comes on top of what lies there
} wsr__port;

struct wsr_plan {
    size_t batch;
    unsigned purpose;
    wsr__slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    wsr__step *steps;
    size_t step_count;
    size_t step_capacity;
    wsr__port *inputs;
    size_t input_count;
    wsr__port *outputs;
    size_t output_count;
    wsr__span *spans;
    size_t span_count;
    size_t span_capacity;
    size_t floats; // of the arena
    wsr__arena own;
    wsr__arena *arena;  // &own, or the caller's
    const float *bound; // arena base that pointers were made for
    bool timed;
    size_t runs;
};

static inline bool wsr__plan_backwards(const wsr_plan *plan)
{
    return (plan->purpose & (WSR_GRAD_INPUT | WSR_GRAD_PARAMS)) != 0;
}

/// Fill slots, steps and ports from a graph.
wsr_status wsr__plan_compile(wsr_plan *plan, const wsr_graph *graph);

/// Make a step that applies an op to slots, without adding it to the plan.
wsr_status wsr__plan_make_step(wsr__step *step, wsr_plan *plan,
                               const wsr__op_class *cls, const void *options,
                               const uint32_t *srcs, size_t n);
void wsr__step_free(wsr__step *step);

/// Add a step that applies an op to slots; `*out` is the slot of its result.
wsr_status wsr__plan_add_step(uint32_t *out, wsr_plan *plan,
                              const wsr__op_class *cls, const void *options,
                              const uint32_t *srcs, size_t n);

/// Put a step [taken over, also on failure] in the place of step `s`; slots
/// learn who reads them.
wsr_status wsr__plan_replace_step(wsr_plan *plan, uint32_t s,
                                  const wsr__step *step);

/// Join steps and leave out passes over memory.
wsr_status wsr__plan_fuse(wsr_plan *plan);

/// Slot in whose span a slot's data or gradient lie, and where in each image.
uint32_t wsr__data_storage(const wsr_plan *plan, uint32_t slot, int64_t *at);
uint32_t wsr__diff_storage(const wsr_plan *plan, uint32_t slot, int64_t *at);

/// Compute lifetimes and place everything in the arena.
wsr_status wsr__plan_place(wsr_plan *plan);

/// Set all pointers when the arena has moved since.
void wsr__plan_bind(wsr_plan *plan);

/// Where a slot's data or gradient lie, and the floats from image to image
/// when they are part of something larger (0: dense).
float *wsr__plan_data(const wsr_plan *plan, uint32_t slot, int64_t *step);
float *wsr__plan_diff(const wsr_plan *plan, uint32_t slot, int64_t *step);

/// Where a span lies, NULL for WSR__NONE.
float *wsr__plan_at(const wsr_plan *plan, uint32_t span);

/// Reserve the arena, and bind.
wsr_status wsr__plan_ready(wsr_plan *plan);

#endif
