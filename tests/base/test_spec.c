// SPDX-License-Identifier: Apache-2.0

#include "base/param.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

START_TEST(a_piece_ends_at_a_comma_that_separates)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"", 0},
        {"a", 1},
        {"a,b", 1},
        {",a", 0},
        {"[a,b],c", 5},
        {"\"a,b\",c", 5},
        {"a\\,b,c", 4},
        {"a\\\\,b", 3},
        {"\"a\\\",b\",c", 7},
        {"[\"]\",x],c", 7},
        {"a\\b,c", 3},
        {"a],b", 2},
        {"a\\[,b", 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ck_assert_uint_eq(wsr__spec_piece(rows[i].text), rows[i].length);
    }
}
END_TEST

START_TEST(quotes_and_backslashes_go)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"plain/file.gz", "plain/file.gz"},
        {"\"a,b\"", "a,b"},
        {"a\\,b", "a,b"},
        {"a\\\\b", "a\\b"},
        {"a\\nb", "a\\nb"},
        {"\\\"x\\\"", "\"x\""},
        {"\"say \\\"x\\\"\"", "say \"x\""},
        {"/a\"b,c\"/d", "/ab,c/d"},
        {"\\[a\\]", "[a]"},
        {"[\"a,b\",c\\,d]", "[\"a,b\",c\\,d]"},
        {"a\\", "a\\"},
        {"\"\"", ""},
    };
    wsr__str out = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ck_assert_ok(wsr__spec_unquote(&out, rows[i][0], strlen(rows[i][0])));
        ck_assert_str_eq(out.s, rows[i][1]);
    }
    ck_assert_fails(wsr__spec_unquote(&out, "\"a,b", 4), WSR_CONFIG,
                    "'\"a,b' has a quote that is not closed");
    wsr__str_free(&out);
}
END_TEST

// Texts of all kinds of special characters, quoted and read back.
START_TEST(a_quoted_text_means_itself)
{
    static const char letters[] = "a,[]\"\\=:";
    const size_t n = sizeof(letters) - 1;
    for (size_t code = 0; code < n * n * n * n; code++) {
        const char text[] = {letters[code % n], letters[code / n % n],
                             letters[code / n / n % n],
                             letters[code / n / n / n], '\0'};
        wsr__str quoted = {0};
        wsr__str back = {0};
        wsr__spec_quote(&quoted, text);
        const size_t len = wsr__spec_piece(quoted.s);
        ck_assert_uint_eq(len, quoted.len);
        ck_assert_ok(wsr__spec_unquote(&back, quoted.s, len));
        ck_assert_str_eq(back.s, text);
        wsr__str_free(&quoted);
        wsr__str_free(&back);
    }
}
END_TEST

START_TEST(callers_can_quote_values)
{
    char *text = NULL;
    ck_assert_ok(wsr_option_quote(&text, "plain/file.gz"));
    ck_assert_str_eq(text, "plain/file.gz");
    wsr_text_free(text);
    ck_assert_ok(wsr_option_quote(&text, "/a,\"b\""));
    ck_assert_str_eq(text, "\"/a,\\\"b\\\"\"");
    wsr_text_free(text);
    ck_assert_ok(wsr_option_quote(&text, ""));
    ck_assert_str_eq(text, "");
    wsr_text_free(text);
}
END_TEST

START_TEST(a_list_of_specs_is_cut_between_them)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"fgsm,pgd", 4},
        {"pgd:steps=2,eps=1,fgsm", 17},
        {"estimator:net=\"a,b=c\",steps=2,fgsm", 29},
        {"estimator:net=a\\,b=c,fgsm", 20},
        {"chain:attacks=[a,b:net=\"x,]\"],c", 29},
        {"a,\"b=c\"", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ck_assert_uint_eq(wsr__spec_length(rows[i].text), rows[i].length);
    }
}
END_TEST

static wsr_status quote_and_back(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr__str quoted = {0};
    wsr__str back = {0};
    wsr__spec_quote(&quoted, ctx);
    WSR_TRY(wsr__str_status(&quoted));
    WSR_TRY(wsr__spec_unquote(&back, quoted.s, quoted.len));
out:
    wsr__str_free(&quoted);
    wsr__str_free(&back);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char text[] = "a,b";
    ck_assert_uint_gt(oom_sweep(quote_and_back, text), 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_piece_ends_at_a_comma_that_separates,
                                  quotes_and_backslashes_go,
                                  a_quoted_text_means_itself,
                                  callers_can_quote_values,
                                  a_list_of_specs_is_cut_between_them,
                                  short_memory_is_reported_without_a_leak,
                                  NULL};
    return suite_of("spec", tests);
}
