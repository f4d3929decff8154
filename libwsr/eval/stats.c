// SPDX-License-Identifier: Apache-2.0
//
// Numbers of an evaluation, computed from the rows of its cells when a caller
// asks for them.
//
// All are over the images that an attack is done with, the first
// wsr_eval_count() rows. A number over no images is NaN.

#include "eval/eval.h"
#include "wsr/data.h"

#include <math.h>
#include <string.h>

size_t wsr_eval_attacks(const wsr_eval *eval)
{
    return eval->n_attacks;
}

const wsr_attack *wsr_eval_attack(const wsr_eval *eval, size_t a)
{
    return eval->attacks[a];
}

size_t wsr_eval_strengths(const wsr_eval *eval)
{
    return eval->n_eps;
}

float wsr_eval_eps(const wsr_eval *eval, size_t e)
{
    return eval->eps[e];
}

// Number of rows whose flag is 1.
static size_t count_bytes(const uint8_t *flags, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        hits += flags[i];
    }
    return hits;
}

// Mean of counts, over all n rows.
static double mean_words(const uint32_t *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i];
    }
    return sum / (double)n;
}

// Mean over the rows that `of` marks.
static double mean_norm(const float *norms, const uint8_t *of, size_t n)
{
    double sum = 0;
    size_t members = 0;
    for (size_t i = 0; i < n; i++) {
        sum += of[i] ? (double)norms[i] : 0;
        members += of[i];
    }
    return members == 0 ? (double)NAN : sum / (double)members;
}

// The value of rank k (from 0) among the marked rows. Norms are not negative,
// so the order of their bits is that of their values; bisection over the bits
// needs no copy to sort.
static float ranked(const float *values, const uint8_t *of, size_t n, size_t k)
{
    uint32_t low = 0;
    uint32_t high = UINT32_C(0x7f800000); // infinity
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        size_t below = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits = 0;
            memcpy(&bits, &values[i], sizeof(bits));
            below += of[i] && bits <= middle;
        }
        if (below > k) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    float value = 0;
    memcpy(&value, &low, sizeof(value));
    return value;
}

// With linear interpolation between the two nearest ranks, as NumPy's default.
static double quantile(const float *norms, const uint8_t *of, size_t n,
                       double share)
{
    const size_t members = count_bytes(of, n);
    if (members == 0) {
        return (double)NAN;
    }
    const double at = share * (double)(members - 1);
    const size_t k = (size_t)at;
    const double a = (double)ranked(norms, of, n, k);
    const double b = (double)ranked(norms, of, n, k + 1 < members ? k + 1 : k);
    return at > (double)k ? a + (at - (double)k) * (b - a) : a;
}

// An end of the 95 % Wilson interval of the robust accuracy.
static double interval(const uint8_t *robust, size_t n, bool upper)
{
    double low = 0;
    double high = 0;
    wsr__wilson(&low, &high, (double)count_bytes(robust, n) / (double)n,
                (double)n);
    return upper ? high : low;
}

// NaN without the option `quantize`.
static double quantized(const wsr__eval_cell *cell, size_t n,
                        wsr_eval_value what)
{
    if (cell->quantized == NULL) {
        return (double)NAN;
    }
    return what == WSR_EVAL_QUANTIZED
               ? (double)count_bytes(cell->quantized, n) / (double)n
               : interval(cell->quantized, n, what == WSR_EVAL_QUANTIZED_HIGH);
}

