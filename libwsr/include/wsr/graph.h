// SPDX-License-Identifier: Apache-2.0
//
// Computation graphs. A program builds a graph from ops, compiles it to a plan,
// and runs the plan forward and backward.
//
//   graph   inputs, parameters, ops and outputs with their shapes for a batch
//           of one
//   plan    a graph compiled for a batch size, for the gradients that the
//           caller wants and for a mode of batch norm. A plan allocates its
//           memory when it is made; running it allocates nothing, apart from
//           oneDNN (docs/memory.md)

#ifndef WSR_GRAPH_H
#define WSR_GRAPH_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A computation under construction. */
typedef struct wsr_graph wsr_graph;

/** Number of a value (a tensor) within its graph. */
typedef uint32_t wsr_value;

/**
 * Start an empty graph over a set of parameters.
 *
 * @param out [out, owned]
 * @param params [borrowed] must outlive the graph
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_new(wsr_graph **out,
                                              wsr_params *params);

/** Free a graph; NULL is legal. Plans that were compiled from it stay valid. */
WSR_API void wsr_graph_free(wsr_graph *graph);

/**
 * Add an input. In a plan its first dimension is multiplied by the batch size.
 *
 * @param out [out] the input's value
 * @param graph a graph
 * @param name [copied] unique among the graph's inputs
 * @param shape [borrowed] at least one dimension, for a batch of one
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_input(wsr_value *out,
                                                wsr_graph *graph,
                                                const char *name,
                                                const wsr_shape *shape);

/**
 * Get the value of a parameter of the graph's parameter set.
 *
 * @param out [out] the parameter's value
 * @param graph a graph
 * @param name [borrowed] name of the parameter
 * @returns WSR_NOTFOUND, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_param(wsr_value *out,
                                                wsr_graph *graph,
                                                const char *name);

/**
 * Apply an op.
 *
 * @param out [out] the value of the op's only result
 * @param graph a graph
 * @param op name of an op, such as "relu" (docs/ops.md)
 * @param srcs [borrowed] `n` values of this graph, the op's sources
 * @param n number of sources
 * @param options "key=value,key=value", or NULL for the defaults
 * @returns WSR_NOTFOUND for an unknown op, with similar names or all names;
 *          WSR_CONFIG for its options; WSR_SHAPE, with the op and the shapes;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_op(wsr_value *out, wsr_graph *graph,
                                             const char *op,
                                             const wsr_value *srcs, size_t n,
                                             const char *options);

/**
 * Make a value an output and name it. wsr_plan_dst() finds it by this name.
 *
 * @param graph a graph
 * @param name [copied] of the output
 * @param value of this graph
 * @returns WSR_ARG when the name is taken or the value is not of this graph,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_output(wsr_graph *graph,
                                                 const char *name,
                                                 wsr_value value);

/**
 * Get the value of an output or an input, as a source of further ops. Example:
 * the output "logits" of a network's graph as the source of a loss.
 *
 * @param out [out] the value
 * @param graph [borrowed] made with wsr_graph_new() or wsr_net_graph()
 * @param name [borrowed] name of an output, or, if there is none, of an input
 * @returns WSR_NOTFOUND, with the names that exist
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_value(wsr_value *out,
                                                const wsr_graph *graph,
                                                const char *name);

/**
 * Shape of a value for a batch of one.
 *
 * @param graph a graph
 * @param value of this graph
 * @returns [borrowed]
 */
WSR_API const wsr_shape *wsr_graph_shape(const wsr_graph *graph,
                                         wsr_value value);

/** Flags of a plan: what it computes and how. Combine them with |. */
typedef enum wsr_purpose {
    WSR_FORWARD = 0,     /**< a forward pass only */
    WSR_GRAD_INPUT = 1,  /**< also the gradients of the inputs */
    WSR_GRAD_PARAMS = 2, /**< also the gradients of the trained parameters */
    WSR_TRAIN = 4,       /**< batch norms use the statistics of the batch */
    WSR_MOVE_STATS = 8,  /**< with WSR_TRAIN: forward passes update the running
                              statistics */
    WSR_REFERENCE = 16,  /**< plain-C reference kernels only (for tests) */
    WSR_UNFUSED = 32     /**< no fusion: one step per op (for tests) */
} wsr_purpose;

