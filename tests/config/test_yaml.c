// SPDX-License-Identifier: Apache-2.0

#include "config/config.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

static wsr_status parse(wsr__yaml_node **root, const char *text)
{
    return wsr__yaml_parse(root, text, strlen(text), "a.yaml");
}

static void reject(const char *text, const char *words)
{
    wsr__yaml_node *root = NULL;
    ck_assert_fails(parse(&root, text), WSR_CONFIG, words);
    ck_assert_ptr_null(root);
    ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
}

START_TEST(a_document_becomes_a_tree_with_lines)
{
    static const char text[] = "# comment\n"
                               "a: 1\n"
                               "b:\n"
                               "  c: [x, 'y z', \"\"]\n"
                               "  d: {e: 2}\n";
    wsr__yaml_node *root = NULL;
    ck_assert_ok(parse(&root, text));
    ck_assert_int_eq(root->kind, WSR__YAML_MAPPING);
    ck_assert_uint_eq(root->count, 2);
    ck_assert_str_eq(wsr__yaml_find(root, "a")->text, "1");
    ck_assert_uint_eq(wsr__yaml_find(root, "a")->line, 2);
    const wsr__yaml_node *const b = wsr__yaml_find(root, "b");
    const wsr__yaml_node *const c = wsr__yaml_find(b, "c");
    ck_assert_int_eq(c->kind, WSR__YAML_SEQUENCE);
    ck_assert_uint_eq(c->count, 3);
    ck_assert_uint_eq(c->line, 4);
    ck_assert_str_eq(c->first->text, "x");
    ck_assert_str_eq(c->first->next->text, "y z");
    ck_assert_str_eq(c->last->text, "");
    ck_assert_str_eq(wsr__yaml_find(wsr__yaml_find(b, "d"), "e")->text, "2");
    ck_assert_ptr_null(wsr__yaml_find(root, "c"));
    wsr__yaml_free(root);
}
END_TEST

START_TEST(an_empty_document_is_no_tree)
{
    wsr__yaml_node *root = NULL;
    ck_assert_ok(parse(&root, ""));
    ck_assert_ptr_null(root);
    ck_assert_ok(parse(&root, "# nothing\n"));
    ck_assert_ptr_null(root);
}
END_TEST

START_TEST(what_is_not_supported_is_named_with_its_line)
{
    reject("a: 1\na: 2\n", "a: key is given twice, first in line 1 (a.yaml:2)");
    reject("a: &x 1\n", "anchors are not supported (a.yaml:1)");
    reject("a: 1\nb: *x\n", "aliases are not supported (a.yaml:2)");
    reject("a: !!int 1\n", "tags are not supported (a.yaml:1)");
    reject("a: !!map {}\n", "tags are not supported (a.yaml:1)");
    reject("a: &q []\n", "anchors are not supported (a.yaml:1)");
    reject("a: 1\n---\nb: 2\n", "a second document begins (a.yaml:2)");
    reject("[a, b]: 1\n", "a key must be a word (a.yaml:1)");
    reject("a: \"x\\ny\"\n", "control character 0x0a in a value (a.yaml:1)");
    reject("a: \"x\\0y\"\n", "control character 0x00 in a value (a.yaml:1)");
    // The upper ones, separators of lines, what is no character.
    reject("a: \"x\\u009e\"\n", "control character 0xc2 in a value (a.yaml:1)");
    reject("a: \"x\\u0085y\"\n", "control character 0xc2 in a value");
    reject("a: \"x\\u2028y\"\n", "control character 0xe2 in a value");
    reject("a: \"\\uffff\"\n", "control character 0xef in a value");
    reject("a: |\n  x\n", "control character 0x0a in a value (a.yaml:1)");
}
END_TEST

