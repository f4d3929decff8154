// SPDX-License-Identifier: Apache-2.0

#include "config/config.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static wsr_config *fresh(void)
{
    wsr_config *cfg = NULL;
    ck_assert_ok(wsr_config_new(&cfg));
    return cfg;
}

static wsr_config *from_text(const char *text)
{
    wsr_config *const cfg = fresh();
    ck_assert_ok(wsr_config_load_text(cfg, text, "a.yaml"));
    return cfg;
}

static void reject(const char *text, const char *words)
{
    wsr_config *const cfg = fresh();
    ck_assert_ok(wsr_config_set(cfg, "kept=1"));
    ck_assert_fails(wsr_config_load_text(cfg, text, "a.yaml"), WSR_CONFIG,
                    words);
    ck_assert_uint_eq(wsr_config_count(cfg), 1);
    wsr_config_free(cfg);
}

START_TEST(nested_mappings_become_dotted_keys_in_order)
{
    wsr_config *const cfg = from_text("b: 1\n"
                                      "a:\n"
                                      "  y: two words\n"
                                      "  x:\n"
                                      "    z: true\n"
                                      "  w: {v: -3, u: {}}\n"
                                      "c.d: e\n");
    static const char *const keys[] = {"b", "a.y", "a.x.z", "a.w.v", "c.d"};
    static const char *const values[] = {"1", "two words", "true", "-3", "e"};
    static const char *const lines[] = {"a.yaml:1", "a.yaml:3", "a.yaml:5",
                                        "a.yaml:6", "a.yaml:7"};
    ck_assert_uint_eq(wsr_config_count(cfg), 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(wsr_config_key(cfg, i), keys[i]);
        ck_assert_str_eq(wsr_config_value(cfg, i), values[i]);
        ck_assert_str_eq(wsr_config_where(cfg, i), lines[i]);
        ck_assert_str_eq(wsr_config_text(cfg, keys[i]), values[i]);
    }
    ck_assert_ptr_null(wsr_config_key(cfg, 5));
    ck_assert_ptr_null(wsr_config_value(cfg, 5));
    ck_assert_ptr_null(wsr_config_where(cfg, 5));
    ck_assert_ptr_null(wsr_config_text(cfg, "a"));
    wsr_config_free(cfg);
}
END_TEST

START_TEST(sequences_become_one_value)
{
    wsr_config *const cfg = from_text("a: [1, 2.5, x y]\n"
                                      "b:\n"
                                      "  - p\n"
                                      "  - q\n"
                                      "c: []\n"
                                      "d:\n");
    ck_assert_str_eq(wsr_config_text(cfg, "a"), "1,2.5,x y");
    ck_assert_str_eq(wsr_config_text(cfg, "b"), "p,q");
    ck_assert_str_eq(wsr_config_text(cfg, "c"), "");
    ck_assert_str_eq(wsr_config_text(cfg, "d"), "");
    wsr_config_free(cfg);
}
END_TEST

START_TEST(an_empty_file_sets_nothing)
{
    wsr_config *const cfg = from_text("# only a comment\n");
    ck_assert_uint_eq(wsr_config_count(cfg), 0);
    wsr_config_free(cfg);
}
END_TEST

START_TEST(what_comes_later_wins)
{
    wsr_config *const cfg = from_text("a: 1\nb: 2\n");
    ck_assert_ok(wsr_config_load_text(cfg, "b: 3\nc: 4\n", "b.yaml"));
    ck_assert_ok(wsr_config_set(cfg, "a=5=6"));
    ck_assert_ok(wsr_config_put(cfg, "c", "7", "--count"));
    ck_assert_uint_eq(wsr_config_count(cfg), 3);
    ck_assert_str_eq(wsr_config_key(cfg, 0), "a");
    ck_assert_str_eq(wsr_config_text(cfg, "a"), "5=6");
    ck_assert_str_eq(wsr_config_where(cfg, 0), "--set");
    ck_assert_str_eq(wsr_config_text(cfg, "b"), "3");
    ck_assert_str_eq(wsr_config_where(cfg, 1), "b.yaml:1");
    ck_assert_str_eq(wsr_config_text(cfg, "c"), "7");
    ck_assert_str_eq(wsr_config_where(cfg, 2), "--count");
    wsr_config_free(cfg);
}
END_TEST

