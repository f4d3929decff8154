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

// Masks of the training graph alone, of a fraction p of zeros.
START_TEST(training_graphs_have_the_dropout_that_is_asked_for)
{
    enum { N = 16, VALUES = 200 };
    wsr_net *const net = made("dropout=0.25");
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    float first[N * VALUES];
    size_t zeros = 0;
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_FORWARD));
    ck_assert_ptr_null(wsr_plan_src(plan, WSR__DROPOUT_NAME));
    ck_assert_ok(wsr_net_dropout(plan, net, 1, 0));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    ck_assert_ok(wsr_net_graph(&graph, net, true));
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_FORWARD));
    const float *const masks = wsr_plan_src(plan, WSR__DROPOUT_NAME);
    ck_assert_ok(wsr_net_dropout(plan, net, 1, 0));
    memcpy(first, masks, sizeof(first));
    for (size_t i = 0; i < N * VALUES; i++) {
        ck_assert(masks[i] == 0 || masks[i] == (float)(1 / 0.75));
        zeros += masks[i] == 0;
    }
    ck_assert_uint_ge(zeros, N * VALUES / 5);
    ck_assert_uint_le(zeros, N * VALUES * 3 / 10);
    ck_assert_ok(wsr_net_dropout(plan, net, 1, 1));
    ck_assert(!same_bits(first, masks, sizeof(first)));
    ck_assert_ok(wsr_net_dropout(plan, net, 1, 0));
    ck_assert(same_bits(first, masks, sizeof(first)));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

static float *bias_of(wsr_net *net, const char *name)
{
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, wsr_net_params(net), name));
    return wsr_params_edit(wsr_net_params(net), at);
}

// What fc2 reads is relu(fc1) times the masks: with biases alone the logits
// follow from them.
START_TEST(dropped_values_stand_behind_the_first_relu)
{
    enum { VALUES = 200 };
    wsr_net *const net = made("dropout=0.5");
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(params, i));
        memset(wsr_params_edit(params, i), 0, n * sizeof(float));
    }
    // The sum of all values behind fc1, through one value of fc2.
    for (size_t i = 0; i < VALUES; i++) {
        bias_of(net, "classifier.fc1.bias")[i] = i < 100 ? 1 : -1;
        bias_of(net, "classifier.fc2.weight")[i] = 1;
    }
    bias_of(net, "classifier.fc3.weight")[0] = 1;
    ck_assert_ok(wsr_net_graph(&graph, net, true));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    ck_assert_ok(wsr_net_dropout(plan, net, 3, 9));
    ck_assert_ok(wsr_plan_forward(plan));
    float want = 0;
    for (size_t i = 0; i < 100; i++) {
        want += wsr_plan_src(plan, WSR__DROPOUT_NAME)[i];
    }
    ck_assert_float_eq_tol(wsr_plan_dst(plan, "logits")[0], want, 1e-3F);
    ck_assert_float_gt(want, 50);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_have_the_names_and_shapes_of_the_original,
        an_untrained_network_prefers_no_class,
        training_graphs_have_the_dropout_that_is_asked_for,
        dropped_values_stand_behind_the_first_relu,
        images_that_are_too_small_are_refused_in_one_line,
        NULL};
    return suite_of("small_cnn", tests);
}