START_TEST(broken_text_is_named_with_its_line)
{
    reject("a: 1\nb: [1, 2\n", "(a.yaml:3)");
    reject("a: 1\n\tb: 2\n", "(a.yaml:2)");
    reject("a: 'x\n", "(a.yaml:2)");
    reject("a: 1\nb: \xff\n", "UTF-8 octet (a.yaml:2)");
    reject("a: 1\n\nb: \x01\n", "control characters are not allowed "
                                "(a.yaml:3)");
    reject("a: b: c\n", "(a.yaml:1)");
}
END_TEST

START_TEST(depth_and_size_are_limited)
{
    enum { MANY = 100000 };
    static char text[MANY + 1];
    wsr__yaml_node *root = NULL;
    memset(text, '[', MANY);
    reject(text, "nested deeper than 16 levels (a.yaml:1)");
    (void)snprintf(text, sizeof(text), "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    ck_assert_ok(parse(&root, text));
    wsr__yaml_free(root);
    reject("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
           "nested deeper than 16 levels");
    text[0] = '[';
    for (size_t i = 1; i + 1 < MANY; i += 2) {
        text[i] = 'a';
        text[i + 1] = ',';
    }
    reject(text, "more than 16384 values (a.yaml:1)");
    ck_assert_fails(wsr__yaml_parse(&root, text, WSR__YAML_SIZE + 1, "a.yaml"),
                    WSR_CONFIG, "1048577 bytes are more than 1048576 (a.yaml)");
}
END_TEST

START_TEST(a_missing_file_is_an_io_failure)
{
    wsr__yaml_node *root = NULL;
    ck_assert_fails(wsr__yaml_load(&root, "no/such.yaml"), WSR_IO,
                    "no/such.yaml: No such file");
}
END_TEST

START_TEST(a_file_that_is_no_text_is_named)
{
    static const char zip[] = "PK\x03\x04 archive/data.pkl";
    char path[600];
    wsr__yaml_node *root = NULL;
    (void)snprintf(path, sizeof(path), "%s/a.yaml", scratch_folder("yaml"));
    ck_assert_ok(wsr__file_write(path, zip, sizeof(zip)));
    ck_assert_fails(wsr__yaml_load(&root, path), WSR_CONFIG,
                    "a.yaml: is a PyTorch file of torch.save, not a text file");
    ck_assert_ptr_null(root);
}
END_TEST

// Texts that mean something else in YAML where they are not quoted.
static const char *const scalars[] = {"abc",
                                      "",
                                      "a b",
                                      " a",
                                      "true",
                                      "null",
                                      "1e-5",
                                      "-3",
                                      "-",
                                      "- a",
                                      "a: b",
                                      "a:",
                                      "a #b",
                                      "#a",
                                      "\"q\"",
                                      "back\\s",
                                      "it's",
                                      "[a, b]",
                                      "{a}",
                                      "a,b",
                                      "&x",
                                      "*x",
                                      "!t",
                                      "%d",
                                      "@a",
                                      "~",
                                      "...",
                                      "---",
                                      "pgd:steps=20,eps=8/255",
                                      "/a/b.c",
                                      "0x10",
                                      "\xc3\xa9",
                                      "? a",
                                      "-:",
                                      "a\\nb",
                                      "=",
                                      "<<",
                                      "yes",
                                      ":a"};

START_TEST(a_printed_scalar_reads_back)
{
    for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
        wsr__yaml_node *root = NULL;
        wsr__str out = {0};
        wsr__str_add(&out, "k: [");
        wsr__yaml_add_scalar(&out, scalars[i]);
        wsr__str_add(&out, "]\nl: ");
        wsr__yaml_add_scalar(&out, scalars[i]);
        wsr__str_add(&out, "\n");
        ck_assert_ok(wsr__str_status(&out));
        ck_assert_ok(parse(&root, out.s));
        ck_assert_uint_eq(root->count, 2);
        ck_assert_uint_eq(root->first->count, 1);
        ck_assert_str_eq(root->first->first->text, scalars[i]);
        ck_assert_str_eq(root->last->text, scalars[i]);
        wsr__yaml_free(root);
        wsr__str_free(&out);
    }
}
END_TEST

