// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <float.h>
#include <string.h>

START_TEST(decimal_text_is_a_number)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0.0},     {"-1", -1.0},    {"+2.5", 2.5},  {".5", 0.5},
                 {"1e-3", 1e-3}, {"1E3", 1e3},    {"0.1", 0.1},   {"3.", 3.0},
                 {"-0", -0.0},   {"0e-999", 0.0}, {"0.00e5", 0.0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double value = 99.0;
        ck_assert(wsr__parse_double(&value, cases[i].text));
        ck_assert_double_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(other_text_is_no_number)
{
    static const char *const cases[] = {
        "",      " 1",   "1 ",    "abc",    "nan",         "inf",
        "-inf",  "0x10", "1e999", "1e-400", "-0.001e-399", "1,5",
        "1.2.3", "--1",  "1e",    "e5",     "+",           "."};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double value = 99.0;
        ck_assert_msg(!wsr__parse_double(&value, cases[i]), "%s", cases[i]);
        ck_assert_double_eq(value, 99.0);
    }
}
END_TEST

START_TEST(whole_numbers_span_64_bits)
{
    int64_t value = 0;
    ck_assert(wsr__parse_int(&value, "9223372036854775807"));
    ck_assert_int_eq(value, INT64_MAX);
    ck_assert(wsr__parse_int(&value, "-9223372036854775808"));
    ck_assert_int_eq(value, INT64_MIN);
    ck_assert(!wsr__parse_int(&value, "9223372036854775808"));
    ck_assert(!wsr__parse_int(&value, "1.0"));
    ck_assert(!wsr__parse_int(&value, "1e3"));
    ck_assert(!wsr__parse_int(&value, ""));
    ck_assert(!wsr__parse_int(&value, " 1"));
    ck_assert(!wsr__parse_int(&value, "-"));
}
END_TEST

START_TEST(printed_numbers_are_short)
{
    char text[32];
    wsr__format_float(text, 0.1f);
    ck_assert_str_eq(text, "0.1");
    wsr__format_double(text, 0.1);
    ck_assert_str_eq(text, "0.1");
    wsr__format_double(text, 1000.0);
    ck_assert_str_eq(text, "1000");
    wsr__format_double(text, -2.5);
    ck_assert_str_eq(text, "-2.5");
    wsr__format_double(text, 8.0 / 255.0);
    ck_assert_str_eq(text, "0.03137254901960784");
}
END_TEST

START_TEST(printed_numbers_read_back_to_the_same)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        char text[32];
        double back = 0.0;
        union {
            uint32_t bits;
            float value;
        } f = {.bits = wsr__rng_u32(&rng)};
        if (f.value - f.value != 0.0f) {
            continue; // NaN or infinite
        }
        wsr__format_float(text, f.value);
        ck_assert_msg(wsr__parse_double(&back, text), "%s", text);
        ck_assert((float)back == f.value);
        const double d = (double)f.value * 1.1;
        wsr__format_double(text, d);
        ck_assert_msg(wsr__parse_double(&back, text), "%s", text);
        ck_assert(back == d);
    }
}
END_TEST

START_TEST(extreme_numbers_fit_the_buffer)
{
    static const double cases[] = {DBL_MAX, -DBL_MAX, DBL_MIN, -DBL_MIN,
                                   5e-324};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        double back = 0.0;
        wsr__format_double(text, cases[i]);
        ck_assert_uint_lt(strlen(text), 31);
        ck_assert(wsr__parse_double(&back, text));
        ck_assert(back == cases[i]);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        decimal_text_is_a_number,
        other_text_is_no_number,
        whole_numbers_span_64_bits,
        printed_numbers_are_short,
        printed_numbers_read_back_to_the_same,
        extreme_numbers_fit_the_buffer,
        NULL,
    };
    return suite_of("number", tests);
}
