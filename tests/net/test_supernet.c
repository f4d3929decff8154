// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { EDGES = 28, CANDIDATES = 8, BATCH = 3, IMAGE = 3 * 16 * 16, PATHS = 20 };

static wsr_net *net_of(const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_supernet_new(&net, options, 1));
    return net;
}

static int64_t scalars_below(const wsr_params *params, const char *prefix)
{
    int64_t count = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const char *const name = wsr_params_name(params, i);
        if (wsr_params_trainable(params, i) &&
            strncmp(name, prefix, strlen(prefix)) == 0) {
            count += wsr_shape_count(wsr_params_shape(params, i));
        }
    }
    return count;
}

START_TEST(parameter_counts_are_the_published_ones)
{
    static const int64_t cells[] = {45888,  46144,  144000, 137856,
                                    139904, 484608, 460032, 468224};
    wsr_net *const net = net_of(NULL);
    const wsr_params *const params = wsr_net_params(net);
    ck_assert_int_eq(wsr_params_scalars(params), 1930618);
    ck_assert_uint_eq(wsr_params_count(params), 4186);
    ck_assert_int_eq(scalars_below(params, "stem."), 1392);
    ck_assert_int_eq(scalars_below(params, "classifier."), 2570);
    for (size_t i = 0; i < 8; i++) {
        char prefix[32];
        (void)snprintf(prefix, sizeof(prefix), "cells.%zu.", i);
        ck_assert_int_eq(scalars_below(params, prefix), cells[i]);
    }
    wsr_net_free(net);
}
END_TEST

START_TEST(the_imagenet_stem_has_the_published_count)
{
    wsr_net *const net = net_of("stem=imagenet,classes=1000");
    ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)), 2185872);
    wsr_net_free(net);
}
END_TEST

START_TEST(parameters_are_in_the_order_of_pytorch)
{
    static const char *const first[] = {
        "stem.0.weight",
        "stem.1.weight",
        "stem.1.bias",
        "stem.1.running_mean",
        "stem.1.running_var",
        "stem.1.num_batches_tracked",
        "cells.0.preprocess0.op.1.weight",
        "cells.0.preprocess0.op.2.running_mean",
        "cells.0.preprocess0.op.2.running_var",
        "cells.0.preprocess0.op.2.num_batches_tracked",
        "cells.0.preprocess1.op.1.weight",
        "cells.0.preprocess1.op.2.running_mean",
        "cells.0.preprocess1.op.2.running_var",
        "cells.0.preprocess1.op.2.num_batches_tracked",
        "cells.0._ops.0._ops.1.1.running_mean",
        "cells.0._ops.0._ops.1.1.running_var",
        "cells.0._ops.0._ops.1.1.num_batches_tracked",
        "cells.0._ops.0._ops.2.1.running_mean",
        "cells.0._ops.0._ops.2.1.running_var",
        "cells.0._ops.0._ops.2.1.num_batches_tracked",
        "cells.0._ops.0._ops.4.op.1.weight",
    };
    wsr_net *const net = net_of("channels=4,layers=3");
    const wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
        ck_assert_str_eq(wsr_params_name(params, i), first[i]);
    }
    const size_t n = wsr_params_count(params);
    ck_assert_str_eq(wsr_params_name(params, n - 2), "classifier.weight");
    ck_assert_str_eq(wsr_params_name(params, n - 1), "classifier.bias");
    wsr_net_free(net);
}
END_TEST

