// SPDX-License-Identifier: Apache-2.0
//
// Cross entropy of logits z and the target
//
//   t = (1 - s) ((1 - r) onehot(y) + r onehot(y')) + s / k
//
// over k classes: label smoothing s (Szegedy et al. 2016, arXiv:1512.00567) of
// a label y, or of two labels y and y' of a mixed sample (Zhang et al. 2018,
// arXiv:1710.09412).
//
//   loss = log sum_c exp z_c - sum_c t_c z_c,   dz = softmax(z) - t
//
// All of it is computed in double, and the label's component of the gradient
// from the probabilities of the other classes: with a sure classifier p_y
// rounds to 1 in float, and its gradient p_y - 1 to 0.

#include "kernel/softmax_cross_entropy.h"

#include <math.h>

double wsr__log_sum_exp(const float *z, size_t classes)
{
    float top = z[0];
    for (size_t c = 1; c < classes; c++) {
        top = z[c] > top ? z[c] : top;
    }
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        sum += exp((double)z[c] - (double)top);
    }
    return (double)top + log(sum);
}

static void put(float *dz, double value, const wsr__ce_target *t)
{
    const float scaled = (float)(t->scale * value);
    *dz = t->accumulate ? *dz + scaled : scaled;
}

// Of the second label in the target: none where both labels are one.
static double second_share(const wsr__ce_target *t)
{
    return t->other == t->label ? 0 : (1 - t->smoothing) * t->share;
}

static void gradient(float *dz, const float *z, size_t classes, double total,
                     const wsr__ce_target *t)
{
    const double rest = t->smoothing / (double)classes;
    const double second = second_share(t);
    double others = 0; // 1 - p_y without cancellation
    for (size_t c = 0; c < classes; c++) {
        if (c != t->label) {
            const double p = exp((double)z[c] - total);
            others += p;
            put(&dz[c], p - rest - (c == t->other ? second : 0), t);
        }
    }
    put(&dz[t->label], t->smoothing + second - rest - others, t);
}

double wsr__softmax_cross_entropy(float *dz, const float *z, size_t classes,
                                  const wsr__ce_target *target)
{
    const double rest = target->smoothing / (double)classes;
    const double total = wsr__log_sum_exp(z, classes);
    double dot = 0; // sum_c t_c z_c
    // Without smoothing a logit of -inf must not become 0 * -inf.
    for (size_t c = 0; target->smoothing > 0 && c < classes; c++) {
        dot += rest * (double)z[c];
    }
    const double second = second_share(target);
    dot += (1 - target->smoothing - second) * (double)z[target->label];
    if (second > 0) {
        dot += second * (double)z[target->other];
    }
    if (dz != NULL) {
        gradient(dz, z, classes, total, target);
    }
    return total - dot;
}

// The gradient of the mean is written with its weight at once, so that it is
// rounded to a float only once.
double wsr__mean_cross_entropy(float *diff, const float *logits,
                               const wsr__ce_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->n; i++) {
        const size_t at = i * b->classes;
        wsr__ce_target target = {.label = (size_t)b->labels[i],
                                 .smoothing = b->smoothing,
                                 .scale = b->weight / (double)b->n};
        if (b->mixed.others != NULL) {
            target.other = (size_t)b->mixed.others[i];
            target.share = b->mixed.shares[i];
        }
        sum += wsr__softmax_cross_entropy(diff == NULL ? NULL : diff + at,
                                          logits + at, b->classes, &target);
    }
    return sum / (double)b->n;
}
