// SPDX-License-Identifier: Apache-2.0
//
// Applying a pipeline to an image that a test has.

#ifndef WSR_TESTS_AUGMENT_APPLY_H
#define WSR_TESTS_AUGMENT_APPLY_H

#include "augment/augment.h"
#include "support/support.h"

#include <string.h>

/// dst = pipeline(src), both (c, h, w).
static inline void apply_pipeline(float *dst, const wsr__pipeline *pipeline,
                                  const float *src, size_t floats,
                                  wsr__rng *rng)
{
    wsr__workspace workspace;
    ck_assert_ok(wsr__workspace_make(&workspace, pipeline));
    memcpy(wsr__pipeline_input(pipeline, dst, &workspace), src,
           floats * sizeof(*src));
    ck_assert_ok(wsr__pipeline_apply(dst, pipeline, &workspace, rng));
    wsr__workspace_free(&workspace);
}

#endif
