// SPDX-License-Identifier: Apache-2.0
//
// Losses that attacks maximise, as functions of the logits z of one image, with
// their gradients. In double: with a sure classifier the probability of the
// label rounds to 1 in float and its gradient to 0, which would look like
// robustness. Gradients come as float multiples of a power of two of their own,
// since those of a surer classifier still are too small for any float.
//
//   ce      log sum exp z - z_y                        gradient p - e_y
//   dlr     -(z_y - z_o) / (z_1 - z_3 + tiny)          o: best other class
//   dlr-t   -(z_y - z_t) / (z_1 - (z_3 + z_4) / 2 + tiny)
//   margin  z_o - z_y
//   diff.   z_t - z_y
//   kl      sum q (log q - log p), q = softmax(clean)  gradient p - q
//
// (dlr-t of three classes has z_3 alone.) z_1 >= z_2 >= ... are the sorted
// logits, tiny is 1e-12 of how far they are apart. Croce and Hein, "Reliable
// evaluation of adversarial robustness with an ensemble of diverse
// parameter-free attacks", arXiv:2003.01690, for the ratios; Zhang et al.,
// arXiv:1901.08573, for kl.

#include "attack/engine/loss.h"
#include "kernel/softmax_cross_entropy.h"

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

float wsr__margin(const float *z, size_t classes, int32_t label)
{
    float most = -INFINITY;
    for (size_t c = 0; c < classes; c++) {
        most = c != (size_t)label && z[c] > most ? z[c] : most;
    }
    return z[label] - most;
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

double wsr__logit_spread(const float *z, size_t classes)
{
    double low = (double)z[0];
    double high = low;
    for (size_t c = 1; c < classes; c++) {
        low = fmin(low, (double)z[c]);
        high = fmax(high, (double)z[c]);
    }
    return high - low;
}

int wsr__exponent(double value)
{
    int exponent = 0;
    (void)frexp(value, &exponent);
    return exponent;
}

// The power of two that gradients are left at: about 1 / spread, so that those
// of the pixels are the same size however large the logits are. Bounded, since
// logits may also be close to each other by chance.
static int left_at(const float *z, size_t classes)
{
    enum { MOST = 64 };
    const int e = wsr__exponent(wsr__logit_spread(z, classes));
    return e > MOST ? -MOST : e < -MOST ? MOST : -e;
}

// Probabilities of one image in a unit in which the largest one of interest is
// about 1: exp(log p) / 2^exponent.
typedef struct unit {
    int exponent;
    int left;    // of it, what left_at() asks for
    double most; // log of the largest one
    double part; // most = (whole number + part) ln 2
} unit;

// Beyond, exp() loses digits before it is divided.
static const double log_least = -690;

static unit unit_of(double most, const float *z, size_t classes)
{
    const double whole = floor(most / M_LN2);
    const double bound = (double)WSR__EXPONENT_MOST / 2;
    const int left = left_at(z, classes);
    return (unit){(int)fmax(whole, -bound) - left, left, most,
                  most / M_LN2 - whole};
}

// The probability whose logarithm is `log_p`, `below` the largest one; exp()
// of it with a shifted exponent where it can be.
static double in_unit(const unit *u, double log_p, double below)
{
    return u->most > log_least ? ldexp(exp(log_p), -u->exponent)
                               : ldexp(exp(below + u->part * M_LN2), u->left);
}

static void put(float *dz, double value, int shift)
{
    *dz = (float)(shift == 0 ? value : ldexp(value, shift));
}

double wsr__loss_ce(float *dz, int *exponent, const float *z,
                    const wsr__loss_target *target, size_t classes)
{
    const bool reach = target->target_class >= 0;
    const size_t y = (size_t)(reach ? target->target_class : target->label);
    const double sign = reach ? -1 : 1;
    const double total = wsr__log_sum_exp(z, classes);
    if (dz != NULL) {
        const double most = (double)z[best_other(z, classes, (int32_t)y)];
        const unit u = unit_of(most - total, z, classes);
        const int shift = exponent == NULL ? u.exponent : 0;
        double others = 0; // 1 - p_y without cancellation
        for (size_t c = 0; c < classes; c++) {
            const double p =
                c == y ? 0
                       : in_unit(&u, (double)z[c] - total, (double)z[c] - most);
            others += p;
            put(&dz[c], sign * p, shift);
        }
        put(&dz[y], -sign * others, shift);
        if (exponent != NULL) {
            *exponent = u.exponent;
        }
    }
    return sign * (total - (double)z[y]);
}

// log of the odds against class y.
static double log_odds(const float *z, size_t classes, size_t y)
{
    const double most = (double)z[best_other(z, classes, (int32_t)y)];
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        sum += c == y ? 0 : exp((double)z[c] - most);
    }
    return most - (double)z[y] + log(sum);
}

