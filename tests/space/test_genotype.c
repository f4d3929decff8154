// SPDX-License-Identifier: Apache-2.0

#include "space/space.h"
#include "support/oom.h"
#include "support/support.h"
#include "wsr/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good[] = "name: mine\n"
                           "normal:\n"
                           "  - [sep_conv_3x3, 0]\n"
                           "  - [skip_connect, 1]\n"
                           "  - [sep_conv_5x5, 2]\n"
                           "  - [dil_conv_3x3, 0]\n"
                           "  - [dil_conv_5x5, 3]\n"
                           "  - [max_pool_3x3, 1]\n"
                           "  - [avg_pool_3x3, 4]\n"
                           "  - [avg_pool_3x3, 4]\n"
                           "normal_concat: [2, 3, 4, 5]\n"
                           "reduce: [[sep_conv_7x7, 0], [conv_7x1_1x7, 1],\n"
                           "         [skip_connect, 0], [skip_connect, 1],\n"
                           "         [skip_connect, 0], [skip_connect, 1],\n"
                           "         [skip_connect, 0], [skip_connect, 1]]\n"
                           "reduce_concat: [5, 2]\n";

static const char python[] =
    "05/12 10:11:12 AM genotype = Genotype(normal=[('sep_conv_3x3', 0), "
    "('skip_connect', 1), ('sep_conv_5x5', 2), ('dil_conv_3x3', 0), "
    "('dil_conv_5x5', 3), ('max_pool_3x3', 1), ('avg_pool_3x3', 4), "
    "('avg_pool_3x3', 4)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_7x7', 0), ('conv_7x1_1x7', 1), ('skip_connect', 0), "
    "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), "
    "('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[5, 2])\n"
    "05/12 10:11:13 AM epoch 3\n";

// The text `good` with its first `from` replaced.
static void reject(const char *text, const char *from, const char *to,
                   const char *words)
{
    char changed[2048];
    const char *const at = strstr(text, from);
    wsr_genotype *g = NULL;
    ck_assert_ptr_nonnull(at);
    (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
                   to, at + strlen(from));
    ck_assert_fails(wsr_genotype_parse(&g, changed, "g.yaml"), WSR_FORMAT,
                    words);
    ck_assert_ptr_null(g);
}

