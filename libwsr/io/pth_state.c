// SPDX-License-Identifier: Apache-2.0
//
// Finds the state dict in a checkpoint and makes its tensors: views of storages
// by offset and strides, such as the weights of networks in channels-last
// order. What is dense, row-major and little-endian is not copied.

#include "io/pth.h"

#include <string.h>

enum { DEPTH = 4, LIST_MOST = 6, NAME_MOST = 1024 };

typedef wsr__pickle_value value;

// In order of preference. Averaged weights come behind the others.
static const char *const wrappers[] = {
    "state_dict",  "model_state_dict", "model",  "net",     "network",
    "model_state", "net_state_dict",   "module", "weights", "params",
    NULL};
static const char *const averages[] = {"state_dict_ema",
                                       "model_ema_state_dict",
                                       "model_ema",
                                       "ema_state_dict",
                                       "ema_model",
                                       "ema",
                                       "params_ema",
                                       "module_ema",
                                       "net_ema",
                                       "ema_net",
                                       "model_state_dict_ema",
                                       NULL};

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

// The dict of the first name that `v` has; `*name` is that name.
static const value *find_named(const char **name, const wsr__pickle *p,
                               const value *v, const char *const *names)
{
    for (size_t k = 0; names[k] != NULL; k++) {
        const value *const inner = wsr__pickle_get(p, v, names[k]);
        if (inner != NULL && inner->kind == WSR__PICKLE_DICT && inner->n > 0) {
            *name = names[k];
            return inner;
        }
    }
    return NULL;
}

// The dict below `v` that is, or holds, a state dict.
static const value *find_wrapped(const char **name, const wsr__pickle *p,
                                 const value *v)
{
    const value *only = find_named(name, p, v, wrappers);
    if (only == NULL) {
        only = find_named(name, p, v, averages);
    }
    if (only != NULL) {
        return only;
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

// NULL where there is none, or several. `*name` is the first name on the way.
static const value *find_state(const char **name, const wsr__pickle *p,
                               const value *v)
{
    for (int depth = 0; v != NULL && depth < DEPTH; depth++) {
        const char *inside = NULL;
        const value *const inner = find_wrapped(&inside, p, v);
        if (inner == NULL ||
            (holds_tensors(p, v) && !holds_tensors(p, inner))) {
            return holds_tensors(p, v) ? v : NULL;
        }
        *name = *name == NULL ? inside : *name;
        v = inner;
    }
    return v != NULL && holds_tensors(p, v) ? v : NULL;
}

// The state dict that the path asks for: under the very name, or under one of
// those for averaged weights ("ema") or the others ("model").
static const value *find_part(const char **name, const wsr__pickle *p,
                              const char *part)
{
    const value *const root = wsr__pickle_at(p, p->root);
    const char *const own[] = {part, NULL};
    const value *v = find_named(name, p, root, own);
    if (v == NULL && wsr__streq(part, "ema")) {
        v = find_named(name, p, root, averages);
    } else if (v == NULL && wsr__streq(part, "model")) {
        v = find_named(name, p, root, wrappers);
    }
    return v == NULL ? NULL : find_state(name, p, v);
}

// Where a file has both, a line says which weights are taken.
static void say_choice(const wsr__st *st, const wsr__pickle *p,
                       const char *taken)
{
    const value *const root = wsr__pickle_at(p, p->root);
    const char *plain = NULL;
    const char *average = NULL;
    (void)find_named(&plain, p, root, wrappers);
    (void)find_named(&average, p, root, averages);
    if (plain != NULL && average != NULL && taken != NULL) {
        const bool mean = wsr__streq(taken, average);
        wsr__log(WSR_LOG_INFO,
                 "%s: weights of '%.40s'; '%.40s' are read as %s#%s", st->path,
                 taken, mean ? plain : average, st->path,
                 mean ? "model" : "ema");
    }
}

static wsr_status no_state(const wsr__st *st)
{
    if (st->part != NULL) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: holds no state dict '%.40s'; permitted behind "
                        "'#': a name of the file, ema, model",
                        st->path, st->part);
    }
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
                        "uint8, bool; convert it in PyTorch: tensor.float()",
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
    const char *name = NULL;
    const value *const state =
        st->part != NULL
            ? find_part(&name, pickle, st->part)
            : find_state(&name, pickle, wsr__pickle_at(pickle, pickle->root));
    if (state == NULL) {
        return no_state(st);
    }
    say_choice(st, pickle, name);
    for (size_t i = 0; i + 1 < state->n; i += 2) {
        const value *const key = wsr__pickle_item(pickle, state, i);
        const value *const v = wsr__pickle_item(pickle, state, i + 1);
        char *key_name = NULL;
        if (key->kind != WSR__PICKLE_TEXT || v->kind != WSR__PICKLE_TENSOR) {
            continue;
        }
        const size_t n = key->n <= NAME_MOST ? key->n : NAME_MOST + 1;
        WSR_TRY(wsr__st_keep_text(&key_name, st, key->as.text, n));
        WSR_TRY(wsr__st_check_name(st, key_name));
        WSR_TRY(take_tensor(st, key_name, pickle, &pickle->tensors[v->as.index],
                            source));
    }
out:
    return status;
}
