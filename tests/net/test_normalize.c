// SPDX-License-Identifier: Apache-2.0
//
// Networks that normalise their images: the options mean and std, for every
// kind and stem.

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { N = 2, SIDE = 64, CHANNELS = 3, PIXELS = CHANNELS * SIDE * SIDE };

static const float means[CHANNELS] = {0.485f, 0.456f, 0.406f};
static const float deviations[CHANNELS] = {0.229f, 0.224f, 0.225f};
#define NORMALIZED "mean=[0.485,0.456,0.406],std=[0.229,0.224,0.225]"

typedef struct result {
    float logits[N * 10];
    float diff[N * PIXELS]; // of a weighted sum of the logits
} result;

static void run(result *out, wsr_graph *graph, const float *x)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), x, N * PIXELS * sizeof(*x));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(out->logits, wsr_plan_dst(plan, "logits"), sizeof(out->logits));
    float *const dz = wsr_plan_diff_dst(plan, "logits");
    for (size_t i = 0; i < N * 10; i++) {
        dz[i] = 0.5f - 0.1f * (float)(i % 10);
    }
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(out->diff, wsr_plan_diff_src(plan, "x"), sizeof(out->diff));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
}

static wsr_graph *graph_of(const wsr_net *net, bool training)
{
    wsr_graph *graph = NULL;
    unsigned char choices[64];
    for (size_t i = 0; i < sizeof(choices); i++) {
        choices[i] = (unsigned char)(3 + i % 3);
    }
    if (net->cls->paths) {
        ck_assert_ok(wsr_supernet_graph(&graph, net, choices, NULL));
    } else {
        ck_assert_ok(wsr_net_graph(&graph, net, training));
    }
    return graph;
}

static wsr_net *net_of(const char *kind, const char *options, const char *more)
{
    wsr_net *net = NULL;
    char text[400];
    (void)snprintf(text, sizeof(text), "%s,channels=4,layers=3,image_size=%d%s",
                   options, SIDE, more);
    const wsr_status status = wsr__streq(kind, "network")
                                  ? wsr_net_new(&net, NULL, text, 1)
                              : wsr__streq(kind, "robnet")
                                  ? wsr_robnet_new(&net, NULL, text, 1)
                                  : wsr_supernet_new(&net, text, 1);
    ck_assert_ok(status);
    return net;
}

static const struct {
    const char *kind;
    const char *options;
} kinds[] = {{"network", "genotype=cna_r"},
             {"network", "genotype=cna_r,stem=int"},
             {"network", "genotype=cna_r,stem=imagenet"},
             {"network", "genotype=cna_r,stem=imagenet_tiny"},
             {"robnet", "codes=robnet_free"},
             {"robnet", "codes=robnet_free,stem=imagenet"},
             {"supernet", "space=darts"}};

START_TEST(every_network_sees_normalised_images_and_gives_gradients_of_pixels)
{
    static float x[N * PIXELS];
    static float y[N * PIXELS];
    static result a;
    static result b;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * PIXELS; i++) {
        const size_t c = i / (SIDE * SIDE) % CHANNELS;
        x[i] = wsr__rng_uniform(&rng);
        y[i] = (x[i] - means[c]) / deviations[c];
    }
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        wsr_net *const raw = net_of(kinds[k].kind, kinds[k].options, "");
        wsr_net *const net =
            net_of(kinds[k].kind, kinds[k].options, "," NORMALIZED);
        run(&a, graph_of(raw, false), y);
        run(&b, graph_of(net, false), x);
        ck_assert_mem_eq(a.logits, b.logits, sizeof(a.logits));
        float most = 0;
        for (size_t i = 0; i < N * PIXELS; i++) {
            const size_t c = i / (SIDE * SIDE) % CHANNELS;
            ck_assert_float_eq_tol(a.diff[i] / deviations[c], b.diff[i], 1e-6f);
            most = fmaxf(most, fabsf(b.diff[i]));
        }
        ck_assert(most > 1e-4f);
        wsr_net_free(raw);
        wsr_net_free(net);
    }
}
END_TEST

static size_t normalizing_ops(const wsr_graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->count; i++) {
        n += graph->list[i].cls == &wsr__op_normalize;
    }
    return n;
}

START_TEST(graphs_of_training_normalise_too_and_others_are_as_before)
{
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (int given = 0; given < 2; given++) {
            wsr_net *const net = net_of(kinds[k].kind, kinds[k].options,
                                        given == 1 ? ",std=0.5" : "");
            for (int training = 0; training < 2; training++) {
                wsr_graph *const graph = graph_of(net, training == 1);
                ck_assert_uint_eq(normalizing_ops(graph), (size_t)given);
                wsr_graph_free(graph);
            }
            wsr_net_free(net);
        }
    }
}
END_TEST

START_TEST(lists_that_no_network_can_have_are_refused)
{
    static const struct {
        const char *options;
        const char *words;
    } rows[] = {
        {"mean=[0.1,0.2]", "network.mean: 2 values do not fit 3 channels"},
        {"std=[1,1,1,1]", "network.std: 4 values do not fit 3 channels"},
        {"image_channels=1,std=[1,1,1]", "3 values do not fit 1 channel"},
        {"std=0", "network.std: 0 is outside"},
        {"std=[0.5,-0.5,0.5]", "network.std: -0.5 is outside"},
        {"std=nan", "network.std"},
        {"std=inf", "network.std"},
        {"std=1e-50", "network.std"},
        {"mean=nan", "network.mean"},
        {"mean=[123.675,116.28,103.53]", "network.mean: 123.675 is outside"},
        {"mean=x", "network.mean: 'x' is not a number"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[200];
        wsr_net *net = NULL;
        (void)snprintf(text, sizeof(text), "genotype=cna_r,channels=4,%s",
                       rows[i].options);
        ck_assert_fails(wsr_net_new(&net, NULL, text, 1), WSR_CONFIG,
                        rows[i].words);
        ck_assert_ptr_null(net);
    }
}
END_TEST

START_TEST(descriptions_name_them_where_they_are_given)
{
    char *text = NULL;
    wsr_net *net = net_of("network", "genotype=cna_r", "," NORMALIZED);
    ck_assert_ok(wsr_net_describe(&text, net));
    ck_assert_ptr_nonnull(strstr(
        text, ", mean [0.485, 0.456, 0.406], std [0.229, 0.224, 0.225]"));
    wsr_text_free(text);
    wsr_net_free(net);
    net = net_of("supernet", "space=darts", "");
    ck_assert_ok(wsr_net_describe(&text, net));
    ck_assert_ptr_null(strstr(text, "mean"));
    wsr_text_free(text);
    wsr_net_free(net);
}
END_TEST

START_TEST(options_are_listed_once_each)
{
    size_t n = 0;
    bool mean = false;
    bool codes = false;
    for (; wsr_net_option(n) != NULL; n++) {
        ck_assert_str_ne(wsr_net_option_help(n), "");
        mean = mean || wsr__streq(wsr_net_option(n), "mean");
        codes = codes || wsr__streq(wsr_net_option(n), "codes");
        for (size_t k = 0; k < n; k++) {
            ck_assert_str_ne(wsr_net_option(k), wsr_net_option(n));
        }
    }
    ck_assert(mean && codes);
    ck_assert_ptr_null(wsr_net_option_help(n));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_network_sees_normalised_images_and_gives_gradients_of_pixels,
        graphs_of_training_normalise_too_and_others_are_as_before,
        lists_that_no_network_can_have_are_refused,
        descriptions_name_them_where_they_are_given,
        options_are_listed_once_each,
        NULL};
    return suite_of("normalize", tests);
}