START_TEST(a_genotype_holds_what_the_text_says)
{
    wsr_genotype *g = NULL;
    ck_assert_ok(wsr_genotype_parse(&g, good, "g.yaml"));
    ck_assert_str_eq(wsr_genotype_name(g), "mine");
    ck_assert_uint_eq(wsr_genotype_nodes(g), 4);
    ck_assert_str_eq(wsr_genotype_op(g, WSR_GENOTYPE_NORMAL, 0),
                     "sep_conv_3x3");
    ck_assert_str_eq(wsr_genotype_op(g, WSR_GENOTYPE_NORMAL, 7),
                     "avg_pool_3x3");
    ck_assert_uint_eq(wsr_genotype_state(g, WSR_GENOTYPE_NORMAL, 4), 3);
    ck_assert_str_eq(wsr_genotype_op(g, WSR_GENOTYPE_REDUCE, 1),
                     "conv_7x1_1x7");
    ck_assert_ptr_null(wsr_genotype_op(g, WSR_GENOTYPE_REDUCE, 8));
    ck_assert_uint_eq(wsr_genotype_concat_count(g, WSR_GENOTYPE_NORMAL), 4);
    ck_assert_uint_eq(wsr_genotype_concat_count(g, WSR_GENOTYPE_REDUCE), 2);
    ck_assert_uint_eq(wsr_genotype_concat(g, WSR_GENOTYPE_REDUCE, 0), 5);
    ck_assert_uint_eq(wsr_genotype_concat(g, WSR_GENOTYPE_REDUCE, 1), 2);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(python_text_of_a_log_gives_the_same_genotype)
{
    wsr_genotype *yaml = NULL;
    wsr_genotype *log = NULL;
    ck_assert_ok(wsr_genotype_parse(&yaml, good, "g.yaml"));
    ck_assert_ok(wsr_genotype_parse(&log, python, "dir/run.log"));
    ck_assert(wsr_genotype_equal(yaml, log));
    ck_assert_str_eq(wsr_genotype_name(log), "run");
    wsr_genotype_free(log);
    wsr_genotype_free(yaml);
}
END_TEST

START_TEST(python_sources_are_understood)
{
    static const char source[] =
        "from x import Genotype\n"
        "# DARTS, second order\n"
        "V2 = Genotype(normal=[(\"sep_conv_3x3\", 0), ['sep_conv_3x3', 1,],\n"
        "    ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), # node 1\n"
        "    ('sep_conv_3x3', 1), ('skip_connect', 0),\n"
        "    ('skip_connect', 0), ('dil_conv_3x3', 2),],\n"
        "  normal_concat=list(range(2, 6)), reduce=(('max_pool_3x3', 0),\n"
        "    ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),\n"
        "    ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2),\n"
        "    ('max_pool_3x3', 1)), reduce_concat=(2, 3, 4, 5,),)\n";
    wsr_genotype *g = NULL;
    wsr_genotype *shipped = NULL;
    ck_assert_ok(wsr_genotype_parse(&g, source, "x.py"));
    ck_assert_ok(wsr_genotype_load(&shipped, "DARTS_V2"));
    ck_assert(wsr_genotype_equal(g, shipped));
    ck_assert_str_eq(wsr_genotype_name(g), "V2");
    wsr_genotype_free(shipped);
    wsr_genotype_free(g);
}
END_TEST

// The genotype of `good` in the forms in which programs of others print it.
START_TEST(forms_of_other_programs_are_understood)
{
    static const char *const texts[] = {
        // weights: GDAS
        "Genotype(normal=[('sep_conv_3x3', 0, 0.13017432391643524), "
        "('skip_connect', 1, 1), ('sep_conv_5x5', 2, -1.5e-3), "
        "('dil_conv_3x3', 0, 3), ('dil_conv_5x5', 3), ('max_pool_3x3', 1), "
        "('avg_pool_3x3', 4, tensor(0.13, device='cuda:0')), "
        "('avg_pool_3x3', 4, np.float64(0.5),)], normal_concat=range(2, 6), "
        "reduce=[('sep_conv_7x7', 0), ('conv_7x1_1x7', 1), "
        "('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
        "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1)], "
        "reduce_concat=[5, 2])",
        // a group for each node, and arguments of None: SETN
        "A = Genotype(\n  normal=[\n"
        "    (('sep_conv_3x3', 0), ('skip_connect', 1)),\n"
        "    (('sep_conv_5x5', 2), ('dil_conv_3x3', 0)),\n"
        "    [('dil_conv_5x5', 3), ('max_pool_3x3', 1)],\n"
        "    (('avg_pool_3x3', 4), ('avg_pool_3x3', 4))],\n"
        "  normal_concat=[2, 3, 4, 5],\n  reduce=[\n"
        "    (('sep_conv_7x7', 0), ('conv_7x1_1x7', 1)),\n"
        "    (('skip_connect', 0), ('skip_connect', 1)),\n"
        "    (('skip_connect', 0), ('skip_connect', 1)),\n"
        "    (('skip_connect', 0), ('skip_connect', 1))],\n"
        "  reduce_concat=[5, 2],\n  connectN=None, connects=None\n)\n",
        // NumPy 2's scalars, Python 2's texts, sums, steps, no names
        "Genotype([(np.str_('sep_conv_3x3'), np.int64(0)), "
        "(u'skip_connect', np.int64(1)), ('sep_conv_5x5', 2), "
        "('dil_conv_3x3', 0), ('dil_conv_5x5', 3), ('max_pool_3x3', 1), "
        "('avg_pool_3x3', 4), ('avg_pool_3x3', 4)], range(2, 2 + 4, 1), "
        "[('sep_conv_7x7', 0), ('conv_7x1_1x7', 1), ('skip_connect', 0), "
        "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), "
        "('skip_connect', 0), ('skip_connect', 1)], "
        "reduce_concat=[5, *range(2, 3)])",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        wsr_genotype *want = NULL;
        wsr_genotype *got = NULL;
        char text[2048];
        (void)snprintf(text, sizeof(text), "%s%s", i == 0 ? "\xef\xbb\xbf" : "",
                       texts[i]);
        ck_assert_ok(wsr_genotype_parse(&want, good, "g.yaml"));
        ck_assert_ok(wsr_genotype_parse(&got, text, "run.log"));
        ck_assert(wsr_genotype_equal(want, got));
        wsr_genotype_free(got);
        wsr_genotype_free(want);
    }
}
END_TEST

START_TEST(an_edge_may_be_none)
{
    wsr_genotype *g = NULL;
    wsr_genotype *again = NULL;
    char text[sizeof(python) + 16];
    char *printed = NULL;
    const char *const at = strstr(python, "sep_conv_5x5");
    (void)snprintf(text, sizeof(text), "%.*snone%s", (int)(at - python), python,
                   at + strlen("sep_conv_5x5"));
    ck_assert_ok(wsr_genotype_parse(&g, text, "run.log"));
    ck_assert_str_eq(wsr_genotype_op(g, WSR_GENOTYPE_NORMAL, 2), "none");
    ck_assert_ok(wsr_genotype_print(&printed, g));
    ck_assert_ok(wsr_genotype_parse(&again, printed, "x.yaml"));
    ck_assert(wsr_genotype_equal(g, again));
    wsr_text_free(printed);
    wsr_genotype_free(again);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(yaml_may_hold_weights_and_a_byte_order_mark)
{
    wsr_genotype *want = NULL;
    wsr_genotype *got = NULL;
    char text[sizeof(good) + 16];
    const char *const at = strstr(good, "sep_conv_5x5, 2");
    (void)snprintf(text, sizeof(text), "\xef\xbb\xbf%.*s, 0.25%s",
                   (int)(at - good) + 15, good, at + 15);
    ck_assert_ok(wsr_genotype_parse(&want, good, "g.yaml"));
    ck_assert_ok(wsr_genotype_parse(&got, text, "g.yaml"));
    ck_assert(wsr_genotype_equal(want, got));
    wsr_genotype_free(got);
    wsr_genotype_free(want);
    ck_assert_fails(wsr_genotype_parse(&got, "\xff\xfeG", "g.yaml"), WSR_FORMAT,
                    "text is UTF-16, write it in UTF-8 (g.yaml)");
}
END_TEST

START_TEST(files_that_are_no_text_are_named)
{
    static const char *const rows[][2] = {
        {"PK\x03\x04 archive/data.pkl", "is a PyTorch file of torch.save"},
        {"\xff\xfeG", "text is UTF-16, write it in UTF-8"},
        {"\x93NUMPY", "is a NumPy array, not a text file"},
    };
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/x.pth", scratch_folder("genotype"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_genotype *g = NULL;
        FILE *const file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        // With the NUL at its end.
        ck_assert_uint_eq(fwrite(rows[i][0], strlen(rows[i][0]) + 1, 1, file),
                          1);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_fails(wsr_genotype_load(&g, path), WSR_FORMAT, rows[i][1]);
        ck_assert_ptr_null(g);
    }
}
END_TEST

START_TEST(json_is_understood)
{
    static const char json[] =
        "{\"normal\": [[\"skip_connect\", 0], [\"skip_connect\", 1], "
        "[\"skip_connect\", 0], [\"skip_connect\", 1], [\"skip_connect\", 0], "
        "[\"skip_connect\", 1], [\"skip_connect\", 0], [\"skip_connect\", 1]], "
        "\"normal_concat\": [2, 3, 4, 5], \"reduce\": [[\"skip_connect\", 0], "
        "[\"skip_connect\", 1], [\"skip_connect\", 0], [\"skip_connect\", 1], "
        "[\"skip_connect\", 0], [\"skip_connect\", 1], [\"skip_connect\", 0], "
        "[\"skip_connect\", 1]], \"reduce_concat\": [2, 3, 4, 5]}";
    wsr_genotype *g = NULL;
    ck_assert_ok(wsr_genotype_parse(&g, json, "net.safetensors"));
    ck_assert_str_eq(wsr_genotype_name(g), "net");
    wsr_genotype_free(g);
}
END_TEST

START_TEST(an_illegal_edge_is_named_with_its_line)
{
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x6, 2]",
           "normal: operation 'sep_conv_5x6' is unknown, did you mean "
           "'sep_conv_5x5' (g.yaml:5)");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5, 3]",
           "normal: state 3 of pair 2 is outside [0, 2] (g.yaml:5)");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5, -1]",
           "normal: state -1 of pair 2 is outside [0, 2] (g.yaml:5)");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5, x]",
           "normal: state 'x' is not an integer (g.yaml:5)");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5]",
           "normal: entry is not [operation, state] or [operation, state, "
           "weight] (g.yaml:5)");
    reject(good, "[sep_conv_5x5, 2]", "sep_conv_5x5",
           "normal: entry is not [operation, state]");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5, 2, 0.1, 0]",
           "normal: entry is not [operation, state]");
    reject(good, "[sep_conv_5x5, 2]", "[sep_conv_5x5, 2, x]",
           "normal: entry is not [operation, state]");
    reject(good, "[conv_7x1_1x7, 1]", "[conv_7x1_1x7, 2]",
           "reduce: state 2 of pair 1 is outside [0, 1] (g.yaml:12)");
}
END_TEST

