// SPDX-License-Identifier: Apache-2.0
//
// Losses that attacks climb, as functions of the logits z of one image, with
// their gradients. In double: with a sure classifier the probability of the
// label rounds to 1 in float and its gradient to 0, which would look like
// robustness.
//
//   ce      log sum exp z - z_y                        gradient p - e_y
//   dlr     -(z_y - z_o) / (z_1 - z_3 + 1e-12)         o: best other class
//   dlr-t   -(z_y - z_t) / (z_1 - (z_3 + z_4) / 2 + 1e-12)
//   margin  z_o - z_y
//   diff.   z_t - z_y
//   kl      sum q (log q - log p), q = softmax(clean)  gradient p - q
//
// (dlr-t of three classes has z_3 alone.) z_1 >= z_2 >= ... are the sorted
// logits. Croce and Hein, "Reliable evaluation of adversarial robustness with
// an ensemble of diverse parameter-free attacks", arXiv:2003.01690, for the
// ratios; Zhang et al., arXiv:1901.08573, for kl.

#include "attack/attack.h"

#include <math.h>
#include <string.h>

int32_t wsr__argmax(const float *z, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++) {
        if (z[c] > z[best]) {
            best = c;
        }
    }
    return (int32_t)best;
}

static double log_sum_exp(const float *z, size_t classes)
{
    const double top = (double)z[wsr__argmax(z, classes)];
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        sum += exp((double)z[c] - top);
    }
    return top + log(sum);
}

// The best class apart from `but`.
static size_t best_other(const float *z, size_t classes, int32_t but)
{
    size_t best = but == 0 ? 1 : 0;
    for (size_t c = best + 1; c < classes; c++) {
        if ((int32_t)c != but && z[c] > z[best]) {
            best = c;
        }
    }
    return best;
}

double wsr__loss_ce(float *dz, const float *z, const wsr__aim *aim,
                    size_t classes)
{
    const bool reach = aim->target >= 0;
    const size_t y = (size_t)(reach ? aim->target : aim->label);
    const double sign = reach ? -1 : 1;
    const double total = log_sum_exp(z, classes);
    double others = 0; // 1 - p_y without cancellation
    if (dz != NULL) {
        for (size_t c = 0; c < classes; c++) {
            const double p = exp((double)z[c] - total);
            others += c == y ? 0 : p;
            dz[c] = (float)(sign * p);
        }
        dz[y] = (float)(-sign * others);
    }
    return sign * (total - (double)z[y]);
}

double wsr__loss_kl(float *dz, const float *z, const wsr__aim *aim,
                    size_t classes)
{
    const double total = log_sum_exp(z, classes);
    const double clean = log_sum_exp(aim->clean, classes);
    double value = 0;
    for (size_t c = 0; c < classes; c++) {
        const double log_p = (double)z[c] - total;
        const double log_q = (double)aim->clean[c] - clean;
        value += exp(log_q) * (log_q - log_p);
        if (dz != NULL) {
            dz[c] = (float)(exp(log_p) - exp(log_q));
        }
    }
    return value;
}

double wsr__loss_margin(float *dz, const float *z, const wsr__aim *aim,
                        size_t classes)
{
    const bool reach = aim->target >= 0;
    const size_t y = (size_t)(reach ? aim->target : aim->label);
    const size_t other = best_other(z, classes, (int32_t)y);
    const double value = (double)z[other] - (double)z[y];
    if (dz != NULL) {
        memset(dz, 0, classes * sizeof(*dz));
        dz[other] = reach ? -1 : 1;
        dz[y] = reach ? 1 : -1;
    }
    return reach ? -value : value;
}

double wsr__loss_difference(float *dz, const float *z, const wsr__aim *aim,
                            size_t classes)
{
    if (dz != NULL) {
        memset(dz, 0, classes * sizeof(*dz));
        dz[aim->target] += 1;
        dz[aim->label] -= 1;
    }
    return (double)z[aim->target] - (double)z[aim->label];
}

int32_t wsr__ranked(const float *z, size_t classes, int32_t but, size_t rank)
{
    for (size_t c = 0; c < classes; c++) {
        size_t before = 0;
        for (size_t j = 0; j < classes; j++) {
            const bool ahead = z[j] > z[c] || (j < c && !(z[c] > z[j]));
            before += j != c && (int32_t)j != but && ahead;
        }
        if ((int32_t)c != but && before == rank) {
            return (int32_t)c;
        }
    }
    return -1;
}

// Indices of the `n` largest, the first of equals first.
static void largest(size_t *at, size_t n, const float *z, size_t classes)
{
    for (size_t k = 0; k < n; k++) {
        size_t best = classes;
        for (size_t c = 0; c < classes; c++) {
            bool taken = false;
            for (size_t j = 0; j < k; j++) {
                taken |= at[j] == c;
            }
            if (!taken && (best == classes || z[c] > z[best])) {
                best = c;
            }
        }
        at[k] = best;
    }
}

double wsr__loss_dlr(float *dz, const float *z, const wsr__aim *aim,
                     size_t classes)
{
    const bool reach = aim->target >= 0;
    const size_t y =
        (size_t)(aim->label >= 0 ? aim->label : wsr__argmax(z, classes));
    const size_t other = reach ? (size_t)aim->target
                               : best_other(z, classes, (int32_t)y);
    size_t at[4] = {0};
    const bool pair = reach && classes > 3;
    largest(at, pair ? 4 : 3, z, classes);
    const double low = pair ? ((double)z[at[2]] + (double)z[at[3]]) / 2
                            : (double)z[at[2]];
    const double up = (double)z[y] - (double)z[other];
    const double down = (double)z[at[0]] - low + 1e-12;
    if (dz != NULL) {
        const double slope = up / (down * down);
        double d[4] = {slope, 0, -slope, 0};
        if (pair) {
            d[2] = d[3] = -slope / 2;
        }
        memset(dz, 0, classes * sizeof(*dz));
        // One class may be met several times: sums, each rounded once more.
        for (size_t k = 0; k < 4; k++) {
            if (d[k] != 0) {
                dz[at[k]] += (float)d[k];
            }
        }
        dz[y] -= (float)(1 / down);
        dz[other] += (float)(1 / down);
    }
    return -up / down;
}
