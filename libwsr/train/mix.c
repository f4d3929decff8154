// SPDX-License-Identifier: Apache-2.0
//
// Image i of a batch of n is mixed with image n - 1 - i:
//
//   mixup:  lambda x_i + (1 - lambda) x_j, lambda ~ Beta(alpha, alpha)
//           (Zhang et al. 2018, arXiv:1710.09412)
//   cutmix: a rectangle of x_j in x_i, of sides sqrt(1 - lambda) of those of
//           the image around a uniform centre, cut off at the border; lambda
//           becomes the share of the pixels that are left
//           (Yun et al. 2019, arXiv:1905.04899)
//
// as the package timm mixes. The target is lambda y_i + (1 - lambda) y_j, then
// smoothed. One mixture is drawn for a batch, for a pair or for an image, from
// a stream of the number of its first image. Of the two labels the one of the
// larger share counts as the image's label.

#include "train/mix.h"

#include <math.h>
#include <string.h>

bool wsr__training_mixes(const wsr__training *t)
{
    return t->params.mixup > 0 || t->params.cutmix > 0;
}

wsr_status wsr__mix_check(const wsr__training *t)
{
    return wsr__training_mixes(t) && t->trainer->one_label
               ? WSR_FAIL(WSR_CONFIG,
                          "train.%s: the trainer %s needs images of one label",
                          t->params.mixup > 0 ? "mixup" : "cutmix",
                          t->trainer->super.name)
               : WSR_OK;
}

// ---------------------------------------------------------------- drawing

// Logarithm of a number of the distribution Gamma(a) (Marsaglia and Tsang
// 2000). For a small a the number itself may be too small.
static double log_gamma(wsr__rng *rng, double a)
{
    const double shift = a < 1 ? log(1 - (double)wsr__rng_uniform(rng)) / a : 0;
    const double d = (a < 1 ? a + 1 : a) - 1.0 / 3;
    for (;;) {
        const double normal = wsr__rng_normal(rng);
        const double root = 1 + normal / sqrt(9 * d);
        const double u = 1 - (double)wsr__rng_uniform(rng);
        const double v = root * root * root;
        if (root > 0 && log(u) < normal * normal / 2 + d - d * v + d * log(v)) {
            return log(d * v) + shift;
        }
    }
}

// Of the distribution Beta(a, a).
static double draw_beta(wsr__rng *rng, double a)
{
    const double first = log_gamma(rng, a);
    const double second = log_gamma(rng, a);
    return 1 / (1 + exp(second - first));
}

wsr__mix wsr__mix_draw(wsr__rng *rng, const wsr__train_params *params,
                       int64_t h, int64_t w)
{
    wsr__mix mix = {.lambda = 1};
    const bool applies = (double)wsr__rng_uniform(rng) < params->mix_prob;
    const bool switched = (double)wsr__rng_uniform(rng) < params->mix_switch;
    mix.y = (int64_t)wsr__rng_below(rng, (uint32_t)h);
    mix.x = (int64_t)wsr__rng_below(rng, (uint32_t)w);
    mix.cut = params->cutmix > 0 && (params->mixup <= 0 || switched);
    if (applies) {
        mix.lambda = draw_beta(rng, mix.cut ? params->cutmix : params->mixup);
    }
    return mix;
}

// ----------------------------------------------------------------- mixing

// Rows or columns [from, to).
typedef struct range {
    int64_t from;
    int64_t to;
} range;

static range cut_of(int64_t side, double ratio, int64_t centre)
{
    const int64_t half = (int64_t)((double)side * ratio) / 2;
    const int64_t from = centre - half;
    const int64_t to = centre + half;
    return (range){from < 0 ? 0 : from, to > side ? side : to};
}

static double paste(float *out, const float *other, const wsr_shape *shape,
                    const wsr__mix *mix)
{
    const int64_t h = shape->dims[1];
    const int64_t w = shape->dims[2];
    const double ratio = sqrt(1 - mix->lambda);
    const range rows = cut_of(h, ratio, mix->y);
    const range columns = cut_of(w, ratio, mix->x);
    const int64_t width = columns.to - columns.from;
    for (int64_t c = 0; c < shape->dims[0]; c++) {
        for (int64_t y = rows.from; y < rows.to; y++) {
            const int64_t at = (c * h + y) * w + columns.from;
            memcpy(out + at, other + at, (size_t)width * sizeof(*out));
        }
    }
    const int64_t area = (rows.to - rows.from) * width;
    return 1 - (double)area / (double)(h * w);
}

double wsr__mix_images(float *out, const float *image, const float *other,
                       const wsr_shape *shape, const wsr__mix *mix)
{
    const int64_t floats = wsr_shape_count(shape);
    const float own = (float)mix->lambda;
    const float rest = (float)(1 - mix->lambda);
    memcpy(out, image, (size_t)floats * sizeof(*out));
    if (mix->lambda >= 1 || image == other) {
        return 1;
    }
    if (mix->cut) {
        return paste(out, other, shape, mix);
    }
    for (int64_t i = 0; i < floats; i++) {
        out[i] = out[i] * own + other[i] * rest;
    }
    return mix->lambda;
}

// The image whose mixture image i takes: all that of the first one, both of a
// pair that of its first one, each its own.
static size_t drawn_by(const wsr__train_params *params, size_t i, size_t j)
{
    return wsr__streq(params->mix_mode.s, "batch")  ? 0
           : wsr__streq(params->mix_mode.s, "pair") ? (i < j ? i : j)
                                                    : i;
}

void wsr__training_mix(const wsr__training *t, const wsr_batch *batch,
                       size_t begin, const wsr__train_step *part)
{
    const wsr_shape *const of = &wsr__training_size(t)->image;
    const wsr_shape shape = {3, {of->dims[1], of->dims[2], of->dims[3]}};
    const size_t floats = (size_t)wsr_shape_count(&shape);
    const float *const x = wsr_batch_images(batch) + begin * floats;
    const int32_t *const labels = wsr_batch_labels(batch) + begin;
    const wsr__mix_room *const room = &t->mix;
    for (size_t i = 0; i < part->n; i++) {
        const size_t j = part->n - 1 - i;
        wsr__rng rng = wsr__rng_at(part->seed, WSR__RNG_MIX,
                                   part->id + drawn_by(&t->params, i, j), 0);
        const wsr__mix mix =
            wsr__mix_draw(&rng, &t->params, shape.dims[1], shape.dims[2]);
        const double share =
            wsr__mix_images(room->images + (begin + i) * floats, x + i * floats,
                            x + j * floats, &shape, &mix);
        const bool first = share >= 0.5;
        room->labels[begin + i] = first ? labels[i] : labels[j];
        room->others[begin + i] = first ? labels[j] : labels[i];
        room->shares[begin + i] = first ? 1 - share : share;
    }
}