START_TEST(an_illegal_list_is_named_with_its_line)
{
    reject(good, "[2, 3, 4, 5]", "[2, 3, 4, 6]",
           "normal_concat: state 6 is outside [2, 5] (g.yaml:11)");
    reject(good, "[2, 3, 4, 5]", "[1, 3, 4, 5]",
           "normal_concat: state 1 is outside [2, 5] (g.yaml:11)");
    reject(good, "[2, 3, 4, 5]", "[2, 3, 2]",
           "normal_concat: state 2 is given twice (g.yaml:11)");
    reject(good, "[2, 3, 4, 5]", "[]", "normal_concat: no states (g.yaml:11)");
    reject(good, "[2, 3, 4, 5]", "[2, 3, 4, 5, 2, 3, 4]",
           "normal_concat: 7 entries are more than 5 (g.yaml:11)");
    reject(good, "[2, 3, 4, 5]", "4",
           "normal_concat: is not a list (g.yaml:11)");
    reject(good, "  - [skip_connect, 1]\n", "",
           "normal: 7 pairs are neither 8 (four nodes) nor 10 (five nodes) "
           "(g.yaml:3)");
    reject(good, "  - [skip_connect, 1]\n",
           "  - [skip_connect, 1]\n  - [skip_connect, 1]\n"
           "  - [skip_connect, 1]\n",
           "reduce: 8 pairs, but normal has 10 (g.yaml:14)");
    reject(good, "reduce_concat: [5, 2]\n", "",
           "reduce_concat: is missing (g.yaml)");
    reject(good, "reduce_concat", "reduce_concatt",
           "reduce_concatt: no key of a genotype, did you mean "
           "'reduce_concat' (g.yaml:16)");
    reject(good, "name: mine", "name: [a]", "name: is not a word");
    reject(good, "name: mine", "normal: []", "key is given twice");
    reject(good, good, "- a\n", "not a genotype: no keys normal");
    reject(good, good, "", "not a genotype: no keys normal");
    reject(good, good, "normal: [}", "(g.yaml:1)");
}
END_TEST

