// SPDX-License-Identifier: Apache-2.0
//
// An estimator of noise for the toy's images, and a file of it.

#ifndef WSR_TESTS_ATTACK_TOY_ESTIMATOR_H
#define WSR_TESTS_ATTACK_TOY_ESTIMATOR_H

#include "attack/model_support.h"
#include "wsr/estimator.h"

#include <stdio.h>

static inline wsr_estimator *toy_estimator(void)
{
    const wsr_shape image = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_estimator *est = NULL;
    ck_assert_ok(wsr_estimator_new(&est, "an", &image, 3));
    return est;
}

/// Path of its file, written by the first call. [borrowed, static]
static inline const char *toy_estimator_file(void)
{
    static char path[400];
    if (path[0] == '\0') {
        wsr_estimator *const est = toy_estimator();
        (void)snprintf(path, sizeof(path), "%s/estimator.safetensors",
                       scratch_folder("estimator"));
        ck_assert_ok(wsr_estimator_save(est, path));
        wsr_estimator_free(est);
    }
    return path;
}

#endif
