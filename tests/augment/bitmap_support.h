// SPDX-License-Identifier: Apache-2.0
//
// Images of bytes for tests of augmentations, and how to apply one by its spec.

#ifndef WSR_TESTS_BITMAP_SUPPORT_H
#define WSR_TESTS_BITMAP_SUPPORT_H

#include "augment/augment.h"
#include "support/support.h"

#include <string.h>

/// Pictures: any bytes; some of those between 20 and 209; ramps.
typedef enum picture { NOISE, NARROW, RAMPS } picture;

static inline unsigned char picture_byte(picture kind, int64_t c, int64_t y,
                                         int64_t x)
{
    uint64_t z = (uint64_t)(c * 1000003 + y * 1009 + x + 1) *
                 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    const unsigned noise = (unsigned)(z >> 56);
    const unsigned ramp = (unsigned)(3 * x + 2 * y + 50 * c);
    return (unsigned char)(kind == NOISE    ? noise
                           : kind == NARROW ? 20 + noise / 4 * 3
                                            : ramp);
}

/// Make the image one of these pictures, [owned] by the caller.
static inline void bitmap_make(wsr__bitmap *out, wsr__image shape, picture kind)
{
    ck_assert_ok(wsr__bitmap_reserve(out, shape));
    wsr__bitmap_swap(out, shape);
    for (int64_t i = 0; i < wsr__image_floats(shape); i++) {
        const int64_t row = i / shape.w;
        out->bytes[i] =
            picture_byte(kind, row / shape.h, row % shape.h, i % shape.w);
    }
}

/// FNV-1a of the bytes of an image.
static inline uint64_t bitmap_hash(const wsr__bitmap *image)
{
    uint64_t h = 14695981039346656037u;
    for (int64_t i = 0; i < wsr__image_floats(image->shape); i++) {
        h = (h ^ image->bytes[i]) * 1099511628211u;
    }
    return h;
}

/// Apply an augmentation of bytes to an image.
static inline wsr_status bitmap_augment(wsr__bitmap *image, const char *spec,
                                        uint32_t sample)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls;
    void *params = NULL;
    wsr__image out;
    wsr__rng rng = wsr__rng_at(11, WSR__RNG_AUGMENT, 3, sample);
    WSR_TRY(wsr__class_spec(&cls, &params, &wsr__augments, spec));
    const wsr__augment_class *const augment =
        (const wsr__augment_class *)(const void *)cls;
    WSR_TRY(augment->infer(&out, params, image->shape));
    WSR_TRY(augment->apply_bytes(image, params, &rng));
out:
    wsr__free(params);
    return status;
}

#endif
