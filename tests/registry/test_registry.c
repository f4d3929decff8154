// SPDX-License-Identifier: Apache-2.0
//
// What callers learn about families, variants and options.

#include "base/registry.h"
#include "support/support.h"
#include "wsr/attack.h"
#include "wsr/registry.h"

#include <stdio.h>
#include <string.h>

static const wsr_variant *variant(const char *family, const char *name)
{
    const wsr_family *f = NULL;
    const wsr_variant *v = NULL;
    ck_assert_ok(wsr_family_find(&f, family));
    ck_assert_ok(wsr_variant_find(&v, f, name));
    return v;
}

static const wsr_option *option(const wsr_variant *v, const char *key)
{
    for (size_t i = 0; i < wsr_variant_options(v); i++) {
        if (strcmp(wsr_option_key(wsr_variant_option(v, i)), key) == 0) {
            return wsr_variant_option(v, i);
        }
    }
    ck_abort_msg("%s has no option %s", wsr_variant_name(v), key);
    return NULL;
}

START_TEST(every_family_is_found_by_its_name)
{
    ck_assert_uint_ge(wsr_family_count(), 12);
    for (size_t i = 0; i < wsr_family_count(); i++) {
        const wsr_family *const family = wsr_family_at(i);
        const wsr_family *found = NULL;
        ck_assert_ok(wsr_family_find(&found, wsr_family_name(family)));
        ck_assert_ptr_eq(found, family);
        ck_assert_uint_gt(strlen(wsr_family_summary(family)), 0);
        ck_assert_uint_gt(wsr_family_size(family), 0);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(wsr_family_summary(family),
                             wsr_family_summary(wsr_family_at(k)));
        }
    }
    ck_assert_ptr_null(wsr_family_at(wsr_family_count()));
}
END_TEST

static void check_variant(const wsr_family *family, size_t i)
{
    const wsr_variant *const v = wsr_family_variant(family, i);
    const wsr_variant *found = NULL;
    ck_assert_ok(wsr_variant_find(&found, family, wsr_variant_name(v)));
    ck_assert_ptr_eq(found, v);
    ck_assert_msg(wsr_variant_summary(v)[0] != '\0', "%s: no summary",
                  wsr_variant_name(v));
    ck_assert_ptr_nonnull(wsr_variant_reference(v));
    for (size_t k = 0; k < wsr_variant_options(v); k++) {
        const wsr_option *const o = wsr_variant_option(v, k);
        ck_assert_ptr_nonnull(wsr_option_unit(o));
        ck_assert_msg(wsr_option_help(o)[0] != '\0', "%s.%s: no help",
                      wsr_variant_name(v), wsr_option_key(o));
        ck_assert((wsr_option_type(o) == WSR_OPTION_WORD) ==
                  (wsr_option_word(o, 0) != NULL));
    }
    ck_assert_ptr_null(wsr_variant_option(v, wsr_variant_options(v)));
}

START_TEST(every_variant_describes_itself)
{
    for (size_t i = 0; i < wsr_family_count(); i++) {
        const wsr_family *const family = wsr_family_at(i);
        for (size_t k = 0; k < wsr_family_size(family); k++) {
            check_variant(family, k);
        }
        ck_assert_ptr_null(wsr_family_variant(family, wsr_family_size(family)));
    }
}
END_TEST

START_TEST(an_option_tells_kind_default_bounds_words_and_unit)
{
    const wsr_variant *const madry = variant("trainer", "madry");
    const wsr_option *const steps = option(madry, "steps");
    const wsr_option *const start = option(madry, "start");
    double min = 9;
    double max = 9;
    ck_assert_int_eq(wsr_option_type(steps), WSR_OPTION_INT);
    ck_assert_str_eq(wsr_option_default(steps), "7");
    ck_assert(wsr_option_bounds(&min, &max, steps));
    ck_assert_double_eq(min, 1);
    ck_assert_double_eq(max, 1000);
    ck_assert_str_eq(wsr_option_unit(steps), "steps");
    ck_assert_int_eq(wsr_option_type(start), WSR_OPTION_WORD);
    ck_assert_str_eq(wsr_option_word(start, 0), "normal");
    ck_assert_str_eq(wsr_option_word(start, 2), "none");
    ck_assert_ptr_null(wsr_option_word(start, 3));
    ck_assert_ptr_null(wsr_option_word(start, 99));
    ck_assert(!wsr_option_bounds(&min, &max, start));
    ck_assert_int_eq(wsr_option_type(option(madry, "clean_pass")),
                     WSR_OPTION_BOOL);
    ck_assert_int_eq(wsr_option_type(option(variant("op", "conv2d"), "stride")),
                     WSR_OPTION_INTS);
}
END_TEST