START_TEST(illegal_python_is_named_with_its_line)
{
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 3)",
           "normal: state 3 of pair 2 is outside [0, 2] (g.yaml:1)");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2, 0, 1)",
           "')' is missing before '1'");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2, 'x')",
           "a weight is missing before");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2, 0.1 0.2)",
           "')' is missing before '0'");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2, 5)",
           "'sep_conv_5x5' of pair 2 leads to state 5, but every node has two "
           "pairs in order, here 3 (g.yaml:1)");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2.5)",
           "an integer is missing");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', np.int64(2",
           "')' is missing before ','");
    reject(python, "range(2, 6)", "None",
           "normal_concat: is None, but a genotype has two cells (g.yaml:1)");
    reject(python, "range(2, 6)", "range(2, 6, 0)",
           "range: step 0 is outside [1, 5]");
    reject(python, "range(2, 6)", "sorted(x)",
           "'sorted' is neither a list nor range(start, stop)");
    reject(python, python,
           "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|a~0|b~1|c~2|",
           "operation 'a' is none of the space nb201");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5' 2)",
           "',' is missing before '2' (g.yaml:1)");
    reject(python, "('sep_conv_5x5', 2)", "(sep_conv_5x5, 2)",
           "a quote is missing before 's'");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5\", 2)",
           "a quote is missing before '\"'");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', 2]",
           "')' is missing before ']'");
    reject(python, "('sep_conv_5x5', 2)", "('sep_conv_5x5', x)",
           "an integer is missing before 'x'");
    reject(python, "range(2, 6)", "range(2, 60)", "more than 5 states");
    reject(python, "range(2, 6)", "range(2, 7)",
           "normal_concat: state 6 is outside [2, 5]");
    reject(python, "range(2, 6)", "rang(2, 6)",
           "'rang' is neither a list nor range(start, stop)");
    reject(python, "reduce=", "reduse=",
           "reduse: is no part of a genotype, did you mean 'reduce'");
    reject(python, "reduce=", "normal=", "normal: is given twice");
    reject(python, ", reduce_concat=[5, 2]", "",
           "reduce_concat: is missing (g.yaml)");
    reject(python, "05/12 10:11:13 AM epoch 3", "Genotype(normal=[])",
           "a second genotype begins, keep one of them (g.yaml:2)");
    reject("Genotype(normal=[('a", "Gen", "Gen",
           "a quote is missing at the end (g.yaml:1)");
}
END_TEST

