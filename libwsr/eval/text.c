// SPDX-License-Identifier: Apache-2.0
//
// Writes an evaluation as JSON lines (docs/json.md) and as comma-separated
// values. Both take their numbers from wsr_eval_get(), by one table of keys,
// so that they cannot differ.
//
// The order of the JSON lines is fixed: attacks and strengths, worst cases per
// norm and strength, means per attack, curves of min-norm attacks, warnings. A
// cell is one attack at one strength; cell k is attack k / n_eps at strength k
// % n_eps.

#include "eval/eval.h"
#include "io/io.h"
#include "wsr/data.h"

#include <math.h>

typedef struct field {
    const char *key;
    wsr_eval_value value;
} field;

// Keys of a cell in JSON and columns of the CSV file, in this order.
static const field fields[] = {
    {"clean_accuracy", WSR_EVAL_CLEAN},
    {"robust_accuracy", WSR_EVAL_ROBUST},
    {"robust_low", WSR_EVAL_LOW},
    {"robust_high", WSR_EVAL_HIGH},
    {"mean_linf", WSR_EVAL_LINF},
    {"mean_l2", WSR_EVAL_L2},
    {"mean_l1", WSR_EVAL_L1},
    {"mean_linf_success", WSR_EVAL_SUCCESS_LINF},
    {"mean_l2_success", WSR_EVAL_SUCCESS_L2},
    {"mean_l1_success", WSR_EVAL_SUCCESS_L1},
    {"quartile_1_success", WSR_EVAL_QUARTILE_1},
    {"median_success", WSR_EVAL_MEDIAN},
    {"quartile_3_success", WSR_EVAL_QUARTILE_3},
    {"queries", WSR_EVAL_QUERIES},
    {"gradients", WSR_EVAL_GRADIENTS},
    {"seconds", WSR_EVAL_SECONDS},
    {"quantized_accuracy", WSR_EVAL_QUANTIZED},
    {"quantized_low", WSR_EVAL_QUANTIZED_LOW},
    {"quantized_high", WSR_EVAL_QUANTIZED_HIGH},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), QUANTIZED = 3 };

// The last ones are there only if they were measured.
static size_t fields_of(const wsr_eval *s)
{
    return s->settings.quantize ? FIELDS : FIELDS - QUANTIZED;
}

// Fields that identify an attack: name, the options that differ from their
// defaults, norm, and the target of a targeted attack.
static wsr_status put_attack(wsr__json *json, const wsr_attack *attack)
{
    wsr__str options = {0};
    wsr__params_summary(&options, attack->params, attack->cls->super.schema);
    wsr__json_text(json, "attack", wsr_attack_name(attack));
    wsr__json_text(json, "options", options.s == NULL ? "" : options.s);
    wsr__json_text(json, "norm", wsr_attack_norm(attack));
    if (attack->target == WSR__TARGET_CLASS) {
        wsr__json_integer(json, "target_class", attack->settings.target_class);
    } else if (attack->target != WSR__TARGET_NONE) {
        wsr__json_text(json, "target", attack->settings.target.s);
    }
    const wsr_status status = wsr__str_status(&options);
    wsr__str_free(&options);
    return status;
}

// Robust accuracy of each class; `values` is scratch of one number per class.
// A class without images gives NaN, which JSON writes as null.
static void put_classes(wsr__json *json, const wsr_eval *s, size_t a, size_t e,
                        double *values)
{
    const size_t classes = (size_t)wsr_dataset_classes(s->dataset);
    for (size_t c = 0; c < classes; c++) {
        values[c] = wsr_eval_class(NULL, s, a, e, c);
    }
    wsr__json_numbers(json, "class_accuracy", values, classes);
}

// The event "eval": one attack at one strength.
static wsr_status add_cell(wsr__str *out, const wsr_eval *s, size_t a, size_t e)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    double *const values =
        wsr__alloc((size_t)wsr_dataset_classes(s->dataset), sizeof(*values));
    if (values == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__json_event(&json, "eval"));
    WSR_TRY(put_attack(json, s->attacks[a]));
    wsr__json_float(json, "eps", s->eps[e]);
    wsr__json_integer(json, "count", (int64_t)wsr_eval_count(s, a));
    for (size_t f = 0; f < fields_of(s); f++) {
        wsr__json_number(json, fields[f].key,
                         wsr_eval_get(s, a, e, fields[f].value));
    }
    put_classes(json, s, a, e, values);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    wsr__free(values);
    return status;
}

// The count is of the images on which all attacks of the norm are complete. In
// an interrupted evaluation it is smaller than that of a single attack.
static void put_worst(wsr__json *json, const wsr_eval *s, const char *norm,
                      size_t e)
{
    const size_t n = wsr_eval_worst_count(s, norm);
    const double robust = wsr_eval_worst(s, norm, e);
    double low = (double)NAN;
    double high = (double)NAN;
    if (n > 0) {
        wsr__wilson(&low, &high, robust, (double)n);
    }
    wsr__json_integer(json, "count", (int64_t)n);
    wsr__json_number(json, "robust_accuracy", robust);
    wsr__json_number(json, "robust_low", low);
    wsr__json_number(json, "robust_high", high);
}

