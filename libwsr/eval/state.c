// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints of an evaluation.
//
// A checkpoint belongs to one evaluation, model and data set. It holds a
// description of attacks, strengths and options, the labels, and the logits of
// the first images (the probe). Resuming computes the probe again and compares
// it, so that a checkpoint of another model is refused. docs/formats.md lists
// all tensors.

#include "eval/eval.h"
#include "io/io.h"
#include "wsr/data.h"

#include <math.h>
#include <string.h>

// Images of the probe.
enum { PROBES = 8 };

static const char part_prefix[] = "part.";

// ------------------------------------------------------------------ writing

// All settings that change results, as text: comparing descriptions finds any
// difference and names it in the error line.
static void describe(wsr__str *out, const wsr_eval *s)
{
    const wsr__attack_settings *const set = &s->settings.attack;
    for (size_t a = 0; a < s->n_attacks; a++) {
        wsr__str_add(out, a == 0 ? "attacks=" : ",");
        wsr__attack_print(out, s->attacks[a]);
    }
    for (size_t e = 0; e < s->n_eps; e++) {
        char text[32];
        wsr__format_float(text, s->eps[e]);
        wsr__str_addf(out, "%s%s", e == 0 ? " eps=" : ",", text);
    }
    wsr__str_addf(out,
                  " images=%zu keep=%zu batch=%zu seed=%lld stop=%d nested=%d "
                  "target=%s transfer=%d",
                  s->n, s->keep, s->batch, (long long)set->seed, set->stop,
                  set->nested, set->target.s, s->source != NULL);
    wsr__str_add(out, s->settings.quantize ? " quantize=1" : "");
    if (!wsr__streq(s->settings.shard.s, "1/1")) {
        wsr__str_addf(out, " shard=%.40s", s->settings.shard.s);
    }
    if (set->queries > 0) {
        wsr__str_addf(out, " queries=%lld", (long long)set->queries);
    }
    if (set->target_class >= 0) {
        wsr__str_addf(out, " target_class=%lld", (long long)set->target_class);
    }
}

void wsr__eval_cell_name(char out[WSR__EVAL_NAME], const wsr_eval *s, size_t k,
                         const char *what)
{
    (void)snprintf(out, WSR__EVAL_NAME, "%zu.%zu.%s", k / s->n_eps,
                   k % s->n_eps, what);
}

wsr_status wsr__eval_add_array(wsr__st_builder *b, const char *name,
                               wsr__st_dtype dtype, const void *data, size_t n)
{
    const int64_t dims[1] = {(int64_t)n};
    return wsr__st_add(b, name, dtype, data, dims, 1);
}

wsr_status wsr__eval_add_images(wsr__st_builder *b, const wsr_eval *s,
                                const char *name, const float *images, size_t n)
{
    const int64_t *const d = s->model->shape.dims;
    const int64_t dims[4] = {(int64_t)n, d[0], d[1], d[2]};
    return wsr__st_add(b, name, WSR__ST_F32, images, dims, 4);
}

static const char *const ends[] = {"low", "high"};

// Arrays of a cell, with a row for every image; rows of images that are not
// done are zero.
static wsr_status add_cell(wsr__st_builder *b, const wsr_eval *s, size_t k)
{
    wsr_status status = WSR_OK;
    const wsr__eval_cell *const cell = &s->cells[k];
    char name[WSR__EVAL_NAME];
    wsr__eval_cell_name(name, s, k, "robust");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_U8, cell->robust, s->n));
    wsr__eval_cell_name(name, s, k, "success");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_U8, cell->success, s->n));
    for (size_t i = 0; i < 3; i++) {
        wsr__eval_cell_name(name, s, k, wsr__lp_names[i]);
        WSR_TRY(
            wsr__eval_add_array(b, name, WSR__ST_F32, cell->norms[i], s->n));
    }
    for (size_t i = 0; i < 2; i++) {
        wsr__eval_cell_name(name, s, k, ends[i]);
        WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_F32, cell->ends[i], s->n));
    }
    wsr__eval_cell_name(name, s, k, "queries");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, cell->queries, s->n));
    wsr__eval_cell_name(name, s, k, "gradients");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, cell->gradients, s->n));
    wsr__eval_cell_name(name, s, k, "flat");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, cell->flat, s->n));
    wsr__eval_cell_name(name, s, k, "outside");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_U8, cell->outside, s->n));
    wsr__eval_cell_name(name, s, k, "member");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, cell->member, s->n));
    wsr__eval_cell_name(name, s, k, "step");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, cell->step, s->n));
    wsr__eval_cell_name(name, s, k, "member_seconds");
    WSR_TRY(wsr__st_add_f64(b, name, cell->member_seconds, WSR__MEMBERS));
    wsr__eval_cell_name(name, s, k, "seconds");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_F64, &cell->seconds, 1));
    if (cell->quantized != NULL) {
        wsr__eval_cell_name(name, s, k, "quantized");
        WSR_TRY(wsr__st_add_u8(b, name, cell->quantized, s->n));
    }
    if (s->keep > 0) {
        wsr__eval_cell_name(name, s, k, "images");
        WSR_TRY(wsr__eval_add_images(b, s, name, cell->images, s->keep));
    }
