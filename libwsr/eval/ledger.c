// SPDX-License-Identifier: Apache-2.0
//
// The ledger of an evaluation: a row for each image, attack and strength, as
// comma-separated values and as JSON lines. Both are written from one list of
// fields, so that they cannot differ. Rows hold no times: an evaluation that
// was interrupted and resumed ends with the same bytes.

#include "attack/engine/combine.h"
#include "eval/eval.h"
#include "io/io.h"

#include <math.h>
#include <string.h>

// An image under one attack at one strength.
typedef struct row {
    const wsr_eval *eval;
    size_t a;
    size_t e;
    size_t i;
    const char *attack; // name, options, breaker: texts made by the caller
    const char *options;
    const char *breaker;
} row;

// Writes one field of a row. Columns are the same for all rows.
typedef struct sink {
    wsr__json *json; // NULL: comma-separated values
    wsr__str *csv;
} sink;

// ------------------------------------------------------------------- values

static void put_text(const sink *to, const char *key, const char *text)
{
    if (to->json != NULL) {
        wsr__json_text(to->json, key, text);
    } else {
        wsr__str_add_csv(to->csv, text);
        wsr__str_add(to->csv, ",");
    }
}

static void put_integer(const sink *to, const char *key, int64_t value)
{
    if (to->json != NULL) {
        wsr__json_integer(to->json, key, value);
    } else {
        wsr__str_addf(to->csv, "%lld,", (long long)value);
    }
}

static void put_bool(const sink *to, const char *key, bool value)
{
    if (to->json != NULL) {
        wsr__json_bool(to->json, key, value);
    } else {
        wsr__str_add(to->csv, value ? "1," : "0,");
    }
}

// What is not finite is null in JSON and empty in the other file.
static void put_float(const sink *to, const char *key, float value)
{
    char text[32] = "";
    if (to->json != NULL) {
        wsr__json_float(to->json, key, value);
        return;
    }
    if (isfinite(value)) {
        wsr__format_float(text, value);
    }
    wsr__str_addf(to->csv, "%s,", text);
}

static void put_double(const sink *to, const char *key, double value)
{
    char text[32] = "";
    if (to->json != NULL) {
        wsr__json_number(to->json, key, value);
        return;
    }
    if (isfinite(value)) {
        wsr__format_double(text, value);
    }
    wsr__str_addf(to->csv, "%s,", text);
}

// --------------------------------------------------------------------- rows

static const char columns[] =
    "image,class,predicted,margin,crc32,attack,options,norm,eps,robust,"
    "success,change,smallest,broken_by,broken_step,queries,gradients";

// The order is that of `columns`.
static void put_row(const sink *to, const row *r)
{
    const wsr_eval *const s = r->eval;
    const wsr__eval_cell *const cell = wsr__eval_at(s, r->a, r->e);
    const wsr_attack *const attack = s->attacks[r->a];
    const double *const smallest = wsr__eval_smallest(s, r->a);
    const size_t i = r->i;
    char hash[16];
    (void)snprintf(hash, sizeof(hash), "%08lx", (unsigned long)s->crc32[i]);
    put_integer(to, "image", (int64_t)s->index[i]);
    put_integer(to, "class", s->labels[i]);
    put_integer(to, "predicted", s->predicted[i]);
    put_float(to, "margin", s->margin[i]);
    put_text(to, "crc32", hash);
    put_text(to, "attack", r->attack);
    put_text(to, "options", r->options);
    put_text(to, "norm", wsr_attack_norm(attack));
    put_float(to, "eps", s->eps[r->e]);
    put_bool(to, "robust", cell->robust[i]);
    put_bool(to, "success", cell->success[i]);
    put_float(to, "change", cell->norms[attack->norm][i]);
    put_double(to, "smallest", smallest != NULL ? smallest[i] : (double)NAN);
    put_text(to, "broken_by", r->breaker);
    put_integer(to, "broken_step", cell->step[i]);
    put_integer(to, "queries", cell->queries[i]);
    put_integer(to, "gradients", cell->gradients[i]);
    if (cell->quantized != NULL) {
        put_bool(to, "quantized_robust", cell->quantized[i]);
    }
}

// Another member of the same name makes its options part of its name.
static bool is_ambiguous(const wsr__members *members, const wsr__member *m)
{
    size_t n = 0;
    for (size_t i = 0; i < members->n; i++) {
        n += members->list[i].cls == m->cls;
    }
    return n > 1;
}

