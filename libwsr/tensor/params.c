// SPDX-License-Identifier: Apache-2.0
//
// The parameter set of a network: named parameters and buffers, in the order
// they were added, with an open-addressing hash table by name. Names are
// PyTorch's ("cells.0._ops.1.op.1.weight"). Any number of graphs and plans
// share one set.
//
// Initial values are drawn from a stream keyed by (seed, index), so a
// parameter starts the same whatever is added after it.

#include "base/param.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

// The list holds pointers, so that a parameter keeps its address while the set
// grows: plans and optimisers hold on to it.
struct wsr_params {
    uint64_t seed;
    wsr__param **list;
    size_t count;
    size_t capacity;
    uint32_t *index; // bucket -> list position + 1, 0 is empty
    size_t buckets;  // a power of two
};

wsr_status wsr_params_new(wsr_params **out, uint64_t seed)
{
    *out = wsr__alloc(1, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    (*out)->seed = seed;
    return WSR_OK;
}

static void param_free(wsr__param *param)
{
    if (param != NULL) {
        wsr__free(param->name);
        wsr__free(param->data);
        wsr__free(param->grad);
        wsr__free(param);
    }
}

void wsr_params_free(wsr_params *params)
{
    if (params == NULL) {
        return;
    }
    for (size_t i = 0; i < params->count; i++) {
        param_free(params->list[i]);
    }
    wsr__free(params->list);
    wsr__free(params->index);
    wsr__free(params);
}

// FNV-1a 64 bits, folded to 32 so that the low bits used for the index depend
// on all.
static size_t hash(const char *name)
{
    uint64_t h = 14695981039346656037u;
    for (const char *p = name; *p != '\0'; p++) {
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    }
    return (size_t)(h ^ (h >> 32));
}

// Bucket of a name: where it is, or where it belongs.
static size_t bucket_of(const wsr_params *params, const char *name)
{
    size_t bucket = hash(name) & (params->buckets - 1);
    while (params->index[bucket] != 0 &&
           strcmp(params->list[params->index[bucket] - 1]->name, name) != 0) {
        bucket = (bucket + 1) & (params->buckets - 1);
    }
    return bucket;
}

// At most half of the buckets are full, so a probe ends soon and always ends.
static wsr_status grow_index(wsr_params *params)
{
    if (2 * (params->count + 1) <= params->buckets) {
        return WSR_OK;
    }
    const size_t buckets = params->buckets == 0 ? 64 : 2 * params->buckets;
    uint32_t *const index = wsr__alloc(buckets, sizeof(*index));
    if (index == NULL) {
        return WSR_NOMEM;
    }
    wsr__free(params->index);
    params->index = index;
    params->buckets = buckets;
    for (size_t i = 0; i < params->count; i++) {
        index[bucket_of(params, params->list[i]->name)] = (uint32_t)(i + 1);
    }
    return WSR_OK;
}

wsr__param *wsr__params_named(const wsr_params *params, const char *name)
{
    if (params->buckets == 0) {
        return NULL;
    }
    const uint32_t at = params->index[bucket_of(params, name)];
    return at == 0 ? NULL : params->list[at - 1];
}

// The second key is the position in the list. PyTorch's default for
// convolutions and linear layers is a uniform distribution with bound 1 /
// sqrt(fan in), and a normal one for its kaiming_normal_(); the caller computes
// bound and deviation.
static void initialise(wsr__param *param, wsr__init init, uint64_t seed,
                       size_t index)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_INIT, index, 0);
    if (init.deviation > 0) {
        wsr__rng_normals(&rng, param->data, (size_t)param->count);
        for (int64_t i = 0; i < param->count; i++) {
            param->data[i] *= init.deviation;
        }
        return;
    }
    if (init.bound <= 0 && init.value == 0) {
        return; // memory comes as zeros
    }
    for (int64_t i = 0; i < param->count; i++) {
        param->data[i] = init.bound > 0
                             ? init.bound * (2 * wsr__rng_uniform(&rng) - 1)
                             : init.value;
    }
}