out:
    return status;
}

wsr_status wsr__eval_probe_images(float *x, const wsr_eval *eval, size_t n)
{
    const size_t d = (size_t)eval->model->pixels;
    const wsr__box box = eval->model->box;
    if (eval->settings.attack.queries == 0) {
        return wsr_dataset_images(x, eval->dataset, eval->index, n);
    }
    for (size_t i = 0; i < n * d; i++) {
        const size_t image = i / d;
        const float share = (float)(image + 1) / (float)(n + 1);
        x[i] = box.lo + share * (box.hi - box.lo);
    }
    return WSR_OK;
}

// Logits (PROBES, classes) of the first images on the evaluated model and, in
// a transfer evaluation, after them those on the attacked model. Fewer images
// leave the last rows at zero.
static wsr_status probe(float *logits, const wsr_eval *s)
{
    wsr_status status = WSR_OK;
    const size_t n = s->n < PROBES ? s->n : PROBES;
    const size_t d = (size_t)s->model->pixels;
    float *const x = wsr__alloc(n, d * sizeof(*x));
    if (x == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__eval_probe_images(x, s, n));
    WSR_TRY(wsr_model_logits(logits, s->model, x, n));
    if (s->source != NULL) {
        WSR_TRY(wsr_model_logits(logits + PROBES * s->model->classes, s->source,
                                 x, n));
    }
out:
    wsr__free(x);
    return status;
}

// Room for the probe of both models, see probe().
static size_t probe_floats(const wsr_eval *s)
{
    const size_t other = s->source == NULL ? 0 : s->source->classes;
    return PROBES * (s->model->classes + other);
}

// The probe is computed once, before the first checkpoint: a hook that saves
// is called inside a pass, when the model may not be used for another one.
wsr_status wsr__eval_make_probe(wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    float *logits = NULL;
    if (eval->probe != NULL) {
        return WSR_OK;
    }
    logits = wsr__alloc(probe_floats(eval), sizeof(*logits));
    if (logits == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(probe(logits, eval));
    eval->probe = logits;
    logits = NULL;
out:
    wsr__free(logits);
    return status;
}

// Without a hook the probe is computed when the checkpoint is written.
static wsr_status add_probe(wsr__st_builder *b, const wsr_eval *s)
{
    wsr_status status = WSR_OK;
    const size_t n = probe_floats(s);
    float *logits = NULL;
    if (s->probe != NULL) {
        return wsr__st_add_f32(b, "probe", s->probe, n);
    }
    logits = wsr__alloc(n, sizeof(*logits));
    if (logits == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(probe(logits, s));
    WSR_TRY(wsr__st_add_f32(b, "probe", logits, n));
out:
    wsr__free(logits);
    return status;
}

// The step that was stopped, unless none of it is complete.
static wsr_status add_part(wsr__st_builder *b, const wsr_eval *s)
{
    wsr_status status = WSR_OK;
    if (s->part == NULL || !wsr__attack_part_begun(s->part)) {
        return WSR_OK;
    }
    for (size_t i = 0;; i++) {
        const wsr__state state = wsr__attack_part_state(s->part, i);
        if (state.count == 0) {
            break;
        }
        WSR_TRY(wsr__st_add_state(b, part_prefix, &state));
    }
out:
    return status;
}

// What the model said about the clean images, and smallest changes.
static wsr_status add_rows(wsr__st_builder *b, const wsr_eval *s)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__eval_add_array(b, "labels", WSR__ST_I32, s->labels, s->n));
    WSR_TRY(wsr__eval_add_array(b, "clean", WSR__ST_U8, s->clean, s->n));
    WSR_TRY(
        wsr__eval_add_array(b, "predicted", WSR__ST_I32, s->predicted, s->n));
    WSR_TRY(wsr__eval_add_array(b, "margin", WSR__ST_F32, s->margin, s->n));
    WSR_TRY(wsr__eval_add_array(b, "crc32", WSR__ST_I32, s->crc32, s->n));
    for (size_t a = 0; a < s->n_attacks; a++) {
        char name[WSR__EVAL_NAME];
        (void)snprintf(name, sizeof(name), "%zu.smallest", a);
        if (s->smallest[a] != NULL) {
            WSR_TRY(wsr__st_add_f64(b, name, s->smallest[a], s->n));
        }
    }
out:
    return status;
}

