// SPDX-License-Identifier: Apache-2.0
//
// Shapes, and named parameters with their gradients.

#ifndef WSR_TENSOR_H
#define WSR_TENSOR_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest number of dimensions of a tensor. */
#define WSR_MAX_DIMS 6

/** Dimensions, outermost first; images are (n, c, h, w). */
typedef struct wsr_shape {
    int ndims;                  /**< number of dimensions; 0 for a scalar */
    int64_t dims[WSR_MAX_DIMS]; /**< sizes; entries from ndims on are 0 */
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
 * @param a, b [borrowed] shapes
 * @returns whether both have the same dimensions
 */
WSR_API bool wsr_shape_equal(const wsr_shape *a, const wsr_shape *b);

/**
 * Named float32 tensors with gradients: the weights of a network and its
 * buffers (running statistics). Names follow PyTorch's state_dict. Several
 * graphs and plans can share one set.
 */
typedef struct wsr_params wsr_params;

/**
 * Make an empty set.
 *
 * @param out [out, owned]
 * @param seed seed of the random initial values of the tensors
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_new(wsr_params **out, uint64_t seed);

/** Free a set; NULL is legal. Free its graphs and plans before it. */
WSR_API void wsr_params_free(wsr_params *params);

/**
 * Add a tensor, so that wsr_graph_param() can refer to it.
 *
 * Options, with defaults: `init=fan_in` draws the values uniformly from
 * [-b, b] with b = 1 / sqrt(elements / first dimension), as PyTorch starts the
 * weights of linear maps and convolutions; a tensor of fewer than two
 * dimensions, a bias say, starts at 0. `init=uniform` takes b from `bound=0`;
 * `init=constant` takes the value of `value=0`. `trainable=false` makes it a
 * buffer: it has no gradient and no optimiser changes it. The random values
 * depend on the seed of the set and on the number of tensors added before.
 *
 * @param out [out] index of the tensor; NULL is legal
 * @param params a set; its graphs and plans stay valid; unchanged on failure
 * @param name [copied] not empty, unique in the set; "layer.weight" in PyTorch
 * @param shape [borrowed] dimensions of at least 1; ndims 0 is a scalar
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_ARG for an empty name, one that exists, or a shape that no
 *          tensor can have; WSR_CONFIG for options; WSR_NOMEM
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
 * @param params parameters
 * @param name [borrowed] full name, such as "stem.0.weight"
 * @returns WSR_NOTFOUND
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_find(size_t *out,
                                                const wsr_params *params,
                                                const char *name);

/**
 * Name of tensor `i`.
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 * @returns [borrowed]
 */
WSR_API const char *wsr_params_name(const wsr_params *params, size_t i);

/**
 * Shape of tensor `i`.
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 * @returns [borrowed]
 */
WSR_API const wsr_shape *wsr_params_shape(const wsr_params *params, size_t i);

/**
 * Whether tensor `i` is trained (false: a buffer).
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 */
WSR_API bool wsr_params_trainable(const wsr_params *params, size_t i);

/**
 * Values of tensor `i`, row-major.
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 * @returns [borrowed]
 */
WSR_API const float *wsr_params_data(const wsr_params *params, size_t i);

/**
 * Values of tensor `i` for writing. Plans take over the new values at their
 * next run. Call the function again before writing after a run.
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 * @returns [borrowed]
 */
WSR_API float *wsr_params_edit(wsr_params *params, size_t i);

/**
 * Gradient of tensor `i`.
 *
 * @param params parameters
 * @param i number of the parameter, from 0
 * @returns [borrowed] NULL when no backward pass has computed it since
 *          wsr_params_zero_grad() with `forget`
 */
WSR_API const float *wsr_params_grad(const wsr_params *params, size_t i);

/**
 * Clear gradients. Backward passes accumulate into them.
 *
 * @param params parameters
 * @param forget true removes the gradients, so that an optimiser skips their
 *        parameters until the next backward pass, as zero_grad() does in
 *        PyTorch 2; false sets them to zero, so that weight decay and momentum
 *        still act, as in PyTorch before 2.0
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
 * Read the values of all tensors of a set from a safetensors file. The function
 * adds no tensors.
 *
 * @param params a set; unchanged on failure
 * @param path [borrowed] path of a file that holds exactly the tensors of the
 *        set, as F32, F16, BF16 or F64
 * @returns WSR_IO; WSR_FORMAT, naming the tensors, when some are missing, of
 *          another shape, or too many; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_params_load(wsr_params *params,
                                                const char *path);

/**
 * Number of trained parameters, counted as scalars, without tensors whose name
 * contains "auxiliary".
 */
WSR_API int64_t wsr_params_scalars(const wsr_params *params);

#ifdef __cplusplus
}
#endif

#endif
