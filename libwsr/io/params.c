// SPDX-License-Identifier: Apache-2.0
//
// Parameter sets in safetensors files, under PyTorch's names. Reading checks
// all names and shapes before it changes anything, and one message names
// everything that does not fit, a few names of each kind. On failure the
// parameters are as they were.

#include "io/io.h"

#include "tensor/tensor.h"

#include <string.h>

enum { MOST_NAMES = 4 };

// Counters are floats in memory and int64 in files, as PyTorch has
// num_batches_tracked.
static wsr_status add_param(wsr__st_builder *builder, const wsr__param *param,
                            const char *name)
{
    const wsr_shape *const s = &param->shape;
    const size_t ndims = (size_t)s->ndims;
    if (!param->integer) {
        return wsr__st_add(builder, name, WSR__ST_F32, param->data, s->dims,
                           ndims);
    }
    int64_t *const integers =
        wsr__alloc((size_t)param->count, sizeof(*integers));
    if (integers == NULL) {
        return WSR_NOMEM;
    }
    for (int64_t i = 0; i < param->count; i++) {
        integers[i] = (int64_t)param->data[i];
    }
    const wsr_status status =
        wsr__st_add(builder, name, WSR__ST_I64, integers, s->dims, ndims);
    wsr__free(integers);
    return status;
}

// Values are copied, so a network may train on while its file is written.
wsr_status wsr__st_add_params(wsr__st_builder *builder,
                              const wsr_params *params, const char *prefix)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const param = wsr__params_at(params, i);
        char name[WSR__ST_NAME];
        WSR_TRY(wsr__st_name(name, prefix, param->name));
        WSR_TRY(add_param(builder, param, name));
    }
out:
    return status;
}

// ------------------------------------------------------------------ reading

// Names of one kind of misfit: all are counted, the first few are kept.
typedef struct names {
    size_t count;
    wsr__str text;
} names;

// `more` says what does not fit, " (3, 4), not (3, 5)".
static void note(names *list, const char *name, const char *more)
{
    if (list->count < MOST_NAMES) {
        wsr__str_addf(&list->text, "%s%.80s%s", list->count == 0 ? "" : ", ",
                      name, more);
    } else if (list->count == MOST_NAMES) {
        wsr__str_add(&list->text, ", ...");
    }
    list->count++;
}

// Kinds of misfit, in the order in which the message lists them.
enum { MISSING, MISSHAPEN, MISTYPED, UNEXPECTED, KINDS };

// More dimensions than we have are cut; check_shape() looks at ndims first.
static wsr_shape shape_of(const wsr__st_tensor *t)
{
    wsr_shape shape = {.ndims = (int)t->ndims};
    for (size_t i = 0; i < t->ndims && i < WSR_MAX_DIMS; i++) {
        shape.dims[i] = t->dims[i];
    }
    return shape;
}

// Shapes must be equal; nothing is broadcast.
static void check_shape(names *list, const wsr__param *param,
                        const wsr__st_tensor *t, const char *name)
{
    const wsr_shape shape = shape_of(t);
    if (t->ndims <= WSR_MAX_DIMS && wsr_shape_equal(&shape, &param->shape)) {
        return;
    }
    char have[96];
    char want[96];
    char more[224];
    wsr__shape_print(have, &shape);
    wsr__shape_print(want, &param->shape);
    (void)snprintf(more, sizeof(more), " %s, not %s", have, want);
    note(list, name, more);
}

// Integers may be floats, as in a file that was converted as a whole.
static void check_type(names *list, const wsr__param *param,
                       const wsr__st_tensor *t, const char *name)
{
    char more[16];
    (void)snprintf(more, sizeof(more), " %s", wsr__st_dtype_name(t->dtype));
    if (!param->integer && !wsr__st_is_float(t)) {
        note(list, name, more);
    }
}

// Both ways: parameters that the file lacks, and tensors that the set lacks.
// What this library writes besides parameters has names of its own.
static wsr_status check_all(names list[KINDS], const wsr_params *params,
                            const wsr__st *st, const char *prefix)
{
    wsr_status status = WSR_OK;
    const size_t skip = strlen(prefix);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const param = wsr__params_at(params, i);
        char name[WSR__ST_NAME];
        WSR_TRY(wsr__st_name(name, prefix, param->name));
        const wsr__st_tensor *const t = wsr__st_find(st, name);
        if (t != NULL) {
            check_shape(&list[MISSHAPEN], param, t, name);
            check_type(&list[MISTYPED], param, t, name);
        } else if (!param->integer) {
            note(&list[MISSING], name, "");
        }
    }
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const char *const name = wsr__st_at(st, i)->name;
        if (strncmp(name, prefix, skip) == 0 && strncmp(name, "wsr.", 4) != 0 &&
            wsr__params_named(params, name + skip) == NULL) {
            note(&list[UNEXPECTED], name, "");
        }
    }
