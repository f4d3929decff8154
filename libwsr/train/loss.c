// SPDX-License-Identifier: Apache-2.0
//
// Losses of a batch of logits for callers: means over the losses of one image
// that training (kernel/softmax_cross_entropy.h) and attacks
// (attack/engine/loss.h) use.

#include "attack/engine/loss.h"
#include "kernel/softmax_cross_entropy.h"
#include "train/train.h"
#include "wsr/loss.h"

#include <math.h>

// Images and classes of logits, checked.
typedef struct batch {
    size_t n;
    size_t classes;
} batch;

static wsr_status check_shape(batch *out, const char *loss,
                              const wsr_shape *shape, size_t least)
{
    if (shape->ndims != 2 || shape->dims[0] < 1 || shape->dims[1] < 1) {
        char text[96];
        wsr__shape_print(text, shape);
        return WSR_FAIL(WSR_SHAPE,
                        "%s: logits must have shape (n, classes), not %s", loss,
                        text);
    }
    *out = (batch){(size_t)shape->dims[0], (size_t)shape->dims[1]};
    return out->classes >= least
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "%s: %zu classes are less than %zu", loss,
                          out->classes, least);
}

// A label that is no class would be an index beyond the logits.
static wsr_status check_labels(const char *loss, const batch *b,
                               const int32_t *labels)
{
    for (size_t i = 0; i < b->n; i++) {
        if (labels[i] < 0 || (size_t)labels[i] >= b->classes) {
            return WSR_FAIL(WSR_ARG,
                            "%s: label %d of image %zu is outside [0, %zu]",
                            loss, (int)labels[i], i, b->classes - 1);
        }
    }
    return WSR_OK;
}

// A loss that is not finite would make every further parameter NaN.
static wsr_status check_finite(const char *loss, double value)
{
    return isfinite(value) ? WSR_OK
                           : WSR_FAIL(WSR_NUMERIC, "%s: %g is not finite", loss,
                                      fabs(value));
}

wsr_status wsr_cross_entropy(double *loss, float *diff, const float *logits,
                             const wsr_shape *shape, const int32_t *labels,
                             double smoothing)
{
    static const char name[] = "cross_entropy";
    wsr_status status = WSR_OK;
    batch b;
    WSR_TRY(check_shape(&b, name, shape, 1));
    WSR_TRY(check_labels(name, &b, labels));
    if (!(smoothing >= 0 && smoothing <= 1)) {
        return WSR_FAIL(WSR_ARG, "%s: smoothing %g is outside [0, 1]", name,
                        smoothing);
    }
    const wsr__ce_batch of = {.labels = labels,
                              .n = b.n,
                              .classes = b.classes,
                              .smoothing = smoothing,
                              .weight = 1};
    *loss = wsr__mean_cross_entropy(diff, logits, &of);
    WSR_TRY(check_finite(name, *loss));
out:
    return status;
}

// ------------------------------------------------------- losses of attacks

typedef struct attack_loss {
    const char *name;
    wsr__loss of;   // one image
    size_t classes; // at least
} attack_loss;

// The gradient of one image is a float of its own; the division by n comes
// after, as it does in a mean.
static wsr_status mean_of(double *loss, float *diff, const attack_loss *f,
                          const float *logits, const wsr_shape *shape,
                          const int32_t *labels)
{
    wsr_status status = WSR_OK;
    batch b;
    double sum = 0;
    WSR_TRY(check_shape(&b, f->name, shape, f->classes));
    WSR_TRY(check_labels(f->name, &b, labels));
    for (size_t i = 0; i < b.n; i++) {
        const size_t at = i * b.classes;
        const wsr__loss_target target = {labels[i], -1, NULL};
        sum += f->of(diff == NULL ? NULL : diff + at, NULL, logits + at,
                     &target, b.classes);
    }
    for (size_t i = 0; diff != NULL && i < b.n * b.classes; i++) {
        diff[i] /= (float)b.n;
    }
    *loss = sum / (double)b.n;
    WSR_TRY(check_finite(f->name, *loss));
out:
    return status;
}

