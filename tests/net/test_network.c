// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

static int64_t trained(const wsr_params *params)
{
    int64_t count = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        if (wsr_params_trainable(params, i)) {
            count += wsr_shape_count(wsr_params_shape(params, i));
        }
    }
    return count;
}

static wsr_net *net_of(const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL, options, 1));
    return net;
}

START_TEST(parameter_counts_are_the_published_ones)
{
    static const struct {
        const char *options;
        int64_t count;
    } rows[] = {
        {"genotype=cna_r,channels=45", 4544830},
        {"genotype=cna_m,channels=45", 4484350},
        {"genotype=cna_m_1,channels=45", 4540510},
        {"genotype=cna_n,channels=50", 4721560},
        {"genotype=WsrNet_Plus,channels=46", 4737412},
        {"genotype=RACL,channels=36", 3571174},
        {"genotype=ADVRUSH,channels=36", 4158046},
        {"genotype=cna_r,channels=74,stem=imagenet,classes=1000", 13161567},
        {"genotype=RACL,channels=64,stem=imagenet,classes=1000", 11950472},
        {"genotype=ADVRUSH,channels=60,stem=imagenet,classes=1000", 12179710},
        {"genotype=cna_r,channels=45,stem=int,classes=200", 4681820},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *const net = net_of(rows[i].options);
        ck_assert_msg(wsr_params_scalars(wsr_net_params(net)) == rows[i].count,
                      "%s: %lld", rows[i].options,
                      (long long)wsr_params_scalars(wsr_net_params(net)));
        ck_assert_int_eq(trained(wsr_net_params(net)), rows[i].count);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(the_auxiliary_classifier_counts_apart)
{
    wsr_net *const net = net_of("genotype=cna_r,channels=45,auxiliary=true");
    ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)), 4544830);
    ck_assert_int_eq(trained(wsr_net_params(net)), 5039688);
    wsr_net_free(net);
}
END_TEST

// Shape of an output of a graph, as text.
static void expect_output(const wsr_graph *graph, const char *name,
                          const char *shape)
{
    char text[96] = "none";
    for (size_t i = 0; i < graph->output_count; i++) {
        if (wsr__streq(graph->outputs[i].name, name)) {
            wsr__shape_print(text,
                             wsr_graph_shape(graph, graph->outputs[i].value));
        }
    }
    ck_assert_str_eq(text, shape);
}

static size_t inputs_of(const wsr_graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->count; i++) {
        n += graph->list[i].role == WSR__INPUT;
    }
    return n;
}