// The position and all cells, in the fixed order of attacks and strengths.
wsr_status wsr__eval_save_state(wsr__st_builder *builder, const wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *const b = builder;
    wsr__str text = {0};
    describe(&text, eval);
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__st_set(b, "eval", text.s));
    WSR_TRY(wsr__st_setf(b, "position", "%zu", eval->position));
    WSR_TRY(add_probe(b, eval));
    WSR_TRY(add_rows(b, eval));
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        WSR_TRY(add_cell(b, eval, k));
    }
    WSR_TRY(add_part(b, eval));
out:
    wsr__str_free(&text);
    return status;
}

// Checkpoints carry a checksum, and the file before stays as its predecessor.
wsr_status wsr_eval_save(const wsr_eval *eval, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    if (eval->model == NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: was not opened");
    }
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__eval_save_state(b, eval));
    WSR_TRY(wsr__checkpoint_save(b, path));
out:
    wsr__st_builder_free(b);
    return status;
}

// ------------------------------------------------------------------ reading

// The error line shows both descriptions, so that the difference can be seen.
// A file without one is of another kind.
static wsr_status check_description(const wsr_eval *s, const wsr__st *st)
{
    wsr__str text = {0};
    const char *const have = wsr__st_metadata(st, "eval");
    describe(&text, s);
    wsr_status status = wsr__str_status(&text);
    if (status == WSR_OK && have == NULL) {
        status = WSR_FAIL(WSR_FORMAT, "%s: is no state of an evaluation",
                          wsr__st_path(st));
    } else if (status == WSR_OK && !wsr__streq(have, text.s)) {
        status = WSR_FAIL(
            WSR_CONFIG, "%s: is of another evaluation: '%.160s', not '%.160s'",
            wsr__st_path(st), have, text.s);
    }
    wsr__str_free(&text);
    return status;
}

// Another number of threads or another processor changes the last bits of
// logits; another model changes them altogether.
static bool same_probe(const float *a, const float *b, size_t n)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += fabs((double)a[i] - (double)b[i]);
        size += fabs((double)a[i]);
    }
    return difference <= 1e-4 * size;
}

// Labels recognise the data set, the probe recognises the model.
static wsr_status check_origin(const wsr_eval *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    const size_t n = probe_floats(s);
    float *const logits = wsr__alloc(2 * n, sizeof(*logits));
    int64_t *const labels = wsr__alloc(s->n, sizeof(*labels));
    if (logits == NULL || labels == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__st_read_i64(labels, st, "labels", s->n));
    for (size_t i = 0; i < s->n; i++) {
        if (labels[i] != s->labels[i]) {
            status = WSR_FAIL(WSR_CONFIG, "%s: was made with other images",
                              wsr__st_path(st));
            goto out;
        }
    }
    WSR_TRY(probe(logits, s));
    WSR_TRY(wsr__st_read_f32(logits + n, st, "probe", n));
    if (!same_probe(logits, logits + n, n)) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%s: was made with another model or other images",
                          wsr__st_path(st));
    }
out:
    wsr__free(labels);
    wsr__free(logits);
    return status;
}

