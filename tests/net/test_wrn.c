// SPDX-License-Identifier: Apache-2.0

#include "net/kinds.h"

static wsr_net *made(const char *options)
{
    return make_kind("wrn", options);
}

START_TEST(networks_have_the_published_numbers_of_parameters)
{
    static const kind_size rows[] = {
        {"depth=28,width=10", 36479194},
        {"depth=34,width=10,sub_block1=true", 48262586},
        {"depth=40,width=2,classes=100", 2255156},
    };
    check_sizes("wrn", rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

// The unused group costs no step of a plan and gets no gradient.
START_TEST(the_unused_group_is_not_computed)
{
    wsr_graph *graphs[2] = {NULL};
    wsr_net *nets[2];
    for (int i = 0; i < 2; i++) {
        nets[i] = made(i == 0 ? "depth=10,width=1"
                              : "depth=10,width=1,sub_block1=true");
        ck_assert_ok(wsr_net_graph(&graphs[i], nets[i], true));
    }
    ck_assert_uint_lt(wsr_params_count(wsr_net_params(nets[0])),
                      wsr_params_count(wsr_net_params(nets[1])));
    ck_assert_uint_eq(graphs[0]->count, graphs[1]->count);
    for (int i = 0; i < 2; i++) {
        wsr_graph_free(graphs[i]);
        wsr_net_free(nets[i]);
    }
}
END_TEST

START_TEST(weights_start_as_those_of_the_original)
{
    wsr_net *const net = made("depth=10,width=4");
    const double normal = sqrt(2 / (128.0 * 9)); // (128, 64, 3, 3)
    ck_assert_double_eq_tol(deviation_of(net, "block2.layer.0.conv1.weight"),
                            normal, 0.02 * normal);
    const wsr__param *const bias =
        wsr__params_named(wsr_net_params(net), "fc.bias");
    for (int64_t i = 0; i < bias->count; i++) {
        ck_assert(bias->data[i] == 0);
    }
    wsr_net_free(net);
}
END_TEST

START_TEST(bad_options_are_refused_in_one_line)
{
    static const kind_refusal rows[] = {
        {"depth=18", "wrn.depth: 18 is not 6 n + 4, such as 28 or 34"},
        {"depth=4", "wrn.depth: 4 is outside [10, 10000]"},
        {"width=0", "wrn.width: 0 is outside"},
        {"channels=3", "channels"},
    };
    check_refusals("wrn", rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        networks_have_the_published_numbers_of_parameters,
        the_unused_group_is_not_computed,
        weights_start_as_those_of_the_original,
        bad_options_are_refused_in_one_line, NULL};
    return suite_of("wrn", tests);
}