START_TEST(an_assigned_list_reads_like_one_in_a_file)
{
    wsr_config *const cfg = fresh();
    ck_assert_ok(wsr_config_set(cfg, "a=[1, 2, \"x\"]"));
    ck_assert_ok(wsr_config_set(cfg, "b=1, 2"));
    ck_assert_ok(wsr_config_set(cfg, "c="));
    ck_assert_ok(wsr_config_set(cfg, "d=[]"));
    ck_assert_str_eq(wsr_config_text(cfg, "a"), "1,2,x");
    ck_assert_str_eq(wsr_config_text(cfg, "b"), "1, 2");
    ck_assert_str_eq(wsr_config_text(cfg, "c"), "");
    ck_assert_str_eq(wsr_config_text(cfg, "d"), "");
    ck_assert_fails(wsr_config_set(cfg, "a=[[1]]"), WSR_CONFIG,
                    "a: a list of lists or of mappings is no configuration "
                    "(--set)");
    ck_assert_str_eq(wsr_config_text(cfg, "a"), "1,2,x");
    wsr_config_free(cfg);
}
END_TEST

START_TEST(structure_that_is_no_configuration_is_refused)
{
    reject("a: 1\nnormal: [[sep_conv_3x3, 0]]\n",
           "normal: a list of lists or of mappings is no configuration "
           "(a.yaml:2)");
    reject("a: [{b: 1}]\n", "a: a list of lists or of mappings");
    reject("- a\n- b\n", "not a mapping of keys to values (a.yaml:1)");
    reject("word\n", "not a mapping of keys to values (a.yaml:1)");
    reject("a: {b: 1}\na.b: 2\n",
           "a.b: key is given twice, first at a.yaml:1 (a.yaml:2)");
    reject("a: {b: 1, b: 2}\n", "b: key is given twice, first in line 1");
    reject("a b: 1\n", "'a b' is not a dotted key of letters");
    reject("a..b: 1\n", "'a..b' is not a dotted key");
    reject(".a: 1\n", "'.a' is not a dotted key");
    reject("a.: 1\n", "'a.' is not a dotted key");
    reject("\"\": 1\n", "'' is not a dotted key");
    reject("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q: 1\n", "is not a dotted key");
    reject("a: *b\n", "aliases are not supported (a.yaml:1)");
    reject("a: [1\n", "(a.yaml:2)");
}
END_TEST

START_TEST(a_bad_assignment_is_refused)
{
    wsr_config *const cfg = fresh();
    ck_assert_fails(wsr_config_set(cfg, "epochs"), WSR_CONFIG,
                    "'epochs' is not key=value (--set)");
    ck_assert_fails(wsr_config_set(cfg, "=3"), WSR_CONFIG,
                    "'' is not a dotted key of letters, digits, '_' and '-' "
                    "(--set)");
    ck_assert_fails(wsr_config_set(cfg, "a=x\ny"), WSR_CONFIG,
                    "a: value holds a control character (--set)");
    ck_assert_fails(wsr_config_set(cfg, "a=\xff"), WSR_CONFIG,
                    "a: value is not UTF-8 (--set)");
    ck_assert_uint_eq(wsr_config_count(cfg), 0);
    wsr_config_free(cfg);
}
END_TEST

START_TEST(files_are_loaded)
{
    char path[600];
    wsr_config *const cfg = fresh();
    (void)snprintf(path, sizeof(path), "%s/c.yaml", scratch_folder("config"));
    ck_assert_ok(wsr__file_write(path, "a: 1\nb: [\n", 10));
    ck_assert_fails(wsr_config_load(cfg, path), WSR_CONFIG, "c.yaml:3)");
    ck_assert_ok(wsr__file_write(path, "a: 1\n", 5));
    ck_assert_ok(wsr_config_load(cfg, path));
    ck_assert_ptr_nonnull(strstr(wsr_config_where(cfg, 0), "c.yaml:1"));
    ck_assert_fails(wsr_config_load(cfg, "no/such.yaml"), WSR_IO,
                    "no/such.yaml: No such file");
    wsr_config_free(cfg);
}
END_TEST

