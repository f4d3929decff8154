// SPDX-License-Identifier: Apache-2.0
//
// Accuracy at every strength from one run of a minimum-norm attack. An image
// with the smallest change m stands at all strengths below m, so that
//
//   accuracy(eps) = #{images recognised, m > eps} / n,
//
// a step function that drops at each m.

#include "eval/eval.h"
#include "io/io.h"

#include <math.h>
#include <stdlib.h>

// Norms that were found on another model say nothing about this one.
bool wsr__eval_has_curve(const wsr_eval *eval, size_t a)
{
    return eval->model != NULL && eval->source == NULL &&
           wsr__eval_smallest(eval, a) != NULL && wsr_eval_count(eval, a) > 0;
}

double wsr_eval_accuracy_at(const wsr_eval *eval, size_t a, double eps)
{
    if (!wsr__eval_has_curve(eval, a)) {
        return (double)NAN;
    }
    const size_t n = wsr_eval_count(eval, a);
    const double *const smallest = wsr__eval_smallest(eval, a);
    size_t robust = 0;
    for (size_t i = 0; i < n; i++) {
        // INFINITY, no change was found, stands also at eps INFINITY.
        robust += eval->clean[i] && (smallest[i] > eps || isinf(smallest[i]));
    }
    return (double)robust / (double)n;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

void wsr__eval_curve_free(wsr__eval_curve *curve)
{
    wsr__free(curve->eps);
    wsr__free(curve->accuracy);
    *curve = (wsr__eval_curve){0};
}

// Norms of changes that were found on recognised images, ascending, after
// strength 0; returns how many.
static size_t collect(double *out, const wsr_eval *eval, size_t a)
{
    const double *const smallest = wsr__eval_smallest(eval, a);
    const size_t count = wsr_eval_count(eval, a);
    size_t n = 0;
    out[n++] = 0;
    for (size_t i = 0; i < count; i++) {
        if (eval->clean[i] && isfinite(smallest[i])) {
            out[n++] = smallest[i];
        }
    }
    qsort(out, n, sizeof(*out), by_size);
    return n;
}

wsr_status wsr__eval_curve_of(wsr__eval_curve *out, const wsr_eval *eval,
                              size_t a)
{
    const size_t count = wsr_eval_count(eval, a);
    *out = (wsr__eval_curve){
        .count = count,
        .eps = wsr__alloc(count + 1, sizeof(*out->eps)),
        .accuracy = wsr__alloc(count + 1, sizeof(*out->accuracy))};
    if (out->eps == NULL || out->accuracy == NULL) {
        wsr__eval_curve_free(out);
        return WSR_NOMEM;
    }
    const size_t n = collect(out->eps, eval, a);
    double robust = wsr_eval_accuracy_at(eval, a, -1) * (double)count;
    robust = round(robust);
    for (size_t i = 0; i < n; i++) {
        robust -= i > 0; // the first is strength 0, not an image
        const double eps = out->eps[i];
        if (i + 1 == n || out->eps[i + 1] > eps) { // the last of its kind
            out->eps[out->n] = eps;
            out->accuracy[out->n++] = robust / (double)count;
        }
    }
    return WSR_OK;
}

static void add_point(wsr__str *out, const wsr_attack *attack, const char *spec,
                      const wsr__eval_curve *curve, size_t i)
{
    const double numbers[] = {curve->eps[i], (double)curve->count,
                              curve->accuracy[i]};
    double ends[2];
    char text[32];
    wsr__wilson(&ends[0], &ends[1], curve->accuracy[i], (double)curve->count);
    wsr__str_add_csv(out, spec);
    wsr__str_addf(out, ",%s", wsr_attack_norm(attack));
    for (size_t k = 0; k < 5; k++) {
        wsr__format_double(text, k < 3 ? numbers[k] : ends[k - 3]);
        wsr__str_addf(out, ",%s", text);
    }
    wsr__str_add(out, "\n");
}

static wsr_status add_curve(wsr__str *out, const wsr_eval *eval, size_t a)
{
    wsr_status status = WSR_OK;
    wsr__eval_curve curve = {0};
    wsr__str spec = {0};
    wsr__attack_print(&spec, eval->attacks[a]);
    WSR_TRY(wsr__str_status(&spec));
    WSR_TRY(wsr__eval_curve_of(&curve, eval, a));
    for (size_t i = 0; i < curve.n; i++) {
        add_point(out, eval->attacks[a], spec.s, &curve, i);
    }
out:
    wsr__eval_curve_free(&curve);
    wsr__str_free(&spec);
    return status;
}

wsr_status wsr_eval_curves_csv(char **out, const wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    wsr__str_add(&text, "");
    for (size_t a = 0; a < eval->n_attacks; a++) {
        if (wsr__eval_has_curve(eval, a)) {
            wsr__str_add(&text, text.len > 0
                                    ? ""
                                    : "attack,norm,eps,count,robust_accuracy,"
                                      "robust_low,robust_high\n");
            WSR_TRY(add_curve(&text, eval, a));
        }
    }
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}
