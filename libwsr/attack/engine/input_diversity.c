// SPDX-License-Identifier: Apache-2.0
//
// Gradients at resized images, for difgsm and tifgsm: with some probability an
// image is resized to a random smaller size and padded with zeros at a random
// place. Random numbers belong to the image, whatever its batch. Xie et al.,
// "Improving transferability of adversarial examples with input diversity",
// arXiv:1803.06978.
//
// The gradient goes back through the resizing, so that it is one of the
// original pixels.

#include "attack/engine/momentum_attack.h"

#include <math.h>
#include <string.h>

// Where the pixels of the smaller size lie on an axis.
typedef struct tap {
    int64_t low;
    int64_t high;
    float part; // of the pixel `high`
} tap;

// Bilinear interpolation on an axis: pixel i of `to` lies between two pixels
// of `from`, with pixel centres at i + 0.5 as in PyTorch with
// align_corners=False.
static tap tap_of(int64_t i, int64_t from, int64_t to)
{
    const float at = ((float)i + 0.5f) * (float)from / (float)to - 0.5f;
    const float inside = fminf(fmaxf(at, 0), (float)(from - 1));
    tap t = {.low = (int64_t)inside};
    t.high = t.low + 1 < from ? t.low + 1 : t.low;
    t.part = inside - (float)t.low;
    return t;
}

// All images are (channels, h, w); the resized one fills rows x columns at
// (top, left), the rest is zero.
void wsr__resize_image(float *to, const float *from, const wsr__resize *how)
{
    const int64_t plane = how->h * how->w;
    memset(to, 0, (size_t)(how->channels * plane) * sizeof(*to));
    for (int64_t k = 0; k < how->channels * how->rows; k++) {
        const int64_t y = k % how->rows;
        const float *const src = from + k / how->rows * plane;
        float *const dst = to + k / how->rows * plane +
                           (how->top + y) * how->w + how->left;
        const tap down = tap_of(y, how->h, how->rows);
        const float *const low = src + down.low * how->w;
        const float *const high = src + down.high * how->w;
        for (int64_t x = 0; x < how->columns; x++) {
            const tap t = tap_of(x, how->w, how->columns);
            const float a = low[t.low] + t.part * (low[t.high] - low[t.low]);
            const float b = high[t.low] + t.part * (high[t.high] - high[t.low]);
            dst[x] = a + down.part * (b - a);
        }
    }
}

// The transpose of wsr__resize_image().
void wsr__resize_backward(float *to, const float *from, const wsr__resize *how)
{
    const int64_t plane = how->h * how->w;
    memset(to, 0, (size_t)(how->channels * plane) * sizeof(*to));
    for (int64_t k = 0; k < how->channels * how->rows; k++) {
        const int64_t y = k % how->rows;
        float *const dst = to + k / how->rows * plane;
        const float *const src = from + k / how->rows * plane +
                                 (how->top + y) * how->w + how->left;
        const tap down = tap_of(y, how->h, how->rows);
        float *const low = dst + down.low * how->w;
        float *const high = dst + down.high * how->w;
        for (int64_t x = 0; x < how->columns; x++) {
            const tap t = tap_of(x, how->w, how->columns);
            const float b = src[x] * down.part;
            const float a = src[x] - b;
            low[t.low] += a * (1 - t.part);
            low[t.high] += a * t.part;
            high[t.low] += b * (1 - t.part);
            high[t.high] += b * t.part;
        }
    }
}

typedef struct view {
    const wsr__input_diversity *diversity;
    float *seen;
    float *back;
    uint32_t step;
} view;

static int64_t below(wsr__rng *rng, int64_t n)
{
    const int64_t i = (int64_t)(wsr__rng_uniform(rng) * (float)n);
    return i < n ? i : n - 1;
}

// The forward and the backward pass call it with equal arguments and get the
// same size and place. False: the image is not resized in this step.
static bool resize_of(wsr__resize *how, const wsr__attack_batch *s,
                      const view *v, size_t row)
{
    const int64_t *const dims = s->model->shape.dims;
    wsr__rng rng = wsr__attack_batch_rng(s, row, v->step);
    *how = (wsr__resize){.channels = dims[0], .h = dims[1], .w = dims[2]};
    const int64_t least =
        (int64_t)fmax(1, floor(v->diversity->rate * (double)how->h));
    const bool changed = (double)wsr__rng_uniform(&rng) < v->diversity->prob;
    how->rows = least + below(&rng, how->h - least + 1);
    how->columns = (how->rows * how->w + how->h - 1) / how->h;
    how->top = below(&rng, how->h - how->rows + 1);
    how->left = below(&rng, how->w - how->columns + 1);
    return changed && how->rows < how->h;
}

static void look(wsr__attack_batch *s, size_t row, void *ctx)
{
    const view *const v = ctx;
    wsr__resize how;
    const float *const x = wsr__at_const(s->x, s->d, row);
    float *const seen = wsr__at(v->seen, s->d, row);
    if (resize_of(&how, s, v, row)) {
        wsr__resize_image(seen, x, &how);
    } else {
        memcpy(seen, x, (size_t)s->d * sizeof(*x));
    }
}

static void go_back(wsr__attack_batch *s, size_t row, void *ctx)
{
    const view *const v = ctx;
    wsr__resize how;
    float *const g = wsr__at(s->grad, s->d, row);
    float *const back = wsr__at(v->back, s->d, row);
    if (resize_of(&how, s, v, row)) {
        wsr__resize_backward(back, g, &how);
        memcpy(g, back, (size_t)s->d * sizeof(*g));
    }
}

// The gradient with respect to s->x ends in s->grad.
wsr_status wsr__gradient_resized(wsr__attack_batch *s,
                                 const wsr__momentum_attack *c)
{
    view v = {c->params, wsr__attack_batch_scratch(s, WSR__RESIZED, s->d),
              wsr__attack_batch_scratch(s, WSR__RESIZED_GRADIENT, s->d),
              (uint32_t)c->step};
    if (v.seen == NULL || v.back == NULL) {
        return WSR_NOMEM;
    }
    wsr__attack_batch_each(s, look, &v);
    const wsr_status status =
        wsr__attack_batch_gradient_at(s, v.seen, wsr__loss_ce);
    if (status == WSR_OK) {
        wsr__attack_batch_each(s, go_back, &v);
    }
    return status;
}
