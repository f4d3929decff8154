// SPDX-License-Identifier: Apache-2.0

#include "config/sections.h"
#include "support/support.h"

#include <string.h>

START_TEST(help_shows_key_default_meaning_bounds_and_unit)
{
    static const char expected[] =
        "general:\n"
        "  seed=1\n"
        "      seed of all random numbers ([0, 1000000000])\n"
        "  note=\n"
        "      copied | to the log (text)\n"
        "\n"
        "search.loop:\n"
        "  search.loop.epochs=50\n"
        "      passes over the first half of the training images, each of\n"
        "      which ends with the architecture steps ([1, 1000] epochs)\n"
        "  search.loop.rate=8/255\n"
        "      learning rate (number)\n"
        "  search.loop.amp=true\n"
        "      amplify (true or false)\n"
        "  search.loop.fidelity=intended\n"
        "      whose formulas (intended or released)\n"
        "  search.loop.eps=[0.03, 0.06]\n"
        "      strengths (list in [0, 1])\n"
        "  search.loop.milestones=[]\n"
        "      when the rate falls (list of whole numbers)\n"
        "\n"
        "search.attack:\n"
        "  search.attack.name=pgd\n"
        "      pgd, fgsm or noise\n"
        "  with search.attack.name=pgd: projected gradient descent\n"
        "  search.attack.steps=7\n"
        "      gradient steps ([1, 100])\n"
        "  search.attack.step_size=0.01\n"
        "      length of a step (number)\n"
        "  with search.attack.name=fgsm: one step\n"
        "  search.attack.random=false\n"
        "      start anywhere (true or false)\n"
        "  with search.attack.name=noise: none at all\n";
    program p;
    wsr__str out = {0};
    program_init(&p);
    wsr__config_help(&out, p.sections, 3, 66);
    ck_assert_str_eq(out.s, expected);
    wsr__str_free(&out);
}
END_TEST

START_TEST(no_line_is_wider_than_asked)
{
    for (size_t width = 40; width <= 120; width += 8) {
        program p;
        wsr__str out = {0};
        program_init(&p);
        wsr__config_help(&out, p.sections, 3, width);
        for (const char *line = out.s; *line != '\0';) {
            const size_t n = strcspn(line, "\n");
            ck_assert_uint_le(n, width);
            line += n + (line[n] == '\n');
        }
        wsr__str_free(&out);
    }
}
END_TEST

static void expect_topic(const char *topic, const char *expected)
{
    static const wsr__family *const families[] = {&attacks};
    program p;
    wsr__str out = {0};
    program_init(&p);
    const wsr__help help = {p.sections, 2, families, 1, 66};
    ck_assert_ok(wsr__config_help_topic(&out, &help, topic));
    ck_assert_str_eq(out.s, expected);
    wsr__str_free(&out);
}

START_TEST(a_topic_has_its_own_page)
{
    expect_topic("",
                 "  general      seed, note\n"
                 "  search.loop  epochs, rate, amp, fidelity, eps, milestones\n"
                 "  attack       pgd, fgsm, noise\n");
    expect_topic("general", "general:\n"
                            "  seed=1\n"
                            "      seed of all random numbers ([0, "
                            "1000000000])\n"
                            "  note=\n"
                            "      copied | to the log (text)\n");
    expect_topic("seed", "  seed=1\n"
                         "      seed of all random numbers ([0, "
                         "1000000000])\n");
    expect_topic("search.loop.amp", "  search.loop.amp=true\n"
                                    "      amplify (true or false)\n");
    expect_topic("attack", "attack (options of one: attack:NAME):\n"
                           "  pgd: projected gradient descent\n"
                           "  fgsm: one step\n"
                           "  noise: none at all\n");
    expect_topic("attack:fgsm", "fgsm: one step\n"
                                "  random=false\n"
                                "      start anywhere (true or false)\n");
    expect_topic("attack:noise", "noise: none at all\n");
}
END_TEST

