// SPDX-License-Identifier: Apache-2.0

#include "base/fidelity.h"
#include "support/support.h"

#include <stddef.h>
#include <string.h>

typedef struct params {
    wsr__text fidelity;
    wsr__text order;
} params;

static const wsr__option schema[] = {
    WSR__FIDELITY(params),
    WSR__QUIRK(params, order, "which way round"),
    {0},
};

static bool released(const char *options)
{
    params p;
    wsr__params_default(&p, schema);
    ck_assert_ok(wsr__params_parse(&p, schema, "", options));
    return wsr__is_released(&p.order, &p.fidelity);
}

START_TEST(a_quirk_follows_fidelity_unless_it_is_set)
{
    ck_assert(!released(""));
    ck_assert(released("fidelity=released"));
    ck_assert(!released("fidelity=released,order=intended"));
    ck_assert(released("order=released"));
    ck_assert(released("fidelity=released,order=auto"));
}
END_TEST

START_TEST(other_words_are_refused)
{
    params p;
    wsr__params_default(&p, schema);
    ck_assert_fails(wsr__params_parse(&p, schema, "", "fidelity=relased"),
                    WSR_CONFIG, "released");
    ck_assert_fails(wsr__params_parse(&p, schema, "", "fidelity=auto"),
                    WSR_CONFIG, "fidelity");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_quirk_follows_fidelity_unless_it_is_set,
        other_words_are_refused,
        NULL,
    };
    return suite_of("fidelity", tests);
}
