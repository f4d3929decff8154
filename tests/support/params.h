// SPDX-License-Identifier: Apache-2.0
//
// Comparing sets of parameters.

#ifndef WSR_TESTS_PARAMS_H
#define WSR_TESTS_PARAMS_H

#include "support/support.h"
#include "wsr/tensor.h"

/// The same names in the same order, and the same numbers bit for bit.
static inline void expect_same_params(const wsr_params *p, const wsr_params *q)
{
    ck_assert_uint_eq(wsr_params_count(p), wsr_params_count(q));
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, i));
        ck_assert_str_eq(wsr_params_name(p, i), wsr_params_name(q, i));
        ck_assert_mem_eq(wsr_params_data(p, i), wsr_params_data(q, i),
                         n * sizeof(float));
    }
}

#endif