START_TEST(a_printed_genotype_reads_back_to_the_same_bytes)
{
    wsr_genotype *g = NULL;
    wsr_genotype *again = NULL;
    char *first = NULL;
    char *second = NULL;
    ck_assert_ok(wsr_genotype_parse(&g, good, "g.yaml"));
    ck_assert_ok(wsr_genotype_print(&first, g));
    ck_assert_ok(wsr_genotype_parse(&again, first, "other"));
    ck_assert_ok(wsr_genotype_print(&second, again));
    ck_assert(wsr_genotype_equal(g, again));
    ck_assert_str_eq(first, second);
    ck_assert_ptr_nonnull(strstr(first, "  - [sep_conv_3x3, 0]\n"));
    wsr_text_free(first);
    wsr_text_free(second);
    wsr_genotype_free(g);
    wsr_genotype_free(again);
}
END_TEST

START_TEST(a_saved_genotype_loads_by_path)
{
    wsr_genotype *g = NULL;
    wsr_genotype *again = NULL;
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/found.yaml",
                   scratch_folder("genotype"));
    ck_assert_ok(wsr_genotype_parse(&g, good, "g.yaml"));
    ck_assert_ok(wsr_genotype_save(g, path));
    ck_assert_ok(wsr_genotype_load(&again, path));
    ck_assert(wsr_genotype_equal(g, again));
    wsr_genotype_free(g);
    wsr_genotype_free(again);
    ck_assert_fails(wsr_genotype_load(&g, "no/such/file.yaml"), WSR_IO,
                    "no/such/file.yaml: No such file");
    ck_assert_ptr_null(g);
}
END_TEST

