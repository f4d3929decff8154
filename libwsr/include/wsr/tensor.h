// SPDX-License-Identifier: Apache-2.0
//
// Shapes, and named parameters with their gradients.

#ifndef WSR_TENSOR_H
#define WSR_TENSOR_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most dimensions a tensor can have. */
#define WSR_MAX_DIMS 6

/** Dimensions, outermost first; images are (n, c, h, w). */
typedef struct wsr_shape {
    int ndims;                  /**< 0 is a scalar */
    int64_t dims[WSR_MAX_DIMS]; /**< those from ndims on are 0 */
} wsr_shape;

/**
 * Number of elements of a shape.
 *
 * @param shape [borrowed]
 * @returns the product of the dimensions, 1 for a scalar
 */
WSR_API int64_t wsr_shape_count(const wsr_shape *shape);

/**
 * Compare two shapes.
 *
 * @returns whether both have the same dimensions
 */
WSR_API bool wsr_shape_equal(const wsr_shape *a, const wsr_shape *b);

/**
 * Named float32 tensors with gradients: the weights of a network and its
 * buffers (running statistics). Names follow PyTorch's state_dict. Any number
 * of graphs and plans share one set.
 */
typedef struct wsr_params wsr_params;

/**
 * Make an empty set.
 *
 * @param out [out, owned]
 * @param seed of the random initialisation of parameters added later
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_new(wsr_params **out, uint64_t seed);

/** Free a set; NULL is legal. Graphs and plans on it must be freed before. */
WSR_API void wsr_params_free(wsr_params *params);

/**
 * Add a tensor, so that wsr_graph_param() can refer to it.
 *
 * Options, with defaults: `init=fan_in` draws the values uniformly from
 * [-b, b] with b = 1 / sqrt(elements / first dimension), as PyTorch starts the
 * weights of linear maps and convolutions; a tensor of fewer than two
 * dimensions, a bias say, starts at 0. `init=uniform` takes b from `bound=0`;
 * `init=constant` takes the value of `value=0`. `trainable=false` makes it a
 * buffer: it has no gradient and no optimiser changes it. What is drawn depends
 * on the seed of the set and on the number of tensors before.
 *
 * @param out [out] its index; NULL is legal
 * @param params a set; graphs and plans on it stay valid
 * @param name [copied] not empty, unique in the set; "layer.weight" in PyTorch
 * @param shape [borrowed] dimensions of at least 1; ndims 0 is a scalar
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_ARG for an empty name, one that exists, or a shape that no
 *          tensor can have; WSR_CONFIG for options; WSR_NOMEM. The set is
 *          unchanged on failure
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_add(size_t *out, wsr_params *params,
                                               const char *name,
                                               const wsr_shape *shape,
                                               const char *options);

/**
 * Number of tensors, in the order they were added.
 */
WSR_API size_t wsr_params_count(const wsr_params *params);

/**
 * Find a tensor by name.
 *
 * @param out [out] its index
 * @returns WSR_NOTFOUND
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_find(size_t *out,
                                                const wsr_params *params,
                                                const char *name);

/** Name of tensor `i`. @returns [borrowed] */
WSR_API const char *wsr_params_name(const wsr_params *params, size_t i);

/** Shape of tensor `i`. @returns [borrowed] */
WSR_API const wsr_shape *wsr_params_shape(const wsr_params *params, size_t i);

/** Whether tensor `i` is trained (false: a buffer). */
WSR_API bool wsr_params_trainable(const wsr_params *params, size_t i);

/** Values of tensor `i`, row-major. @returns [borrowed] */
WSR_API const float *wsr_params_data(const wsr_params *params, size_t i);

/**
 * Values of tensor `i` for writing; plans notice the change at their next
 * run, so ask again after each run.
 *
 * @returns [borrowed]
 */
WSR_API float *wsr_params_edit(wsr_params *params, size_t i);

/**
 * Gradient of tensor `i`, or NULL when no backward pass has touched it since
 * wsr_params_zero_grad() with `forget`.
 *
 * @returns [borrowed]
 */
WSR_API const float *wsr_params_grad(const wsr_params *params, size_t i);

/**
 * Clear gradients. Backward passes accumulate into them.
 *
 * @param forget true: touched gradients count as absent again, so that an
 *        optimiser skips them; false: they count as zero (weight decay and
 *        momentum go on), as in PyTorch before 2.0
 */
WSR_API void wsr_params_zero_grad(wsr_params *params, bool forget);

/**
 * Write all tensors of a set to a safetensors file, which is replaced as a
 * whole or not at all. wsr_net_save() writes the description of a network too.
 *
 * @param params [borrowed]
 * @param path [borrowed] of the file
 * @returns WSR_IO when it cannot be written; WSR_ARG for a name that is too
 *          long for a file; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_save(const wsr_params *params,
                                                const char *path);

/**
 * Read the values of all tensors of a set from a safetensors file. Nothing is
 * added to the set, and nothing changes on failure.
 *
 * @param params a set
 * @param path [borrowed] of a file that holds exactly its tensors, as F32, F16,
 *        BF16 or F64
 * @returns WSR_IO; WSR_FORMAT, naming the tensors, when some are missing, of
 *          another shape, or too many; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_load(wsr_params *params,
                                                const char *path);

/**
 * Number of trained scalars whose name does not contain "auxiliary".
 */
WSR_API int64_t wsr_params_scalars(const wsr_params *params);

#ifdef __cplusplus
}
#endif

#endif