// Readers check type and length of each tensor, flags also their values.
static wsr_status read_cell(wsr_eval *s, const wsr__st *st, size_t k)
{
    wsr_status status = WSR_OK;
    wsr__eval_cell *const cell = &s->cells[k];
    char name[WSR__EVAL_NAME];
    wsr__eval_cell_name(name, s, k, "robust");
    WSR_TRY(wsr__st_read_flags(cell->robust, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "success");
    WSR_TRY(wsr__st_read_flags(cell->success, st, name, s->n));
    for (size_t i = 0; i < 3; i++) {
        wsr__eval_cell_name(name, s, k, wsr__lp_names[i]);
        WSR_TRY(wsr__st_read_f32(cell->norms[i], st, name, s->n));
    }
    for (size_t i = 0; i < 2; i++) {
        wsr__eval_cell_name(name, s, k, ends[i]);
        WSR_TRY(wsr__st_read_f32(cell->ends[i], st, name, s->n));
    }
    wsr__eval_cell_name(name, s, k, "queries");
    WSR_TRY(wsr__st_read_u32(cell->queries, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "gradients");
    WSR_TRY(wsr__st_read_u32(cell->gradients, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "flat");
    WSR_TRY(wsr__st_read_u32(cell->flat, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "outside");
    WSR_TRY(wsr__st_read_flags(cell->outside, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "member");
    WSR_TRY(wsr__st_read_u32(cell->member, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "step");
    WSR_TRY(wsr__st_read_u32(cell->step, st, name, s->n));
    wsr__eval_cell_name(name, s, k, "member_seconds");
    WSR_TRY(wsr__st_read_f64(cell->member_seconds, st, name, WSR__MEMBERS));
    wsr__eval_cell_name(name, s, k, "seconds");
    WSR_TRY(wsr__st_read_f64(&cell->seconds, st, name, 1));
    if (cell->quantized != NULL) {
        wsr__eval_cell_name(name, s, k, "quantized");
        WSR_TRY(wsr__st_read_flags(cell->quantized, st, name, s->n));
    }
    if (s->keep > 0) {
        wsr__eval_cell_name(name, s, k, "images");
        WSR_TRY(wsr__st_read_f32(cell->images, st, name,
                                 s->keep * (size_t)s->model->pixels));
    }
out:
    return status;
}

// `integers` is scratch. A class beyond the model's would be one of a damaged
// file.
static wsr_status read_integers(wsr_eval *s, const wsr__st *st,
                                int64_t *integers)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_counts(integers, st, "predicted", s->n,
                                (int64_t)s->model->classes - 1));
    for (size_t i = 0; i < s->n; i++) {
        s->predicted[i] = (int32_t)integers[i];
    }
    WSR_TRY(wsr__st_read_i64(integers, st, "crc32", s->n));
    for (size_t i = 0; i < s->n; i++) {
        s->crc32[i] = (uint32_t)(uint64_t)integers[i];
    }
out:
    return status;
}

// What add_rows() wrote, but for the labels.
static wsr_status read_rows(wsr_eval *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    int64_t *const integers = wsr__alloc(s->n, sizeof(*integers));
    if (integers == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__st_read_flags(s->clean, st, "clean", s->n));
    WSR_TRY(wsr__st_read_f32(s->margin, st, "margin", s->n));
    WSR_TRY(read_integers(s, st, integers));
    for (size_t a = 0; a < s->n_attacks; a++) {
        char name[WSR__EVAL_NAME];
        (void)snprintf(name, sizeof(name), "%zu.smallest", a);
        if (s->smallest[a] != NULL) {
            WSR_TRY(wsr__st_read_f64(s->smallest[a], st, name, s->n));
        }
    }
out:
    wsr__free(integers);
    return status;
}

// A position is a number of complete steps.
static wsr_status read_position(int64_t *out, const wsr_eval *s,
                                const wsr__st *st)
{
    const char *const text = wsr__st_metadata(st, "position");
    if (text == NULL || !wsr__parse_int(out, text) || *out < 0 ||
        (size_t)*out > wsr_eval_steps(s)) {
        return WSR_FAIL(WSR_FORMAT, "%s: its position is no step",
                        wsr__st_path(st));
    }
    return WSR_OK;
}

// A file without "part.position" was written between two steps.
static wsr_status read_part(wsr_eval *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    if (wsr__st_find(st, "part.position") == NULL ||
        s->position >= wsr_eval_steps(s)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__eval_make_part(s));
    for (size_t i = 0;; i++) {
        const wsr__state state = wsr__attack_part_state(s->part, i);
        if (state.count == 0) {
            break;
        }
        WSR_TRY(wsr__st_read_state(&state, st, part_prefix));
    }
    status = wsr__attack_part_loaded(s->part);
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "%s", wsr__st_path(st));
    }
out:
    return status;
}

// On failure the evaluation is as if it had just been opened: results are read
// by position, which is 0.
wsr_status wsr__eval_load_state(wsr_eval *eval, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    int64_t position = 0;
    WSR_TRY(check_description(eval, st));
    WSR_TRY(check_origin(eval, st));
    WSR_TRY(wsr__eval_ask_twice(eval));
    WSR_TRY(read_position(&position, eval, st));
    WSR_TRY(read_rows(eval, st));
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        WSR_TRY(read_cell(eval, st, k));
    }
    eval->position = (size_t)position;
    WSR_TRY(read_part(eval, st));
out:
    if (status != WSR_OK) {
        eval->position = 0;
        wsr__attack_part_free(eval->part);
        eval->part = NULL;
    }
    for (size_t k = 0; eval->position == 0 && k < eval->n_attacks * eval->n_eps;
         k++) {
        eval->cells[k].seconds = 0; // what else was read is not looked at
    }
    return status;
}

// An evaluation that has begun has results that the file would overwrite.
wsr_status wsr_eval_resume(wsr_eval *eval, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    if (eval->model == NULL || eval->position > 0 || eval->part != NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: must be opened and not begun");
    }
    WSR_TRY(wsr__checkpoint_load(&st, path));
    WSR_TRY(wsr__eval_load_state(eval, st));
out:
    wsr__st_free(st);
    return status;
}
