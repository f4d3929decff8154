// SPDX-License-Identifier: Apache-2.0
//
// What holds for every op of the registry.

#include "op/op.h"
#include "support/support.h"

#include <string.h>

static const wsr__op_class *op_at(size_t i)
{
    return (const wsr__op_class *)wsr__ops.classes[i];
}

static bool is_key(const char *text)
{
    return text != NULL && text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789") ==
               strlen(text);
}

// One line that does not end in a full stop.
static bool is_line(const char *text)
{
    const size_t n = text == NULL ? 0 : strlen(text);
    return n > 0 && n < 80 && strchr(text, '\n') == NULL && text[n - 1] != '.';
}

START_TEST(every_op_has_a_name_and_a_summary)
{
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const wsr__class *const cls = wsr__ops.classes[i];
        ck_assert_msg(is_key(cls->name), "op %zu: bad name", i);
        ck_assert_msg(is_line(cls->summary), "%s: bad summary", cls->name);
        ck_assert_ptr_nonnull(cls->reference);
        ck_assert((cls->schema == NULL) == (cls->params_size == 0));
    }
}
END_TEST

START_TEST(every_op_is_found_by_its_name_alone)
{
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const wsr__op_class *found = NULL;
        ck_assert_ok(wsr__op_find(&found, wsr__ops.classes[i]->name));
        ck_assert_ptr_eq(found, op_at(i));
    }
}
END_TEST

START_TEST(every_op_has_implementations_and_the_reference_comes_last)
{
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const wsr__op_class *const cls = op_at(i);
        const char *const name = cls->super.name;
        ck_assert_msg(cls->min_srcs >= 1 && cls->min_srcs <= cls->max_srcs,
                      "%s: sources", name);
        ck_assert(cls->infer != NULL);
        ck_assert_ptr_nonnull(cls->impls[0]);
        for (size_t k = 0; cls->impls[k] != NULL; k++) {
            const wsr__impl *const impl = cls->impls[k];
            ck_assert_msg(is_key(impl->name), "%s: implementation", name);
            ck_assert(impl->forward != NULL);
            ck_assert_msg((impl->backward == NULL) == cls->no_grad,
                          "%s: %s and its gradient", name, impl->name);
            // What comes last must serve every node.
            ck_assert_msg(cls->impls[k + 1] != NULL || impl->applicable == NULL,
                          "%s: no implementation for all nodes", name);
        }
    }
}
END_TEST

// Names of sources: pieces that commas outside of parentheses separate.
static size_t named_sources(const char *text)
{
    size_t n = 1;
    int depth = 0;
    for (const char *s = text; *s != '\0'; s++) {
        depth += (*s == '(') - (*s == ')');
        n += *s == ',' && depth == 0;
    }
    ck_assert_msg(depth == 0, "parentheses of '%s'", text);
    return n;
}

START_TEST(every_op_says_what_it_takes_and_gives)
{
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const wsr__op_class *const cls = op_at(i);
        const char *const name = cls->super.name;
        ck_assert_msg(cls->sources != NULL && cls->result != NULL,
                      "%s: sources or result are not described", name);
        ck_assert_msg(cls->result[0] != '\0' &&
                          strchr(cls->sources, '(') != NULL,
                      "%s: shapes are not described", name);
        const size_t n = named_sources(cls->sources);
        const bool open = strstr(cls->sources, "), ...") != NULL ||
                          strstr(cls->sources, "or none") != NULL ||
                          strstr(cls->sources, "or not at all") != NULL;
        ck_assert_msg(open == (cls->min_srcs < cls->max_srcs) &&
                          (open || n == cls->max_srcs),
                      "%s: %zu sources are described, there are %zu to %zu",
                      name, n, cls->min_srcs, cls->max_srcs);
    }
}
END_TEST

static void check_option(const char *op, const wsr__option *o, void *params)
{
    ck_assert_msg(is_key(o->key), "%s: bad key", op);
    ck_assert_msg(is_line(o->help), "%s.%s: bad help", op, o->key);
    ck_assert_ptr_nonnull(o->unit);
    ck_assert_msg(o->min <= o->max, "%s.%s: bounds", op, o->key);
    ck_assert((o->kind == WSR__WORD) == (o->words != NULL));
    ck_assert_msg(wsr__value_decode(params, o, o->fallback) == WSR_OK,
                  "%s.%s: default is not permitted: %s", op, o->key,
                  wsr_error_detail());
    wsr__str once = {0};
    wsr__str twice = {0};
    wsr__params_print(&once, params, o);
    ck_assert_ok(wsr__value_decode(params, o, once.s == NULL ? "" : once.s));
    wsr__params_print(&twice, params, o);
    ck_assert_uint_eq(once.len, twice.len);
    ck_assert(once.len == 0 || strcmp(once.s, twice.s) == 0);
    wsr__str_free(&once);
    wsr__str_free(&twice);
}

START_TEST(every_default_is_permitted_and_reads_back)
{
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const wsr__class *const cls = wsr__ops.classes[i];
        void *params = NULL;
        ck_assert_ok(wsr__class_params(&params, cls, ""));
        const wsr__option *o = cls->schema;
        for (; o != NULL && o->key != NULL; o++) {
            check_option(cls->name, o, params);
        }
        wsr__free(params);
    }
}
END_TEST

START_TEST(names_are_in_alphabetical_order)
{
    for (size_t i = 1; wsr__ops.classes[i] != NULL; i++) {
        ck_assert_str_lt(wsr__ops.classes[i - 1]->name,
                         wsr__ops.classes[i]->name);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_op_has_a_name_and_a_summary,
        every_op_is_found_by_its_name_alone,
        every_op_has_implementations_and_the_reference_comes_last,
        every_op_says_what_it_takes_and_gives,
        every_default_is_permitted_and_reads_back,
        names_are_in_alphabetical_order,
        NULL,
    };
    return suite_of("registry_sweep", tests);
}
