// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

// Points ahead and corrections both begin with the second step.
START_TEST(it_looks_ahead_and_corrects)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "vnifgsm:steps=1", "mifgsm:steps=1", 0.04f);
    toy_expect_same(w, "vnifgsm:steps=6,samples=1,beta=0,decay=0",
                    "mifgsm:steps=6,decay=0", 0.04f);
    toy_expect_apart(w, "vnifgsm:steps=6", "nifgsm:steps=6", 0.2f);
    toy_expect_apart(w, "vnifgsm:steps=6,samples=1,beta=0",
                     "vmifgsm:steps=6,samples=1,beta=0", 0.2f);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_looks_ahead_and_corrects, NULL};
    return suite_of("vnifgsm", tests);
}