wsr_status wsr_margin_loss(double *loss, float *diff, const float *logits,
                           const wsr_shape *shape, const int32_t *labels)
{
    static const attack_loss margin = {"margin_loss", wsr__loss_margin, 2};
    return mean_of(loss, diff, &margin, logits, shape, labels);
}

wsr_status wsr_dlr_loss(double *loss, float *diff, const float *logits,
                        const wsr_shape *shape, const int32_t *labels)
{
    static const attack_loss dlr = {"dlr_loss", wsr__loss_dlr, 3};
    return mean_of(loss, diff, &dlr, logits, shape, labels);
}

// ------------------------------------------------------------- divergences

typedef struct divergence {
    double value; // of one image
    double scale; // of its gradient
} divergence;

// Gradient of one image's divergence by the logits z of its target, times the
// scale: q_c (log q_c - log p_c - value).
static void target_gradient(float *dz, const float *z, const float *logits,
                            size_t classes, const divergence *d)
{
    const double total_q = wsr__log_sum_exp(z, classes);
    const double total_p = wsr__log_sum_exp(logits, classes);
    for (size_t c = 0; c < classes; c++) {
        const double log_q = (double)z[c] - total_q;
        const double log_p = (double)logits[c] - total_p;
        dz[c] = (float)(d->scale * exp(log_q) * (log_q - log_p - d->value));
    }
}

// The gradient by `logits` is softmax(logits) - softmax(target), as in attacks
// (tpgd).
wsr_status wsr_kl_divergence(double *loss, float *diff, float *diff_target,
                             const float *logits, const float *target,
                             const wsr_shape *shape)
{
    static const char name[] = "kl_divergence";
    wsr_status status = WSR_OK;
    batch b;
    double sum = 0;
    WSR_TRY(check_shape(&b, name, shape, 2));
    for (size_t i = 0; i < b.n; i++) {
        const size_t at = i * b.classes;
        const wsr__loss_target of = {-1, -1, target + at};
        const double kl = wsr__loss_kl(diff == NULL ? NULL : diff + at, NULL,
                                       logits + at, &of, b.classes);
        sum += kl;
        if (diff_target != NULL) {
            target_gradient(diff_target + at, target + at, logits + at,
                            b.classes, &(divergence){kl, 1 / (double)b.n});
        }
    }
    for (size_t i = 0; diff != NULL && i < b.n * b.classes; i++) {
        diff[i] /= (float)b.n;
    }
    *loss = sum / (double)b.n;
    WSR_TRY(check_finite(name, *loss));
out:
    return status;
}

// Unlike the other losses it is a mean over elements, and takes any shape.
wsr_status wsr_mse(double *loss, float *diff, const float *a, const float *b,
                   const wsr_shape *shape)
{
    static const char name[] = "mse";
    if (wsr__shape_check(shape) != WSR_OK) {
        return wsr__fail_at(WSR_SHAPE, "%s", name);
    }
    const int64_t n = wsr_shape_count(shape);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)a[i] - (double)b[i];
        sum += d * d;
        if (diff != NULL) {
            diff[i] = (float)(2 * d / (double)n);
        }
    }
    *loss = sum / (double)n;
    return check_finite(name, *loss);
}

size_t wsr_count_correct(const float *logits, const wsr_shape *shape,
                         const int32_t *labels)
{
    size_t correct = 0;
    const int64_t n = shape->ndims == 2 ? shape->dims[0] : 0;
    for (int64_t i = 0; i < n; i++) {
        const size_t classes = (size_t)shape->dims[1];
        const float *const z = logits + (size_t)i * classes;
        correct += wsr__argmax(z, classes) == labels[i];
    }
    return correct;
}