// The parameter enters the table last, when everything that can fail is done.
// Version 1: kernels that keep reordered weights start at version 0 and so see
// the first values as changed.
static wsr_status insert(wsr__param **out, wsr_params *params, const char *name,
                         const wsr_shape *shape)
{
    wsr_status status = WSR_OK;
    wsr__param *param = NULL;
    WSR_TRY(grow_index(params));
    WSR_TRY(wsr__reserve((void **)&params->list, &params->capacity,
                         params->count + 1, sizeof(*params->list)));
    param = wsr__alloc(1, sizeof(*param));
    if (param == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    param->shape = *shape;
    param->count = wsr_shape_count(shape);
    param->version = 1;
    param->name = wsr__strdup(name);
    param->data = wsr__alloc((size_t)param->count, sizeof(*param->data));
    if (param->name == NULL || param->data == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    params->index[bucket_of(params, name)] = (uint32_t)(params->count + 1);
    params->list[params->count++] = param;
    *out = param;
    param = NULL;
out:
    param_free(param);
    return status;
}

// The same name with the same shape is the same parameter, so that networks
// built twice over one set share their weights.
static wsr_status find_or_insert(wsr__param **out, bool *found,
                                 wsr_params *params, const char *name,
                                 const wsr_shape *shape)
{
    *out = wsr__params_named(params, name);
    *found = *out != NULL;
    if (!*found) {
        return insert(out, params, name, shape);
    }
    if (!wsr_shape_equal(&(*out)->shape, shape)) {
        char have[96];
        char want[96];
        wsr__shape_print(have, &(*out)->shape);
        wsr__shape_print(want, shape);
        return WSR_FAIL(WSR_SHAPE, "parameter %s: shape %s is not %s", name,
                        have, want);
    }
    return WSR_OK;
}

wsr_status wsr__params_trained(wsr__param **out, wsr_params *params,
                               const char *name, const wsr_shape *shape,
                               wsr__init init)
{
    bool found = false;
    const wsr_status status = find_or_insert(out, &found, params, name, shape);
    if (status == WSR_OK && !found) {
        (*out)->trainable = true;
        initialise(*out, init, params->seed, params->count - 1);
    }
    return status;
}

// Buffers are constants at first, such as the running mean of a batch norm.
wsr_status wsr__params_buffer(wsr__param **out, wsr_params *params,
                              const char *name, const wsr_shape *shape,
                              float value)
{
    bool found = false;
    const wsr_status status = find_or_insert(out, &found, params, name, shape);
    if (status == WSR_OK && !found) {
        initialise(*out, (wsr__init){.value = value}, params->seed, 0);
    }
    return status;
}

// ------------------------------------------- parameters of the caller's own

typedef struct add_options {
    wsr__text init;
    double bound;
    double value;
    bool trainable;
} add_options;

static const char *const inits[] = {"fan_in", "uniform", "constant", NULL};

static const wsr__option add_schema[] = {
    {"init", WSR__WORD, offsetof(add_options, init), "fan_in", 0, 0, "",
     "how its values start", inits},
    {"bound", WSR__FLOAT, offsetof(add_options, bound), "0", 0, 1e9, "",
     "largest absolute value of init=uniform", NULL},
    {"value", WSR__FLOAT, offsetof(add_options, value), "0", 0, 0, "",
     "of init=constant", NULL},
    {"trainable", WSR__BOOL, offsetof(add_options, trainable), "true", 0, 0, "",
     "false: a buffer, which no optimiser changes", NULL},
    {0},
};

static wsr__init init_of(const add_options *options, const wsr_shape *shape)
{
    const double fan_in = (double)wsr_shape_count(shape) /
                          (double)(shape->ndims > 0 ? shape->dims[0] : 1);
    if (wsr__streq(options->init.s, "uniform")) {
        return (wsr__init){.bound = (float)options->bound};
    }
    if (wsr__streq(options->init.s, "constant")) {
        return (wsr__init){.value = (float)options->value};
    }
    return (wsr__init){.bound = shape->ndims < 2 ? 0
                                                 : (float)(1 / sqrt(fan_in))};
}

static wsr_status check_new(const wsr_params *params, const char *name,
                            const wsr_shape *shape)
{
    if (name == NULL || name[0] == '\0') {
        return WSR_FAIL(WSR_ARG, "parameter: has no name");
    }
    if (wsr__params_named(params, name) != NULL) {
        return WSR_FAIL(WSR_ARG, "parameter %s: exists already", name);
    }
    const wsr_status status = wsr__shape_check(shape);
    return status == WSR_OK ? WSR_OK
                            : wsr__fail_at(status, "parameter %s", name);
}

wsr_status wsr_params_add(size_t *out, wsr_params *params, const char *name,
                          const wsr_shape *shape, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__param *param = NULL;
    add_options decoded;
    wsr__params_default(&decoded, add_schema);
    WSR_TRY(check_new(params, name, shape));
    WSR_TRY(wsr__params_parse(&decoded, add_schema, "parameter.",
                              options == NULL ? "" : options));
    WSR_TRY(wsr__params_trained(&param, params, name, shape,
                                init_of(&decoded, shape)));
    param->trainable = decoded.trainable;
    if (out != NULL) {
        *out = params->count - 1;
    }
out:
    return status;
}

wsr__param *wsr__params_at(const wsr_params *params, size_t i)
{
    return params->list[i];
}

// Whoever writes to `data` calls this: packed copies of weights (conv2d,
// linear) are renewed when the version has changed.
void wsr__param_touch(wsr__param *param)
{
    param->version++;
}

wsr_status wsr__param_need_grad(wsr__param *param)
{
    if (param->grad == NULL) {
        param->grad = wsr__alloc((size_t)param->count, sizeof(*param->grad));
    }
    return param->grad == NULL ? WSR_NOMEM : WSR_OK;
}

size_t wsr_params_count(const wsr_params *params)
{
    return params->count;
}

wsr_status wsr_params_find(size_t *out, const wsr_params *params,
                           const char *name)
{
    if (params->buckets != 0) {
        const uint32_t at = params->index[bucket_of(params, name)];
        if (at != 0) {
            *out = at - 1;
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_NOTFOUND, "parameter %s: not one of the %zu here", name,
                    params->count);
}

const char *wsr_params_name(const wsr_params *params, size_t i)
{
    return params->list[i]->name;
}

const wsr_shape *wsr_params_shape(const wsr_params *params, size_t i)
{
    return &params->list[i]->shape;
}

bool wsr_params_trainable(const wsr_params *params, size_t i)
{
    return params->list[i]->trainable;
}

const float *wsr_params_data(const wsr_params *params, size_t i)
{
    return params->list[i]->data;
}

// A caller that asks for the pointer is taken to write through it.
float *wsr_params_edit(wsr_params *params, size_t i)
{
    wsr__param_touch(params->list[i]);
    return params->list[i]->data;
}

const float *wsr_params_grad(const wsr_params *params, size_t i)
{
    const wsr__param *const param = params->list[i];
    return param->has_grad ? param->grad : NULL;
}

// `forget` makes the gradient count as absent (PyTorch's set_to_none): the
// optimiser then leaves the parameter alone, momentum and weight decay
// included. A gradient of zeros would still decay it.
void wsr_params_zero_grad(wsr_params *params, bool forget)
{
    for (size_t i = 0; i < params->count; i++) {
        wsr__param *const param = params->list[i];
        if (param->grad != NULL) {
            memset(param->grad, 0, (size_t)param->count * sizeof(float));
        }
        param->has_grad = param->has_grad && !forget;
    }
}

// The auxiliary head is left out, as DARTS does when it counts parameters.
int64_t wsr_params_scalars(const wsr_params *params)
{
    int64_t count = 0;
    for (size_t i = 0; i < params->count; i++) {
        const wsr__param *const param = params->list[i];
        if (param->trainable && strstr(param->name, "auxiliary") == NULL) {
            count += param->count;
        }
    }
    return count;
}

// ------------------------------------------------------- running statistics

size_t wsr__stats_copy(float *out, const wsr_params *params)
{
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        if (!p->trainable && out != NULL) {
            memcpy(out + at, p->data, (size_t)p->count * sizeof(*out));
        }
        at += p->trainable ? 0 : (size_t)p->count;
    }
    return at;
}

void wsr__stats_put(const wsr_params *params, const float *stats)
{
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        if (!p->trainable) {
            memcpy(p->data, stats, (size_t)p->count * sizeof(*stats));
            stats += p->count;
            wsr__param_touch(p);
        }
    }
}
