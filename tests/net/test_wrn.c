// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

static wsr_net *made(const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new_kind(&net, "wrn", options, 1));
    return net;
}

START_TEST(networks_have_the_published_numbers_of_parameters)
{
    static const struct {
        const char *options;
        int64_t scalars;
    } rows[] = {
        {"depth=28,width=10", 36479194},
        {"depth=34,width=10,sub_block1=true", 48262586},
        {"depth=40,width=2,classes=100", 2255156},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *const net = made(rows[i].options);
        ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)),
                         rows[i].scalars);
        wsr_net_free(net);
    }
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
    const wsr__param *const p =
        wsr__params_named(wsr_net_params(net), "block2.layer.0.conv1.weight");
    const double normal = sqrt(2 / (128.0 * 9)); // (128, 64, 3, 3)
    double squares = 0;
    for (int64_t i = 0; i < p->count; i++) {
        squares += (double)p->data[i] * (double)p->data[i];
    }
    ck_assert_double_eq_tol(sqrt(squares / (double)p->count), normal,
                            0.02 * normal);
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
    static const char *const rows[][2] = {
        {"depth=18", "wrn.depth: 18 is not 6 n + 4, such as 28 or 34"},
        {"depth=4", "wrn.depth: 4 is outside [10, 10000]"},
        {"width=0", "wrn.width: 0 is outside"},
        {"channels=3", "channels"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *net = NULL;
        ck_assert_fails(wsr_net_new_kind(&net, "wrn", rows[i][0], 1),
                        WSR_CONFIG, rows[i][1]);
        ck_assert_ptr_null(net);
    }
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