// Two sections of one name are one page, and what overrides something has no
// default.
START_TEST(sections_of_one_name_are_one_topic)
{
    program p;
    wsr__str out = {0};
    bool given[8];
    program_init(&p);
    wsr__section both[] = {p.sections[0], p.sections[1]};
    both[1].prefix = "";
    both[1].given = given;
    const wsr__help help = {both, 2, NULL, 0, 66};
    ck_assert_ok(wsr__config_help_topic(&out, &help, ""));
    ck_assert_str_eq(out.s, "  general      seed, note, epochs, rate, amp, "
                            "fidelity, eps, ...\n");
    wsr__str_free(&out);
    ck_assert_ok(wsr__config_help_topic(&out, &help, "general"));
    ck_assert_ptr_eq(strstr(out.s, "general:"), out.s);
    ck_assert_ptr_null(strstr(out.s + 1, "general:"));
    ck_assert_ptr_nonnull(strstr(out.s, "  seed=1\n"));
    ck_assert_ptr_nonnull(strstr(out.s, "  epochs=\n"));
    wsr__str_free(&out);
    ck_assert_ok(wsr__config_help_topic(&out, &help, "rate"));
    ck_assert_ptr_eq(strstr(out.s, "  rate=\n"), out.s);
    wsr__str_free(&out);
    ck_assert_ok(wsr__config_help_topic(&out, &help, "all"));
    ck_assert_ptr_null(strstr(out.s + 1, "general:"));
    wsr__str_free(&out);
}
END_TEST

START_TEST(a_member_of_a_section_is_a_topic)
{
    program p;
    wsr__str out = {0};
    program_init(&p);
    const wsr__help narrow = {p.sections + 1, 1, NULL, 0, 44};
    ck_assert_ok(wsr__config_help_topic(&out, &narrow, ""));
    ck_assert_str_eq(out.s, "  search.loop  epochs, rate, amp, ...\n");
    wsr__str_free(&out);
    const wsr__help help = {p.sections, 3, NULL, 0, 66};
    ck_assert_ok(wsr__config_help_topic(&out, &help, "attack:fgsm"));
    ck_assert_str_eq(out.s, "  with search.attack.name=fgsm: one step\n"
                            "  search.attack.random=false\n"
                            "      start anywhere (true or false)\n");
    wsr__str_free(&out);
    ck_assert_ok(wsr__config_help_topic(&out, &help, "search.attack"));
    ck_assert_ptr_nonnull(strstr(out.s, "search.attack.steps=7"));
    ck_assert_ptr_null(strstr(out.s, "search.loop"));
    wsr__str_free(&out);
    wsr__str_free(&out);
    wsr__str all = {0};
    wsr__config_help(&all, p.sections, 3, 66);
    ck_assert_ok(wsr__config_help_topic(&out, &help, NULL));
    ck_assert_str_eq(out.s, all.s);
    wsr__str_free(&out);
    wsr__str_free(&all);
}
END_TEST

START_TEST(an_unknown_topic_gets_a_suggestion)
{
    static const char *const topics[][2] = {
        {"serach.loop", "did you mean 'search.loop'"},
        {"atack", "did you mean 'attack'"},
        {"attack:pdg", "did you mean 'attack:pgd'"},
        {"genral", "did you mean 'general'"},
        {"xyzzyxyzzy", "help: there is no topic 'xyzzyxyzzy'"},
        {"attack:", "there is no topic 'attack:'"},
        {":pgd", "there is no topic ':pgd'"},
        {"search.loop.", "there is no topic"},
    };
    static const wsr__family *const families[] = {&attacks};
    program p;
    program_init(&p);
    const wsr__help help = {p.sections, 2, families, 1, 66};
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        wsr__str out = {0};
        ck_assert_fails(wsr__config_help_topic(&out, &help, topics[i][0]),
                        WSR_NOTFOUND, topics[i][1]);
        ck_assert_uint_eq(out.len, 0);
        wsr__str_free(&out);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        help_shows_key_default_meaning_bounds_and_unit,
        a_topic_has_its_own_page,
        sections_of_one_name_are_one_topic,
        a_member_of_a_section_is_a_topic,
        an_unknown_topic_gets_a_suggestion,
        no_line_is_wider_than_asked,
        NULL,
    };
    return suite_of("config/help", tests);
}