void wsr__eval_breaker(wsr__str *out, const wsr_eval *eval, size_t k, size_t i)
{
    const wsr__eval_cell *const cell = &eval->cells[k];
    const wsr_attack *const attack = eval->attacks[k / eval->n_eps];
    const wsr_model *const on = eval->source != NULL ? eval->source
                                                     : eval->model;
    const wsr__members *const members =
        attack->cls->members == NULL ? NULL
                                     : attack->cls->members(attack->params);
    if (!cell->success[i]) {
        return;
    }
    const wsr__member *const m =
        members == NULL
            ? NULL
            : wsr__members_at(members, cell->member[i], on->classes);
    if (m == NULL) {
        wsr__str_add(out, attack->cls->super.name);
        return;
    }
    wsr__str_add(out, m->cls->super.name);
    wsr__str options = {0};
    wsr__params_summary(&options, m->params, m->cls->super.schema);
    if (is_ambiguous(members, m) && options.len > 0) {
        wsr__str_addf(out, ":%s", options.s);
    }
    out->failed |= options.failed;
    wsr__str_free(&options);
}

static wsr_status make_line(wsr__str *out, const row *r, bool json)
{
    wsr_status status = WSR_OK;
    sink to = {NULL, out};
    if (!json) {
        put_row(&to, r);
        if (!out->failed) {
            out->s[out->len - 1] = '\n'; // in place of the last comma
        }
        return wsr__str_status(out);
    }
    WSR_TRY(wsr__json_new(&to.json));
    put_row(&to, r);
    WSR_TRY(wsr__json_add_line(out, to.json));
out:
    wsr__json_free(to.json);
    return status;
}

// All strengths of one image under attack a, appended to `out`. `options` is
// the same for all images.
static wsr_status add_image(wsr__str *out, const wsr_eval *s, size_t a,
                            size_t i, const char *options, bool json)
{
    wsr_status status = WSR_OK;
    wsr__str breaker = {0};
    for (size_t e = 0; e < s->n_eps; e++) {
        breaker.len = 0;
        wsr__str_add(&breaker, "");
        wsr__eval_breaker(&breaker, s, a * s->n_eps + e, i);
        WSR_TRY(wsr__str_status(&breaker));
        const row r = {.eval = s,
                       .a = a,
                       .e = e,
                       .i = i,
                       .attack = s->attacks[a]->cls->super.name,
                       .options = options,
                       .breaker = breaker.len > 0 ? breaker.s : ""};
        WSR_TRY(make_line(out, &r, json));
    }
out:
    wsr__str_free(&breaker);
    return status;
}

// Rows go to the file image by image: a large evaluation has millions.
static wsr_status write_rows(wsr__atomic_file *file, const wsr_eval *s,
                             const wsr__str *options, bool json)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    for (size_t i = 0; i < s->n; i++) {
        text.len = 0;
        for (size_t a = 0; a < s->n_attacks; a++) {
            if (i < wsr_eval_count(s, a)) {
                WSR_TRY(add_image(&text, s, a, i,
                                  options[a].s == NULL ? "" : options[a].s,
                                  json));
            }
        }
        if (text.len > 0) {
            WSR_TRY(wsr__atomic_write(file, text.s, text.len));
        }
    }
out:
    wsr__str_free(&text);
    return status;
}

static wsr_status write_file(const wsr_eval *s, const char *path,
                             const wsr__str *options, bool json)
{
    wsr_status status = WSR_OK;
    wsr__atomic_file file;
    WSR_TRY(wsr__atomic_open(&file, path));
    if (!json) {
        const char *const more = s->settings.quantize ? ",quantized_robust\n"
                                                      : "\n";
        WSR_TRY(wsr__atomic_write(&file, columns, sizeof(columns) - 1));
        WSR_TRY(wsr__atomic_write(&file, more, strlen(more)));
    }
    WSR_TRY(write_rows(&file, s, options, json));
    WSR_TRY(wsr__atomic_commit(&file, false));
out:
    wsr__atomic_discard(&file);
    return status;
}

wsr_status wsr_eval_save_ledger(const wsr_eval *eval, const char *csv,
                                const char *jsonl)
{
    wsr_status status = WSR_OK;
    wsr__str *options = NULL;
    if (eval->model == NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: was not opened");
    }
    options = wsr__alloc(eval->n_attacks, sizeof(*options));
    if (options == NULL) {
        return WSR_NOMEM;
    }
    for (size_t a = 0; a < eval->n_attacks; a++) {
        wsr__params_summary(&options[a], eval->attacks[a]->params,
                            eval->attacks[a]->cls->super.schema);
        WSR_TRY(wsr__str_status(&options[a]));
    }
    if (csv != NULL) {
        WSR_TRY(write_file(eval, csv, options, false));
    }
    if (jsonl != NULL) {
        WSR_TRY(write_file(eval, jsonl, options, true));
    }
out:
    for (size_t a = 0; a < eval->n_attacks; a++) {
        wsr__str_free(&options[a]);
    }
    wsr__free(options);
    return status;
}
