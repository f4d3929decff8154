// SPDX-License-Identifier: Apache-2.0
//
// RandAugment (Cubuk et al. 2020, arXiv:1909.13719) as timm and DeiT have it:
// `n` operations of 15, drawn with replacement, each applied with probability
// `p` at magnitude `m`. `increasing` exchanges operations whose strength falls
// with the magnitude, or has no direction, for such as grow with it;
// `weighted` draws by timm's set 0 of weights, without replacement.

#include "augment/policy.h"

enum { OPS = 15 };

typedef struct params {
    int64_t n;
    double m;
    double mstd;
    double p;
    bool increasing;
    bool weighted;
    wsr__policy_moves moves;
} params;

static const wsr__option schema[] = {
    {.key = "n",
     .kind = WSR__INT,
     .offset = offsetof(params, n),
     .fallback = "2",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "operations for each image"},
    {.key = "m",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, m),
     .fallback = "9",
     .min = 0,
     .max = 10,
     .unit = "",
     .help = "magnitude of the operations"},
    {.key = "mstd",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, mstd),
     .fallback = "0.5",
     .min = 0,
     .max = 1000,
     .unit = "",
     .help = "deviation of the magnitude; above 100: uniform in [0, m]"},
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of each operation"},
    {.key = "increasing",
     .kind = WSR__BOOL,
     .offset = offsetof(params, increasing),
     .fallback = "false",
     .unit = "",
     .help = "operations all grow stronger with the magnitude"},
    {.key = "weighted",
     .kind = WSR__BOOL,
     .offset = offsetof(params, weighted),
     .fallback = "false",
     .unit = "",
     .help = "draw moves more often than colours, each operation once"},
    WSR__POLICY_MOVES("random", "[124, 116, 104]"),
    {0},
};

typedef struct choice {
    const wsr__policy_op *plain;
    const wsr__policy_op *increasing;
    double weight;
} choice;

static const choice choices[OPS] = {
    {&wsr__op_autocontrast, &wsr__op_autocontrast, 0.025},
    {&wsr__op_equalize, &wsr__op_equalize, 0.005},
    {&wsr__op_invert, &wsr__op_invert, 0},
    {&wsr__op_rotate, &wsr__op_rotate, 0.3},
    {&wsr__op_posterize, &wsr__op_posterize_increasing, 0},
    {&wsr__op_solarize, &wsr__op_solarize_increasing, 0.005},
    {&wsr__op_solarize_add, &wsr__op_solarize_add, 0.005},
    {&wsr__op_color, &wsr__op_color_increasing, 0.025},
    {&wsr__op_contrast, &wsr__op_contrast_increasing, 0.005},
    {&wsr__op_brightness, &wsr__op_brightness_increasing, 0.005},
    {&wsr__op_sharpness, &wsr__op_sharpness_increasing, 0.025},
    {&wsr__op_shear_x, &wsr__op_shear_x, 0.2},
    {&wsr__op_shear_y, &wsr__op_shear_y, 0.2},
    {&wsr__op_translate_x_rel, &wsr__op_translate_x_rel, 0.1},
    {&wsr__op_translate_y_rel, &wsr__op_translate_y_rel, 0.1},
};

// Operations that the weights permit at all.
static int64_t weighted_ops(void)
{
    int64_t n = 0;
    for (size_t i = 0; i < OPS; i++) {
        n += choices[i].weight > 0;
    }
    return n;
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    if (p->weighted && p->n > weighted_ops()) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.rand_augment.n: %lld operations, weighted "
                        "permits %lld, since each is drawn once",
                        (long long)p->n, (long long)weighted_ops());
    }
    return wsr__policy_infer(out, in, "rand_augment", &p->moves);
}

// An operation among those not yet `taken`, which weights[] leaves out.
static size_t draw_weighted(bool taken[OPS], wsr__rng *rng)
{
    double left = 0;
    size_t last = 0;
    for (size_t i = 0; i < OPS; i++) {
        left += taken[i] ? 0 : choices[i].weight;
    }
    double at = left * (double)wsr__rng_uniform(rng);
    for (size_t i = 0; i < OPS; i++) {
        if (taken[i] || choices[i].weight <= 0) {
            continue;
        }
        last = i;
        at -= choices[i].weight;
        if (at < 0) {
            break;
        }
    }
    taken[last] = true;
    return last;
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    bool taken[OPS] = {false};
    for (int64_t k = 0; k < p->n; k++) {
        const choice *const c =
            &choices[p->weighted ? draw_weighted(taken, rng)
                                 : wsr__rng_below(rng, OPS)];
        const wsr__policy_step step = {p->increasing ? c->increasing : c->plain,
                                       p->p, p->m};
        WSR_TRY(wsr__policy_apply(image, &step, p->mstd, &p->moves, rng));
    }
out:
    return status;
}

const wsr__augment_class wsr__augment_rand_augment = {
    .super = {.name = "rand_augment",
              .summary = "`n` random operations, as timm's RandAugment",
              .reference = "Cubuk et al. 2020, arXiv:1909.13719",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