START_TEST(only_training_graphs_have_the_auxiliary_classifier_and_masks)
{
    static const char *const stems[] = {"cifar", "int", "imagenet",
                                        "imagenet_tiny"};
    for (size_t i = 0; i < 4; i++) {
        char options[160];
        wsr_graph *graph = NULL;
        (void)snprintf(options, sizeof(options),
                       "genotype=cna_r,channels=8,layers=3,auxiliary=true,"
                       "drop_path=0.2,classes=7,stem=%s",
                       stems[i]);
        wsr_net *const net = net_of(options);
        const size_t made = wsr_params_count(wsr_net_params(net));
        ck_assert_ok(wsr_net_graph(&graph, net, false));
        expect_output(graph, "logits", "(1, 7)");
        expect_output(graph, "aux", "none");
        ck_assert_uint_eq(inputs_of(graph), 1);
        wsr_graph_free(graph);
        ck_assert_ok(wsr_net_graph(&graph, net, true));
        expect_output(graph, "logits", "(1, 7)");
        expect_output(graph, "aux", "(1, 7)");
        ck_assert_uint_eq(inputs_of(graph), 1 + 3 * 8);
        wsr_graph_free(graph);
        ck_assert_uint_eq(wsr_params_count(wsr_net_params(net)), made);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(auxiliary_features_are_named_as_in_pytorch)
{
    static const struct {
        const char *stem;
        const char *name;
        bool there;
    } rows[] = {
        {"cifar", "auxiliary_head.features.2.weight", true},
        {"cifar", "auxiliary_head.features.3.running_var", true},
        {"cifar", "auxiliary_head.features.5.weight", true},
        {"cifar", "auxiliary_head.features.6.weight", true},
        {"imagenet", "auxiliary_head.features.5.weight", true},
        {"imagenet", "auxiliary_head.features.6.weight", false},
        {"imagenet_tiny", "auxiliary_head.features.6.weight", true},
        {"imagenet", "stem0.3.weight", true},
        {"imagenet", "stem1.1.weight", true},
        {"imagenet", "cells.0.preprocess0.conv_1.weight", true},
        {"imagenet_tiny", "stem0.3.weight", false},
        {"int", "stem.0.weight", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char options[128];
        (void)snprintf(options, sizeof(options),
                       "genotype=cna_r,channels=8,layers=3,auxiliary=true,"
                       "stem=%s",
                       rows[i].stem);
        wsr_net *const net = net_of(options);
        size_t at = 0;
        const bool there =
            wsr_params_find(&at, wsr_net_params(net), rows[i].name) == WSR_OK;
        ck_assert_msg(there == rows[i].there, "%s: %s", rows[i].stem,
                      rows[i].name);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(every_shipped_genotype_makes_a_network)
{
    char *names = NULL;
    ck_assert_ok(wsr_genotype_names(&names));
    for (char *name = strtok(names, "\n"); name != NULL;
         name = strtok(NULL, "\n")) {
        char options[128];
        (void)snprintf(options, sizeof(options),
                       "genotype=%s,channels=4,layers=4,classes=3", name);
        wsr_net *const net = net_of(options);
        wsr_graph *graph = NULL;
        ck_assert_ok(wsr_net_graph(&graph, net, true));
        ck_assert_str_eq(wsr_genotype_name(wsr_net_genotype(net)), name);
        wsr_graph_free(graph);
        wsr_net_free(net);
    }
    wsr_text_free(names);
}
END_TEST

START_TEST(widths_and_images_that_do_not_fit_are_refused_with_their_place)
{
    wsr_net *net = NULL;
    ck_assert_fails(wsr_net_new(&net, NULL, "", 1), WSR_CONFIG, "genotype");
    ck_assert_ptr_null(net);
    ck_assert_fails(wsr_net_new(&net, NULL, "genotype=nothing", 1),
                    WSR_NOTFOUND, "nothing");
    ck_assert_fails(wsr_net_new(&net, NULL, "genotype=cna_r,chanels=8", 1),
                    WSR_CONFIG, "network.channels");
    ck_assert_fails(wsr_net_new(&net, NULL, "genotype=cna_r,channels=0", 1),
                    WSR_CONFIG, "channels");
    ck_assert_fails(
        wsr_net_new(&net, NULL, "genotype=cna_r,channels=5,stem=imagenet", 1),
        WSR_CONFIG, "cells.0.preprocess0.: an odd number of channels");
    ck_assert_fails(
        wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,image_size=30", 1),
        WSR_SHAPE, "preprocess0.: an image with an odd side");
    ck_assert_fails(wsr_net_new(&net, NULL,
                                "genotype=cna_r,channels=4,auxiliary=true,"
                                "image_size=16",
                                1),
                    WSR_SHAPE, "auxiliary_head.");
    ck_assert_ptr_null(net);
}
END_TEST

// Copy parameters between networks, operations 4 and 5 of normal cells
// exchanged.
static void copy_swapped(const wsr_net *to, const wsr_net *from)
{
    wsr_params *const dst = wsr_net_params(to);
    const wsr_params *const src = wsr_net_params(from);
    ck_assert_uint_eq(wsr_params_count(dst), wsr_params_count(src));
    for (size_t i = 0; i < wsr_params_count(src); i++) {
        char name[128];
        size_t at = 0;
        unsigned cell = 0;
        unsigned op = 0;
        int rest = 0;
        const char *const old = wsr_params_name(src, i);
        (void)snprintf(name, sizeof(name), "%s", old);
        const bool in_cell =
            sscanf(old, "cells.%u._ops.%u%n", &cell, &op, &rest) == 2;
        if (in_cell && (op == 4 || op == 5) && cell != 1 && cell != 3) {
            (void)snprintf(name, sizeof(name), "cells.%u._ops.%u%s", cell,
                           9 - op, old + rest);
        }
        ck_assert_ok(wsr_params_find(&at, dst, name));
        memcpy(wsr_params_edit(dst, at), wsr_params_data(src, i),
               (size_t)wsr_shape_count(wsr_params_shape(src, i)) *
                   sizeof(float));
    }
}

static void logits_of(float *out, const wsr_net *net, const float *x, size_t n)
{
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert_ok(wsr_plan_new(&plan, graph, n, WSR_TRAIN));
    memcpy(wsr_plan_src(plan, "x"), x, n * 3072 * sizeof(*x));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(out, wsr_plan_dst(plan, "logits"), n * 10 * sizeof(*out));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
}

START_TEST(cna_m_1_and_wsrnet_plus_are_one_function)
{
    enum { N = 2 };
    static float x[N * 3072];
    float a[N * 10];
    float b[N * 10];
    wsr_net *const one = net_of("genotype=cna_m_1,channels=8,layers=5");
    wsr_net *other = NULL;
    ck_assert_ok(wsr_net_new(&other, NULL,
                             "genotype=WsrNet_Plus,channels=8,layers=5", 2));
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * 3072; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    logits_of(a, one, x, N);
    logits_of(b, other, x, N);
    ck_assert(a[0] != b[0]);
    copy_swapped(other, one);
    logits_of(b, other, x, N);
    for (size_t i = 0; i < N * 10; i++) {
        ck_assert_float_eq_tol(a[i], b[i], 1e-6f);
    }
    wsr_net_free(one);
    wsr_net_free(other);
}
END_TEST

// A network of pools and identities, but for one operation in each cell and
// both of the last node.
static wsr_net *net_with(const char *op)
{
    char text[2048];
    wsr_genotype *genotype = NULL;
    wsr_net *net = NULL;
    const char *const cell =
        "[skip_connect, 0], [skip_connect, 1], [%s, 0], [max_pool_3x3, 1], "
        "[skip_connect, 2], [avg_pool_3x3, 3], [%s, 1], [%s, 0]";
    char edges[512];
    int n = 0;
    for (const char *c = cell; *c != '\0'; c++) {
        const bool hole = c[0] == '%';
        n += snprintf(edges + n, sizeof(edges) - (size_t)n, "%.*s",
                      hole ? (int)strlen(op) : 1, hole ? op : c);
        c += hole;
    }
    (void)snprintf(text, sizeof(text),
                   "normal: [%s]\nnormal_concat: [2, 3, 4, 5]\n"
                   "reduce: [%s]\nreduce_concat: [2, 3, 4, 5]\n",
                   edges, edges);
    ck_assert_ok(wsr_genotype_parse(&genotype, text, "g"));
    ck_assert_ok(wsr_net_new(&net, genotype, "channels=4,layers=5", 1));
    wsr_genotype_free(genotype);
    return net;
}

// Silence the norm at the end of the separable convolutions of `net`, which
// then yield zeros, and give what else it has to `to`.
static void silence_and_copy(const wsr_net *to, const wsr_net *net)
{
    wsr_params *const dst = wsr_net_params(to);
    wsr_params *const src = wsr_net_params(net);
    size_t shared = 0;
    for (size_t i = 0; i < wsr_params_count(src); i++) {
        const char *const name = wsr_params_name(src, i);
        const size_t bytes = (size_t)wsr_shape_count(wsr_params_shape(src, i)) *
                             sizeof(float);
        size_t at = 0;
        if (strstr(name, ".op.7.weight") != NULL ||
            strstr(name, ".op.7.bias") != NULL) {
            memset(wsr_params_edit(src, i), 0, bytes);
        }
        if (wsr_params_find(&at, dst, name) == WSR_OK) {
            memcpy(wsr_params_edit(dst, at), wsr_params_data(src, i), bytes);
            shared++;
        }
    }
    ck_assert_uint_eq(shared, wsr_params_count(dst));
    ck_assert_uint_gt(wsr_params_count(src), shared);
}

START_TEST(edges_of_none_yield_zeros)
{
    enum { N = 2 };
    static float x[N * 3072];
    float a[N * 10];
    float b[N * 10];
    wsr_net *const none = net_with("none");
    wsr_net *const silent = net_with("sep_conv_3x3");
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * 3072; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    logits_of(b, silent, x, N);
    silence_and_copy(none, silent);
    logits_of(a, none, x, N);
    ck_assert(a[0] != b[0]);
    logits_of(b, silent, x, N);
    for (size_t i = 0; i < N * 10; i++) {
        ck_assert_float_eq_tol(a[i], b[i], 1e-5f);
    }
    wsr_net_free(none);
    wsr_net_free(silent);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameter_counts_are_the_published_ones,
        the_auxiliary_classifier_counts_apart,
        only_training_graphs_have_the_auxiliary_classifier_and_masks,
        auxiliary_features_are_named_as_in_pytorch,
        every_shipped_genotype_makes_a_network,
        widths_and_images_that_do_not_fit_are_refused_with_their_place,
        cna_m_1_and_wsrnet_plus_are_one_function,
        edges_of_none_yield_zeros,
        NULL};
    return suite_of("network", tests);
}
