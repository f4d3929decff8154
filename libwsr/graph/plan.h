// SPDX-License-Identifier: Apache-2.0
//
// The inside of a plan: a graph compiled for a batch size and a purpose.
// Compilation goes through these files in turn:
//   compile.c  makes slots and steps from the values that outputs need; chooses
//              kernels and layouts; finds out which gradients are wanted
//   fuse.c     merges steps and leaves out passes over memory
//   memory.c   computes lifetimes and places every buffer in one arena
//   bind.c     sets the pointers, again whenever the arena has moved
//   run.c      runs forward and backward, and measures steps
//   dump.c     writes the plan as text
//   watch.c    says when gradients of parameters are complete
//
// Terms, where they are our own:
//   value           a number that stands for a tensor of the graph (wsr_value)
//   slot            a tensor of the plan: a value, or a reordered copy of one
//   step            an op of the plan, with the slots that it reads and writes
//   node            what the implementation of a step sees (op/op.h)
//   producer        the step that writes a slot
//   consumer        a source of a step that reads a slot
//   port            a named input or output
//   diff            the gradient of a tensor; a slot has data and a diff
//   initial diff    the gradient of an output that the caller gives
//   span            a piece of the arena, with the time from its first use to
//                   its last
//   storage slot    the slot in whose span the data (or the diff) of a slot
//                   lie; mostly the slot itself
//   reordered copy  the same values in the other layout, plain or blocked
//   deferred        the result of a norm or relu that no step stores: each
//                   consumer reads the source of the norm and applies it
//   through         the producer of a deferred norm's source reads the diff of
//                   the norm's result, and applies the backward pass of the
//                   norm
//   view            a slot that is a part of a concatenation: an image of it is
//                   a run of channel blocks in an image of the whole
//   batch stride    floats from an image of a view to the next
//   dead            said of a step whose work others do; it never runs
//   scratch         memory for one call; workspace lives from forward to
//                   backward

#ifndef WSR_GRAPH_PLAN_H
#define WSR_GRAPH_PLAN_H

#include "graph/graph.h"

#define WSR__NONE UINT32_MAX

/// A source of a step: the step reads a slot as source `src`.
typedef struct wsr__consumer {
    uint32_t step;
    uint32_t src;
} wsr__consumer;

/// A tensor of a plan. Its data lie in its own span, or in that of another slot
/// (`data_in`), `data_at` floats into each image. The same holds for its diff.
typedef struct wsr__slot {
    wsr__role role;
    wsr__desc desc;
    const char *name; // of an input, owned by the plan
    wsr__param *param;
    uint32_t producer;        // step, or WSR__NONE for inputs and parameters
    wsr__consumer *consumers; // of live and of dead steps; owned
    size_t consumer_count;
    size_t consumer_capacity;
    bool needs_grad; // a wanted gradient flows through it
    bool gets_diff;  // backward computes its gradient
    bool is_output;
    bool deferred;      // consumers apply `norm` and `relu` as they read
    bool relu;          // if deferred: a relu comes last
    bool view;          // a part of a concatenation
    uint32_t norm;      // if deferred: step of the norm, or WSR__NONE
    uint32_t reordered; // slot of the reordered copy, or WSR__NONE
    uint32_t data_in;   // slot, or WSR__NONE
    uint32_t diff_in;   // slot, or WSR__NONE
    int64_t data_at;
    int64_t diff_at;
    uint32_t data; // span of its data
    uint32_t diff; // span of its gradient
} wsr__slot;

/// An op of a plan. `summed` and `sums_shared` concern the two reductions over
/// the gradient that the backward pass of a batch norm needs (wsr__reduction):
/// a step that has that gradient in its hands computes them for the norm.
typedef struct wsr__step {
    wsr__node node;
    bool dead;
    void *options;  // node.params; owned
    uint32_t *srcs; // slots
    uint32_t dst;   // slot
    uint32_t *temp; // per source: span of a diff that run.c adds up, since the
                    // kernel can only overwrite; or WSR__NONE
    wsr__relu_mask *relu_masks; // per source
    wsr__deferred deferred;     // of a deferred or folded norm
    uint32_t norm_consumer; // step of the norm that reads dst and needs this
                            // step's help, or WSR__NONE
    uint32_t summed;        // source for whose norm this step computes the
                            // reductions, or WSR__NONE
    bool sums_shared;   // this step computes the reductions for every source
                        // whose diff is that of dst
    uint32_t workspace; // span
    uint32_t scratch;   // span
    double forward_s;   // seconds, summed over runs
    double backward_s;
} wsr__step;

/// A named input or output.
typedef struct wsr__port {
    char *name; // owned
    uint32_t slot;
    uint32_t initial_diff; // of an output: span, or WSR__NONE
    bool adds; // the initial diff is added to what lies there: the gradient of
               // a parameter, or the initial diff of another output
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
    wsr__grad_ready *ready; // see wsr__plan_grads_ready(), NULL: never asked
    size_t ready_count;
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

/// Put a step [taken over, also on failure] in the place of step `s`, and bring
/// the consumers of its sources up to date.
wsr_status wsr__plan_replace_step(wsr_plan *plan, uint32_t s,
                                  const wsr__step *step);

/// Merge steps and leave out passes over memory. Results stay the same but for
/// rounding.
wsr_status wsr__plan_fuse(wsr_plan *plan);

/// Storage slot of a slot's data or diff; `*at` is the offset in floats within
/// each image.
uint32_t wsr__data_storage(const wsr_plan *plan, uint32_t slot, int64_t *at);
uint32_t wsr__diff_storage(const wsr_plan *plan, uint32_t slot, int64_t *at);

/// Compute lifetimes and place everything in the arena.
wsr_status wsr__plan_place(wsr_plan *plan);

/// Set all pointers when the arena has moved since.
void wsr__plan_bind(wsr_plan *plan);

/// Pointer to a slot's data or diff, and its batch stride (0: dense). NULL
/// where the slot has none.
float *wsr__plan_data(const wsr_plan *plan, uint32_t slot,
                      int64_t *batch_stride);
float *wsr__plan_diff(const wsr_plan *plan, uint32_t slot,
                      int64_t *batch_stride);

/// Where a span lies, NULL for WSR__NONE.
float *wsr__plan_at(const wsr_plan *plan, uint32_t span);

/// Reserve the arena, and bind.
wsr_status wsr__plan_ready(wsr_plan *plan);

#endif