START_TEST(unknown_names_get_a_suggestion_or_all_names)
{
    const wsr_family *family = wsr_family_at(0);
    const wsr_variant *v = NULL;
    ck_assert_fails(wsr_family_find(&family, "atack"), WSR_NOTFOUND,
                    "did you mean 'attack'");
    ck_assert_ptr_null(family);
    ck_assert_fails(wsr_family_find(&family, "zzzzzzzzzz"), WSR_NOTFOUND,
                    "there are attack, ");
    ck_assert_ok(wsr_family_find(&family, "attack"));
    ck_assert_fails(wsr_variant_find(&v, family, "pdg"), WSR_NOTFOUND,
                    "did you mean 'pgd'");
    ck_assert_ptr_null(v);
}
END_TEST

START_TEST(what_is_listed_can_be_made)
{
    const wsr_family *attacks = NULL;
    ck_assert_ok(wsr_family_find(&attacks, "attack"));
    for (size_t i = 0; i < wsr_family_size(attacks); i++) {
        const wsr_variant *const v = wsr_family_variant(attacks, i);
        wsr_attack *attack = NULL;
        const wsr_status status =
            wsr_attack_new(&attack, wsr_variant_name(v), NULL);
        // "estimator" must be told its network, "chain" its attacks.
        ck_assert_msg(status == WSR_OK || status == WSR_CONFIG, "%s: %s",
                      wsr_variant_name(v), wsr_error_detail());
        wsr_attack_free(attack);
    }
}
END_TEST

// Every family and variant is a topic, and no line is too wide.
static void check_topic(const char *topic, const char *part)
{
    char *text = NULL;
    ck_assert_ok(wsr_registry_help(&text, topic));
    ck_assert_msg(strstr(text, part) != NULL, "%s: no '%s'", topic, part);
    for (const char *s = text; *s != '\0';) {
        const size_t n = strcspn(s, "\n");
        ck_assert_msg(n < 80, "%s: %.*s", topic, (int)n, s);
        s += n + (s[n] == '\n');
    }
    wsr_text_free(text);
}

START_TEST(help_has_every_family_and_variant)
{
    char topic[128];
    for (size_t i = 0; i < wsr_family_count(); i++) {
        const wsr_family *const family = wsr_family_at(i);
        const char *const name = wsr_family_name(family);
        check_topic("", name);
        for (size_t k = 0; k < wsr_family_size(family); k++) {
            const wsr_variant *const v = wsr_family_variant(family, k);
            const wsr_option *const last =
                wsr_variant_option(v, wsr_variant_options(v) - 1);
            check_topic(name, wsr_variant_name(v));
            (void)snprintf(topic, sizeof(topic), "%s:%s", name,
                           wsr_variant_name(v));
            check_topic(topic, wsr_variant_name(v));
            check_topic(topic, last != NULL ? wsr_option_key(last) : "");
        }
    }
    char *text = topic;
    ck_assert_fails(wsr_registry_help(&text, "optm:sgd"), WSR_NOTFOUND,
                    "did you mean 'optim:sgd'");
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(ops_tell_their_sources_and_result)
{
    ck_assert_str_eq(wsr_op_sources("linear"),
                     "src (n, k), weights (m, k), bias (m) or none");
    ck_assert_str_eq(wsr_op_result("linear"), "(n, m)");
    ck_assert_ptr_null(wsr_op_sources("liner"));
    ck_assert_ptr_null(wsr_op_result("liner"));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_family_is_found_by_its_name,
        every_variant_describes_itself,
        an_option_tells_kind_default_bounds_words_and_unit,
        unknown_names_get_a_suggestion_or_all_names,
        what_is_listed_can_be_made,
        help_has_every_family_and_variant,
        ops_tell_their_sources_and_result,
        NULL,
    };
    return suite_of("registry", tests);
}
