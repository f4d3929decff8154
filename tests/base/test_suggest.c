// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

static const char *const words[] = {"steps", "eps", "random_start", "step_size",
                                    "seed"};

static const char *near(const char *word)
{
    return wsr__suggest(word, words, sizeof(words) / sizeof(words[0]));
}

START_TEST(one_slip_is_recognised)
{
    ck_assert_str_eq(near("step"), "steps");   // lost letter
    ck_assert_str_eq(near("stepps"), "steps"); // doubled letter
    ck_assert_str_eq(near("stesp"), "steps");  // swapped letters
    ck_assert_str_eq(near("sfeps"), "steps");  // wrong letter
    ck_assert_str_eq(near("random-start"), "random_start");
    ck_assert_str_eq(near("Seed"), "seed");
    ck_assert_str_eq(near("rnadom_strt"), "random_start");
}
END_TEST

START_TEST(a_different_word_suggests_nothing)
{
    ck_assert_ptr_null(near("momentum"));
    ck_assert_ptr_null(near("xyz"));
    ck_assert_ptr_null(near(""));
}
END_TEST

START_TEST(the_nearest_candidate_wins)
{
    ck_assert_str_eq(near("step_sise"), "step_size");
    ck_assert_str_eq(near("epss"), "eps");
}
END_TEST

START_TEST(swapped_letters_are_one_slip)
{
    static const char *const norms[] = {"l2", "linf"};
    ck_assert_str_eq(wsr__suggest("2l", norms, 2), "l2");
}
END_TEST

START_TEST(of_equally_near_candidates_the_first_wins)
{
    static const char *const equal[] = {"steps", "stemp"};
    ck_assert_str_eq(wsr__suggest("step", equal, 2), "steps");
}
END_TEST

START_TEST(an_endless_word_is_harmless)
{
    char word[300];
    for (size_t i = 0; i + 1 < sizeof(word); i++) {
        word[i] = 's';
    }
    word[sizeof(word) - 1] = '\0';
    ck_assert_ptr_null(near(word));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_slip_is_recognised,
        a_different_word_suggests_nothing,
        the_nearest_candidate_wins,
        swapped_letters_are_one_slip,
        of_equally_near_candidates_the_first_wins,
        an_endless_word_is_harmless,
        NULL,
    };
    return suite_of("suggest", tests);
}