// Mean norms over attacked images use `clean`: only images that are classified
// correctly are attacked.
double wsr_eval_get(const wsr_eval *eval, size_t a, size_t e,
                    wsr_eval_value what)
{
    const size_t n = eval->model == NULL ? 0 : wsr_eval_count(eval, a);
    if (n == 0) {
        return (double)NAN;
    }
    const wsr__eval_cell *const cell = wsr__eval_at(eval, a, e);
    const float *const own = cell->norms[eval->attacks[a]->norm];
    switch (what) {
    case WSR_EVAL_CLEAN:
        return (double)count_bytes(eval->clean, n) / (double)n;
    case WSR_EVAL_ROBUST:
        return (double)count_bytes(cell->robust, n) / (double)n;
    case WSR_EVAL_LOW:
        return interval(cell->robust, n, false);
    case WSR_EVAL_HIGH:
        return interval(cell->robust, n, true);
    case WSR_EVAL_LINF:
    case WSR_EVAL_L2:
    case WSR_EVAL_L1:
        return mean_norm(cell->norms[what - WSR_EVAL_LINF], eval->clean, n);
    case WSR_EVAL_SUCCESS_LINF:
    case WSR_EVAL_SUCCESS_L2:
    case WSR_EVAL_SUCCESS_L1:
        return mean_norm(cell->norms[what - WSR_EVAL_SUCCESS_LINF],
                         cell->success, n);
    case WSR_EVAL_MEDIAN:
        return quantile(own, cell->success, n, 0.5);
    case WSR_EVAL_QUARTILE_1:
        return quantile(own, cell->success, n, 0.25);
    case WSR_EVAL_QUARTILE_3:
        return quantile(own, cell->success, n, 0.75);
    case WSR_EVAL_QUERIES:
        return mean_words(cell->queries, n);
    case WSR_EVAL_GRADIENTS:
        return mean_words(cell->gradients, n);
    case WSR_EVAL_SECONDS:
        return cell->seconds;
    case WSR_EVAL_QUANTIZED:
    case WSR_EVAL_QUANTIZED_LOW:
    case WSR_EVAL_QUANTIZED_HIGH:
        return quantized(cell, n, what);
    }
    return (double)NAN;
}

// The smallest count of the attacks of a norm, 0 without any.
size_t wsr_eval_worst_count(const wsr_eval *eval, const char *norm)
{
    size_t n = SIZE_MAX;
    for (size_t a = 0; a < eval->n_attacks; a++) {
        const bool member = wsr__streq(wsr_attack_norm(eval->attacks[a]), norm);
        const size_t done = eval->model == NULL ? 0 : wsr_eval_count(eval, a);
        n = member && done < n ? done : n;
    }
    return n == SIZE_MAX ? 0 : n;
}

// An image survives if it is robust against every attack of the norm.
double wsr_eval_worst(const wsr_eval *eval, const char *norm, size_t e)
{
    const size_t n = wsr_eval_worst_count(eval, norm);
    size_t robust = 0;
    if (n == 0) {
        return (double)NAN;
    }
    for (size_t i = 0; i < n; i++) {
        bool survives = true;
        for (size_t a = 0; a < eval->n_attacks; a++) {
            const bool member =
                wsr__streq(wsr_attack_norm(eval->attacks[a]), norm);
            survives = survives &&
                       (!member || wsr__eval_at(eval, a, e)->robust[i]);
        }
        robust += survives;
    }
    return (double)robust / (double)n;
}

// Strength 0 is not an attack and would raise the mean.
double wsr_eval_mean(const wsr_eval *eval, size_t a)
{
    double sum = 0;
    size_t members = 0;
    for (size_t e = 0; e < eval->n_eps; e++) {
        if (eval->eps[e] > 0) {
            sum += wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST);
            members++;
        }
    }
    return members == 0 ? (double)NAN : sum / (double)members;
}

// Labels are those of the data set, also in a targeted evaluation.
double wsr_eval_class(size_t *count, const wsr_eval *eval, size_t a, size_t e,
                      size_t label)
{
    size_t members = 0;
    size_t robust = 0;
    const size_t n = eval->model == NULL ? 0 : wsr_eval_count(eval, a);
    for (size_t i = 0; i < n; i++) {
        if ((size_t)eval->labels[i] == label) {
            members++;
            robust += wsr__eval_at(eval, a, e)->robust[i];
        }
    }
    if (count != NULL) {
        *count = members;
    }
    return members == 0 ? (double)NAN : (double)robust / (double)members;
}

const wsr_dataset *wsr_eval_dataset(const wsr_eval *eval)
{
    return eval->dataset;
}

bool wsr_eval_robust(const wsr_eval *eval, size_t a, size_t e, size_t i)
{
    return wsr__eval_at(eval, a, e)->robust[i] != 0;
}

// NULL for an image that is not kept, or not done yet.
const float *wsr_eval_image(const wsr_eval *eval, size_t a, size_t e, size_t i)
{
    if (eval->model == NULL || i >= eval->keep ||
        i >= wsr_eval_count(eval, a)) {
        return NULL;
    }
    return wsr__at_const(wsr__eval_at(eval, a, e)->images, eval->model->pixels,
                         i);
}
