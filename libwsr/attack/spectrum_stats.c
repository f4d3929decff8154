// SPDX-License-Identifier: Apache-2.0
//
// Numbers about an evaluation, over the images done so far.

#include "attack/attack.h"
#include "wsr/data.h"

#include <math.h>
#include <string.h>

size_t wsr_spectrum_attacks(const wsr_spectrum *spectrum)
{
    return spectrum->n_attacks;
}

const wsr_attack *wsr_spectrum_attack(const wsr_spectrum *spectrum, size_t a)
{
    return spectrum->attacks[a];
}

size_t wsr_spectrum_strengths(const wsr_spectrum *spectrum)
{
    return spectrum->n_eps;
}

float wsr_spectrum_eps(const wsr_spectrum *spectrum, size_t e)
{
    return spectrum->eps[e];
}

static size_t count_bytes(const uint8_t *flags, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        hits += flags[i];
    }
    return hits;
}

static double mean_words(const uint32_t *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i];
    }
    return sum / (double)n;
}

// Mean over the images that `of` marks.
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

// Value of rank k among those marked: quickselect would be faster, and nobody
// would notice; bisection over the bits of the floats needs no copy.
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

// What `share` of the members lie below: between the two nearest, in
// proportion.
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

static double interval(const wsr__spectrum_cell *cell, size_t n, bool upper)
{
    double low = 0;
    double high = 0;
    wsr__wilson(&low, &high, (double)count_bytes(cell->robust, n) / (double)n,
                (double)n);
    return upper ? high : low;
}

double wsr_spectrum_get(const wsr_spectrum *spectrum, size_t a, size_t e,
                        wsr_spectrum_value what)
{
    const size_t n = spectrum->model == NULL ? 0
                                             : wsr_spectrum_count(spectrum, a);
    if (n == 0) {
        return (double)NAN;
    }
    const wsr__spectrum_cell *const cell = wsr__spectrum_at(spectrum, a, e);
    const float *const own = cell->norms[spectrum->attacks[a]->norm];
    switch (what) {
    case WSR_SPECTRUM_CLEAN:
        return (double)count_bytes(spectrum->clean, n) / (double)n;
    case WSR_SPECTRUM_ROBUST:
        return (double)count_bytes(cell->robust, n) / (double)n;
    case WSR_SPECTRUM_LOW:
        return interval(cell, n, false);
    case WSR_SPECTRUM_HIGH:
        return interval(cell, n, true);
    case WSR_SPECTRUM_LINF:
    case WSR_SPECTRUM_L2:
    case WSR_SPECTRUM_L1:
        return mean_norm(cell->norms[what - WSR_SPECTRUM_LINF], spectrum->clean,
                         n);
    case WSR_SPECTRUM_FELL_LINF:
    case WSR_SPECTRUM_FELL_L2:
    case WSR_SPECTRUM_FELL_L1:
        return mean_norm(cell->norms[what - WSR_SPECTRUM_FELL_LINF],
                         cell->success, n);
    case WSR_SPECTRUM_MEDIAN:
        return quantile(own, cell->success, n, 0.5);
    case WSR_SPECTRUM_QUARTILE_1:
        return quantile(own, cell->success, n, 0.25);
    case WSR_SPECTRUM_QUARTILE_3:
        return quantile(own, cell->success, n, 0.75);
    case WSR_SPECTRUM_QUERIES:
        return mean_words(cell->queries, n);
    case WSR_SPECTRUM_GRADIENTS:
        return mean_words(cell->gradients, n);
    case WSR_SPECTRUM_SECONDS:
        return cell->seconds;
    }
    return (double)NAN;
}

size_t wsr_spectrum_worst_count(const wsr_spectrum *spectrum, const char *norm)
{
    size_t n = SIZE_MAX;
    for (size_t a = 0; a < spectrum->n_attacks; a++) {
        const bool member =
            wsr__streq(wsr_attack_norm(spectrum->attacks[a]), norm);
        const size_t done =
            spectrum->model == NULL ? 0 : wsr_spectrum_count(spectrum, a);
        n = member && done < n ? done : n;
    }
    return n == SIZE_MAX ? 0 : n;
}

double wsr_spectrum_worst(const wsr_spectrum *spectrum, const char *norm,
                          size_t e)
{
    const size_t n = wsr_spectrum_worst_count(spectrum, norm);
    size_t standing = 0;
    if (n == 0) {
        return (double)NAN;
    }
    for (size_t i = 0; i < n; i++) {
        bool stands = true;
        for (size_t a = 0; a < spectrum->n_attacks; a++) {
            const bool member =
                wsr__streq(wsr_attack_norm(spectrum->attacks[a]), norm);
            stands = stands &&
                     (!member || wsr__spectrum_at(spectrum, a, e)->robust[i]);
        }
        standing += stands;
    }
    return (double)standing / (double)n;
}

double wsr_spectrum_mean(const wsr_spectrum *spectrum, size_t a)
{
    double sum = 0;
    size_t members = 0;
    for (size_t e = 0; e < spectrum->n_eps; e++) {
        if (spectrum->eps[e] > 0) {
            sum += wsr_spectrum_get(spectrum, a, e, WSR_SPECTRUM_ROBUST);
            members++;
        }
    }
    return members == 0 ? (double)NAN : sum / (double)members;
}

double wsr_spectrum_class(size_t *count, const wsr_spectrum *spectrum, size_t a,
                          size_t e, size_t label)
{
    size_t members = 0;
    size_t standing = 0;
    const size_t n = spectrum->model == NULL ? 0
                                             : wsr_spectrum_count(spectrum, a);
    for (size_t i = 0; i < n; i++) {
        if ((size_t)spectrum->labels[i] == label) {
            members++;
            standing += wsr__spectrum_at(spectrum, a, e)->robust[i];
        }
    }
    if (count != NULL) {
        *count = members;
    }
    return members == 0 ? (double)NAN : (double)standing / (double)members;
}

bool wsr_spectrum_robust(const wsr_spectrum *spectrum, size_t a, size_t e,
                         size_t i)
{
    return wsr__spectrum_at(spectrum, a, e)->robust[i] != 0;
}

const float *wsr_spectrum_image(const wsr_spectrum *spectrum, size_t a,
                                size_t e, size_t i)
{
    if (spectrum->model == NULL || i >= spectrum->keep ||
        i >= wsr_spectrum_count(spectrum, a)) {
        return NULL;
    }
    return wsr__at_const(wsr__spectrum_at(spectrum, a, e)->images,
                         spectrum->model->pixels, i);
}