// log(1 + exp(o)), o the log of the odds, is monotonic in o. Where it comes
// close to 0 its place is taken by another function that does and still tells
// apart what this one would round to the same.
double wsr__order_ce(const float *z, const wsr__loss_target *target,
                     size_t classes)
{
    static const double bound = -10;
    const bool reach = target->target_class >= 0;
    const size_t y = (size_t)(reach ? target->target_class : target->label);
    const double odds = log_odds(z, classes, y);
    if (odds > bound) {
        return wsr__loss_ce(NULL, NULL, z, target, classes);
    }
    const double value = log1p(exp(bound)) * bound / odds;
    return reach ? -value : value;
}

double wsr__order_margin(const float *z, const wsr__loss_target *target,
                         size_t classes)
{
    return wsr__loss_margin(NULL, NULL, z, target, classes);
}

double wsr__order_dlr(const float *z, const wsr__loss_target *target,
                      size_t classes)
{
    return wsr__loss_dlr(NULL, NULL, z, target, classes);
}

// Logarithms of the probabilities of one image and of its clean image.
typedef struct kl_pair {
    const float *z;
    const float *clean;
    double total;   // of z
    double total_q; // of clean
    double shift;   // total - total_q without cancellation
    double most;    // largest logarithm of both, apart from class `top`
    size_t top;     // of clean
} kl_pair;

static double log_p(const kl_pair *k, size_t c)
{
    return (double)k->z[c] - k->total;
}

static double log_q(const kl_pair *k, size_t c)
{
    return (double)k->clean[c] - k->total_q;
}

static kl_pair pair_of(const float *z, const float *clean, size_t classes)
{
    kl_pair k = {z,
                 clean,
                 wsr__log_sum_exp(z, classes),
                 wsr__log_sum_exp(clean, classes),
                 0,
                 -(double)INFINITY,
                 (size_t)wsr__argmax(clean, classes)};
    double sum = 0;
    double farthest = 0;
    for (size_t c = 0; c < classes; c++) {
        const double moved = (double)z[c] - (double)clean[c];
        farthest = fmax(farthest, fabs(moved));
        sum += exp(log_q(&k, c)) * expm1(moved);
        if (c != k.top) {
            k.most = fmax(k.most, fmax(log_p(&k, c), log_q(&k, c)));
        }
    }
    k.shift = farthest < 1 ? log1p(sum) : k.total - k.total_q;
    return k;
}

// p - q of a class other than the top one.
static double difference(const kl_pair *k, const unit *u, size_t c)
{
    const double by = (double)k->z[c] - (double)k->clean[c] - k->shift;
    const double larger = fmax(log_p(k, c), log_q(k, c));
    const double size = in_unit(u, larger, larger - k->most);
    return copysign(size * -expm1(-fabs(by)), by);
}

