// SPDX-License-Identifier: Apache-2.0
//
// The operations of timm by name, with the formulas of its levels, written
// apart from the library's; and sets of images that a policy may make of one.

#ifndef WSR_TESTS_TIMM_SUPPORT_H
#define WSR_TESTS_TIMM_SUPPORT_H

#include "augment/bitmap_support.h"
#include "augment/image_ops.h"

#include <math.h>

/// argument = offset + range * level / 10, the latter made whole where `whole`,
/// and negated for the sign -1 where it is `mirrored`.
typedef struct timm_op {
    const char *name;
    wsr__image_op op;
    double offset;
    double range;
    bool whole;
    bool mirrored;
} timm_op;

static const timm_op timm_ops[] = {
    {"AutoContrast", wsr__image_autocontrast, 0, 0, false, false},
    {"Equalize", wsr__image_equalize, 0, 0, false, false},
    {"Invert", wsr__image_invert, 0, 0, false, false},
    {"Rotate", wsr__image_rotate, 0, 30, false, true},
    {"Posterize", wsr__image_posterize, 0, 4, true, false},
    {"PosterizeIncreasing", wsr__image_posterize, 4, -4, true, false},
    {"PosterizeOriginal", wsr__image_posterize, 4, 4, true, false},
    {"Solarize", wsr__image_solarize, 0, 256, true, false},
    {"SolarizeIncreasing", wsr__image_solarize, 256, -256, true, false},
    {"SolarizeAdd", wsr__image_solarize_add, 0, 110, true, false},
    {"Color", wsr__image_color, 0.1, 1.8, false, false},
    {"ColorIncreasing", wsr__image_color, 1, 0.9, false, true},
    {"Contrast", wsr__image_contrast, 0.1, 1.8, false, false},
    {"ContrastIncreasing", wsr__image_contrast, 1, 0.9, false, true},
    {"Brightness", wsr__image_brightness, 0.1, 1.8, false, false},
    {"BrightnessIncreasing", wsr__image_brightness, 1, 0.9, false, true},
    {"Sharpness", wsr__image_sharpness, 0.1, 1.8, false, false},
    {"SharpnessIncreasing", wsr__image_sharpness, 1, 0.9, false, true},
    {"ShearX", wsr__image_shear_x, 0, 0.3, false, true},
    {"ShearY", wsr__image_shear_y, 0, 0.3, false, true},
    {"TranslateXRel", wsr__image_translate_x_rel, 0, 0.45, false, true},
    {"TranslateYRel", wsr__image_translate_y_rel, 0, 0.45, false, true},
};

enum { TIMM_OPS = sizeof(timm_ops) / sizeof(*timm_ops) };

static inline const timm_op *timm_find(const char *name)
{
    for (size_t i = 0; i < TIMM_OPS; i++) {
        if (strcmp(timm_ops[i].name, name) == 0) {
            return &timm_ops[i];
        }
    }
    ck_abort_msg("timm has no %s", name);
}

static inline double timm_argument(const timm_op *op, double level, double sign)
{
    const double part = level / 10 * op->range * (op->mirrored ? sign : 1);
    return op->whole ? op->offset + trunc(part) : part + op->offset;
}

// ---------------------------------------------------------------------- sets

enum { MOST_HASHES = 4096 };

/// Images that are possible, by their hashes, and how often each came.
typedef struct outcomes {
    size_t n;
    uint64_t hash[MOST_HASHES];
    size_t seen[MOST_HASHES];
} outcomes;

static inline void outcomes_add(outcomes *set, const wsr__bitmap *image)
{
    const uint64_t h = bitmap_hash(image);
    for (size_t i = 0; i < set->n; i++) {
        if (set->hash[i] == h) {
            return;
        }
    }
    ck_assert_uint_lt(set->n, MOST_HASHES);
    set->hash[set->n++] = h;
}

/// Count an image; false when it is not possible.
static inline bool outcomes_count(outcomes *set, const wsr__bitmap *image)
{
    const uint64_t h = bitmap_hash(image);
    for (size_t i = 0; i < set->n; i++) {
        if (set->hash[i] == h) {
            set->seen[i]++;
            return true;
        }
    }
    return false;
}

static inline size_t outcomes_seen(const outcomes *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        n += set->seen[i] > 0;
    }
    return n;
}

static inline void bitmap_copy(wsr__bitmap *to, const wsr__bitmap *from)
{
    ck_assert_ok(wsr__bitmap_reserve(to, from->shape));
    memcpy(to->spare, from->bytes, (size_t)wsr__image_floats(from->shape));
    wsr__bitmap_swap(to, from->shape);
}

/// Call `next` with each image that the operation may make at this level: two
/// signs, bilinear and bicubic.
static inline void timm_each(const wsr__bitmap *image, const timm_op *op,
                             double level,
                             void (*next)(const wsr__bitmap *, void *),
                             void *user)
{
    for (int k = 0; k < 4; k++) {
        const wsr__border border = {k & 1 ? WSR__SAMPLE_BICUBIC
                                          : WSR__SAMPLE_BILINEAR,
                                    {124, 116, 104}};
        const double sign = k & 2 ? 1 : -1;
        wsr__bitmap copy = {0};
        bitmap_copy(&copy, image);
        ck_assert_ok(op->op(&copy, timm_argument(op, level, sign), &border));
        next(&copy, user);
        wsr__bitmap_free(&copy);
    }
}

#endif
