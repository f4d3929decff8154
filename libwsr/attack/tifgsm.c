// SPDX-License-Identifier: Apache-2.0
//
// difgsm with smoothed gradients, which stand for those of the image moved to
// all sides and so depend less on where one model looks:
//
//   g = K * grad CE(f(resize(x)), y)      K a kernel of length x length pixels
//   m <- decay * m + g / mean |g|
//   x <- clip(x + alpha * sign(m))
//
// Dong et al., "Evading defenses to transferable adversarial examples by
// translation-invariant attacks", arXiv:1904.02884. All kernels are products
// of a column and a row. Only the last image is checked.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

#include <math.h>
#include <string.h>

enum { ROWS, LONGEST = 63 };

static const char *const kernels[] = {"gaussian", "linear", "uniform", NULL};

typedef struct params {
    wsr__input_diversity diversity;
    wsr__text kernel;
    int64_t length;
    double sigmas;
} params;

static const wsr__option schema[] = {
    WSR__INPUT_DIVERSITY_OPTIONS,
    {"kernel", WSR__WORD, offsetof(params, kernel), "gaussian", 0, 0, "",
     "what gradients are smoothed with", kernels},
    {"length", WSR__INT, offsetof(params, length), "15", 1, LONGEST, "pixels",
     "side of the kernel, odd", NULL},
    {"sigmas", WSR__FLOAT, offsetof(params, sigmas), "3", 0.01, 100, "",
     "how many deviations half a gaussian kernel spans", NULL},
    {0},
};

static wsr_status prepare(void *options)
{
    const params *const p = options;
    return p->length % 2 == 1
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG, "tifgsm.length: %lld is not odd",
                          (long long)p->length);
}

typedef struct smoothing {
    float taps[LONGEST];
    int64_t half;
    float *rows; // smoothed along rows
} smoothing;

static void fill_taps(smoothing *k, const params *p)
{
    double sum = 0;
    double taps[LONGEST];
    k->half = p->length / 2;
    for (int64_t i = 0; i < p->length; i++) {
        const double off = (double)(i - k->half);
        const double u = k->half > 0 ? p->sigmas * off / (double)k->half : 0;
        taps[i] = wsr__streq(p->kernel.s, "gaussian") ? exp(-u * u / 2)
                  : wsr__streq(p->kernel.s, "linear")
                      ? 1 - 2 * fabs(off) / (double)(p->length + 1)
                      : 1;
        sum += taps[i];
    }
    for (int64_t i = 0; i < p->length; i++) {
        k->taps[i] = (float)(taps[i] / sum);
    }
}

// The n values `stride` apart at `from`, beyond which there are zeros.
static void smooth(float *to, const float *from, int64_t n, int64_t stride,
                   const smoothing *k)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t begin = i < k->half ? 0 : i - k->half;
        const int64_t end = i + k->half < n ? i + k->half + 1 : n;
        float sum = 0;
        for (int64_t j = begin; j < end; j++) {
            sum += k->taps[j - i + k->half] * from[j * stride];
        }
        to[i * stride] = sum;
    }
}

static void smooth_image(wsr__attack_batch *s, size_t row, void *ctx)
{
    const smoothing *const k = ctx;
    const int64_t *const dims = s->model->shape.dims;
    float *const g = wsr__at(s->grad, s->d, row);
    float *const rows = wsr__at(k->rows, s->d, row);
    for (int64_t y = 0; y < dims[0] * dims[1]; y++) {
        smooth(rows + y * dims[2], g + y * dims[2], dims[2], 1, k);
    }
    for (int64_t c = 0; c < dims[0]; c++) {
        for (int64_t x = 0; x < dims[2]; x++) {
            const int64_t at = c * dims[1] * dims[2] + x;
            smooth(g + at, rows + at, dims[1], dims[2], k);
        }
    }
}

static wsr_status gradient(wsr__attack_batch *s, const wsr__momentum_attack *c)
{
    smoothing k = {.rows = wsr__attack_batch_scratch(s, ROWS, s->d)};
    if (k.rows == NULL) {
        return WSR_NOMEM;
    }
    fill_taps(&k, c->params);
    const wsr_status status = wsr__gradient_resized(s, c);
    if (status == WSR_OK) {
        wsr__attack_batch_each(s, smooth_image, &k);
    }
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, gradient);
}

const wsr__attack_class wsr__attack_tifgsm = {
    .super = {.name = "tifgsm",
              .summary = "difgsm with smoothed gradients",
              .reference = "Dong et al. 2019, arXiv:1904.02884",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .prepare = prepare,
    .targets = true,
    .run = run,
    .passes = wsr__steps_passes,
};
