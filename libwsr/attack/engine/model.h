// SPDX-License-Identifier: Apache-2.0
//
// What is attacked: the interface of models to the engine.

#ifndef WSR_ATTACK_ENGINE_MODEL_H
#define WSR_ATTACK_ENGINE_MODEL_H

#include "attack/engine/project.h"
#include "graph/graph.h"
#include "wsr/attack.h"

/// Rows of an array that are meant: at[0], at[1], ..., or all from 0 on when
/// `at` is NULL.
typedef struct wsr__rows {
    const uint32_t *at;
    size_t n;
} wsr__rows;

static inline size_t wsr__row(const wsr__rows *rows, size_t k)
{
    return rows->at == NULL ? k : rows->at[k];
}

/// Row `row` of an array of `width` floats a row.
static inline float *wsr__at(float *array, int64_t width, size_t row)
{
    return array + (int64_t)row * width;
}

static inline const float *wsr__at_const(const float *array, int64_t width,
                                         size_t row)
{
    return array + (int64_t)row * width;
}

/// Between the passes of a row: from its logits z, which are in their place
/// already, make the gradient dz of what is wanted of it. False: no gradient
/// of this row is wanted; then dz is of no account. Rows come in any order,
/// several at once on several threads.
typedef struct wsr__model_seed {
    bool (*make)(void *ctx, size_t row, float *dz, const float *z);
    void *ctx;
} wsr__model_seed;

/// What a kind of model supplies. Arrays hold a row per image of a batch;
/// only those in `rows` are read and written.
typedef struct wsr__model_class {
    wsr_status (*forward)(wsr_model *model, float *logits, const float *x,
                          const wsr__rows *rows);
    /// Forward, and backward for the rows of which `seed` wants it; the dx of
    /// others are undefined. dx may be x. Models that are not differentiable
    /// need none.
    wsr_status (*gradient)(wsr_model *model, float *dx, float *logits,
                           const float *x, const wsr__rows *rows,
                           const wsr__model_seed *seed);
    /// Make what the largest batch needs and say how many bytes it takes, so
    /// that a shortage shows before any work; NULL: there is nothing to make.
    wsr_status (*reserve)(wsr_model *model, double *bytes);
    /// Use the statistics of the batch, or the running ones; NULL: there are
    /// none.
    void (*use_batch)(wsr_model *model, bool batch);
    void (*release)(wsr_model *model); // what lies behind the common part
} wsr__model_class;

/// The common part; kinds put more behind it.
struct wsr_model {
    const wsr__model_class *cls;
    bool differentiable; // there are gradients
    wsr_shape shape;     // (c, h, w)
    int64_t pixels;
    size_t classes;
    size_t batch; // images per forward at most
    bool fixed_batch;
    wsr__box box;
    char *takes; // how a network normalises images, NULL: not known
    uint64_t queries;
    uint64_t gradients;
};

/// Fill the common part. ARG or SHAPE for a shape or a number of classes that
/// an attack cannot work with.
wsr_status wsr__model_init(wsr_model *model, const wsr__model_class *cls,
                           const wsr_shape *shape, size_t classes);

/// Make ready for whole batches. `bytes` receives the memory that is used.
wsr_status wsr__model_reserve(double *bytes, wsr_model *model);

/// Shape of a plan's input "x", batch included, NULL when it has none.
const wsr_shape *wsr__plan_images(const wsr_plan *plan);

#endif
