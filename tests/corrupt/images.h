// SPDX-License-Identifier: Apache-2.0
//
// What the tests of corruptions share: one image, its corruption as bytes, and
// the bytes that the authors' programs make of it.
//
// The stored bytes are those that make_cifar_c.py of github.com/hendrycks/
// robustness returns (scipy 1.10.1, scikit-image 0.19.3, OpenCV 4.6.0, Pillow
// 9.4.0, ImageMagick 6.9.11) for the image of pattern(), at positions
// 389 i % 3072 of (c, h, w).

#ifndef WSR_TESTS_CORRUPT_IMAGES_H
#define WSR_TESTS_CORRUPT_IMAGES_H

#include "corrupt/corrupt.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE, FLOATS = 3 * PIXELS, SAMPLES = 8 };

static inline int pattern_byte(int c, int y, int x)
{
    return (3 * x * x + 7 * y * (5 + c) + x * y * (c + 1)) / 3 % 256;
}

static inline void pattern(float *x)
{
    for (int i = 0; i < FLOATS; i++) {
        x[i] = (float)pattern_byte(i / PIXELS, i / SIDE % SIDE, i % SIDE) /
               255.0f;
    }
}

static inline void constant(float *x, float value)
{
    for (int i = 0; i < FLOATS; i++) {
        x[i] = value;
    }
}

/// Corrupt image number `index` of (3, 32, 32) in place.
static inline void corrupt_one(float *x, const char *name, int severity,
                               size_t index)
{
    const wsr_shape shape = {3, {3, SIDE, SIDE}};
    wsr_corruption *corruption = NULL;
    char options[64];
    (void)snprintf(options, sizeof(options), "severity=%d,seed=4", severity);
    ck_assert_ok(wsr_corruption_new(&corruption, name, &shape, options));
    wsr_corruption_apply(x, corruption, x, &index, 1);
    wsr_corruption_free(corruption);
}

static inline int byte_of(float x)
{
    return (int)lrintf(255.0f * x);
}

/// Compare with the bytes of the authors' program, at most `most` off.
static inline void expect_stored(const char *name, const int stored[5][SAMPLES],
                                 int most)
{
    for (int severity = 1; severity <= 5; severity++) {
        float x[FLOATS];
        pattern(x);
        corrupt_one(x, name, severity, 0);
        for (int i = 0; i < SAMPLES; i++) {
            const int have = byte_of(x[389 * i % FLOATS]);
            const int want = stored[severity - 1][i];
            ck_assert_msg(abs(have - want) <= most,
                          "%s %d: number %d is %d, not %d", name, severity, i,
                          have, want);
        }
    }
}

#endif
