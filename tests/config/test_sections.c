// SPDX-License-Identifier: Apache-2.0

#include "config/sections.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

static wsr_status decode_text(program *p, const char *text)
{
    wsr_status status = WSR_OK;
    wsr_config *cfg = NULL;
    program_init(p);
    WSR_TRY(wsr_config_new(&cfg));
    WSR_TRY(wsr_config_load_text(cfg, text, "a.yaml"));
    WSR_TRY(wsr__config_decode(cfg, p->sections, 3));
out:
    wsr_config_free(cfg);
    return status;
}

static void reject(const char *text, const char *detail)
{
    program p;
    ck_assert_int_eq(decode_text(&p, text), WSR_CONFIG);
    ck_assert_str_eq(wsr_error_detail(), detail);
    ck_assert_ptr_null(p.sections[2].params);
}

START_TEST(what_is_not_given_has_its_default)
{
    program p;
    ck_assert_ok(decode_text(&p, ""));
    const pgd_params *const attack = p.sections[2].params;
    ck_assert_int_eq(p.general.seed, 1);
    ck_assert_int_eq(p.search.epochs, 50);
    ck_assert_str_eq(p.search.fidelity.s, "intended");
    ck_assert_ptr_eq(p.sections[2].selected, &pgd);
    ck_assert_int_eq(attack->steps, 7);
    wsr__sections_free(p.sections, 3);
}
END_TEST

START_TEST(given_values_reach_their_fields)
{
    program p;
    ck_assert_ok(decode_text(&p, "seed: 5\n"
                                 "note: a, b\n"
                                 "search:\n"
                                 "  loop:\n"
                                 "    epochs: 3\n"
                                 "    eps: [0.1, 8/255]\n"
                                 "    milestones: [1, 2]\n"
                                 "    amp: false\n"
                                 "  attack:\n"
                                 "    steps: 20\n"));
    const pgd_params *const attack = p.sections[2].params;
    ck_assert_int_eq(p.general.seed, 5);
    ck_assert_str_eq(p.general.note.s, "a, b");
    ck_assert_int_eq(p.search.epochs, 3);
    ck_assert(!p.search.amp);
    ck_assert_uint_eq(p.search.eps.n, 2);
    ck_assert_double_eq(p.search.eps.v[1], 8.0 / 255.0);
    ck_assert_int_eq(p.search.milestones.v[1], 2);
    ck_assert_int_eq(attack->steps, 20);
    wsr__sections_free(p.sections, 3);
}
END_TEST

START_TEST(a_name_selects_the_class)
{
    program p;
    ck_assert_ok(
        decode_text(&p, "search.attack: {name: fgsm, random: true}\n"));
    ck_assert_ptr_eq(p.sections[2].selected, &fgsm);
    ck_assert(((const fgsm_params *)p.sections[2].params)->random);
    wsr__sections_free(p.sections, 3);
    ck_assert_ok(decode_text(&p, "search.attack.name: noise\n"));
    ck_assert_ptr_eq(p.sections[2].selected, &noise);
    ck_assert_ptr_null(p.sections[2].params);
    wsr__sections_free(p.sections, 3);
}
END_TEST

START_TEST(an_unknown_key_is_named_with_the_nearest_of_all_sections)
{
    reject("seed: 1\nsearch.loop.epoch: 3\n",
           "search.loop.epoch: is not an option, did you mean "
           "'search.loop.epochs' (a.yaml:2)");
    reject("search: {atack: {steps: 3}}\n",
           "search.atack.steps: is not an option, did you mean "
           "'search.attack.steps' (a.yaml:1)");
    reject("sede: 3\n",
           "sede: is not an option, did you mean 'seed' (a.yaml:1)");
    reject("completely: 3\n",
           "completely: is not an option, --help lists them (a.yaml:1)");
    reject("epochs: 3\n", "epochs: is not an option, did you mean "
                          "'search.loop.epochs' (a.yaml:1)");
    reject("search.attack.nme: 3\n", "search.attack.nme: is not an option, "
                                     "did you mean 'search.attack.name' "
                                     "(a.yaml:1)");
    reject("search.attack: pgd\n",
           "search.attack: is a section, not an option (a.yaml:1)");
    // The other class's option, in one and the same file.
    reject("search.attack: {name: fgsm, steps: 3}\n",
           "search.attack.steps: is an option of attack 'pgd', not of 'fgsm' "
           "(a.yaml:1)");
}
END_TEST

START_TEST(a_wrong_value_is_named_with_its_place)
{
    reject("search: {loop: {epochs: 0}}\n",
           "search.loop.epochs: 0 is outside [1, 1000] (a.yaml:1)");
    reject("\nsearch.attack.steps: x\n",
           "search.attack.steps: 'x' is not a whole number (a.yaml:2)");
    reject("search.loop.fidelity: relesed\n",
           "search.loop.fidelity: 'relesed' is not permitted, did you mean "
           "'released' (a.yaml:1)");
    reject("search.attack.name: pgdd\n",
           "search.attack.name: attack: there is no 'pgdd', did you mean "
           "'pgd' (a.yaml:1)");
}
END_TEST

START_TEST(unknown_keys_are_found_before_wrong_values)
{
    reject("seed: x\nsede: 1\n",
           "sede: is not an option, did you mean 'seed' (a.yaml:2)");
}
END_TEST

