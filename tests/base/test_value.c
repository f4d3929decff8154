// SPDX-License-Identifier: Apache-2.0

#include "base/param.h"
#include "support/support.h"

#include <string.h>

static const char *const norms[] = {"linf", "l2", "l1", NULL};

static const wsr__option on_off = {.key = "flag", .kind = WSR__BOOL};
static const wsr__option count = {
    .key = "count", .kind = WSR__INT, .min = 1, .max = 1000};
static const wsr__option free_count = {.key = "count", .kind = WSR__INT};
static const wsr__option eps = {
    .key = "eps", .kind = WSR__FLOAT, .min = 0, .max = 1};
static const wsr__option norm = {
    .key = "norm", .kind = WSR__WORD, .words = norms};
static const wsr__option text = {.key = "text", .kind = WSR__TEXT};
static const wsr__option floats = {
    .key = "floats", .kind = WSR__FLOATS, .min = 0, .max = 1};
static const wsr__option ints = {
    .key = "ints", .kind = WSR__INTS, .min = 0, .max = 9};

START_TEST(booleans_have_four_spellings)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        bool value = false;
        ck_assert_ok(wsr__value_decode(&value, &on_off, yes[i]));
        ck_assert(value);
        ck_assert_ok(wsr__value_decode(&value, &on_off, no[i]));
        ck_assert(!value);
    }
    bool value = true;
    ck_assert_fails(wsr__value_decode(&value, &on_off, "maybe"), WSR_CONFIG,
                    "'maybe' is neither true nor false");
    ck_assert(value);
}
END_TEST

START_TEST(bounds_include_both_ends)
{
    int64_t value = -1;
    ck_assert_ok(wsr__value_decode(&value, &count, "1"));
    ck_assert_ok(wsr__value_decode(&value, &count, "1000"));
    ck_assert_int_eq(value, 1000);
    ck_assert_fails(wsr__value_decode(&value, &count, "0"), WSR_CONFIG,
                    "0 is outside [1, 1000]");
    ck_assert_fails(wsr__value_decode(&value, &count, "1001"), WSR_CONFIG,
                    "1001 is outside [1, 1000]");
    ck_assert_int_eq(value, 1000);
    ck_assert_ok(wsr__value_decode(&value, &free_count, "-77"));
    ck_assert_int_eq(value, -77);
}
END_TEST

START_TEST(whole_numbers_take_no_fractions)
{
    int64_t value = 5;
    ck_assert_fails(wsr__value_decode(&value, &count, "2.5"), WSR_CONFIG,
                    "'2.5' is not a whole number");
    ck_assert_fails(wsr__value_decode(&value, &count, ""), WSR_CONFIG,
                    "'' is not a whole number");
}
END_TEST

START_TEST(fractions_are_understood)
{
    double value = 0.0;
    ck_assert_ok(wsr__value_decode(&value, &eps, "8/255"));
    ck_assert_double_eq(value, 8.0 / 255.0);
    ck_assert_ok(wsr__value_decode(&value, &eps, "0.25"));
    ck_assert_double_eq(value, 0.25);
    static const char *const bad[] = {"8/0", "/255", "8/", "1/2/3", "a/b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(wsr__value_decode(&value, &eps, bad[i]), WSR_CONFIG,
                        "is not a number");
    }
    ck_assert_fails(wsr__value_decode(&value, &eps, "300/255"), WSR_CONFIG,
                    "300/255 is outside [0, 1]");
    ck_assert_double_eq(value, 0.25);
}
END_TEST

START_TEST(nan_and_infinity_are_refused)
{
    double value = 0.5;
    ck_assert_int_eq(wsr__value_decode(&value, &eps, "nan"), WSR_CONFIG);
    ck_assert_int_eq(wsr__value_decode(&value, &eps, "inf"), WSR_CONFIG);
    ck_assert_double_eq(value, 0.5);
}
END_TEST

