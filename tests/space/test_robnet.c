// SPDX-License-Identifier: Apache-2.0

#include "space/space.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

static const char good[] =
    "name: r\n"
    "share: true\n"
    "codes:\n"
    "  - [\"00\", \"01\", 10, 11, 00, 01, 10, 11, 00, 01, 10, 11, 00, 01]\n";

static void reject(const char *from, const char *to, const char *words)
{
    char changed[1024];
    const char *const at = strstr(good, from);
    wsr_robnet_codes *codes = NULL;
    ck_assert_ptr_nonnull(at);
    (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - good), good,
                   to, at + strlen(from));
    ck_assert_fails(wsr_robnet_codes_parse(&codes, changed, "r.yaml"),
                    WSR_FORMAT, words);
    ck_assert_ptr_null(codes);
}

START_TEST(codes_are_read_in_the_order_of_edges)
{
    wsr_robnet_codes *codes = NULL;
    ck_assert_ok(wsr_robnet_codes_parse(&codes, good, "r.yaml"));
    ck_assert_str_eq(wsr_robnet_codes_name(codes), "r");
    ck_assert(wsr_robnet_codes_share(codes));
    ck_assert_uint_eq(wsr_robnet_codes_count(codes), 1);
    for (size_t edge = 0; edge < WSR__ROBNET_EDGES; edge++) {
        ck_assert_uint_eq(wsr_robnet_codes_at(codes, 0, edge), edge % 4);
        ck_assert_uint_eq(wsr_robnet_codes_at(codes, 7, edge), edge % 4);
    }
    wsr_robnet_codes_free(codes);
}
END_TEST

START_TEST(printed_codes_are_read_back)
{
    static const char *const names[] = {"robnet_small", "robnet_free"};
    for (size_t k = 0; k < 2; k++) {
        wsr_robnet_codes *codes = NULL;
        wsr_robnet_codes *other = NULL;
        char *text = NULL;
        ck_assert_ok(wsr_robnet_codes_load(&codes, names[k]));
        ck_assert_ok(wsr_robnet_codes_print(&text, codes));
        ck_assert_ok(wsr_robnet_codes_parse(&other, text, "other.yaml"));
        ck_assert_str_eq(wsr_robnet_codes_name(other),
                         wsr_robnet_codes_name(codes));
        ck_assert(wsr_robnet_codes_share(other) ==
                  wsr_robnet_codes_share(codes));
        ck_assert_uint_eq(wsr_robnet_codes_count(other),
                          wsr_robnet_codes_count(codes));
        for (size_t i = 0;
             i < wsr_robnet_codes_count(codes) * WSR__ROBNET_EDGES; i++) {
            const size_t at[2] = {i / WSR__ROBNET_EDGES, i % WSR__ROBNET_EDGES};
            ck_assert_uint_eq(wsr_robnet_codes_at(other, at[0], at[1]),
                              wsr_robnet_codes_at(codes, at[0], at[1]));
        }
        wsr_text_free(text);
        wsr_robnet_codes_free(codes);
        wsr_robnet_codes_free(other);
    }
}
END_TEST

START_TEST(shipped_codes_are_the_published_ones)
{
    wsr_robnet_codes *codes = NULL;
    wsr_robnet_codes *other = NULL;
    static const unsigned large[] = {3, 3, 3, 3, 3, 1, 3, 1, 2, 3, 1, 1, 1, 3};
    static const unsigned last[] = {3, 3, 1, 1, 3, 3, 1, 0, 0, 2, 0, 1, 1, 3};
    ck_assert_ok(wsr_robnet_codes_load(&codes, "robnet_large_v1"));
    ck_assert_ok(wsr_robnet_codes_load(&other, "robnet_large_v2"));
    for (size_t e = 0; e < WSR__ROBNET_EDGES; e++) {
        ck_assert_uint_eq(wsr_robnet_codes_at(codes, 0, e), large[e]);
        ck_assert_uint_eq(wsr_robnet_codes_at(other, 0, e), large[e]);
    }
    wsr_robnet_codes_free(other);
    wsr_robnet_codes_free(codes);
    ck_assert_ok(wsr_robnet_codes_load(&codes, "robnet_small"));
    ck_assert_uint_eq(wsr_robnet_codes_at(codes, 0, 13), 2);
    ck_assert(wsr_robnet_codes_share(codes));
    wsr_robnet_codes_free(codes);
    ck_assert_ok(wsr_robnet_codes_load(&codes, "robnet_free"));
    ck_assert(!wsr_robnet_codes_share(codes));
    ck_assert_uint_eq(wsr_robnet_codes_count(codes), 20);
    for (size_t e = 0; e < WSR__ROBNET_EDGES; e++) {
        ck_assert_uint_eq(wsr_robnet_codes_at(codes, 19, e), last[e]);
    }
    wsr_robnet_codes_free(codes);
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_line)
{
    wsr_robnet_codes *codes = NULL;
    reject("10, 11", "12, 11",
           "codes: '12' is none of 00, 01, 10, 11 "
           "(r.yaml:4)");
    reject("10, 11, ", "", "codes: entry is not a list of 14 codes (r.yaml:4)");
    reject("share: true", "share: maybe",
           "share: 'maybe' is neither true nor false (r.yaml:2)");
    reject("share: true", "shar: true",
           "shar: is no key of RobNet codes, did you mean 'share' (r.yaml:2)");
    reject("codes:\n  -", "codes: []\nx:\n  -", "codes: is not a list of 1 to");
    reject("codes:", "cods:", "codes: is missing (r.yaml)");
    reject("name: r", "name: []", "name: is not a word");
    reject("codes:",
           "codes:\n  - [00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, "
           "00, 00, 00]",
           "codes: 2 lists, but a shared cell has one (r.yaml)");
    ck_assert_fails(wsr_robnet_codes_load(&codes, "robnet_smal"), WSR_NOTFOUND,
                    "RobNet: there is no 'robnet_smal', did you mean "
                    "'robnet_small'");
}
END_TEST

static wsr_status load_and_free(void *ctx)
{
    wsr_robnet_codes *codes = NULL;
    const wsr_status status = wsr_robnet_codes_load(&codes, ctx);
    wsr_robnet_codes_free(codes);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char name[] = "robnet_small";
    ck_assert_uint_gt(oom_sweep(load_and_free, name), 20);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        codes_are_read_in_the_order_of_edges,
        printed_codes_are_read_back,
        shipped_codes_are_the_published_ones,
        what_is_wrong_is_named_with_its_line,
        short_memory_is_reported_without_a_leak,
        NULL,
    };
    return suite_of("space/robnet", tests);
}