START_TEST(candidates_are_those_of_the_space)
{
    wsr_net *const net = net_of("channels=4,layers=3");
    ck_assert_uint_eq(wsr_supernet_edges(net), EDGES);
    ck_assert_uint_eq(wsr_supernet_candidates(net), CANDIDATES);
    ck_assert_str_eq(wsr_supernet_candidate(net, 0), "none");
    ck_assert_str_eq(wsr_supernet_candidate(net, 7), "dil_conv_5x5");
    ck_assert_ptr_null(wsr_supernet_candidate(net, 8));
    ck_assert_ptr_null(wsr_net_genotype(net));
    wsr_net_free(net);
    wsr_net *none = NULL;
    ck_assert_fails(wsr_supernet_new(&none, "space=dart", 1), WSR_NOTFOUND,
                    "did you mean 'darts'");
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

START_TEST(a_path_holds_the_chosen_candidates_only)
{
    unsigned char choices[EDGES];
    wsr_graph *graph = NULL;
    wsr_net *const net = net_of("channels=4,layers=3");
    const size_t made = wsr_params_count(wsr_net_params(net));
    memset(choices, 1, sizeof(choices));
    ck_assert_ok(wsr_supernet_graph(&graph, net, choices, NULL));
    ck_assert_uint_eq(ops_named(graph, "max_pool"), 3 * 14);
    ck_assert_uint_eq(ops_named(graph, "scale"), 0);
    ck_assert_uint_eq(ops_named(graph, "add"), 3 * 4);
    wsr_graph_free(graph);
    memset(choices, 2, EDGES / 2); // normal cells
    ck_assert_ok(wsr_supernet_graph(&graph, net, choices, NULL));
    ck_assert_uint_eq(ops_named(graph, "avg_pool"), 14);
    ck_assert_uint_eq(ops_named(graph, "max_pool"), 2 * 14);
    wsr_graph_free(graph);
    memset(choices, 0, sizeof(choices));
    ck_assert_ok(wsr_supernet_graph(&graph, net, choices, NULL));
    ck_assert_uint_eq(ops_named(graph, "zero"), 3 * 4);
    wsr_graph_free(graph);
    ck_assert_uint_eq(wsr_params_count(wsr_net_params(net)), made);
    wsr_net_free(net);
}
END_TEST

static void run_path(float logits[10], const wsr_net *net,
                     const unsigned char *choices, const float *weights)
{
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_supernet_graph(&graph, net, choices, weights));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    float *const x = wsr_plan_src(plan, "x");
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < 3072; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(logits, wsr_plan_dst(plan, "logits"), 10 * sizeof(*logits));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
}

START_TEST(weights_multiply_the_edges)
{
    unsigned char choices[EDGES];
    float weights[EDGES];
    float plain[10];
    float ones[10];
    float half[10];
    wsr_net *const net = net_of("channels=4,layers=1");
    const float *bias = NULL;
    size_t at = 0;
    // One reduction cell of separable convolutions behind linear maps and
    // norms with fixed statistics: all edges into the last node scaled by a
    // half, and the others left out of the output, halve what reaches the
    // classifier.
    memset(choices, 0, sizeof(choices));
    choices[14 + 9] = 4;
    choices[14 + 10] = 4;
    for (size_t i = 0; i < EDGES; i++) {
        weights[i] = 1;
    }
    run_path(plain, net, choices, NULL);
    run_path(ones, net, choices, weights);
    ck_assert_mem_eq(plain, ones, sizeof(plain));
    weights[14 + 9] = 0.5f;
    weights[14 + 10] = 0.5f;
    run_path(half, net, choices, weights);
    ck_assert_ok(wsr_params_find(&at, wsr_net_params(net), "classifier.bias"));
    bias = wsr_params_data(wsr_net_params(net), at);
    float most = 0;
    for (size_t i = 0; i < 10; i++) {
        const float whole = plain[i] - bias[i];
        most = fmaxf(most, fabsf(whole));
        ck_assert_float_eq_tol(half[i] - bias[i], whole / 2, 1e-6f);
    }
    ck_assert_float_gt(most, 1e-3f);
    wsr_net_free(net);
}
END_TEST