// The event "summary" for a norm at one strength.
static wsr_status add_worst(wsr__str *out, const wsr_eval *s, const char *norm,
                            size_t e)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    WSR_TRY(wsr__json_event(&json, "summary"));
    wsr__json_text(json, "summary", "worst_case");
    wsr__json_text(json, "norm", norm);
    wsr__json_float(json, "eps", s->eps[e]);
    put_worst(json, s, norm, e);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

// The event "summary" for an attack over its strengths.
static wsr_status add_mean(wsr__str *out, const wsr_eval *s, size_t a)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    WSR_TRY(wsr__json_event(&json, "summary"));
    wsr__json_text(json, "summary", "mean");
    WSR_TRY(put_attack(json, s->attacks[a]));
    wsr__json_number(json, "robust_accuracy", wsr_eval_mean(s, a));
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

// The event "curve": a min-norm attack at all strengths.
static wsr_status add_curve(wsr__str *out, const wsr_eval *s, size_t a)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    wsr__eval_curve curve = {0};
    if (!wsr__eval_has_curve(s, a)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__eval_curve_of(&curve, s, a));
    WSR_TRY(wsr__json_event(&json, "curve"));
    WSR_TRY(put_attack(json, s->attacks[a]));
    wsr__json_integer(json, "count", (int64_t)curve.count);
    wsr__json_numbers(json, "eps", curve.eps, curve.n);
    wsr__json_numbers(json, "robust_accuracy", curve.accuracy, curve.n);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__eval_curve_free(&curve);
    wsr__json_free(json);
    return status;
}

// Number of attacks of a norm: norms without attacks get no worst case.
static size_t members(const wsr_eval *s, const char *norm)
{
    size_t n = 0;
    for (size_t a = 0; a < s->n_attacks; a++) {
        n += wsr__streq(wsr_attack_norm(s->attacks[a]), norm);
    }
    return n;
}

wsr_status wsr_eval_json(char **out, const wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    char *warnings = NULL;
    const size_t cells = eval->n_attacks * eval->n_eps;
    *out = NULL;
    for (size_t k = 0; eval->model != NULL && k < cells; k++) {
        WSR_TRY(add_cell(&text, eval, k / eval->n_eps, k % eval->n_eps));
    }
    for (size_t k = 0; k < 3 * eval->n_eps; k++) {
        const char *const norm = wsr__lp_names[k / eval->n_eps];
        if (members(eval, norm) > 0) {
            WSR_TRY(add_worst(&text, eval, norm, k % eval->n_eps));
        }
    }
    for (size_t a = 0; a < eval->n_attacks; a++) {
        WSR_TRY(add_mean(&text, eval, a));
    }
    for (size_t a = 0; a < eval->n_attacks; a++) {
        WSR_TRY(add_curve(&text, eval, a));
    }
    WSR_TRY(wsr_eval_warnings(&warnings, eval));
    wsr__str_add(&text, warnings);
    wsr_text_free(warnings);
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}

// Numbers that do not exist are empty.
static void add_value(wsr__str *out, double value)
{
    char text[32];
    wsr__format_double(text, value);
    wsr__str_addf(out, ",%s", isnan(value) ? "" : text);
}

// A spec contains commas, so it is one quoted CSV field.
static void add_quoted_spec(wsr__str *out, const wsr_attack *attack)
{
    wsr__str spec = {0};
    wsr__attack_print(&spec, attack);
    out->failed |= spec.failed;
    wsr__str_add_csv(out, spec.s == NULL ? "" : spec.s);
    wsr__str_free(&spec);
}

wsr_status wsr_eval_csv(char **out, const wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    wsr__str_add(&text, "attack,norm,eps,count");
    for (size_t f = 0; f < fields_of(eval); f++) {
        wsr__str_addf(&text, ",%s", fields[f].key);
    }
    wsr__str_add(&text, "\n");
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        const size_t a = k / eval->n_eps;
        const size_t e = k % eval->n_eps;
        char eps[32];
        wsr__format_float(eps, eval->eps[e]);
        add_quoted_spec(&text, eval->attacks[a]);
        wsr__str_addf(&text, ",%s,%s,%zu", wsr_attack_norm(eval->attacks[a]),
                      eps, eval->model == NULL ? 0 : wsr_eval_count(eval, a));
        for (size_t f = 0; f < fields_of(eval); f++) {
            add_value(&text, wsr_eval_get(eval, a, e, fields[f].value));
        }
        wsr__str_add(&text, "\n");
    }
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}