START_TEST(an_unknown_name_gets_a_suggestion_and_the_list)
{
    wsr_genotype *g = NULL;
    ck_assert_fails(wsr_genotype_load(&g, "DARTS_V3"), WSR_NOTFOUND,
                    "genotype: there is no 'DARTS_V3', did you mean "
                    "'DARTS_V1', there are ");
    ck_assert_ptr_nonnull(
        strstr(wsr_error_detail(), "there is no file 'DARTS_V3': "));
    ck_assert_fails(wsr_genotype_load(&g, "cna_r.yaml"), WSR_NOTFOUND,
                    "there is no file 'cna_r.yaml'; the shipped one is called "
                    "'cna_r'");
    ck_assert_fails(wsr_genotype_load(&g, "cna_x.yaml"), WSR_NOTFOUND,
                    "there is no file 'cna_x.yaml': genotype: there is no "
                    "'cna_x', did you mean '");
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "ADVRUSH, AmoebaNet"));
    ck_assert_fails(wsr_genotype_load(&g, ""), WSR_NOTFOUND, "there is no ''");
}
END_TEST

START_TEST(order_of_pairs_and_of_concat_distinguishes)
{
    wsr_genotype *m1 = NULL;
    wsr_genotype *plus = NULL;
    wsr_genotype *copy = NULL;
    // The same function, but other parameter names.
    ck_assert_ok(wsr_genotype_load(&m1, "cna_m_1"));
    ck_assert_ok(wsr_genotype_load(&plus, "WsrNet_Plus"));
    ck_assert(!wsr_genotype_equal(m1, plus));
    ck_assert_ok(wsr_genotype_copy(&copy, m1));
    ck_assert(wsr_genotype_equal(m1, copy));
    wsr_genotype_free(m1);
    wsr_genotype_free(plus);
    wsr_genotype_free(copy);
}
END_TEST

START_TEST(every_published_genotype_is_shipped_under_its_name)
{
    static const char *const names[] = {
        "RACL",        "ADVRUSH", "cna_r",          "CNA_R",
        "cna_m",       "cna_m_1", "cna_n",          "WsrNet_Plus",
        "cna_r_minus", "NASNet",  "AmoebaNet",      "DARTS_V1",
        "DARTS_V2",    "DARTS",   "PC_DARTS_cifar", "PC_DARTS_image",
        "PVLL_NAS"};
    const size_t n = sizeof(names) / sizeof(names[0]);
    char *list = NULL;
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        wsr_genotype *g = NULL;
        ck_assert_ok(wsr_genotype_load(&g, names[i]));
        ck_assert_str_eq(wsr_genotype_name(g), names[i]);
        const bool five = strstr("NASNet AmoebaNet", names[i]) != NULL;
        ck_assert_uint_eq(wsr_genotype_nodes(g), five ? 5 : 4);
        wsr_genotype_free(g);
    }
    ck_assert_ok(wsr_genotype_names(&list));
    for (const char *s = list; *s != '\0'; s++) {
        lines += *s == '\n';
    }
    ck_assert_uint_eq(lines, n);
    wsr_text_free(list);
}
END_TEST

// Spot checks against the published tables, written by hand.
static void check_edge(const char *name, wsr_genotype_cell cell, size_t edge,
                       const char *op, size_t state)
{
    wsr_genotype *g = NULL;
    ck_assert_ok(wsr_genotype_load(&g, name));
    ck_assert_str_eq(wsr_genotype_op(g, cell, edge), op);
    ck_assert_uint_eq(wsr_genotype_state(g, cell, edge), state);
    wsr_genotype_free(g);
}

