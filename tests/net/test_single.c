// SPDX-License-Identifier: Apache-2.0
//
// Networks and supernets of a single space. nb201.py compares logits with
// PyTorch's; here a path of a supernet computes what the network of its cell
// does, and what cannot be is refused.

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { EDGES = 6, BATCH = 2, CLASSES = 10, IMAGE = 3 * 8 * 8 };

static const char *const sizes = "channels=4,layers=5,image_size=8";

static wsr_genotype *cell_of(const unsigned char *c)
{
    const char *const *const ops = wsr__space_nb201.primitives;
    char text[256];
    wsr_genotype *genotype = NULL;
    (void)snprintf(text, sizeof(text), "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|",
                   ops[c[0]], ops[c[1]], ops[c[2]], ops[c[3]], ops[c[4]],
                   ops[c[5]]);
    ck_assert_ok(wsr_genotype_parse(&genotype, text, "cell"));
    return genotype;
}

START_TEST(names_are_those_of_the_benchmark)
{
    static const char *const first[] = {
        "stem.0.weight",
        "stem.1.weight",
        "stem.1.bias",
        "stem.1.running_mean",
        "stem.1.running_var",
        "stem.1.num_batches_tracked",
        "cells.0.edges.1<-0.2.op.1.weight",
        "cells.0.edges.1<-0.2.op.2.running_mean",
        "cells.0.edges.1<-0.2.op.2.running_var",
        "cells.0.edges.1<-0.2.op.2.num_batches_tracked",
        "cells.0.edges.1<-0.3.op.1.weight"};
    static const char *const others[] = {"cells.1.conv_a.op.1.weight",
                                         "cells.1.conv_a.op.2.bias",
                                         "cells.1.conv_b.op.1.weight",
                                         "cells.3.downsample.1.weight",
                                         "cells.2.edges.3<-2.3.op.1.weight",
                                         "lastact.0.weight",
                                         "classifier.bias"};
    wsr_net *net = NULL;
    ck_assert_ok(wsr_supernet_new(&net, "space=nb201,channels=4,layers=5", 1));
    const wsr_params *const params = wsr_net_params(net);
    ck_assert_uint_eq(wsr_supernet_edges(net), EDGES);
    ck_assert_uint_eq(wsr_supernet_candidates(net), 5);
    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
        ck_assert_str_eq(wsr_params_name(params, i), first[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        size_t at = 0;
        ck_assert_ok(wsr_params_find(&at, params, others[i]));
    }
    wsr_net_free(net);
}
END_TEST

// Logits of a graph; gradients of nothing.
static void logits_of(float *logits, const wsr_graph *graph)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH, WSR_FORWARD));
    float *const x = wsr_plan_src(plan, "x");
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < BATCH * IMAGE; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(logits, wsr_plan_dst(plan, "logits"),
           BATCH * CLASSES * sizeof(*logits));
    wsr_plan_free(plan);
}

// Copies parameters of a supernet to the network of a path: edge 4 is
// "edges.3<-1.K." there and "layers.4." here. Norms of the network's cells have
// weights of one and biases of zero, as if they had none.
static void copy_params(const wsr_net *net, const wsr_net *supernet,
                        const unsigned char *choices)
{
    static const char *const edges[EDGES] = {"1<-0", "2<-0", "2<-1",
                                             "3<-0", "3<-1", "3<-2"};
    const wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const char *const name = wsr_params_name(params, i);
        const char *const layer = strstr(name, "layers.");
        char other[160];
        size_t at = 0;
        (void)snprintf(other, sizeof(other), "%s", name);
        if (layer != NULL) {
            const size_t e = (size_t)(layer[7] - '0');
            (void)snprintf(other, sizeof(other), "%.*sedges.%s.%d.%s",
                           (int)(layer - name), name, edges[e], choices[e],
                           layer + 9);
        }
        if (wsr_params_find(&at, wsr_net_params(supernet), other) == WSR_OK) {
            memcpy(wsr_params_edit(wsr_net_params(net), i),
                   wsr_params_data(wsr_net_params(supernet), at),
                   (size_t)wsr_shape_count(wsr_params_shape(params, i)) *
                       sizeof(float));
        } else {
            ck_assert_msg(layer != NULL, "%s", other);
        }
    }
}

