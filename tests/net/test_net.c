// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

static const char small[] = "genotype=DARTS_V2,channels=4,layers=3,classes=3,"
                            "image_size=8";

START_TEST(parameters_depend_on_the_seed_alone)
{
    wsr_net *nets[3] = {NULL};
    ck_assert_ok(wsr_net_new(&nets[0], NULL, small, 7));
    ck_assert_ok(wsr_net_new(&nets[1], NULL, small, 7));
    ck_assert_ok(wsr_net_new(&nets[2], NULL, small, 8));
    for (int other = 1; other < 3; other++) {
        const wsr_params *const a = wsr_net_params(nets[0]);
        const wsr_params *const b = wsr_net_params(nets[other]);
        bool equal = true;
        for (size_t i = 0; i < wsr_params_count(a); i++) {
            const size_t n = (size_t)wsr_shape_count(wsr_params_shape(a, i));
            equal = equal &&
                    memcmp(wsr_params_data(a, i), wsr_params_data(b, i),
                           n * sizeof(float)) == 0;
        }
        ck_assert(equal == (other == 1));
    }
    for (int i = 0; i < 3; i++) {
        wsr_net_free(nets[i]);
    }
}
END_TEST

START_TEST(a_network_tells_what_it_is)
{
    wsr_net *net = NULL;
    char *text = NULL;
    ck_assert_ok(wsr_net_new(
        &net, NULL, "genotype=cna_r,channels=45,stem=int,classes=200", 7));
    ck_assert_str_eq(wsr_net_kind(net), "network");
    ck_assert_uint_eq(wsr_net_classes(net), 200);
    const wsr_shape want = wsr__shape4(1, 3, 64, 64);
    ck_assert(wsr_shape_equal(wsr_net_image(net), &want));
    ck_assert_ok(wsr_net_describe(&text, net));
    ck_assert_str_eq(text, "network cna_r: 45 channels, 20 cells, 200 classes, "
                           "images of 3x64x64, 4681820 parameters");
    wsr_text_free(text);
    wsr_net_free(net);
    wsr_net_free(NULL);
}
END_TEST

START_TEST(a_genotype_that_is_given_goes_before_one_that_is_named)
{
    wsr_genotype *genotype = NULL;
    wsr_net *net = NULL;
    ck_assert_ok(wsr_genotype_load(&genotype, "RACL"));
    ck_assert_ok(wsr_net_new(&net, genotype, small, 1));
    wsr_genotype_free(genotype); // the network has a copy
    ck_assert_str_eq(wsr_genotype_name(wsr_net_genotype(net)), "RACL");
    wsr_net_free(net);
}
END_TEST

static wsr_status make_and_drop(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    char *text = NULL;
    (void)ctx;
    WSR_TRY(wsr_net_new(&net, NULL,
                        "genotype=DARTS_V2,channels=2,layers=1,drop_path=0.1,"
                        "image_size=4",
                        1));
    WSR_TRY(wsr_net_graph(&graph, net, true));
    WSR_TRY(wsr_net_describe(&text, net));
out:
    wsr_text_free(text);
    wsr_graph_free(graph);
    wsr_net_free(net);
    return status;
}

START_TEST(memory_that_runs_short_is_reported_and_nothing_leaks)
{
    ck_assert_uint_gt(oom_sweep(make_and_drop, NULL), 100);
}
END_TEST

START_TEST(kinds_are_found_by_name)
{
    static const char *const kinds[][2] = {
        {"network", "genotype=RACL,channels=4,layers=3,image_size=8"},
        {"robnet", "codes=robnet_small,channels=4,layers=3,image_size=8"},
        {"supernet", "channels=4,layers=3,image_size=8"}};
    wsr_net *net = NULL;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(wsr_net_new_kind(&net, kinds[i][0], kinds[i][1], 1));
        ck_assert_str_eq(wsr_net_kind(net), kinds[i][0]);
        ck_assert((wsr_net_genotype(net) != NULL) == (i == 0));
        ck_assert((wsr_supernet_edges(net) != 0) == (i == 2));
        wsr_net_free(net);
    }
    ck_assert_fails(wsr_net_new_kind(&net, "robnett", NULL, 1), WSR_NOTFOUND,
                    "did you mean 'robnet'");
    ck_assert_fails(wsr_net_new_kind(&net, "network", NULL, 1), WSR_CONFIG,
                    "network.genotype: is missing");
    ck_assert_fails(wsr_net_new_kind(&net, "network", "chanels=3", 1),
                    WSR_CONFIG, "did you mean");
    ck_assert_ptr_null(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_depend_on_the_seed_alone,
        a_network_tells_what_it_is,
        a_genotype_that_is_given_goes_before_one_that_is_named,
        memory_that_runs_short_is_reported_and_nothing_leaks,
        kinds_are_found_by_name,
        NULL};
    return suite_of("net", tests);
}