// p - q of class `top` is what the others leave.
static void kl_gradient(float *dz, int *exponent, const kl_pair *k,
                        size_t classes)
{
    const unit u = unit_of(k->most, k->z, classes);
    double largest = 0;
    double others = 0;
    for (size_t c = 0; c < classes; c++) {
        const double d = c == k->top ? 0 : difference(k, &u, c);
        largest = fmax(largest, fabs(d));
    }
    const int more = largest > 0 ? wsr__exponent(largest) - u.left : 0;
    const int shift = exponent == NULL ? u.exponent : -more;
    for (size_t c = 0; c < classes; c++) {
        const double d = c == k->top ? 0 : difference(k, &u, c);
        others += d;
        put(&dz[c], d, shift);
    }
    put(&dz[k->top], -others, shift);
    if (exponent != NULL) {
        *exponent = u.exponent + more;
    }
}

double wsr__loss_kl(float *dz, int *exponent, const float *z,
                    const wsr__loss_target *target, size_t classes)
{
    const kl_pair k = pair_of(z, target->clean, classes);
    double value = 0;
    for (size_t c = 0; c < classes; c++) {
        value += exp(log_q(&k, c)) * (log_q(&k, c) - log_p(&k, c));
    }
    if (dz != NULL) {
        kl_gradient(dz, exponent, &k, classes);
    }
    return value;
}

double wsr__loss_margin(float *dz, int *exponent, const float *z,
                        const wsr__loss_target *target, size_t classes)
{
    const bool reach = target->target_class >= 0;
    const size_t y = (size_t)(reach ? target->target_class : target->label);
    const size_t other = best_other(z, classes, (int32_t)y);
    const double value = (double)z[other] - (double)z[y];
    if (exponent != NULL) {
        *exponent = 0;
    }
    if (dz != NULL) {
        memset(dz, 0, classes * sizeof(*dz));
        dz[other] = reach ? -1 : 1;
        dz[y] = reach ? 1 : -1;
    }
    return reach ? -value : value;
}

double wsr__loss_difference(float *dz, int *exponent, const float *z,
                            const wsr__loss_target *target, size_t classes)
{
    if (exponent != NULL) {
        *exponent = 0;
    }
    if (dz != NULL) {
        memset(dz, 0, classes * sizeof(*dz));
        dz[target->target_class] += 1;
        dz[target->label] -= 1;
    }
    return (double)z[target->target_class] - (double)z[target->label];
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

double wsr__loss_dlr(float *dz, int *exponent, const float *z,
                     const wsr__loss_target *target, size_t classes)
{
    const bool reach = target->target_class >= 0;
    const size_t y =
        (size_t)(target->label >= 0 ? target->label : wsr__argmax(z, classes));
    const size_t other = reach ? (size_t)target->target_class
                               : best_other(z, classes, (int32_t)y);
    const double spread = wsr__logit_spread(z, classes);
    size_t at[4] = {0};
    const bool pair = reach && classes > 3;
    largest(at, pair ? 4 : 3, z, classes);
    const double low = pair ? ((double)z[at[2]] + (double)z[at[3]]) / 2
                            : (double)z[at[2]];
    const double up = (double)z[y] - (double)z[other];
    const double down = (double)z[at[0]] - low +
                        1e-12 * (spread > 0 ? spread : 1);
    if (dz != NULL) {
        const double derivative = up / (down * down);
        const int e = wsr__exponent(fmax(fabs(derivative), 1 / down)) -
                      left_at(z, classes);
        const int shift = exponent == NULL ? 0 : -e;
        double d[4] = {derivative, 0, -derivative, 0};
        if (pair) {
            d[2] = d[3] = -derivative / 2;
        }
        memset(dz, 0, classes * sizeof(*dz));
        // One class may be met several times: sums, each rounded once more.
        for (size_t k = 0; k < 4; k++) {
            if (d[k] != 0) {
                dz[at[k]] += (float)ldexp(d[k], shift);
            }
        }
        dz[y] -= (float)ldexp(1 / down, shift);
        dz[other] += (float)ldexp(1 / down, shift);
        if (exponent != NULL) {
            *exponent = e;
        }
    }
    return -up / down;
}

const wsr__loss wsr__losses[] = {wsr__loss_ce,     wsr__loss_dlr,
                                 wsr__loss_margin, wsr__loss_difference,
                                 wsr__loss_kl,     NULL};
