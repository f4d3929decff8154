// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

static const float linf[3] = {0.007f, 0.01f, 0.014f};
static const float l2[3] = {0.07f, 0.1f, 0.15f};

START_TEST(it_is_at_least_as_strong_as_pgd_on_the_same_loss)
{
    toy_world *const w = toy_begin(7);
    toy_expect_stronger(w, "apgd_dlr:steps=40", "pgddlr:steps=40", linf);
    toy_expect_stronger(w, "apgd_dlr:steps=40,norm=l2",
                        "pgddlr:norm=l2,steps=40", l2);
    toy_end(w);
}
END_TEST

START_TEST(it_is_sure_of_itself_where_the_cross_entropy_vanishes)
{
    toy_world *const w = toy_begin(7);
    for (size_t i = 0; i < TOY_CLASSES * TOY_HIDDEN; i++) {
        w->of.v[i] *= 1e6f; // every probability is 0 or 1
    }
    toy_expect_stronger(w, "apgd_dlr:steps=20", "fgsm", linf);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_is_at_least_as_strong_as_pgd_on_the_same_loss,
        it_is_sure_of_itself_where_the_cross_entropy_vanishes, NULL};
    return suite_of("apgd_dlr", tests);
}
