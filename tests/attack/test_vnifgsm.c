// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

static void expect_apart(toy_world *w, const char *one, const char *other)
{
    wsr_attack_result *const a = toy_run(w, one, "stop=false", 0.2f);
    wsr_attack_result *const b = toy_run(w, other, "stop=false", 0.2f);
    ck_assert_mem_ne(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(w->x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
}

// Points ahead and corrections both begin with the second step.
START_TEST(it_looks_ahead_and_corrects)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "vnifgsm:steps=1", "mifgsm:steps=1", 0.04f);
    toy_expect_same(w, "vnifgsm:steps=6,samples=1,beta=0,decay=0",
                    "mifgsm:steps=6,decay=0", 0.04f);
    expect_apart(w, "vnifgsm:steps=6", "nifgsm:steps=6");
    expect_apart(w, "vnifgsm:steps=6,samples=1,beta=0",
                 "vmifgsm:steps=6,samples=1,beta=0");
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_looks_ahead_and_corrects, NULL};
    return suite_of("vnifgsm", tests);
}
