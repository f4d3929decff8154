// SPDX-License-Identifier: Apache-2.0
//
// Build a computation by op name, compile it for a purpose, run it forwards
// and backwards.
//
//   graph   shapes and ops; batch-independent
//   plan    the graph compiled for a batch size, a set of wanted gradients and
//           a batch-norm mode; owns its memory; may fail to be made
//   run     asks for no memory but what oneDNN takes (docs/memory.md)

#ifndef WSR_GRAPH_H
#define WSR_GRAPH_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A computation under construction. */
typedef struct wsr_graph wsr_graph;

/** A value of a graph; only meaningful together with its graph. */
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

/** Free a graph; NULL is legal. Plans made from it stay valid. */
WSR_API void wsr_graph_free(wsr_graph *graph);

/**
 * Add an input. A plan multiplies its first dimension by the batch size.
 *
 * @param out [out]
 * @param name [copied] unique among the graph's inputs
 * @param shape [borrowed] at least one dimension, for a batch of one
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_input(wsr_value *out,
                                                wsr_graph *graph,
                                                const char *name,
                                                const wsr_shape *shape);

/**
 * Refer to a parameter of the set that the graph was made over.
 *
 * @returns WSR_NOTFOUND, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_param(wsr_value *out,
                                                wsr_graph *graph,
                                                const char *name);

/**
 * Apply an op.
 *
 * @param out [out] the op's only result
 * @param op name, such as "relu"; an unknown one is answered with those near
 * it, or with all
 * @param srcs [borrowed] `n` values of this graph
 * @param options "key=value,key=value", or NULL for the defaults
 * @returns WSR_NOTFOUND for an unknown op, WSR_CONFIG for its options,
 *          WSR_SHAPE with the op and the shapes, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_op(wsr_value *out, wsr_graph *graph,
                                             const char *op,
                                             const wsr_value *srcs, size_t n,
                                             const char *options);

/**
 * Give a value a name under which plans hand it out.
 *
 * @returns WSR_ARG when the name is taken or the value is not of this graph,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_output(wsr_graph *graph,
                                                 const char *name,
                                                 wsr_value value);

/**
 * Look up the value behind an output or an input, to build on it: the "logits"
 * of a network's graph, say, for a loss of one's own.
 *
 * @param out [out]
 * @param graph [borrowed] made with wsr_graph_new() or wsr_net_graph()
 * @param name [borrowed] of an output; where there is none, of an input
 * @returns WSR_NOTFOUND, with the names that there are
 */
WSR_API WSR_MUST_USE wsr_status wsr_graph_value(wsr_value *out,
                                                const wsr_graph *graph,
                                                const char *name);

/** Shape of a value for a batch of one. @returns [borrowed] */
WSR_API const wsr_shape *wsr_graph_shape(const wsr_graph *graph,
                                         wsr_value value);

/** What a plan is for; combine with |. */
typedef enum wsr_purpose {
    WSR_FORWARD = 0,     /**< results only */
    WSR_GRAD_INPUT = 1,  /**< gradients of the inputs */
    WSR_GRAD_PARAMS = 2, /**< gradients of the trained parameters */
    WSR_TRAIN = 4,       /**< batch norm uses the batch's statistics */
    WSR_MOVE_STATS = 8,  /**< with WSR_TRAIN: running statistics follow */
    WSR_REFERENCE = 16,  /**< plain-C reference kernels only (for checking) */
    WSR_UNFUSED = 32     /**< one step per op (for checking) */
} wsr_purpose;

/** A graph compiled for a purpose. Belongs to one thread at a time. */
typedef struct wsr_plan wsr_plan;

/**
 * Compile a graph: remove what no output needs, choose layouts and kernels,
 * place all memory.
 *
 * @param out [out, owned]
 * @param graph [borrowed] may be freed afterwards; its parameters may not
 * @param batch at least 1
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
 * Where to write an input before a run, row-major.
 *
 * @returns [borrowed] NULL when no output depends on an input of that name
 */
WSR_API float *wsr_plan_src(wsr_plan *plan, const char *input);

/**
 * Compute the outputs.
 *
 * @returns WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_forward(wsr_plan *plan);

/**
 * An output after wsr_plan_forward(), row-major.
 *
 * @returns [borrowed] NULL for an unknown name
 */
WSR_API const float *wsr_plan_dst(const wsr_plan *plan, const char *output);

/** Shape of an output with the plan's batch. @returns [borrowed] or NULL */
WSR_API const wsr_shape *wsr_plan_shape(const wsr_plan *plan,
                                        const char *output);

/**
 * Where to write the gradient of an output before wsr_plan_backward(). It
 * starts at zero and keeps what was written.
 *
 * @returns [borrowed] NULL when the plan has no backward pass
 */
WSR_API float *wsr_plan_diff_dst(wsr_plan *plan, const char *output);

/**
 * Compute the wanted gradients from the gradients of the outputs. Each
 * backward run needs a forward run before it: memory of values is reused as
 * soon as their gradients are done. Parameter gradients accumulate in the
 * parameter set; input gradients are overwritten.
 *
 * @returns WSR_BACKEND, WSR_ARG for a plan without gradients
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_backward(wsr_plan *plan);

/**
 * Gradient of an input after wsr_plan_backward(), row-major.
 *
 * @returns [borrowed] NULL when the plan does not compute it
 */
WSR_API const float *wsr_plan_diff_src(const wsr_plan *plan, const char *input);

/** Bytes of activations, gradients and workspaces that a plan occupies. */
WSR_API size_t wsr_plan_bytes(const wsr_plan *plan);

/**
 * Print a plan for a person: one line per step with kernel, shapes, memory,
 * the multiply-adds and megabytes of a forward pass (each tensor once) and,
 * when it was run with timing on, milliseconds and share.
 *
 * @param out [out, owned: release with wsr_text_free]
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_plan_dump(char **out, const wsr_plan *plan);

/** Measure each step of later runs for wsr_plan_dump(). */
WSR_API void wsr_plan_time(wsr_plan *plan, bool on);

#ifdef __cplusplus
}
#endif

#endif
