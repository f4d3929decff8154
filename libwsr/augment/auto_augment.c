// SPDX-License-Identifier: Apache-2.0
//
// AutoAugment (Cubuk et al. 2019, arXiv:1805.09501): one of 25 pairs of
// operations, found by a search on ImageNet, is drawn for each image, and each
// operation of it applied with its own probability and magnitude. The policies
// of timm: `original` is the paper's, `v0` that of the TPU code of
// EfficientNet; v0r and originalr posterize more at larger magnitudes.

#include "augment/policy.h"

enum { PAIRS = 25 };

typedef struct params {
    wsr__text policy;
    double mstd;
    wsr__policy_moves moves;
} params;

static const char *const names[] = {"v0", "v0r", "original", "originalr", NULL};

static const wsr__option schema[] = {
    {.key = "policy",
     .kind = WSR__WORD,
     .offset = offsetof(params, policy),
     .fallback = "original",
     .unit = "",
     .help = "pairs of operations to draw from",
     .words = names},
    {.key = "mstd",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, mstd),
     .fallback = "0",
     .min = 0,
     .max = 1000,
     .unit = "",
     .help = "deviation of magnitudes; above 100: uniform from 0 to them"},
    WSR__POLICY_MOVES("random", "[124, 116, 104]"),
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    return wsr__policy_infer(out, in, "auto_augment", &p->moves);
}

// ------------------------------------------------------------------ policies

#define OP(name, p, magnitude)            \
    {                                     \
        &wsr__op_##name, (p), (magnitude) \
    }
// The posterization that the policy asks for.
#define POSTERIZE(p, magnitude) \
    {                           \
        NULL, (p), (magnitude)  \
    }

static const wsr__policy_step v0[PAIRS][2] = {
    {OP(equalize, 0.8, 1), OP(shear_y, 0.8, 4)},
    {OP(color, 0.4, 9), OP(equalize, 0.6, 3)},
    {OP(color, 0.4, 1), OP(rotate, 0.6, 8)},
    {OP(solarize, 0.8, 3), OP(equalize, 0.4, 7)},
    {OP(solarize, 0.4, 2), OP(solarize, 0.6, 2)},
    {OP(color, 0.2, 0), OP(equalize, 0.8, 8)},
    {OP(equalize, 0.4, 8), OP(solarize_add, 0.8, 3)},
    {OP(shear_x, 0.2, 9), OP(rotate, 0.6, 8)},
    {OP(color, 0.6, 1), OP(equalize, 1.0, 2)},
    {OP(invert, 0.4, 9), OP(rotate, 0.6, 0)},
    {OP(equalize, 1.0, 9), OP(shear_y, 0.6, 3)},
    {OP(color, 0.4, 7), OP(equalize, 0.6, 0)},
    {POSTERIZE(0.4, 6), OP(autocontrast, 0.4, 7)},
    {OP(solarize, 0.6, 8), OP(color, 0.6, 9)},
    {OP(solarize, 0.2, 4), OP(rotate, 0.8, 9)},
    {OP(rotate, 1.0, 7), OP(translate_y_rel, 0.8, 9)},
    {OP(shear_x, 0.0, 0), OP(solarize, 0.8, 4)},
    {OP(shear_y, 0.8, 0), OP(color, 0.6, 4)},
    {OP(color, 1.0, 0), OP(rotate, 0.6, 2)},
    {OP(equalize, 0.8, 4), OP(equalize, 0.0, 8)},
    {OP(equalize, 1.0, 4), OP(autocontrast, 0.6, 2)},
    {OP(shear_y, 0.4, 7), OP(solarize_add, 0.6, 7)},
    {POSTERIZE(0.8, 2), OP(solarize, 0.6, 10)},
    {OP(solarize, 0.6, 8), OP(equalize, 0.6, 1)},
    {OP(color, 0.8, 6), OP(rotate, 0.4, 5)},
};

// The last pairs repeat earlier ones, as in the paper.
static const wsr__policy_step original[PAIRS][2] = {
    {POSTERIZE(0.4, 8), OP(rotate, 0.6, 9)},
    {OP(solarize, 0.6, 5), OP(autocontrast, 0.6, 5)},
    {OP(equalize, 0.8, 8), OP(equalize, 0.6, 3)},
    {POSTERIZE(0.6, 7), POSTERIZE(0.6, 6)},
    {OP(equalize, 0.4, 7), OP(solarize, 0.2, 4)},
    {OP(equalize, 0.4, 4), OP(rotate, 0.8, 8)},
    {OP(solarize, 0.6, 3), OP(equalize, 0.6, 7)},
    {POSTERIZE(0.8, 5), OP(equalize, 1.0, 2)},
    {OP(rotate, 0.2, 3), OP(solarize, 0.6, 8)},
    {OP(equalize, 0.6, 8), POSTERIZE(0.4, 6)},
    {OP(rotate, 0.8, 8), OP(color, 0.4, 0)},
    {OP(rotate, 0.4, 9), OP(equalize, 0.6, 2)},
    {OP(equalize, 0.0, 7), OP(equalize, 0.8, 8)},
    {OP(invert, 0.6, 4), OP(equalize, 1.0, 8)},
    {OP(color, 0.6, 4), OP(contrast, 1.0, 8)},
    {OP(rotate, 0.8, 8), OP(color, 1.0, 2)},
    {OP(color, 0.8, 8), OP(solarize, 0.8, 7)},
    {OP(sharpness, 0.4, 7), OP(invert, 0.6, 8)},
    {OP(shear_x, 0.6, 5), OP(equalize, 1.0, 9)},
    {OP(color, 0.4, 0), OP(equalize, 0.6, 3)},
    {OP(equalize, 0.4, 7), OP(solarize, 0.2, 4)},
    {OP(solarize, 0.6, 5), OP(autocontrast, 0.6, 5)},
    {OP(invert, 0.6, 4), OP(equalize, 1.0, 8)},
    {OP(color, 0.6, 4), OP(contrast, 1.0, 8)},
    {OP(equalize, 0.8, 8), OP(equalize, 0.6, 3)},
};

typedef struct policy {
    const wsr__policy_step (*pairs)[2];
    const wsr__policy_op *posterize;
} policy;

// In the order of `names`.
static const policy policies[] = {
    {v0, &wsr__op_posterize},
    {v0, &wsr__op_posterize_increasing},
    {original, &wsr__op_posterize_original},
    {original, &wsr__op_posterize_increasing},
};

static const policy *policy_of(const params *p)
{
    size_t i = 0;
    while (names[i + 1] != NULL && !wsr__streq(p->policy.s, names[i])) {
        i++;
    }
    return &policies[i];
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const policy *const chosen = policy_of(p);
    const uint32_t pair = wsr__rng_below(rng, PAIRS);
    for (size_t k = 0; k < 2; k++) {
        wsr__policy_step step = chosen->pairs[pair][k];
        if (step.op == NULL) {
            step.op = chosen->posterize;
        }
        WSR_TRY(wsr__policy_apply(image, &step, p->mstd, &p->moves, rng));
    }
out:
    return status;
}

const wsr__augment_class wsr__augment_auto_augment = {
    .super = {.name = "auto_augment",
              .summary = "two operations of a policy found by search",
              .reference = "Cubuk et al. 2019, arXiv:1805.09501",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