START_TEST(published_genotypes_hold_the_published_edges)
{
    wsr_genotype *g = NULL;
    check_edge("cna_r", WSR_GENOTYPE_NORMAL, 7, "sep_conv_5x5", 0);
    check_edge("cna_r", WSR_GENOTYPE_REDUCE, 6, "sep_conv_3x3", 4);
    check_edge("RACL", WSR_GENOTYPE_REDUCE, 7, "dil_conv_3x3", 3);
    check_edge("ADVRUSH", WSR_GENOTYPE_NORMAL, 6, "skip_connect", 0);
    check_edge("AmoebaNet", WSR_GENOTYPE_REDUCE, 8, "conv_7x1_1x7", 0);
    check_edge("NASNet", WSR_GENOTYPE_REDUCE, 1, "sep_conv_7x7", 0);
    check_edge("PVLL_NAS", WSR_GENOTYPE_NORMAL, 4, "avg_pool_3x3", 3);
    check_edge("DARTS", WSR_GENOTYPE_NORMAL, 7, "dil_conv_3x3", 2);
    ck_assert_ok(wsr_genotype_load(&g, "AmoebaNet"));
    ck_assert_uint_eq(wsr_genotype_concat_count(g, WSR_GENOTYPE_REDUCE), 3);
    ck_assert_uint_eq(wsr_genotype_concat(g, WSR_GENOTYPE_REDUCE, 1), 4);
    ck_assert_uint_eq(wsr_genotype_concat(g, WSR_GENOTYPE_NORMAL, 0), 4);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(aliases_are_equal)
{
    static const char *const pairs[][2] = {{"cna_r", "CNA_R"},
                                           {"DARTS_V2", "DARTS"}};
    for (size_t i = 0; i < 2; i++) {
        wsr_genotype *a = NULL;
        wsr_genotype *b = NULL;
        ck_assert_ok(wsr_genotype_load(&a, pairs[i][0]));
        ck_assert_ok(wsr_genotype_load(&b, pairs[i][1]));
        ck_assert(wsr_genotype_equal(a, b));
        wsr_genotype_free(a);
        wsr_genotype_free(b);
    }
}
END_TEST

static wsr_status load_print_free(void *ctx)
{
    wsr_genotype *g = NULL;
    char *text = NULL;
    wsr_status status = wsr_genotype_load(&g, ctx);
    if (status == WSR_OK) {
        status = wsr_genotype_print(&text, g);
    }
    wsr_text_free(text);
    wsr_genotype_free(g);
    return status;
}

static wsr_status parse_python(void *ctx)
{
    wsr_genotype *g = NULL;
    const wsr_status status = wsr_genotype_parse(&g, ctx, "x.py");
    wsr_genotype_free(g);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char name[] = "cna_r";
    char text[sizeof(python)];
    memcpy(text, python, sizeof(python));
    ck_assert_uint_gt(oom_sweep(load_print_free, name), 20);
    ck_assert_uint_gt(oom_sweep(parse_python, text), 0);
}
END_TEST

static void damage(const char *text, size_t size)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, size, 0);
    for (int round = 0; round < 3000; round++) {
        char damaged[2048];
        memcpy(damaged, text, size);
        for (uint32_t k = 1 + wsr__rng_below(&rng, 3); k > 0; k--) {
            const uint32_t at = wsr__rng_below(&rng, (uint32_t)size - 1);
            damaged[at] = (char)wsr__rng_below(&rng, 256);
        }
        wsr_genotype *g = NULL;
        const wsr_status status = wsr_genotype_parse(&g, damaged, "g");
        ck_assert(status == WSR_OK ? g != NULL : g == NULL);
        wsr_genotype_free(g);
    }
}

START_TEST(damaged_text_never_crashes)
{
    damage(good, sizeof(good));
    damage(python, sizeof(python));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_genotype_holds_what_the_text_says,
        python_text_of_a_log_gives_the_same_genotype,
        python_sources_are_understood,
        json_is_understood,
        forms_of_other_programs_are_understood,
        an_edge_may_be_none,
        yaml_may_hold_weights_and_a_byte_order_mark,
        files_that_are_no_text_are_named,
        an_illegal_edge_is_named_with_its_line,
        an_illegal_list_is_named_with_its_line,
        illegal_python_is_named_with_its_line,
        a_printed_genotype_reads_back_to_the_same_bytes,
        a_saved_genotype_loads_by_path,
        an_unknown_name_gets_a_suggestion_and_the_list,
        order_of_pairs_and_of_concat_distinguishes,
        every_published_genotype_is_shipped_under_its_name,
        published_genotypes_hold_the_published_edges,
        aliases_are_equal,
        short_memory_is_reported_without_a_leak,
        damaged_text_never_crashes,
        NULL,
    };
    return suite_of("space/genotype", tests);
}