static wsr_status parse_and_free(void *ctx)
{
    wsr__yaml_node *root = NULL;
    const wsr_status status = parse(&root, ctx);
    ck_assert(status == WSR_OK || root == NULL);
    wsr__yaml_free(root);
    return status;
}

START_TEST(a_byte_order_mark_is_no_part_of_the_text)
{
    wsr__yaml_node *root = NULL;
    ck_assert_ok(parse(&root, "\xef\xbb\xbf"
                              "a: 1\nb: 2\n"));
    ck_assert_uint_eq(root->count, 2);
    ck_assert_str_eq(root->first->key, "a");
    ck_assert_uint_eq(root->last->line, 2);
    wsr__yaml_free(root);
    ck_assert_ok(parse(&root, "\xef\xbb\xbf"));
    ck_assert_ptr_null(root);
    // Where a message counts lines itself, too.
    ck_assert_fails(parse(&root, "\xef\xbb\xbf"
                                 "a: 1\nb: \xff\n"),
                    WSR_CONFIG, ":2)");
}
END_TEST

START_TEST(other_encodings_are_named)
{
    static const struct {
        const char *text;
        size_t size;
        const char *words;
    } rows[] = {
        {"\xff\xfe"
         "a\0:\0 \0001\0",
         10, "text is UTF-16, write it in UTF-8 (x)"},
        {"\xfe\xff\0a\0:", 6, "text is UTF-16"},
        {"a\0:\0 \0001\0", 8, "text is UTF-16"},
        {"\0a\0:", 4, "text is UTF-16"},
        {"\xff\xfe\0\0a\0\0\0", 8, "text is UTF-32"},
        {"\0\0\xfe\xff\0\0\0a", 8, "text is UTF-32"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr__yaml_node *root = NULL;
        ck_assert_fails(wsr__yaml_parse(&root, rows[i].text, rows[i].size, "x"),
                        WSR_CONFIG, rows[i].words);
        ck_assert_ptr_null(root);
    }
}
END_TEST

START_TEST(short_memory_is_reported_without_a_leak)
{
    char text[] = "a: 1\nb: {c: [x, y], d: z}\n";
    ck_assert_uint_gt(oom_sweep(parse_and_free, text), 10);
}
END_TEST

START_TEST(damaged_text_never_crashes)
{
    static const char text[] = "name: x\nnormal:\n  - [a, 0]\n  - {b: \"c\"}\n"
                               "list: [1, 2, 3]\n# end\n";
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (int round = 0; round < 3000; round++) {
        char damaged[sizeof(text)];
        memcpy(damaged, text, sizeof(text));
        for (uint32_t k = 1 + wsr__rng_below(&rng, 4); k > 0; k--) {
            damaged[wsr__rng_below(&rng, sizeof(text) - 1)] =
                (char)wsr__rng_below(&rng, 256);
        }
        wsr__yaml_node *root = NULL;
        if (wsr__yaml_parse(&root, damaged, sizeof(text) - 1, "a.yaml") ==
            WSR_OK) {
            wsr__yaml_free(root);
        } else {
            ck_assert_ptr_null(root);
        }
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_document_becomes_a_tree_with_lines,
                                  an_empty_document_is_no_tree,
                                  what_is_not_supported_is_named_with_its_line,
                                  broken_text_is_named_with_its_line,
                                  depth_and_size_are_limited,
                                  a_missing_file_is_an_io_failure,
                                  a_file_that_is_no_text_is_named,
                                  a_printed_scalar_reads_back,
                                  a_byte_order_mark_is_no_part_of_the_text,
                                  other_encodings_are_named,
                                  short_memory_is_reported_without_a_leak,
                                  damaged_text_never_crashes,
                                  NULL};
    return suite_of("config/yaml", tests);
}
