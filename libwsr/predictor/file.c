// SPDX-License-Identifier: Apache-2.0
//
// Predictor files: safetensors with the parameter names of the authors'
// modules, so that PyTorch reads them too. The metadata hold the spec; tensors
// whose names begin with "wsr." hold what is no parameter.

#include "io/io.h"
#include "predictor/predictor.h"

#include <string.h>

static const char spec_key[] = "predictor";
enum { SIZES = 4 }; // rows, cols, heads, whether there are strengths

wsr_status wsr_predictor_save(const wsr_predictor *p, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    wsr__str spec = {0};
    const int64_t sizes[SIZES] = {(int64_t)p->rows, (int64_t)p->cols,
                                  (int64_t)p->heads, p->has_strengths};
    wsr__class_print(&spec, &p->cls->super, p->options);
    WSR_TRY(wsr__str_status(&spec));
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__st_set(b, "format", "pt"));
    WSR_TRY(wsr__st_set(b, spec_key, spec.s));
    WSR_TRY(wsr__st_add_i64(b, "wsr.sizes", sizes, SIZES));
    WSR_TRY(wsr__st_add_f64(b, "wsr.stats", p->stats, 2 * p->heads));
    WSR_TRY(wsr__st_add_f64(b, "wsr.strengths", p->strengths, p->heads));
    WSR_TRY(wsr__st_add_params(b, p->params, ""));
    WSR_TRY(wsr__st_write(b, path));
out:
    wsr__str_free(&spec);
    wsr__st_builder_free(b);
    return status;
}

// The parameters are in the file, so files that options name are not read.
static wsr_status make(wsr_predictor **out, const wsr__st *st,
                       const int64_t *sizes)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    void *options = NULL;
    const char *const spec = wsr__st_metadata(st, spec_key);
    const wsr_shape table = wsr__shape2(sizes[0], sizes[1]);
    if (spec == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: does not say which predictor it is",
                        wsr__st_path(st));
    }
    WSR_TRY(wsr__class_spec(&cls, &options, &wsr__predictors, spec));
    WSR_TRY(wsr__predictor_make_random(
        out, (const wsr__predictor_class *)(const void *)cls, options, &table,
        (size_t)sizes[2], 0));
out:
    wsr__free(options);
    return status;
}

// A file may hold any numbers.
static wsr_status read_stats(wsr_predictor *p, const wsr__st *st,
                             bool strengths)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_f64(p->stats, st, "wsr.stats", 2 * p->heads));
    WSR_TRY(wsr__st_read_f64(p->strengths, st, "wsr.strengths", p->heads));
    if (strengths) {
        WSR_TRY(wsr__predictor_check_eps(p->strengths, p->heads));
    }
    p->has_strengths = strengths;
out:
    return status;
}

wsr_status wsr_predictor_load(wsr_predictor **out, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_predictor *p = NULL;
    int64_t sizes[SIZES];
    *out = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    if (wsr__st_find(st, "wsr.sizes") == NULL) {
        status = WSR_FAIL(WSR_FORMAT, "%s: holds no predictor", path);
        goto out;
    }
    WSR_TRY(wsr__st_read_counts(sizes, st, "wsr.sizes", SIZES, 1 << 20));
    WSR_TRY(make(&p, st, sizes));
    WSR_TRY(read_stats(p, st, sizes[3] != 0));
    WSR_TRY(wsr__st_read_params(p->params, st, ""));
    *out = p;
    p = NULL;
out:
    wsr_predictor_free(p);
    wsr__st_free(st);
    return status;
}