START_TEST(a_path_computes_what_its_network_does)
{
    static const unsigned char cells[][EDGES] = {{3, 2, 4, 1, 0, 3},
                                                 {0, 4, 3, 2, 2, 1},
                                                 {1, 1, 1, 1, 1, 1},
                                                 {3, 0, 0, 0, 0, 0}};
    for (size_t c = 0; c < sizeof(cells) / sizeof(*cells); c++) {
        wsr_net *supernet = NULL;
        wsr_net *net = NULL;
        wsr_graph *graph = NULL;
        float a[BATCH * CLASSES];
        float b[BATCH * CLASSES];
        wsr_genotype *const genotype = cell_of(cells[c]);
        ck_assert_ok(wsr_supernet_new(
            &supernet, "space=nb201,channels=4,layers=5,image_size=8", 1));
        ck_assert_ok(wsr_net_new(&net, genotype, sizes, 2));
        copy_params(net, supernet, cells[c]);
        ck_assert_ok(wsr_supernet_graph(&graph, supernet, cells[c], NULL));
        logits_of(a, graph);
        wsr_graph_free(graph);
        ck_assert_ok(wsr_net_graph(&graph, net, false));
        logits_of(b, graph);
        wsr_graph_free(graph);
        for (size_t i = 0; i < BATCH * CLASSES; i++) {
            ck_assert_float_eq_tol(a[i], b[i], 1e-5F);
        }
        wsr_genotype_free(genotype);
        wsr_net_free(net);
        wsr_net_free(supernet);
    }
}
END_TEST

START_TEST(files_bring_networks_back)
{
    static const unsigned char choices[] = {1, 4, 1, 1, 0, 1}; // no parameters
    for (int64_t layers = 3; layers < 9; layers++) {
        char options[64];
        char path[512];
        wsr_net *net = NULL;
        wsr_net *back = NULL;
        wsr_genotype *const genotype = cell_of(choices);
        (void)snprintf(options, sizeof(options),
                       "channels=4,layers=%lld,image_size=8",
                       (long long)layers);
        ck_assert_ok(wsr_net_new(&net, genotype, options, 1));
        (void)snprintf(path, sizeof(path), "%s/net.safetensors",
                       scratch_folder("files"));
        ck_assert_ok(wsr_net_save(net, path));
        ck_assert_ok(wsr_net_load(&back, path, NULL));
        ck_assert(wsr_genotype_equal(wsr_net_genotype(back), genotype));
        ck_assert_uint_eq(wsr__net_layers(back), (size_t)layers);
        wsr_net_free(back);
        wsr_net_free(net);
        wsr_genotype_free(genotype);
    }
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static const unsigned char choices[] = {3, 3, 3, 3, 3, 3};
    static const char *const cases[][2] = {
        {"stem=imagenet,image_size=64", "permitted are cifar and int"},
        {"layers=2", "2 leave no cell"},
        {"auxiliary=true", "auxiliary and drop_path"},
        {"drop_path=0.2", "auxiliary and drop_path"}};
    wsr_genotype *const genotype = cell_of(choices);
    wsr_net *net = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_fails(wsr_net_new(&net, genotype, cases[i][0], 1), WSR_CONFIG,
                        cases[i][1]);
    }
    ck_assert_fails(wsr_net_new_kind(&net, "boost", "space=nb201", 1),
                    WSR_CONFIG, "have one source");
    wsr_genotype_free(genotype);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        names_are_those_of_the_benchmark, a_path_computes_what_its_network_does,
        files_bring_networks_back, what_cannot_be_is_refused, NULL};
    return suite_of("single", tests);
}