/** A compiled graph. One thread at a time may use it. */
typedef struct wsr_plan wsr_plan;

/**
 * Compile a graph: remove ops that no output needs, choose layouts and kernels,
 * and allocate all memory.
 *
 * @param out [out, owned]
 * @param graph [borrowed] may be freed afterwards; its parameter set must
 *        outlive the plan
 * @param batch batch size, at least 1
 * @param purpose wsr_purpose flags
 * @returns WSR_ARG, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_new(wsr_plan **out,
                                             const wsr_graph *graph,
                                             size_t batch, unsigned purpose);

/** Free a plan; NULL is legal. */
WSR_API void wsr_plan_free(wsr_plan *plan);

/** Batch size of a plan. */
WSR_API size_t wsr_plan_batch(const wsr_plan *plan);

/**
 * Memory of an input. Write the input there, row-major, before
 * wsr_plan_forward().
 *
 * @param plan a plan
 * @param input [borrowed] name of an input
 * @returns [borrowed] NULL when no output depends on an input of that name
 */
WSR_API float *wsr_plan_src(wsr_plan *plan, const char *input);

/**
 * Run the forward pass: compute the outputs from the inputs.
 *
 * @returns WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_forward(wsr_plan *plan);

/**
 * Memory of an output, row-major, valid after wsr_plan_forward().
 *
 * @param plan a plan
 * @param output [borrowed] name of an output
 * @returns [borrowed] NULL for an unknown name
 */
WSR_API const float *wsr_plan_dst(const wsr_plan *plan, const char *output);

/**
 * Shape of an output for the plan's batch size.
 *
 * @param plan a plan
 * @param output [borrowed] name of an output
 * @returns [borrowed] NULL for an unknown name
 */
WSR_API const wsr_shape *wsr_plan_shape(const wsr_plan *plan,
                                        const char *output);

/**
 * Memory of the gradient with respect to an output. Write the gradient there
 * before wsr_plan_backward(). It is zero in a new plan and keeps its values
 * from pass to pass.
 *
 * @param plan a plan
 * @param output [borrowed] name of an output
 * @returns [borrowed] NULL when the plan has no backward pass
 */
WSR_API float *wsr_plan_diff_dst(wsr_plan *plan, const char *output);

/**
 * Run the backward pass: compute the gradients that the plan was made for from
 * the gradients of the outputs. Every backward pass needs its own forward pass
 * before it, since it reuses the memory of activations. Gradients of parameters
 * accumulate in the parameter set; gradients of inputs are overwritten.
 *
 * @returns WSR_BACKEND, WSR_ARG for a plan without gradients
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_backward(wsr_plan *plan);

/**
 * Gradient of an input after wsr_plan_backward(), row-major.
 *
 * @param plan a plan
 * @param input [borrowed] name of an input
 * @returns [borrowed] NULL when the plan does not compute it
 */
WSR_API const float *wsr_plan_diff_src(const wsr_plan *plan, const char *input);

/** Bytes of activations, gradients and workspaces that a plan occupies. */
WSR_API size_t wsr_plan_bytes(const wsr_plan *plan);

/**
 * Print a plan as text. Each step has one line with its kernel, shapes, memory,
 * the multiply-adds and megabytes of a forward pass (each tensor counted once)
 * and, after runs with wsr_plan_time(), milliseconds and share of the time.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param plan a plan
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_dump(char **out, const wsr_plan *plan);

/**
 * Turn the timing of each step on or off, see wsr_plan_dump().
 *
 * @param plan a plan
 * @param on whether steps are timed
 */
WSR_API void wsr_plan_time(wsr_plan *plan, bool on);

#ifdef __cplusplus
}
#endif

#endif