START_TEST(numbers_that_cannot_be_held_are_refused)
{
    static const wsr__option free_float = {.key = "x", .kind = WSR__FLOAT};
    static const wsr__option free_int = {.key = "n", .kind = WSR__INT};
    static const char *const bad[] = {
        "1e-400", "-1e-400", "1e-60",      "7e-46",      "1e39",
        "-1e39",  "1e400",   "1e-30/1e30", "1e30/1e-30", "1e-400/1"};
    double value = 0.5;
    int64_t whole = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(wsr__value_decode(&value, &free_float, bad[i]),
                        WSR_CONFIG, "is neither 0 nor between 1.4e-45");
        ck_assert_double_eq(value, 0.5);
    }
    ck_assert_fails(wsr__value_decode(&value, &eps, "1e-400"), WSR_CONFIG,
                    "1e-400 is neither 0 nor between");
    ck_assert_fails(wsr__value_decode(&value, &eps, "1e400"), WSR_CONFIG,
                    "1e400 is outside [0, 1]");
    ck_assert_ok(wsr__value_decode(&value, &free_float, "1e-45"));
    ck_assert_ok(wsr__value_decode(&value, &free_float, "3.4e38"));
    ck_assert_ok(wsr__value_decode(&value, &free_float, "0e-400"));
    ck_assert_double_eq(value, 0.0);
    ck_assert_fails(wsr__value_decode(&whole, &free_int, "9223372036854775808"),
                    WSR_CONFIG, "9223372036854775808 has more than 64 bits");
    ck_assert_fails(wsr__value_decode(&whole, &count, "-99999999999999999999"),
                    WSR_CONFIG, "-99999999999999999999 is outside [");
    ck_assert_int_eq(whole, 7);
}
END_TEST

START_TEST(words_are_those_listed)
{
    wsr__text value = {"linf"};
    ck_assert_ok(wsr__value_decode(&value, &norm, "l2"));
    ck_assert_str_eq(value.s, "l2");
    ck_assert_fails(wsr__value_decode(&value, &norm, "lnif"), WSR_CONFIG,
                    "did you mean 'linf'");
    ck_assert_fails(wsr__value_decode(&value, &norm, "euclid"), WSR_CONFIG,
                    "'euclid' is not one of linf, l2, l1");
    ck_assert_str_eq(value.s, "l2");
}
END_TEST

START_TEST(text_is_bounded_by_its_field)
{
    char longest[WSR__TEXT_SIZE + 1];
    wsr__text value = {""};
    memset(longest, 'x', sizeof(longest));
    longest[WSR__TEXT_SIZE] = '\0';
    ck_assert_fails(wsr__value_decode(&value, &text, longest), WSR_CONFIG,
                    "4096 bytes are more than 4095");
    longest[WSR__TEXT_SIZE - 1] = '\0';
    ck_assert_ok(wsr__value_decode(&value, &text, longest));
    ck_assert_str_eq(value.s, longest);
}
END_TEST

START_TEST(lists_come_with_or_without_brackets)
{
    static const char *const same[] = {"[0.03, 8/255,1]", "0.03,8/255,1",
                                       "[ 0.03 , 8/255 , 1 ]"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        wsr__floats value = {0};
        ck_assert_ok(wsr__value_decode(&value, &floats, same[i]));
        ck_assert_uint_eq(value.n, 3);
        ck_assert_double_eq(value.v[0], 0.03);
        ck_assert_double_eq(value.v[1], 8.0 / 255.0);
        ck_assert_double_eq(value.v[2], 1.0);
    }
    wsr__ints one = {0};
    ck_assert_ok(wsr__value_decode(&one, &ints, "7"));
    ck_assert_uint_eq(one.n, 1);
    ck_assert_int_eq(one.v[0], 7);
    ck_assert_ok(wsr__value_decode(&one, &ints, "[]"));
    ck_assert_uint_eq(one.n, 0);
    ck_assert_ok(wsr__value_decode(&one, &ints, ""));
    ck_assert_uint_eq(one.n, 0);
}
END_TEST

START_TEST(broken_lists_are_refused_and_change_nothing)
{
    static const char *const bad[] = {"[1,2", "1,2]", "[",     "]",    "1,,2",
                                      "1,",   ",1",   "[1 2]", "1,10", "x"};
    wsr__ints value = {.n = 1, .v = {4}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(wsr__value_decode(&value, &ints, bad[i]) == WSR_CONFIG,
                      "%s", bad[i]);
    }
    ck_assert_uint_eq(value.n, 1);
    ck_assert_int_eq(value.v[0], 4);
}
END_TEST

START_TEST(a_list_holds_32_values)
{
    char list[80] = "1";
    for (int i = 1; i < WSR__LIST_SIZE; i++) {
        strcat(list, ",1");
    }
    wsr__ints value = {0};
    ck_assert_ok(wsr__value_decode(&value, &ints, list));
    ck_assert_uint_eq(value.n, WSR__LIST_SIZE);
    strcat(list, ",1");
    ck_assert_fails(wsr__value_decode(&value, &ints, list), WSR_CONFIG,
                    "more than 32 values");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        booleans_have_four_spellings,
        bounds_include_both_ends,
        whole_numbers_take_no_fractions,
        fractions_are_understood,
        nan_and_infinity_are_refused,
        numbers_that_cannot_be_held_are_refused,
        words_are_those_listed,
        text_is_bounded_by_its_field,
        lists_come_with_or_without_brackets,
        broken_lists_are_refused_and_change_nothing,
        a_list_holds_32_values,
        NULL,
    };
    return suite_of("value", tests);
}
