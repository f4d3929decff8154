// SPDX-License-Identifier: Apache-2.0

#include "net/kinds.h"

static wsr_net *made(const char *options)
{
    return make_kind("resnet", options);
}

// Trained numbers of the networks before activation of the repositories that
// publish them, and of torchvision.
START_TEST(networks_have_the_published_numbers_of_parameters)
{
    static const kind_size rows[] = {
        {"depth=18", 11173962},
        {"depth=34", 21282122},
        {"depth=50", 23520842},
        {"depth=18,pre_activation=true", 11172170},
        {"depth=50,pre_activation=true", 23513162},
        {"depth=34,stem=imagenet,classes=1000", 21797672},
        {"depth=101,stem=imagenet,classes=1000", 44549160},
    };
    check_sizes("resnet", rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(weights_start_as_those_of_the_originals)
{
    // The CIFAR network starts as PyTorch's layers do, uniformly by fan in; the
    // others as kaiming_normal_ by fan out.
    static const char layer[] = "layer2.0.conv1.weight"; // (128, 64, 3, 3)
    const double uniform = sqrt(1 / (3 * 64.0 * 9));
    const double normal = sqrt(2 / (128.0 * 9));
    wsr_net *const cifar = made("depth=18");
    wsr_net *const imagenet = made("depth=18,stem=imagenet");
    wsr_net *const before = made("depth=18,pre_activation=true");
    ck_assert_double_eq_tol(deviation_of(cifar, layer), uniform,
                            0.02 * uniform);
    ck_assert_double_eq_tol(deviation_of(imagenet, layer), normal,
                            0.02 * normal);
    ck_assert_double_eq_tol(deviation_of(before, layer), normal, 0.02 * normal);
    ck_assert(deviation_of(cifar, "linear.bias") > 0);
    ck_assert(deviation_of(imagenet, "fc.bias") > 0);
    ck_assert(deviation_of(before, "linear.bias") == 0);
    wsr_net_free(cifar);
    wsr_net_free(imagenet);
    wsr_net_free(before);
}
END_TEST

static float *params_of(const wsr_net *net, const char *name)
{
    size_t i = 0;
    ck_assert_ok(wsr_params_find(&i, wsr_net_params(net), name));
    return wsr_params_edit(wsr_net_params(net), i);
}

// With all convolutions of blocks 0 except the shortcuts', which copy, a block
// before activation hands relu(norm(x)) or x to a shortcut, and x where there
// is none.
static void check_shortcuts(const char *shortcut, float positive,
                            float negative)
{
    char options[160];
    (void)snprintf(options, sizeof(options),
                   "width=1,depth=18,pre_activation=true,classes=1,"
                   "image_size=8,image_channels=1,last_norm=false,shortcut=%s",
                   shortcut);
    wsr_net *const net = made(options);
    wsr_params *const params = wsr_net_params(net);
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const char *const name = wsr_params_name(params, i);
        const bool conv = wsr_params_shape(params, i)->ndims == 4;
        const bool copies = strstr(name, "shortcut") != NULL;
        const int64_t n = wsr_shape_count(wsr_params_shape(params, i));
        for (int64_t k = 0; conv && k < n; k++) {
            wsr_params_edit(params, i)[k] = copies ? 1 : 0;
        }
    }
    params_of(net, "conv1.weight")[4] = 1;
    for (int i = 0; i < 8; i++) {
        params_of(net, "linear.weight")[i] = 1;
    }
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < 64; i++) {
            wsr_plan_src(plan, "x")[i] = (float)sign;
        }
        ck_assert_ok(wsr_plan_forward(plan));
        // Three shortcuts double the width by summing: 1, then 2 channels of 1,
        // 4 of 2 and 8 of 8, whose sum is 64.
        ck_assert_float_eq_tol(wsr_plan_dst(plan, "logits")[0],
                               sign > 0 ? positive : negative, 2e-3F);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_net_free(net);
}

START_TEST(shortcuts_before_activation_read_what_the_options_say)
{
    check_shortcuts("activated", 64, 0);
    check_shortcuts("source", 64, -64);
}
END_TEST

START_TEST(bad_options_are_refused_in_one_line)
{
    static const kind_refusal rows[] = {
        {"depth=20", "resnet.depth: 20 is not one of 18, 34, 50, 101, 152"},
        {"depth=0", "resnet.depth: 0 is outside"},
        {"stem=int", "resnet.stem"},
        {"layers=3", "layers"},
        {"auxiliary=true", "auxiliary"},
        {"mean=[0.1,0.2]", "resnet.mean"},
    };
    check_refusals("resnet", rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(images_of_any_size_have_logits)
{
    static const char *const rows[] = {
        "image_size=1", "image_size=28,image_channels=1", "image_size=37",
        "stem=imagenet,image_size=17", "stem=imagenet,image_size=1"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char options[128];
        wsr_graph *graph = NULL;
        (void)snprintf(options, sizeof(options), "width=4,%s", rows[i]);
        wsr_net *const net = made(options);
        ck_assert_ok(wsr_net_graph(&graph, net, true));
        wsr_graph_free(graph);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(it_describes_itself_without_cells)
{
    char *text = NULL;
    wsr_net *const net = made("width=4,depth=34");
    ck_assert_ok(wsr_net_describe(&text, net));
    ck_assert_ptr_nonnull(strstr(
        text, "resnet: depth 34, width 4, stem cifar, "
              "pre_activation false, shortcut activated, last_norm true, "
              "10 classes, "
              "images of 3x32x32"));
    ck_assert_ptr_null(wsr_net_genotype(net));
    wsr_text_free(text);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        networks_have_the_published_numbers_of_parameters,
        weights_start_as_those_of_the_originals,
        shortcuts_before_activation_read_what_the_options_say,
        bad_options_are_refused_in_one_line,
        images_of_any_size_have_logits,
        it_describes_itself_without_cells,
        NULL};
    return suite_of("resnet", tests);
}
