// SPDX-License-Identifier: Apache-2.0
//
// Curvature of the loss of a network: largest eigenvalue and trace of the
// Hessian of the cross entropy, with running statistics (eval mode), by the
// parameters and by the pixels of the input.
//
// By the parameters the largest eigenvalue comes from power iteration (Yao,
// Gholami, Lei, Keutzer, Mahoney, "Hessian-based analysis of large batch
// training and robustness to adversaries", 2018, arXiv:1802.08241), the trace
// from Hutchinson's estimator with random signs. Products of Hessian and vector
// are central differences of gradients. By the input both are exact, image by
// image. docs/hessian.md says how large the errors are, and what differences
// see of the kinks of relu.

#ifndef WSR_HESSIAN_H
#define WSR_HESSIAN_H

#include "wsr/base.h"
#include "wsr/data.h"
#include "wsr/graph.h"
#include "wsr/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The Hessian of a network's loss. One thread at a time may use it. */
typedef struct wsr_hessian wsr_hessian;

/**
 * Prepare the Hessian of the mean loss over the first images of a data set.
 *
 * Options, with defaults: `of=both`, or `params`, or `input`; `count=256`,
 * number of first images at most (0: all); `batch=32`, images at once;
 * `iterations=50` at most, and `tol=1e-3`, relative change of the eigenvalue at
 * which power iteration ends; `probes=16` of the trace; `step=0.005`, length of
 * the steps of differences relative to the norm of the parameters; `seed=0` of
 * the random vectors.
 *
 * @param out [out, owned] NULL on failure
 * @param net [borrowed] no supernet; must outlive the Hessian. A product moves
 *        its parameters and puts them back bit by bit before it returns; it
 *        leaves the gradients of the parameters undefined
 * @param dataset [borrowed] images of the network's shape; must outlive it
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_CONFIG; WSR_SHAPE or WSR_ARG when network and data set do not
 *          fit; WSR_UNSUPPORTED by the input of a network that is not piecewise
 * linear in it; WSR_NOMEM; WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_hessian_new(wsr_hessian **out,
                                                const wsr_net *net,
                                                const wsr_dataset *dataset,
                                                const char *options);

/**
 * The same for a graph with the input "x" (n, c, h, w) and the output "logits"
 * (n, classes).
 *
 * @param out [out, owned] NULL on failure
 * @param graph [borrowed] may be freed afterwards; its parameter set must
 *        outlive the Hessian
 * @param dataset [borrowed] as for wsr_hessian_new()
 * @param options [borrowed] likewise
 * @returns as wsr_hessian_new(); WSR_NOTFOUND without such an input and output
 */
WSR_API WSR_MUST_USE wsr_status
wsr_hessian_from_graph(wsr_hessian **out, const wsr_graph *graph,
                       const wsr_dataset *dataset, const char *options);

/** Free a Hessian; NULL is legal. */
WSR_API void wsr_hessian_free(wsr_hessian *hessian);

/**
 * Number of parameters: all numbers of the trained tensors that the logits
 * depend on, in the order of wsr_net_params().
 */
WSR_API size_t wsr_hessian_size(const wsr_hessian *hessian);

/**
 * Multiply the Hessian by the parameters with a vector.
 *
 * @param hv [out] (wsr_hessian_size()) the product
 * @param error [out] estimated relative error of the product, from the
 *        difference of two step lengths; NULL is legal
 * @param hessian made with `of=params` or `of=both`
 * @param v [borrowed] (wsr_hessian_size()); may be `hv`
 * @returns WSR_ARG without the parameters; WSR_NUMERIC for a loss that is not
 *          finite; WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_hessian_product(double *hv, double *error,
                                                    wsr_hessian *hessian,
                                                    const double *v);

/** Number of steps of the analysis at most. */
WSR_API size_t wsr_hessian_steps(const wsr_hessian *hessian);

/** Number of steps that are done. */
WSR_API size_t wsr_hessian_position(const wsr_hessian *hessian);

/**
 * Do the next step: a product with a vector of power iteration, with a probe of
 * the trace, or a batch of images by the input. Power iteration that has
 * converged skips the steps that are left of it. A step that fails is not
 * counted as done.
 *
 * @returns WSR_ARG when all steps are done; WSR_NUMERIC; WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_hessian_step(wsr_hessian *hessian);

/** Do all steps that are left. @returns as wsr_hessian_step() */
WSR_API WSR_MUST_USE wsr_status wsr_hessian_finish(wsr_hessian *hessian);

/** A number of an analysis, see wsr_hessian_get(). */
typedef enum wsr_hessian_value {
    WSR_HESSIAN_TOP = 0,              /**< by the parameters: the eigenvalue of
                                           largest size, with its sign */
    WSR_HESSIAN_ITERATIONS = 1,       /**< products that it took */
    WSR_HESSIAN_TRACE = 2,            /**< by the parameters: estimate of the
                                           trace */
    WSR_HESSIAN_TRACE_ERROR = 3,      /**< its standard error */
    WSR_HESSIAN_PRODUCT_ERROR = 4,    /**< mean of the relative errors that
                                           wsr_hessian_product() estimates */
    WSR_HESSIAN_INPUT_TOP = 5,        /**< by the input: mean over the images of
                                           the largest eigenvalue of an image's
                                           loss */
    WSR_HESSIAN_INPUT_TOP_ERROR = 6,  /**< its standard error */
    WSR_HESSIAN_INPUT_TOP_MOST = 7,   /**< the largest over the images */
    WSR_HESSIAN_INPUT_TRACE = 8,      /**< mean trace over the images */
    WSR_HESSIAN_INPUT_TRACE_ERROR = 9 /**< its standard error */
} wsr_hessian_value;

/**
 * A number of an analysis, over the steps that are done.
 *
 * @param hessian a computation
 * @param what which number
 * @returns NAN when there is nothing to compute it from
 */
WSR_API double wsr_hessian_get(const wsr_hessian *hessian,
                               wsr_hessian_value what);

/**
 * Numbers of one image by the input.
 *
 * @param top, trace [out] of the Hessian of the image's loss; NULL is legal
 * @param hessian a computation
 * @param i number of the image
 * @returns whether the image is done; the numbers are NAN otherwise
 */
WSR_API bool wsr_hessian_image(double *top, double *trace,
                               const wsr_hessian *hessian, size_t i);

/**
 * Write the results as JSON lines: the event "hessian" of docs/json.md, for the
 * parameters and for the input.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param hessian a computation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_hessian_json(char **out,
                                                 const wsr_hessian *hessian);

#ifdef __cplusplus
}
#endif

#endif