// Logits with every edge weight 1 but those of one row, as an input; the
// gradient of their first with respect to that row's weight.
static double run_open(float logits[10], const wsr_net *net,
                       const unsigned char *choices, size_t row, float weight)
{
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    double diff = 0;
    ck_assert_ok(wsr__supernet_open(&graph, net, choices));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    float *const x = wsr_plan_src(plan, "x");
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < 3072; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < EDGES * 2; i++) {
        char name[WSR__SITE_NAME];
        wsr__edge_weight_name(name, i / EDGES, i % EDGES);
        float *const value = wsr_plan_src(plan, name);
        if (value != NULL) {
            *value = i % EDGES == row ? weight : 1;
        }
    }
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(logits, wsr_plan_dst(plan, "logits"), 10 * sizeof(*logits));
    wsr_plan_diff_dst(plan, "logits")[0] = 1;
    ck_assert_ok(wsr_plan_backward(plan));
    for (size_t cell = 0; cell < 2; cell++) {
        char name[WSR__SITE_NAME];
        wsr__edge_weight_name(name, cell, row);
        const float *const d = wsr_plan_diff_src(plan, name);
        diff += d == NULL ? 0 : (double)*d;
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    return diff;
}

START_TEST(weights_that_are_inputs_have_gradients)
{
    unsigned char choices[EDGES];
    float weights[EDGES];
    float constant[10];
    float open[10];
    float more[10];
    wsr_net *const net = net_of("channels=4,layers=2");
    for (size_t i = 0; i < EDGES; i++) {
        choices[i] = (unsigned char)(i % 2 == 0 ? 6 : 3); // 3 identity
        weights[i] = 1;
    }
    for (size_t row = 14; row < EDGES; row += 5) { // both cells reduce
        weights[row] = 0.75F;
        run_path(constant, net, choices, weights);
        weights[row] = 1;
        const double diff = run_open(open, net, choices, row, 0.75F);
        (void)run_open(more, net, choices, row, 0.75F + 1e-3F);
        for (size_t i = 0; i < 10; i++) {
            ck_assert_float_eq_tol(open[i], constant[i], 1e-5F);
        }
        const double slope = (double)(more[0] - open[0]) / 1e-3;
        ck_assert_msg(fabs(diff) > 1e-4 &&
                          fabs(diff - slope) <= 0.02 * fabs(slope) + 1e-3,
                      "row %zu: %g, measured %g", row, diff, slope);
    }
    wsr_net_free(net);
}
END_TEST

// What a path computes.
typedef struct outcome {
    float logits[BATCH * 10];
    float grad[BATCH * IMAGE];
    double grads; // sum of squares of all parameters' gradients
} outcome;

static void run_all(outcome *out, const wsr_net *net, const wsr_graph *graph,
                    unsigned purpose)
{
    wsr_plan *plan = NULL;
    wsr_params *const params = wsr_net_params(net);
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    wsr_params_zero_grad(params, true);
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH,
                              purpose | WSR_GRAD_INPUT | WSR_GRAD_PARAMS));
    float *const x = wsr_plan_src(plan, "x");
    for (size_t i = 0; i < BATCH * IMAGE; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(out->logits, wsr_plan_dst(plan, "logits"), sizeof(out->logits));
    float *const diff = wsr_plan_diff_dst(plan, "logits");
    for (size_t i = 0; i < BATCH * 10; i++) {
        diff[i] = wsr__rng_uniform(&rng) - 0.5f;
    }
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(out->grad, wsr_plan_diff_src(plan, "x"), sizeof(out->grad));
    out->grads = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const float *const g = wsr_params_grad(params, i);
        const int64_t n = wsr_shape_count(wsr_params_shape(params, i));
        for (int64_t k = 0; g != NULL && k < n; k++) {
            out->grads += (double)g[k] * (double)g[k];
        }
    }
    wsr_plan_free(plan);
}

static double distance(const float *a, const float *want, size_t n)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += pow((double)a[i] - (double)want[i], 2);
        size += pow((double)want[i], 2);
    }
    return sqrt(difference / size);
}

