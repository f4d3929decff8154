// SPDX-License-Identifier: Apache-2.0

#include "config/sections.h"
#include "support/support.h"

#include <string.h>

static void decode(program *p, const char *text)
{
    wsr_config *cfg = NULL;
    program_init(p);
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_load_text(cfg, text, "a.yaml"));
    ck_assert_ok(wsr__config_decode(cfg, p->sections, 3));
    wsr_config_free(cfg);
}

START_TEST(filled_sections_print_as_nested_yaml)
{
    static const char expected[] = "seed: 7\n"
                                   "note: \"say \\\"x\\\": y\"\n"
                                   "search:\n"
                                   "  loop:\n"
                                   "    epochs: 50\n"
                                   "    rate: 0.03137254901960784\n"
                                   "    amp: true\n"
                                   "    fidelity: released\n"
                                   "    eps: [0.03, 0.06]\n"
                                   "    milestones: []\n"
                                   "  attack:\n"
                                   "    name: pgd\n"
                                   "    steps: 7\n"
                                   "    step_size: 1e-05\n";
    program p;
    wsr__str out = {0};
    decode(&p, "search.attack.step_size: 1e-5\nseed: 7\n"
               "note: 'say \"x\": y'\nsearch.loop.fidelity: released\n");
    wsr__sections_print(&out, p.sections, 3);
    ck_assert_str_eq(out.s, expected);
    wsr__str_free(&out);
    wsr__sections_free(p.sections, 3);
}
END_TEST

START_TEST(options_that_override_are_printed_when_they_are_given)
{
    static const char expected[] = "search:\n"
                                   "  loop:\n"
                                   "    amp: true\n"
                                   "    eps: [1]\n";
    program p;
    bool given[8] = {true, true};
    wsr_config *cfg = NULL;
    wsr__str out = {0};
    program_init(&p);
    p.sections[1].given = given;
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_load_text(cfg, "search.loop: {eps: [1], amp: true}",
                                      "a.yaml"));
    ck_assert_ok(wsr__config_decode(cfg, p.sections + 1, 1));
    ck_assert(!given[0] && !given[1] && given[2] && given[4]);
    wsr__sections_print(&out, p.sections + 1, 1);
    ck_assert_str_eq(out.s, expected);
    wsr__str_free(&out);
    wsr_config_free(cfg);
}
END_TEST

START_TEST(printed_sections_decode_to_the_same)
{
    program p;
    program q;
    wsr__str first = {0};
    wsr__str second = {0};
    decode(&p, "search: {loop: {eps: [8/255, 0.1, 1e-7], milestones: [3, -4]}, "
               "attack: {name: fgsm, random: true}}\nnote: \"\"\n");
    wsr__sections_print(&first, p.sections, 3);
    decode(&q, first.s);
    wsr__sections_print(&second, q.sections, 3);
    ck_assert_str_eq(first.s, second.s);
    ck_assert_mem_eq(&p.search.eps, &q.search.eps, sizeof(p.search.eps));
    ck_assert_mem_eq(&p.general, &q.general, sizeof(p.general));
    wsr__str_free(&first);
    wsr__str_free(&second);
    wsr__sections_free(p.sections, 3);
    wsr__sections_free(q.sections, 3);
}
END_TEST

START_TEST(a_list_of_keys_prints_and_loads_to_the_same)
{
    static const char expected[] = "a:\n"
                                   "  b: 1\n"
                                   "  c:\n"
                                   "    d: \"x y\"\n"
                                   "  f: 4\n"
                                   "e: \"1,2\"\n"
                                   "g: 5\n"
                                   "g.h: 6\n";
    wsr_config *cfg = NULL;
    wsr_config *again = NULL;
    char *text = NULL;
    char *second = NULL;
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_new(&again));
    ck_assert_ok(wsr_config_load_text(
        cfg, "a.b: 1\na.c.d: x y\ne: [1, 2]\na.f: 4\ng: 5\ng.h: 6\n", "a"));
    ck_assert_ok(wsr_config_print(&text, cfg));
    ck_assert_str_eq(text, expected);
    ck_assert_ok(wsr_config_load_text(again, text, "b"));
    ck_assert_ok(wsr_config_print(&second, again));
    ck_assert_str_eq(second, expected);
    ck_assert_uint_eq(wsr_config_count(again), 6);
    wsr_text_free(text);
    wsr_text_free(second);
    wsr_config_free(cfg);
    wsr_config_free(again);
}
END_TEST

START_TEST(an_empty_list_prints_as_an_empty_text)
{
    wsr_config *cfg = NULL;
    char *text = NULL;
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_print(&text, cfg));
    ck_assert_str_eq(text, "");
    wsr_text_free(text);
    wsr_config_free(cfg);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        filled_sections_print_as_nested_yaml,
        options_that_override_are_printed_when_they_are_given,
        printed_sections_decode_to_the_same,
        a_list_of_keys_prints_and_loads_to_the_same,
        an_empty_list_prints_as_an_empty_text,
        NULL,
    };
    return suite_of("config/print", tests);
}