START_TEST(a_class_without_fallback_must_be_named)
{
    program p;
    wsr_config *cfg = NULL;
    program_init(&p);
    p.sections[2].fallback = NULL;
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_fails(wsr__config_decode(cfg, p.sections, 3), WSR_CONFIG,
                    "search.attack.name: is not given: attack: there is no "
                    "'', there are pgd, fgsm, noise");
    wsr_config_free(cfg);
}
END_TEST

START_TEST(options_of_a_class_that_was_replaced_are_passed_over)
{
    program p;
    wsr_config *cfg = NULL;
    program_init(&p);
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_load_text(
        cfg, "search.attack: {name: pgd, steps: 3}\n", "preset.yaml"));
    ck_assert_ok(wsr_config_set(cfg, "search.attack.name=fgsm"));
    ck_assert_ok(wsr__config_decode(cfg, p.sections, 3));
    ck_assert_ptr_eq(p.sections[2].selected, &fgsm);
    wsr__sections_free(p.sections, 3);
    // Given after the name it is a mistake.
    ck_assert_ok(wsr_config_set(cfg, "search.attack.steps=4"));
    ck_assert_fails(wsr__config_decode(cfg, p.sections, 3), WSR_CONFIG,
                    "search.attack.steps: is an option of attack 'pgd'");
    // What no class knows is a mistake in any order.
    wsr_config_free(cfg);
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr_config_set(cfg, "search.attack.stepz=4"));
    ck_assert_ok(wsr_config_set(cfg, "search.attack.name=fgsm"));
    ck_assert_fails(wsr__config_decode(cfg, p.sections, 3), WSR_CONFIG,
                    "search.attack.stepz: is not an option");
    wsr_config_free(cfg);
}
END_TEST

static const char *steps_of_pgd(const wsr__class *cls)
{
    return cls == &pgd ? "steps" : NULL;
}

START_TEST(an_option_selects_the_class_where_no_name_does)
{
    program p;
    wsr_config *cfg = NULL;
    program_init(&p);
    p.sections[2].selector = steps_of_pgd;
    p.sections[2].fallback = "fgsm";
    ck_assert_ok(wsr_config_new(&cfg));
    ck_assert_ok(wsr__config_decode(cfg, p.sections, 3));
    ck_assert_ptr_eq(p.sections[2].selected, &fgsm);
    wsr__sections_free(p.sections, 3);
    ck_assert_ok(wsr_config_set(cfg, "search.attack.steps=4"));
    ck_assert_ok(wsr__config_decode(cfg, p.sections, 3));
    ck_assert_ptr_eq(p.sections[2].selected, &pgd);
    ck_assert(!wsr__config_passed_over(cfg, p.sections, 3, 0));
    wsr__sections_free(p.sections, 3);
    // A name given later wins, and the option is passed over.
    ck_assert_ok(wsr_config_set(cfg, "search.attack.name=fgsm"));
    ck_assert_ok(wsr__config_decode(cfg, p.sections, 3));
    ck_assert_ptr_eq(p.sections[2].selected, &fgsm);
    ck_assert(wsr__config_passed_over(cfg, p.sections, 3, 0));
    wsr__sections_free(p.sections, 3);
    wsr_config_free(cfg);
}
END_TEST

static wsr_status decode_good(void *ctx)
{
    program p;
    const wsr_status status = decode_text(&p, ctx);
    if (status == WSR_OK) {
        wsr__sections_free(p.sections, 3);
    }
    return status;
}

static wsr_status decode_bad(void *ctx)
{
    const wsr_status status = decode_good(ctx);
    return status == WSR_CONFIG ? WSR_OK : status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char good[] = "seed: 1\nsearch: {loop: {eps: [1]}, attack: {steps: 3}}\n";
    char bad[] = "sede: 1\n";
    char unnamed[] = "search.attack.name: x\n";
    ck_assert_uint_gt(oom_sweep(decode_good, good), 20);
    ck_assert_uint_gt(oom_sweep(decode_bad, bad), 10);
    ck_assert_uint_gt(oom_sweep(decode_bad, unnamed), 5);
}
END_TEST

START_TEST(a_value_has_several_spellings)
{
    static const struct {
        const char *key;
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {"search.loop.eps", "[0.1, 8/255]", "0.10,0.03137254901960784", true},
        {"search.loop.eps", "[0.1, 8/255]", "0.1,0.0313", false},
        {"search.loop.eps", "[0.1]", "[0.1, 0.1]", false},
        {"search.loop.amp", "false", "no", true},
        {"search.loop.amp", "false", "true", false},
        {"search.attack.name", "pgd", "fgsm", false},
        {"search.attack.steps", "7", "+7", true},
        {"search.attack.steps", "7", "seven", false},
        {"note", "a", "a ", false},
        {"absent", "1", "1.0", false},
    };
    program p;
    ck_assert_ok(decode_text(&p, ""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(wsr__config_same(p.sections, 3, cases[i].key, cases[i].a,
                                       cases[i].b) == cases[i].same,
                      "%s: %s, %s", cases[i].key, cases[i].a, cases[i].b);
    }
    wsr__sections_free(p.sections, 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        what_is_not_given_has_its_default,
        given_values_reach_their_fields,
        a_name_selects_the_class,
        an_unknown_key_is_named_with_the_nearest_of_all_sections,
        a_wrong_value_is_named_with_its_place,
        unknown_keys_are_found_before_wrong_values,
        a_class_without_fallback_must_be_named,
        options_of_a_class_that_was_replaced_are_passed_over,
        an_option_selects_the_class_where_no_name_does,
        a_value_has_several_spellings,
        short_memory_is_reported_without_a_leak,
        NULL,
    };
    return suite_of("config/sections", tests);
}
