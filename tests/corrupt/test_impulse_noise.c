// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// Shares within 4 standard errors.
START_TEST(a_share_becomes_salt_or_pepper_and_the_rest_stays)
{
    static const double share[5] = {0.01, 0.02, 0.03, 0.05, 0.07};
    for (int severity = 1; severity <= 5; severity++) {
        float x[FLOATS];
        double count[2] = {0, 0};
        constant(x, 100.0f / 255.0f);
        corrupt_one(x, "impulse_noise", severity, 5);
        for (int i = 0; i < FLOATS; i++) {
            const int b = byte_of(x[i]);
            ck_assert(b == 0 || b == 255 || b == 100);
            count[0] += b == 0;
            count[1] += b == 255;
        }
        const double want = share[severity - 1] * FLOATS;
        ck_assert_double_eq_tol(count[0] + count[1], want, 4 * sqrt(want));
        ck_assert_double_eq_tol(count[0], count[1], 4 * sqrt(want));
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_share_becomes_salt_or_pepper_and_the_rest_stays,
        NULL,
    };
    return suite_of("impulse_noise", tests);
}
