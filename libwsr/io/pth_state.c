// SPDX-License-Identifier: Apache-2.0
//
// Finds the state dict in a checkpoint and makes its tensors: views of storages
// by offset and strides, such as the weights of networks in channels-last
// order. What is dense, row-major and little-endian is not copied.

#include "io/pth.h"

#include <string.h>

enum { DEPTH = 4, LIST_MOST = 6, NAME_MOST = 1024 };

typedef wsr__pickle_value value;

// In order of preference.
static const char *const wrappers[] = {"state_dict",     "model_state_dict",
                                       "model",          "net",
                                       "network",        "model_state",
                                       "net_state_dict", "module",
                                       "weights",        "params",
                                       "state_dict_ema", "model_ema_state_dict",
                                       "model_ema",      "ema_state_dict",
                                       "ema_model",      "ema",
                                       "params_ema",     NULL};

static bool holds_tensors(const wsr__pickle *p, const value *v)
{
    for (size_t i = 0; v->kind == WSR__PICKLE_DICT && i + 1 < v->n; i += 2) {
        if (wsr__pickle_item(p, v, i)->kind == WSR__PICKLE_TEXT &&
            wsr__pickle_item(p, v, i + 1)->kind == WSR__PICKLE_TENSOR) {
            return true;
        }
    }
    return false;
}

// The dict below `v` that is, or holds, a state dict.
static const value *find_wrapped(const wsr__pickle *p, const value *v)
{
    const value *only = NULL;
    for (size_t k = 0; wrappers[k] != NULL; k++) {
        const value *const inner = wsr__pickle_get(p, v, wrappers[k]);
        if (inner != NULL && inner->kind == WSR__PICKLE_DICT && inner->n > 0) {
            return inner;
        }
    }
    for (size_t i = 1; v->kind == WSR__PICKLE_DICT && i < v->n; i += 2) {
        const value *const inner = wsr__pickle_item(p, v, i);
        if (holds_tensors(p, inner)) {
            if (only != NULL) {
                return NULL;
            }
            only = inner;
        }
    }
    return only;
}

// NULL where there is none, or several.
static const value *find_state(const wsr__pickle *p)
{
    const value *v = wsr__pickle_at(p, p->root);
    for (int depth = 0; v != NULL && depth < DEPTH; depth++) {
        const value *const inner = find_wrapped(p, v);
        if (inner == NULL ||
            (holds_tensors(p, v) && !holds_tensors(p, inner))) {
            return holds_tensors(p, v) ? v : NULL;
        }
        v = inner;
    }
    return v != NULL && holds_tensors(p, v) ? v : NULL;
}

static wsr_status no_state(const wsr__st *st)
{
    return WSR_FAIL(WSR_FORMAT,
                    "%s: holds no state dict, or several under names that are "
                    "unknown; permitted: a dict of tensors, as it is or under "
                    "state_dict, model_state_dict, model or net",
                    st->path);
}

// Whether the view lies in its storage of n elements; `*dense` says that its
// elements lie in row-major order.
static bool check_view(bool *dense, const wsr__torch_tensor *t, size_t count,
                       size_t n)
{
    size_t last = 0; // element furthest from the first
    int64_t expected = 1;
    *dense = true;
    if (t->offset < 0 || (size_t)t->offset > n) {
        return false;
    }
    const size_t left = n - (size_t)t->offset;
    for (size_t d = t->ndims; count > 0 && d > 0; d--) {
        const size_t steps = (size_t)t->dims[d - 1] - 1;
        const int64_t stride = t->strides[d - 1];
        if (stride < 0 || (steps > 0 && (size_t)stride > left / steps)) {
            return false;
        }
        last += steps * (size_t)stride;
        if (last >= left) {
            return false;
        }
        *dense = *dense && (steps == 0 || stride == expected);
        expected *= t->dims[d - 1];
    }
    return count == 0 || left > 0;
}

static wsr_status misplaced(const wsr__st *st, const char *name)
{
    return WSR_FAIL(WSR_FORMAT,
                    "%s: tensor '%.80s' lies outside of its storage, or has a "
                    "negative stride",
                    st->path, name);
}

static wsr_status take_tensor(wsr__st *st, const char *name,
                              const wsr__pickle *p, const wsr__torch_tensor *t,
                              const wsr__pth_source *source)
{
    wsr_status status = WSR_OK;
    const unsigned char *data = NULL;
    size_t bytes = 0;
    bool dense = false;
    wsr__st_tensor out = {.name = name, .ndims = t->ndims};
    if (!t->type->read) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "%s: tensor '%.80s' has the type %s; supported are "
                        "float32, float64, float16, bfloat16, int64, int32, "
                        "uint8, bool",
                        st->path, name,
                        t->type->dtype != NULL ? t->type->dtype : "untyped");
    }
    out.dtype = t->type->as;
    memcpy(out.dims, t->dims, sizeof(out.dims));
    if (!wsr__st_measure(&out)) {
        return misplaced(st, name);
    }
    WSR_TRY(source->find(&data, &bytes, source->ctx, &p->storages[t->storage]));
    if (!check_view(&dense, t, out.count, bytes / t->type->size)) {
        return misplaced(st, name);
    }
    data += (size_t)t->offset * t->type->size;
    out.data = data;
    if (!dense || (source->swapped && t->type->size > 1)) {
        wsr__strided strided = {.data = data, .swapped = source->swapped};
        memcpy(strided.strides, t->strides, sizeof(t->strides));
        WSR_TRY(wsr__st_gather(&out, st, &strided));
    }
    WSR_TRY(wsr__st_append(st, &out));
out:
    return status;
}

// What is no tensor is read over: numbers, texts, extra states.
wsr_status wsr__pth_take(wsr__st *st, const wsr__pickle *pickle,
                         const wsr__pth_source *source)
{
    wsr_status status = WSR_OK;
    const value *const state = find_state(pickle);
    if (state == NULL) {
        return no_state(st);
    }
    for (size_t i = 0; i + 1 < state->n; i += 2) {
        const value *const key = wsr__pickle_item(pickle, state, i);
        const value *const v = wsr__pickle_item(pickle, state, i + 1);
        char *name = NULL;
        if (key->kind != WSR__PICKLE_TEXT || v->kind != WSR__PICKLE_TENSOR) {
            continue;
        }
        const size_t n = key->n <= NAME_MOST ? key->n : NAME_MOST + 1;
        WSR_TRY(wsr__st_keep_text(&name, st, key->as.text, n));
        WSR_TRY(wsr__st_check_name(st, name));
        WSR_TRY(take_tensor(st, name, pickle, &pickle->tensors[v->as.index],
                            source));
    }
out:
    return status;
}
