// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <string.h>

START_TEST(parameter_counts_are_the_published_ones)
{
    static const struct {
        const char *options;
        int64_t count;
    } rows[] = {
        {"codes=robnet_small", 4359574},
        {"codes=robnet_large_v1", 6842710},
        {"codes=robnet_free", 5439790},
        {"codes=robnet_large_v2,channels=64,layers=33", 33326666},
        {"codes=robnet_large_v1,channels=48,stem=imagenet,classes=1000",
         12756448},
        {"codes=robnet_small,channels=45,stem=int,classes=200", 6878000},
        {"codes=robnet_large_v1,channels=48,stem=int,classes=200", 12127256},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *net = NULL;
        ck_assert_ok(wsr_robnet_new(&net, NULL, rows[i].options, 1));
        const int64_t count = wsr_params_scalars(wsr_net_params(net));
        ck_assert_msg(count == rows[i].count, "%s: %lld", rows[i].options,
                      (long long)count);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(names_tell_the_code_of_an_edge)
{
    // Of robnet_small: 11 on edge 0, 01 on edge 2, 10 on edge 3, 00 on edge 7.
    static const char *const there[] = {
        "cells.1._ops.0.op.conv.op.1.weight",
        "cells.1._ops.0.op.res.conv_2.weight",
        "cells.1._ops.2.op.op.7.running_mean",
        "cells.1._ops.3.op.bn.running_mean",
        "cells.0._ops.0.op.conv.op.1.weight",
    };
    static const char *const absent[] = {
        "cells.1._ops.0.op.conv.op.3.weight", "cells.0._ops.3.op.bn.weight",
        "cells.0._ops.0.op.res.conv_2.weight", "cells.1._ops.7.op.op.1.weight"};
    wsr_net *net = NULL;
    size_t at = 0;
    ck_assert_ok(wsr_robnet_new(&net, NULL,
                                "codes=robnet_small,channels=8,layers=5", 1));
    for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++) {
        ck_assert_ok(wsr_params_find(&at, wsr_net_params(net), there[i]));
    }
    for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
        ck_assert_fails(wsr_params_find(&at, wsr_net_params(net), absent[i]),
                        WSR_NOTFOUND, absent[i]);
    }
    wsr_net_free(net);
}
END_TEST

START_TEST(too_few_lists_of_codes_are_refused)
{
    wsr_net *net = NULL;
    ck_assert_fails(
        wsr_robnet_new(&net, NULL, "codes=robnet_free,layers=21", 1),
        WSR_CONFIG, "robnet.layers: 21");
    ck_assert_ptr_null(net);
    ck_assert_fails(wsr_robnet_new(&net, NULL, NULL, 1), WSR_CONFIG, "codes");
    ck_assert_fails(
        wsr_robnet_new(&net, NULL, "codes=robnet_small,auxiliary=true", 1),
        WSR_CONFIG, "auxiliary");
}
END_TEST

START_TEST(a_node_without_edges_is_zero)
{
    static const char text[] =
        "name: nothing\nshare: true\ncodes:\n"
        "  - [\"00\", \"00\", \"01\", \"00\", \"00\", \"00\", \"00\",\n"
        "     \"00\", \"00\", \"00\", \"00\", \"00\", \"00\", \"00\"]\n";
    wsr_robnet_codes *codes = NULL;
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_robnet_codes_parse(&codes, text, "test"));
    ck_assert_ok(wsr_robnet_new(&net, codes, "channels=4,layers=3", 1));
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    size_t zeros = 0;
    for (size_t i = 0; i < graph->count; i++) {
        zeros += graph->list[i].role == WSR__OP &&
                 wsr__streq(graph->list[i].cls->super.name, "zero");
    }
    ck_assert_uint_eq(zeros, 3 * 3);
    wsr_graph_free(graph);
    wsr_net_free(net);
    wsr_robnet_codes_free(codes);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameter_counts_are_the_published_ones, names_tell_the_code_of_an_edge,
        too_few_lists_of_codes_are_refused, a_node_without_edges_is_zero, NULL};
    return suite_of("robnet", tests);
}