// A decision of a relu or of a maximum that rounding turns over may move a
// gradient by a few per cent; a wrong kernel moves it by more.
static void compare_path(const wsr_net *net, const unsigned char *choices,
                         const float *weights, unsigned purpose)
{
    static outcome fast;
    static outcome reference;
    wsr_graph *graph = NULL;
    char path[EDGES + 1] = "";
    for (size_t i = 0; i < EDGES; i++) {
        path[i] = (char)('0' + choices[i]);
    }
    ck_assert_ok(wsr_supernet_graph(&graph, net, choices, weights));
    run_all(&fast, net, graph, purpose);
    run_all(&reference, net, graph, purpose | WSR_REFERENCE);
    const double logits = distance(fast.logits, reference.logits, BATCH * 10);
    const double grad = distance(fast.grad, reference.grad, BATCH * IMAGE);
    const double grads = fabs(sqrt(fast.grads / reference.grads) - 1);
    ck_assert_msg(logits < 1e-4 && grad < 3e-2 && grads < 3e-2,
                  "path %s, purpose %u, %s: logits %g, image %g, parameters %g",
                  path, purpose, weights == NULL ? "bare" : "weighted", logits,
                  grad, grads);
    wsr_graph_free(graph);
}

START_TEST(random_paths_agree_with_the_reference_kernels)
{
    float weights[EDGES];
    wsr_net *const net = net_of("channels=8,layers=4,image_size=16");
    wsr__rng rng = wsr__rng_at(11, WSR__RNG_TEST, 0, 0);
    for (size_t n = 0; n < PATHS; n++) {
        unsigned char choices[EDGES];
        // The first seven paths have one candidate everywhere.
        const bool same = n + 1 < CANDIDATES;
        for (size_t i = 0; i < EDGES; i++) {
            choices[i] =
                (unsigned char)(same ? n + 1
                                     : wsr__rng_below(&rng, CANDIDATES));
            weights[i] = 0.5f + 0.5f * wsr__rng_uniform(&rng);
        }
        // These are run in each of the four ways, the others in one by turns.
        for (size_t way = 0; way < 4; way++) {
            if (same || n % 4 == way) {
                compare_path(net, choices, way % 2 == 0 ? NULL : weights,
                             way / 2 == 0 ? 0 : WSR_TRAIN);
            }
        }
    }
    wsr_net_free(net);
}
END_TEST

START_TEST(what_is_no_path_is_refused)
{
    unsigned char choices[EDGES] = {0};
    float weights[EDGES] = {0};
    wsr_graph *graph = NULL;
    wsr_net *const net = net_of("channels=4,layers=3");
    choices[27] = 8;
    ck_assert_fails(wsr_supernet_graph(&graph, net, choices, NULL), WSR_ARG,
                    "edge 27");
    choices[27] = 0;
    weights[3] = NAN;
    ck_assert_fails(wsr_supernet_graph(&graph, net, choices, weights), WSR_ARG,
                    "edge 3");
    ck_assert_fails(wsr_net_graph(&graph, net, false), WSR_ARG, "supernet");
    wsr_net_free(net);
    wsr_net *other = NULL;
    ck_assert_ok(
        wsr_net_new(&other, NULL, "genotype=cna_r,channels=4,layers=3", 1));
    ck_assert_fails(wsr_supernet_graph(&graph, other, choices, NULL), WSR_ARG,
                    "network is no supernet");
    ck_assert_uint_eq(wsr_supernet_edges(other), 0);
    ck_assert_uint_eq(wsr_supernet_candidates(other), 0);
    wsr_net_free(other);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {parameter_counts_are_the_published_ones,
                                  the_imagenet_stem_has_the_published_count,
                                  parameters_are_in_the_order_of_pytorch,
                                  candidates_are_those_of_the_space,
                                  a_path_holds_the_chosen_candidates_only,
                                  weights_multiply_the_edges,
                                  weights_that_are_inputs_have_gradients,
                                  random_paths_agree_with_the_reference_kernels,
                                  what_is_no_path_is_refused,
                                  NULL};
    return suite_of("supernet", tests);
}
