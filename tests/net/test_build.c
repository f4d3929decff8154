// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <string.h>

static wsr_graph *graph_of(wsr_net **net, const char *options)
{
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_net_new(net, NULL, options, 1));
    ck_assert_ok(wsr_net_graph(&graph, *net, false));
    return graph;
}

// Shapes of the results of all concatenations of four, which are the cells'.
static void expect_cells(const wsr_graph *graph, const char *const *shapes)
{
    size_t cell = 0;
    for (size_t i = 0; i < graph->count; i++) {
        const wsr__vertex *const v = &graph->list[i];
        if (v->role != WSR__OP || v->n != 4 ||
            !wsr__streq(v->cls->super.name, "concat")) {
            continue;
        }
        char text[96];
        wsr__shape_print(text, &v->shape);
        ck_assert_ptr_nonnull(shapes[cell]);
        ck_assert_str_eq(text, shapes[cell]);
        cell++;
    }
    ck_assert_ptr_null(shapes[cell]);
}

START_TEST(two_cells_halve_the_image_and_double_the_width)
{
    static const struct {
        const char *options;
        const char *shapes[8];
    } rows[] = {
        {"genotype=cna_r,channels=4,layers=6",
         {"(1, 16, 32, 32)", "(1, 16, 32, 32)", "(1, 32, 16, 16)",
          "(1, 32, 16, 16)", "(1, 64, 8, 8)", "(1, 64, 8, 8)"}},
        {"genotype=cna_r,channels=4,layers=1", {"(1, 32, 16, 16)"}},
        {"genotype=cna_r,channels=4,layers=2",
         {"(1, 32, 16, 16)", "(1, 64, 8, 8)"}},
        {"genotype=cna_r,channels=4,layers=3,stem=imagenet",
         {"(1, 16, 28, 28)", "(1, 32, 14, 14)", "(1, 64, 7, 7)"}},
        {"genotype=cna_r,channels=4,layers=3,stem=imagenet_tiny",
         {"(1, 16, 32, 32)", "(1, 32, 16, 16)", "(1, 64, 8, 8)"}},
        {"genotype=cna_r,channels=4,layers=3,stem=int",
         {"(1, 16, 32, 32)", "(1, 32, 16, 16)", "(1, 64, 8, 8)"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *net = NULL;
        wsr_graph *const graph = graph_of(&net, rows[i].options);
        expect_cells(graph, rows[i].shapes);
        wsr_graph_free(graph);
        wsr_net_free(net);
    }
}
END_TEST

static size_t ops_named(const wsr_graph *graph, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->count; i++) {
        n += graph->list[i].role == WSR__OP &&
             wsr__streq(graph->list[i].cls->super.name, name);
    }
    return n;
}

START_TEST(the_last_pool_of_imagenet_stems_takes_seven_by_seven)
{
    static const struct {
        const char *options;
        size_t windows;
    } rows[] = {{"stem=imagenet", 0},
                {"stem=imagenet,image_size=256", 1},
                {"stem=imagenet,image_size=128", 0},
                {"stem=imagenet_tiny", 1},
                {"stem=cifar,image_size=64", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char options[128];
        wsr_net *net = NULL;
        (void)snprintf(options, sizeof(options),
                       "genotype=RACL,channels=4,layers=3,%s", rows[i].options);
        wsr_graph *const graph = graph_of(&net, options);
        const size_t in_cell = 2; // one in each of the reduction cells
        ck_assert_uint_eq(ops_named(graph, "avg_pool"),
                          in_cell + rows[i].windows);
        ck_assert_uint_eq(ops_named(graph, "global_avg_pool"), 1);
        wsr_graph_free(graph);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(images_may_have_any_number_of_channels)
{
    wsr_net *net = NULL;
    size_t at = 0;
    wsr_graph *const graph =
        graph_of(&net, "genotype=cna_r,channels=4,layers=1,image_channels=1");
    const wsr_shape want = wsr__shape4(12, 1, 3, 3);
    ck_assert_ok(wsr_params_find(&at, wsr_net_params(net), "stem.0.weight"));
    ck_assert(
        wsr_shape_equal(wsr_params_shape(wsr_net_params(net), at), &want));
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        two_cells_halve_the_image_and_double_the_width,
        the_last_pool_of_imagenet_stems_takes_seven_by_seven,
        images_may_have_any_number_of_channels, NULL};
    return suite_of("build", tests);
}
