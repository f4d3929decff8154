// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation on corrupted images has found: accuracies, JSON lines, and
// its state in checkpoints.

#include "eval/corruptions.h"

#include <math.h>

// ----------------------------------------------------------------- results

size_t wsr_corruption_eval_size(const wsr_corruption_eval *eval)
{
    return eval->n;
}

const char *wsr_corruption_eval_name(const wsr_corruption_eval *eval, size_t i)
{
    return i < eval->n ? eval->classes[i]->super.name : NULL;
}

size_t wsr_corruption_eval_images(const wsr_corruption_eval *eval)
{
    return eval->images;
}

// NAN unless all batches of the cell are done.
static double accuracy(double *low, double *high, const wsr_corruption_eval *s,
                       size_t cell)
{
    double ends[2] = {(double)NAN, (double)NAN};
    double share = (double)NAN;
    if (s->model != NULL && s->position / wsr__corruption_batches(s) > cell) {
        share = (double)s->correct[cell] / (double)s->images;
        wsr__wilson(&ends[0], &ends[1], share, (double)s->images);
    }
    if (low != NULL) {
        *low = ends[0];
    }
    if (high != NULL) {
        *high = ends[1];
    }
    return share;
}

double wsr_corruption_eval_clean(double *low, double *high,
                                 const wsr_corruption_eval *eval)
{
    return accuracy(low, high, eval, 0);
}

double wsr_corruption_eval_accuracy(double *low, double *high,
                                    const wsr_corruption_eval *eval, size_t i,
                                    int severity)
{
    size_t cell = wsr__corruption_cells(eval); // beyond the end: never done
    for (size_t k = 0; k < eval->params.severities.n && i < eval->n; k++) {
        if (eval->params.severities.v[k] == severity) {
            cell = 1 + i * eval->params.severities.n + k;
        }
    }
    return accuracy(low, high, eval, cell);
}

double wsr_corruption_eval_mean(const wsr_corruption_eval *eval, int severity)
{
    double sum = 0;
    double n = 0;
    for (size_t cell = 1; cell < wsr__corruption_cells(eval); cell++) {
        const double share = accuracy(NULL, NULL, eval, cell);
        const bool counts = severity == 0 ||
                            wsr__severity_of_cell(eval, cell) == severity;
        if (counts && !isnan(share)) {
            sum += share;
            n++;
        }
    }
    return n > 0 ? sum / n : (double)NAN;
}

// -------------------------------------------------------------- JSON lines

// The event "corruption" for a cell that is complete.
static wsr_status add_cell(wsr__str *out, const wsr_corruption_eval *s,
                           size_t cell)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    double low;
    double high;
    const double share = accuracy(&low, &high, s, cell);
    const wsr__corruption_class *const cls =
        cell == 0 ? NULL : s->classes[wsr__corruption_of_cell(s, cell)];
    if (isnan(share)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__json_event(&json, "corruption"));
    wsr__json_text(json, "corruption", cls == NULL ? "none" : cls->super.name);
    wsr__json_text(json, "group", cls == NULL ? "clean" : cls->group);
    wsr__json_integer(json, "severity",
                      cls == NULL ? 0 : wsr__severity_of_cell(s, cell));
    wsr__json_integer(json, "count", (int64_t)s->images);
    wsr__json_number(json, "accuracy", share);
    wsr__json_number(json, "low", low);
    wsr__json_number(json, "high", high);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

// The event "corruption_mean"; severity 0: over all of them.
static wsr_status add_mean(wsr__str *out, const wsr_corruption_eval *s,
                           int64_t severity)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    const double mean = wsr_corruption_eval_mean(s, (int)severity);
    if (isnan(mean)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__json_event(&json, "corruption_mean"));
    wsr__json_integer(json, "severity", severity);
    wsr__json_number(json, "accuracy", mean);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

wsr_status wsr_corruption_eval_json(char **out, const wsr_corruption_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    wsr__str_add(&text, ""); // also where nothing is complete
    for (size_t cell = 0; cell < wsr__corruption_cells(eval); cell++) {
        WSR_TRY(add_cell(&text, eval, cell));
    }
    for (size_t k = 0; k < eval->params.severities.n; k++) {
        WSR_TRY(add_mean(&text, eval, eval->params.severities.v[k]));
    }
    WSR_TRY(add_mean(&text, eval, 0));
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}

// ------------------------------------------------------------- checkpoints

// Everything that changes results; the seed is the run's.
static wsr_status describe(wsr__str *out, const wsr_corruption_eval *s)
{
    for (size_t i = 0; i < s->n; i++) {
        wsr__str_addf(out, "%s%s", i == 0 ? "" : ",",
                      s->classes[i]->super.name);
    }
    wsr__str_addf(
        out, " images=%zu batch=%zu seed=%lld scale=%s severities=", s->images,
        s->batch, (long long)s->params.seed, s->params.scale.s);
    for (size_t i = 0; i < s->params.severities.n; i++) {
        wsr__str_addf(out, "%lld", (long long)s->params.severities.v[i]);
    }
    return wsr__str_status(out);
}

wsr_status wsr__corruption_eval_save(wsr__st_builder *builder,
                                     const wsr_corruption_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    const uint64_t position = eval->position;
    WSR_TRY(describe(&text, eval));
    WSR_TRY(wsr__st_set(builder, "corruption", text.s));
    WSR_TRY(wsr__st_add_u64(builder, "corruption.position", &position, 1));
    WSR_TRY(wsr__st_add_i64(builder, "corruption.correct", eval->correct,
                            wsr__corruption_cells(eval)));
out:
    wsr__str_free(&text);
    return status;
}

wsr_status wsr__corruption_eval_load(wsr_corruption_eval *eval,
                                     const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    int64_t position = 0;
    const char *const have = wsr__st_metadata(checkpoint, "corruption");
    WSR_TRY(describe(&text, eval));
    if (have == NULL || !wsr__streq(have, text.s)) {
        status = WSR_FAIL(
            WSR_CONFIG, "%s: is of other corruptions: '%.160s', not '%.160s'",
            wsr__st_path(checkpoint), have == NULL ? "" : have, text.s);
        goto out;
    }
    WSR_TRY(wsr__st_read_counts(&position, checkpoint, "corruption.position", 1,
                                (int64_t)wsr_corruption_eval_steps(eval)));
    WSR_TRY(wsr__st_read_counts(eval->correct, checkpoint, "corruption.correct",
                                wsr__corruption_cells(eval),
                                (int64_t)eval->images));
    eval->position = (size_t)position;
out:
    wsr__str_free(&text);
    return status;
}