out:
    return status;
}

// Does nothing when all lists are empty.
static wsr_status complain(const names list[KINDS], const wsr__st *st)
{
    static const char *const what[KINDS] = {"missing", "of another shape",
                                            "not of floats", "unexpected"};
    wsr__str text = {0};
    for (size_t k = 0; k < KINDS; k++) {
        if (list[k].count != 0) {
            text.failed |= list[k].text.failed;
            wsr__str_addf(&text, "%s%zu %s (%s)",
                          text.len == 0 ? "tensors: " : ", ", list[k].count,
                          what[k], list[k].text.failed ? "" : list[k].text.s);
        }
    }
    wsr_status status = wsr__str_status(&text);
    if (status == WSR_OK && text.len != 0) {
        status = WSR_FAIL(WSR_FORMAT, "%s: %s", wsr__st_path(st), text.s);
    }
    wsr__str_free(&text);
    return status;
}

// A counter that is missing counts from 0: nothing is computed from it.
static wsr_status read_integers(float *dst, const wsr__st *st, const char *name,
                                size_t n)
{
    int64_t *const integers = wsr__alloc(n, sizeof(*integers));
    if (integers == NULL) {
        return WSR_NOMEM;
    }
    wsr_status status = WSR_OK;
    if (wsr__st_find(st, name) != NULL) {
        status = wsr__st_read_i64(integers, st, name, n);
    }
    for (size_t i = 0; status == WSR_OK && i < n; i++) {
        dst[i] = (float)integers[i];
    }
    wsr__free(integers);
    return status;
}

// A counter may be stored as a float, when a file was converted as a whole.
static wsr_status read_param(float *dst, const wsr__param *param,
                             const wsr__st *st, const char *name)
{
    const size_t n = (size_t)param->count;
    const wsr__st_tensor *const t = wsr__st_find(st, name);
    return param->integer && (t == NULL || !wsr__st_is_float(t))
               ? read_integers(dst, st, name, n)
               : wsr__st_read_f32(dst, st, name, n);
}

// Read what may not fit into floats, to see whether it does.
static wsr_status try_param(const wsr__param *param, const wsr__st *st,
                            const char *name)
{
    const wsr__st_tensor *const t = wsr__st_find(st, name);
    if (t == NULL || t->dtype != WSR__ST_F64) {
        return WSR_OK;
    }
    float *const scratch = wsr__alloc_raw(t->count, sizeof(*scratch));
    if (scratch == NULL) {
        return WSR_NOMEM;
    }
    const wsr_status status = read_param(scratch, param, st, name);
    wsr__free(scratch);
    return status;
}

// The first pass only tries; the second changes parameters, and cannot fail for
// what the file holds.
static wsr_status read_all(wsr_params *params, const wsr__st *st,
                           const char *prefix, bool for_good)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const param = wsr__params_at(params, i);
        char name[WSR__ST_NAME];
        WSR_TRY(wsr__st_name(name, prefix, param->name));
        if (!for_good) {
            WSR_TRY(try_param(param, st, name));
            continue;
        }
        WSR_TRY(read_param(param->data, param, st, name));
        wsr__param_touch(param);
    }
out:
    return status;
}

// Names in the file are prefix + the parameter's own.
wsr_status wsr__st_read_params(wsr_params *params, const wsr__st *st,
                               const char *prefix)
{
    wsr_status status = WSR_OK;
    names list[KINDS] = {{0}};
    WSR_TRY(check_all(list, params, st, prefix));
    WSR_TRY(complain(list, st));
    WSR_TRY(read_all(params, st, prefix, false));
    WSR_TRY(read_all(params, st, prefix, true));
out:
    for (size_t k = 0; k < KINDS; k++) {
        wsr__str_free(&list[k].text);
    }
    return status;
}

// ------------------------------------------------------------------- files

wsr_status wsr_params_save(const wsr_params *params, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_params(builder, params, ""));
    WSR_TRY(wsr__st_write(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}

wsr_status wsr_params_load(wsr_params *params, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    WSR_TRY(wsr__st_read_params(params, st, ""));
out:
    wsr__st_free(st);
    return status;
}