START_TEST(presets_are_found_by_name)
{
    char path[700];
    char *names = NULL;
    wsr_config *const cfg = fresh();
    const char *const before = getenv("WSR_SHARE");
    char *const kept = before != NULL ? strdup(before) : NULL;
    const char *const folder = scratch_folder("share");
    ck_assert_int_eq(setenv("WSR_SHARE", folder, 1), 0);
    (void)snprintf(path, sizeof(path), "%s/presets/search", folder);
    ck_assert_ok(wsr__make_directory(path));
    (void)snprintf(path, sizeof(path), "%s/presets/search/quick.yaml", folder);
    ck_assert_ok(wsr__file_write(path, "a: 1\n", 5));
    (void)snprintf(path, sizeof(path), "%s/presets/search/full.yaml", folder);
    ck_assert_ok(wsr__file_write(path, "a: 2\n", 5));
    (void)snprintf(path, sizeof(path), "%s/presets/search/notes.txt", folder);
    ck_assert_ok(wsr__file_write(path, "x", 1));
    ck_assert_ok(wsr_config_load_preset(cfg, "search", "full"));
    ck_assert_str_eq(wsr_config_text(cfg, "a"), "2");
    ck_assert_fails(wsr_config_load_preset(cfg, "search", "quik"), WSR_NOTFOUND,
                    "preset: there is no 'quik', did you mean 'quick', there "
                    "are full, quick");
    ck_assert_fails(wsr_config_load_preset(cfg, "search", "../search/quick"),
                    WSR_NOTFOUND, "there is no '../search/quick'");
    ck_assert_ok(wsr_config_presets(&names, "search"));
    ck_assert_str_eq(names, "full\nquick\n");
    wsr_text_free(names);
    ck_assert_fails(wsr_config_load_preset(cfg, "other", "quick"), WSR_NOTFOUND,
                    "presets/other: is not readable, WSR_SHARE may say");
    if (kept != NULL) {
        ck_assert_int_eq(setenv("WSR_SHARE", kept, 1), 0);
    } else {
        ck_assert_int_eq(unsetenv("WSR_SHARE"), 0);
    }
    free(kept);
    wsr_config_free(cfg);
}
END_TEST

static wsr_status use(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_config *cfg = NULL;
    char *text = NULL;
    WSR_TRY(wsr_config_new(&cfg));
    WSR_TRY(wsr_config_load_text(cfg, ctx, "a.yaml"));
    WSR_TRY(wsr_config_load_text(cfg, "x: 1\ny: {z: [1, 2]}\n", "b.yaml"));
    WSR_TRY(wsr_config_set(cfg, "y.z=[3, 4]"));
    WSR_TRY(wsr_config_print(&text, cfg));
out:
    wsr_text_free(text);
    wsr_config_free(cfg);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char text[] = "a: 1\nb: {c: [x, y], d: z}\nx: 2\n";
    ck_assert_uint_gt(oom_sweep(use, text), 40);
}
END_TEST

START_TEST(damaged_text_never_crashes)
{
    static const char text[] = "seed: 1\nsearch:\n  epochs: 5\n  eps: [1, 2]\n"
                               "net: {c: 16, d: \"x\"}\n# end\n";
    wsr__rng rng = wsr__rng_at(2, WSR__RNG_TEST, 0, 0);
    for (int round = 0; round < 3000; round++) {
        char damaged[sizeof(text)];
        char *printed = NULL;
        wsr_config *const cfg = fresh();
        memcpy(damaged, text, sizeof(text));
        for (uint32_t k = 1 + wsr__rng_below(&rng, 3); k > 0; k--) {
            damaged[wsr__rng_below(&rng, sizeof(text) - 1)] =
                (char)(1 + wsr__rng_below(&rng, 255));
        }
        if (wsr_config_load_text(cfg, damaged, "a.yaml") == WSR_OK) {
            // What is accepted can be printed and read again.
            wsr_config *const again = fresh();
            ck_assert_ok(wsr_config_print(&printed, cfg));
            ck_assert_ok(wsr_config_load_text(again, printed, "p.yaml"));
            ck_assert_uint_eq(wsr_config_count(cfg), wsr_config_count(again));
            wsr_config_free(again);
        } else {
            ck_assert_uint_eq(wsr_config_count(cfg), 0);
        }
        wsr_text_free(printed);
        wsr_config_free(cfg);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        nested_mappings_become_dotted_keys_in_order,
        sequences_become_one_value,
        an_empty_file_sets_nothing,
        what_comes_later_wins,
        an_assigned_list_reads_like_one_in_a_file,
        structure_that_is_no_configuration_is_refused,
        a_bad_assignment_is_refused,
        files_are_loaded,
        presets_are_found_by_name,
        short_memory_is_reported_without_a_leak,
        damaged_text_never_crashes,
        NULL,
    };
    return suite_of("config/config", tests);
}
