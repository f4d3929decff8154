// SPDX-License-Identifier: Apache-2.0
//
// AugMix (Hendrycks et al. 2020, arXiv:1912.02781) mixes an image with a mean
// of changed ones:
//
//   (1 - m) image + m sum_k w_k chain_k(image),
//
// w from Dirichlet(alpha, ..., alpha), m from Beta(alpha, alpha). Each chain is
// one to three random operations. As timm's augmix: 13 operations, each always
// applied with a magnitude uniform in [0, severity]; the sum is truncated to
// bytes before it is mixed. The loss that the paper adds is no augmentation.

#include "augment/policy.h"

#include <string.h>

enum { OPS = 13, MOST_WIDTH = 32, DEEPEST = 3 };

#define UNIFORM 1000.0 // mstd of uniform magnitudes

typedef struct params {
    double severity;
    int64_t width;
    int64_t depth;
    double alpha;
    wsr__policy_moves moves;
} params;

static const wsr__option schema[] = {
    {.key = "severity",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, severity),
     .fallback = "3",
     .min = 0,
     .max = 10,
     .unit = "",
     .help = "largest magnitude of an operation"},
    {.key = "width",
     .kind = WSR__INT,
     .offset = offsetof(params, width),
     .fallback = "3",
     .min = 1,
     .max = MOST_WIDTH,
     .unit = "",
     .help = "chains that are mixed"},
    {.key = "depth",
     .kind = WSR__INT,
     .offset = offsetof(params, depth),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "operations of a chain; 0: 1 to 3, drawn for each chain"},
    {.key = "alpha",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, alpha),
     .fallback = "1",
     .min = 1e-3,
     .max = 1e6,
     .unit = "",
     .help = "of the distributions of weights; large: nearly equal weights"},
    WSR__POLICY_MOVES("random", "[124, 116, 104]"),
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    return wsr__policy_infer(out, in, "augmix", &p->moves);
}

static const wsr__policy_op *const ops[OPS] = {
    &wsr__op_autocontrast,
    &wsr__op_color_increasing,
    &wsr__op_contrast_increasing,
    &wsr__op_brightness_increasing,
    &wsr__op_sharpness_increasing,
    &wsr__op_equalize,
    &wsr__op_rotate,
    &wsr__op_posterize_increasing,
    &wsr__op_solarize_increasing,
    &wsr__op_shear_x,
    &wsr__op_shear_y,
    &wsr__op_translate_x_rel,
    &wsr__op_translate_y_rel,
};

// Weights that sum to 1: gamma numbers divided by their sum.
static void draw_weights(double *weights, int64_t n, double alpha,
                         wsr__rng *rng)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        weights[k] = wsr__rng_gamma(rng, alpha);
        sum += weights[k];
    }
    for (int64_t k = 0; k < n; k++) {
        weights[k] = sum > 0 ? weights[k] / sum : 1.0 / (double)n;
    }
}

static wsr_status run_chain(wsr__bitmap *image, const params *p, wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const int64_t drawn = 1 + wsr__rng_below(rng, DEEPEST);
    const int64_t depth = p->depth > 0 ? p->depth : drawn;
    for (int64_t i = 0; i < depth; i++) {
        const wsr__policy_step step = {ops[wsr__rng_below(rng, OPS)], 1,
                                       p->severity};
        WSR_TRY(wsr__policy_apply(image, &step, UNIFORM, &p->moves, rng));
    }
out:
    return status;
}

// sum += weight chain.
static void add_weighted(float *restrict sum,
                         const unsigned char *restrict chain, int64_t n,
                         float weight)
{
    for (int64_t i = 0; i < n; i++) {
        sum[i] += weight * (float)chain[i];
    }
}

static void mix(unsigned char *restrict image, const float *restrict sum,
                int64_t n, float m)
{
    for (int64_t i = 0; i < n; i++) {
        const float mean = sum[i] < 255 ? sum[i] : 255;
        image[i] = wsr__image_blend(image[i], (int)mean, m);
    }
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const int64_t n = wsr__image_floats(image->shape);
    double weights[MOST_WIDTH];
    double shares[2];
    wsr__bitmap chain = {0};
    float *sum = wsr__alloc((size_t)n, sizeof(*sum));
    if (sum == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    draw_weights(weights, p->width, p->alpha, rng);
    draw_weights(shares, 2, p->alpha, rng); // Beta is Dirichlet of two
    for (int64_t k = 0; k < p->width; k++) {
        WSR_TRY(wsr__bitmap_reserve(&chain, image->shape));
        memcpy(chain.spare, image->bytes, (size_t)n);
        wsr__bitmap_swap(&chain, image->shape);
        WSR_TRY(run_chain(&chain, p, rng));
        add_weighted(sum, chain.bytes, n, (float)weights[k]);
    }
    mix(image->bytes, sum, n, (float)shares[0]);
out:
    wsr__bitmap_free(&chain);
    wsr__free(sum);
    return status;
}

const wsr__augment_class wsr__augment_augmix = {
    .super = {.name = "augmix",
              .summary = "mix an image with chains of random operations",
              .reference = "Hendrycks et al. 2020, arXiv:1912.02781",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
