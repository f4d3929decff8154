// SPDX-License-Identifier: Apache-2.0
//
// Graphs as the library builds them: calls that remember the first failure,
// so that a network reads as its formula, and the inside of a graph for the
// plan compiler.

#ifndef WSR_GRAPH_GRAPH_H
#define WSR_GRAPH_GRAPH_H

#include "op/op.h"
#include "wsr/graph.h"

typedef enum wsr__role { WSR__INPUT, WSR__PARAM, WSR__OP } wsr__role;

/// A value of a graph and how it comes about.
typedef struct wsr__vertex {
    wsr__role role;
    wsr_shape shape;
    char *name;        // of an input
    wsr__param *param; // of a parameter
    const wsr__op_class *cls;
    void *options;
    wsr_value *srcs;
    size_t n;
} wsr__vertex;

typedef struct wsr__output {
    char *name;
    wsr_value value;
} wsr__output;

struct wsr_graph {
    wsr_params *params;
    wsr__vertex *list; // topological order
    size_t count;
    size_t capacity;
    wsr__output *outputs;
    size_t output_count;
    size_t output_capacity;
    wsr_status status; // first failure of a sticky call
};

/// Beside wsr_purpose, with WSR_TRAIN: forward passes give the running
/// statistics the values of the batch, the variance as it normalises.
enum { WSR__TAKE_STATS = 1 << 8 };

// After a failure the calls below do nothing and return value 0; check once
// with wsr__graph_status.

wsr_status wsr__graph_status(const wsr_graph *graph);

wsr_value wsr__input(wsr_graph *graph, const char *name, wsr_shape shape);

/// Refer to a parameter, adding it to the set when it is new.
wsr_value wsr__param_value(wsr_graph *graph, const char *name, wsr_shape shape,
                           wsr__init init);
wsr_value wsr__buffer_value(wsr_graph *graph, const char *name, wsr_shape shape,
                            float value);

/// Apply an op to 1..3 sources, or to an array of them.
wsr_value wsr__op1(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a);
wsr_value wsr__op2(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a, wsr_value b);
wsr_value wsr__op3(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a, wsr_value b, wsr_value c);
wsr_value wsr__opn(wsr_graph *graph, const char *op, const char *options,
                   const wsr_value *srcs, size_t n);

/// The same with an op's class and its params [copied], NULL: its defaults.
wsr_value wsr__op1_of(wsr_graph *graph, const wsr__op_class *cls,
                      const void *params, wsr_value a);
wsr_value wsr__opn_of(wsr_graph *graph, const wsr__op_class *cls,
                      const void *params, const wsr_value *srcs, size_t n);

void wsr__set_output(wsr_graph *graph, const char *name, wsr_value value);

/// Multiply-adds of the op behind value number `i` for the batch of the graph.
double wsr__graph_madds(const wsr_graph *graph, size_t i);

/// A plan in memory that the caller shares among plans used in turn (NULL:
/// its own). It must outlive the plan; another plan's run spoils its content.
wsr_status wsr__plan_new_in(wsr_plan **out, const wsr_graph *graph,
                            size_t batch, unsigned purpose, wsr__arena *arena);

/// Synchronise the norms of a plan that was made with WSR_TRAIN: their
/// statistics are those of all parts of a batch, each of which has a plan of
/// its own. UNSUPPORTED where a kernel cannot. [sync is borrowed]
wsr_status wsr__plan_sync_norms(wsr_plan *plan, const wsr__norm_sync *sync);

/// A parameter to which the backward pass of a plan adds a gradient, and the
/// step after which it is complete.
typedef struct wsr__grad_ready {
    wsr__param *param;
    size_t step;
} wsr__grad_ready;

/// All such parameters, in the order in which they are complete. [borrowed]
wsr_status wsr__plan_grads_ready(const wsr__grad_ready **out, size_t *n,
                                 wsr_plan *plan);

/// Called in the course of a backward pass, with the number of a step that has
/// run: steps come in descending order. The first call, before any has run, has
/// the number of steps. A failure ends the pass.
typedef struct wsr__backward_watch {
    wsr_status (*passed)(void *ctx, size_t step);
    void *ctx;
} wsr__backward_watch;

/// wsr_plan_backward() under watch. [watch may be NULL]
wsr_status wsr__plan_backward(wsr_plan *plan, const wsr__backward_watch *watch);

/// Shape of an input for the plan's batch size; NULL for an unknown name.
const wsr_shape *wsr__plan_src_shape(const wsr_plan *plan, const char *input);

#endif
