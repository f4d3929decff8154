// SPDX-License-Identifier: Apache-2.0

#include "net/kinds.h"

static wsr_net *made(const char *options)
{
    return make_kind("small_cnn", options);
}

// state_dict() of SmallCNN in the repository of TRADES.
START_TEST(parameters_have_the_names_and_shapes_of_the_original)
{
    static const struct {
        const char *name;
        int64_t dims[4];
        int ndims;
    } rows[] = {
        {"feature_extractor.conv1.weight", {32, 1, 3, 3}, 4},
        {"feature_extractor.conv1.bias", {32}, 1},
        {"feature_extractor.conv2.weight", {32, 32, 3, 3}, 4},
        {"feature_extractor.conv2.bias", {32}, 1},
        {"feature_extractor.conv3.weight", {64, 32, 3, 3}, 4},
        {"feature_extractor.conv3.bias", {64}, 1},
        {"feature_extractor.conv4.weight", {64, 64, 3, 3}, 4},
        {"feature_extractor.conv4.bias", {64}, 1},
        {"classifier.fc1.weight", {200, 1024}, 2},
        {"classifier.fc1.bias", {200}, 1},
        {"classifier.fc2.weight", {200, 200}, 2},
        {"classifier.fc2.bias", {200}, 1},
        {"classifier.fc3.weight", {10, 200}, 2},
        {"classifier.fc3.bias", {10}, 1},
    };
    wsr_net *const net = made(NULL);
    const wsr_params *const params = wsr_net_params(net);
    const size_t n = sizeof(rows) / sizeof(*rows);
    ck_assert_uint_eq(wsr_params_count(params), n);
    for (size_t i = 0; i < n; i++) {
        const wsr_shape *const shape = wsr_params_shape(params, i);
        ck_assert_str_eq(wsr_params_name(params, i), rows[i].name);
        ck_assert_int_eq(shape->ndims, rows[i].ndims);
        for (int d = 0; d < rows[i].ndims; d++) {
            ck_assert_int_eq(shape->dims[d], rows[i].dims[d]);
        }
    }
    ck_assert_int_eq(wsr_net_image(net)->dims[2], 28);
    wsr_net_free(net);
}
END_TEST

// The last map starts at 0, so all classes are equally likely.
START_TEST(an_untrained_network_prefers_no_class)
{
    wsr_net *const net = made("image_size=32,image_channels=3");
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert_ok(wsr_plan_new(&plan, graph, 2, WSR_FORWARD));
    for (size_t i = 0; i < (size_t)2 * 3 * 32 * 32; i++) {
        wsr_plan_src(plan, "x")[i] = (float)(i % 7) / 7;
    }
    ck_assert_ok(wsr_plan_forward(plan));
    for (size_t i = 0; i < 20; i++) {
        ck_assert(wsr_plan_dst(plan, "logits")[i] == 0);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

START_TEST(images_that_are_too_small_are_refused_in_one_line)
{
    wsr_net *net = NULL;
    ck_assert_fails(wsr_net_new_kind(&net, "small_cnn", "image_size=15", 1),
                    WSR_CONFIG, "small_cnn.image_size: 15 is below 16");
    net = made("image_size=16");
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_have_the_names_and_shapes_of_the_original,
        an_untrained_network_prefers_no_class,
        images_that_are_too_small_are_refused_in_one_line, NULL};
    return suite_of("small_cnn", tests);
}
