// SPDX-License-Identifier: Apache-2.0
//
// Boost networks: gradients of alphas and betas against differences, the edge
// of PC-DARTS against its formula, the base alone against the base itself, and
// files.

#include "io/io.h"
#include "net/kinds.h"
#include "support/oom.h"

enum { BATCH = 8, EDGES = 14, CANDIDATES = 8 };

static const float OFF = -1e4F;

static const char *const bases[] = {
    "base=small_cnn,image_size=16",
    "base=wrn:depth=10\\,width=2,image_size=12",
    "base=resnet:depth=18\\,width=32,image_size=14",
    "base=network:genotype=cna_r\\,channels=8\\,layers=3,image_size=12",
};

enum { BASES = sizeof(bases) / sizeof(*bases) };

static wsr_net *made(const char *options)
{
    return make_kind("boost", options);
}

// The last map of the base small_cnn starts at 0; norms that have moved.
static void shake(wsr_net *net, uint64_t seed)
{
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, i, 0);
        const bool last = strstr(p->name, "fc3.weight") != NULL;
        for (int64_t k = 0; last && k < p->count; k++) {
            p->data[k] = 0.2F * (wsr__rng_uniform(&rng) - 0.5F);
        }
        wsr__param_touch(p);
    }
}

static wsr_plan *plan_of(wsr_graph *graph, unsigned purpose)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH, purpose));
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    float *const x = wsr_plan_src(plan, "x");
    const int64_t pixels = wsr_shape_count(&graph->list[0].shape); // of x
    for (int64_t i = 0; i < BATCH * pixels; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    wsr_graph_free(graph);
    return plan;
}

static wsr_plan *relaxed_plan(const wsr_net *net, bool base, unsigned purpose)
{
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr__boost_graph(&graph, net, base));
    return plan_of(graph, purpose);
}

static void put(wsr_plan *plan, const char *name, const float *values, size_t n)
{
    float *const src = wsr_plan_src(plan, name);
    for (size_t i = 0; i < BATCH; i++) {
        memcpy(src + i * n, values, n * sizeof(*values));
    }
}

// Inner product of the logits with fixed random numbers.
static double value_of(wsr_plan *plan)
{
    double sum = 0;
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const z = wsr_plan_dst(plan, "logits");
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    float *const dz = wsr_plan_diff_dst(plan, "logits");
    for (size_t i = 0; i < BATCH * 10; i++) {
        const float r = wsr__rng_uniform(&rng) - 0.5F;
        sum += (double)r * (double)z[i];
        if (dz != NULL) {
            dz[i] = r;
        }
    }
    return sum;
}

typedef struct point {
    float alphas[EDGES * CANDIDATES];
    float betas[EDGES];
} point;

static void enter(wsr_plan *plan, const point *p)
{
    put(plan, "alphas", p->alphas, EDGES * CANDIDATES);
    put(plan, "betas", p->betas, EDGES);
}

// Along the gradient itself, whose norm is the slope there: a gradient that is
// wrong in direction or size has another. Norms over a batch and relus make the
// function far from linear, so that the step is small.
static void check_gradient(wsr_plan *plan, const char *name, point *at,
                           float *values, size_t n)
{
    double way[EDGES * CANDIDATES] = {0};
    float before[EDGES * CANDIDATES];
    double slope = 0;
    double sides[2];
    const double step = 0.004;
    memcpy(before, values, n * sizeof(*values));
    enter(plan, at);
    (void)value_of(plan);
    ck_assert_ok(wsr_plan_backward(plan));
    const float *const diff = wsr_plan_diff_src(plan, name);
    for (size_t i = 0; i < BATCH * n; i++) {
        way[i % n] += (double)diff[i];
    }
    for (size_t i = 0; i < n; i++) {
        slope += way[i] * way[i];
    }
    slope = sqrt(slope);
    for (size_t i = 0; i < n; i++) {
        way[i] /= slope;
    }
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++) {
            values[i] = (float)((double)before[i] +
                                (side == 0 ? -step : step) * way[i]);
        }
        enter(plan, at);
        sides[side] = value_of(plan);
    }
    memcpy(values, before, n * sizeof(*values));
    const double found = (sides[1] - sides[0]) / (2 * step);
    ck_assert_msg(slope > 1e-3, "%s: slope %g", name, slope);
    ck_assert_msg(fabs(found - slope) <= 0.04 * slope,
                  "%s: %g by differences, %g", name, found, slope);
}

START_TEST(alphas_and_betas_have_their_gradients)
{
    point at;
    wsr_net *const net = made(bases[_i / 2]);
    const unsigned mode = _i % 2 == 0 ? 0u : (unsigned)WSR_TRAIN;
    shake(net, 1);
    wsr_plan *const plan = relaxed_plan(net, false, WSR_GRAD_INPUT | mode);
    wsr__rng rng = wsr__rng_at(6, WSR__RNG_TEST, 0, 0);
    wsr__rng_normals(&rng, at.alphas, EDGES * CANDIDATES);
    wsr__rng_normals(&rng, at.betas, EDGES);
    check_gradient(plan, "alphas", &at, at.alphas, EDGES * CANDIDATES);
    check_gradient(plan, "betas", &at, at.betas, EDGES);
    wsr_plan_free(plan);
    wsr_net_free(net);
}
END_TEST

// The network of the base's kind itself, with the parameters of the base.
START_TEST(the_base_alone_is_the_network_itself)
{
    wsr_net *const net = made("base=small_cnn,image_size=16");
    wsr_net *const own =
        make_kind("small_cnn", "image_size=16,image_channels=3");
    wsr_params *const params = wsr_net_params(own);
    wsr_graph *graph = NULL;
    shake(net, 1);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        char name[128];
        (void)snprintf(name, sizeof(name), "base.%s", p->name);
        const wsr__param *const from =
            wsr__params_named(wsr_net_params(net), name);
        ck_assert_ptr_nonnull(from);
        memcpy(p->data, from->data, (size_t)p->count * sizeof(float));
        wsr__param_touch(p);
    }
    ck_assert_ok(wsr_net_graph(&graph, own, false));
    wsr_plan *const want = plan_of(graph, WSR_FORWARD);
    wsr_plan *const have = relaxed_plan(net, true, WSR_FORWARD);
    ck_assert(value_of(want) == value_of(have));
    ck_assert_mem_eq(wsr_plan_dst(want, "logits"), wsr_plan_dst(have, "logits"),
                     BATCH * 10 * sizeof(float));
    ck_assert_ptr_null(wsr_plan_src(have, "alphas"));
    wsr_plan_free(want);
    wsr_plan_free(have);
    wsr_net_free(own);
    wsr_net_free(net);
}
END_TEST

static wsr_value nth_op(const wsr_graph *graph, const char *name, size_t n)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->list[i].role == WSR__OP &&
            wsr__streq(graph->list[i].cls->super.name, name) && n-- == 0) {
            return (wsr_value)i;
        }
    }
    ck_abort_msg("no such op");
}

// The first edge of the second stage of wrn keeps its size at stage 0: a
// shortcut with weight 1/4, the rest on "none". Channel i of the result is, by
// PC-DARTS, channel (i mod 4) (C/4) + i/4 of (a/4, b).
START_TEST(an_edge_is_that_of_pc_darts)
{
    enum { SIDE = 12, C = 8, PIXELS = SIDE * SIDE };
    point at;
    wsr_graph *graph = NULL;
    wsr_net *const net = made(bases[1]);
    for (size_t i = 0; i < EDGES * CANDIDATES; i++) {
        const size_t k = i % CANDIDATES;
        at.alphas[i] = k == 0 ? logf(0.75F) : k == 3 ? logf(0.25F) : OFF;
        at.betas[i / CANDIDATES] = 0;
    }
    ck_assert_ok(wsr__boost_graph(&graph, net, false));
    const wsr_value turned = nth_op(graph, "transpose", 0);
    wsr_value state = graph->list[nth_op(graph, "slice", 0)].srcs[0];
    wsr__set_output(graph, "edge", turned);
    wsr__set_output(graph, "state", state);
    wsr_plan *const plan = plan_of(graph, WSR_FORWARD);
    enter(plan, &at);
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const x = wsr_plan_dst(plan, "state");
    const float *const y = wsr_plan_dst(plan, "edge");
    ck_assert_int_eq(wsr_plan_shape(plan, "state")->dims[1], C);
    for (int i = 0; i < BATCH * C * PIXELS; i++) {
        const int image = i / (C * PIXELS);
        const int c = i / PIXELS % C;
        const int from = c % 4 * (C / 4) + c / 4;
        const float want = x[(image * C + from) * PIXELS + i % PIXELS];
        ck_assert_float_eq_tol(y[i], from < C / 4 ? want / 4 : want, 1e-5F);
    }
    wsr_plan_free(plan);
    wsr_net_free(net);
}
END_TEST

// A node weighs its edges by the softmax of their betas: with one edge alone,
// the others have no influence.
START_TEST(betas_choose_among_the_edges_of_a_node)
{
    point at = {{0}, {0}};
    wsr_net *const net = made(bases[1]);
    shake(net, 1);
    wsr_plan *const plan = relaxed_plan(net, false, WSR_FORWARD);
    for (size_t e = 0; e < EDGES; e++) {
        const bool first = e == 0 || e == 2 || e == 5 || e == 9;
        at.betas[e] = first ? 0 : OFF;
    }
    enter(plan, &at);
    const double one = value_of(plan);
    for (size_t e = 0; e < EDGES; e++) {
        at.alphas[e * CANDIDATES] += at.betas[e] == OFF ? 3 : 0;
    }
    enter(plan, &at);
    ck_assert(value_of(plan) == one);
    for (size_t e = 0; e < EDGES; e++) {
        at.betas[e] += 2;
    }
    enter(plan, &at);
    ck_assert_double_eq_tol(value_of(plan), one, 1e-5);
    at.alphas[0] += 3;
    enter(plan, &at);
    ck_assert(fabs(value_of(plan) - one) > 1e-5);
    wsr_plan_free(plan);
    wsr_net_free(net);
}
END_TEST

// Sides that are odd before they are halved included: 7 to 4 pixels of resnet.
START_TEST(every_base_has_both_forms)
{
    static const int64_t sides[] = {16, 28, 33};
    for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
        char options[256];
        wsr_graph *graph = NULL;
        (void)snprintf(options, sizeof(options), "%s",
                       strstr(bases[_i], "base="));
        *strstr(options, ",image_size") = '\0';
        const size_t n = strlen(options);
        (void)snprintf(options + n, sizeof(options) - n, ",image_size=%d",
                       (int)sides[i]);
        if (strstr(options, "base=network") != NULL && sides[i] % 4 != 0) {
            continue; // cells of networks refuse odd sides
        }
        wsr_net *const relaxed = made(options);
        wsr_plan *plan =
            relaxed_plan(relaxed, false, WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
        ck_assert_ok(wsr_plan_forward(plan));
        wsr_plan_free(plan);
        ck_assert_fails(wsr_net_graph(&graph, relaxed, false), WSR_ARG,
                        "give it the option genotype");
        ck_assert_uint_eq(wsr_supernet_edges(relaxed), 2 * EDGES);
        wsr_net_free(relaxed);
        (void)snprintf(options + strlen(options), 32, ",genotype=cna_r");
        wsr_net *const found = made(options);
        ck_assert_str_eq(wsr_genotype_name(wsr_net_genotype(found)), "cna_r");
        ck_assert_uint_eq(wsr_supernet_edges(found), 0);
        ck_assert_ok(wsr_net_graph(&graph, found, true));
        plan = plan_of(graph, WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
        ck_assert_ok(wsr_plan_forward(plan));
        wsr_plan_free(plan);
        ck_assert_fails(wsr__boost_graph(&graph, found, false), WSR_ARG,
                        "no boost network without a genotype");
        wsr_net_free(found);
    }
}
END_TEST

// Separable convolutions on the first edge of small_cnn, which halves: from 28
// to 14 pixels with 2 channels, from 12 to 6 with 4; "none" and pools cost
// nothing, a shortcut that halves two 1x1 convolutions.
START_TEST(multiply_adds_are_counted_by_candidate)
{
    static const char options[] = "base=small_cnn,image_size=28";
    double table[EDGES * CANDIDATES];
    double rest = 0;
    wsr_net *const net = made(options);
    ck_assert_ok(wsr__boost_madds(table, &rest, net));
    const double pixels[] = {14.0 * 14, 6.0 * 6};
    double sep = 0;
    double skip = 0;
    for (int i = 0; i < 2; i++) {
        const double c = i == 0 ? 2 : 4;
        sep += 2 * pixels[i] * (9 * c + c * c);
        skip += pixels[i] * c * c;
    }
    ck_assert_double_eq(table[4], sep);
    ck_assert_double_eq(table[3], skip);
    for (int k = 0; k < 3; k++) {
        ck_assert_double_eq(table[k], 0);
    }
    // An edge that does not halve has an identity.
    ck_assert_double_eq(table[13 * CANDIDATES + 3], 0);
    const double base = 26.0 * 26 * 27 * 32 + 24.0 * 24 * 288 * 32 +
                        10.0 * 10 * 288 * 64 + 8.0 * 8 * 576 * 64 +
                        1024.0 * 200 + 200.0 * 200 + 200.0 * 10;
    const double entries = 28.0 * 28 * 2 * (3 * 8) + 144.0 * 2 * 3 * 16 / 2 +
                           12.0 * 12 * 32 * 16;
    ck_assert_msg(rest > base && rest < base + 2 * entries, "%g, base %g", rest,
                  base);
    wsr_net_free(net);
}
END_TEST

START_TEST(a_file_brings_the_network_back)
{
    char options[256];
    char path[512];
    wsr_graph *graphs[2] = {NULL};
    wsr_net *back = NULL;
    (void)snprintf(options, sizeof(options), "%s,genotype=cna_r,mean=0.5",
                   bases[_i]);
    (void)snprintf(path, sizeof(path), "%s/net.safetensors",
                   scratch_folder("boost"));
    wsr_net *const net = made(options);
    shake(net, 2);
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_ok(wsr_net_load(&back, path, NULL));
    ck_assert_str_eq(wsr_net_kind(back), "boost");
    ck_assert(
        wsr_genotype_equal(wsr_net_genotype(back), wsr_net_genotype(net)));
    ck_assert_ok(wsr_net_graph(&graphs[0], net, false));
    ck_assert_ok(wsr_net_graph(&graphs[1], back, false));
    wsr_plan *const a = plan_of(graphs[0], WSR_FORWARD);
    wsr_plan *const b = plan_of(graphs[1], WSR_FORWARD);
    ck_assert(value_of(a) == value_of(b));
    wsr_plan_free(a);
    wsr_plan_free(b);
    wsr_net_free(back);
    wsr_net_free(net);
}
END_TEST

START_TEST(a_relaxed_network_can_be_saved)
{
    char path[512];
    wsr_net *back = NULL;
    char *text = NULL;
    (void)snprintf(path, sizeof(path), "%s/net.safetensors",
                   scratch_folder("relaxed"));
    wsr_net *const net = made(bases[0]);
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_ok(wsr_net_load(&back, path, NULL));
    ck_assert_ptr_null(wsr_net_genotype(back));
    ck_assert_ok(wsr_net_describe(&text, back));
    ck_assert_ptr_nonnull(
        strstr(text, "boost: genotype none, base small_cnn, space darts"));
    wsr_text_free(text);
    wsr_net_free(back);
    wsr_net_free(net);
}
END_TEST

// What a file's metadata say of the base, its tensors must agree with: nothing
// of the claimed size is made.
START_TEST(a_file_with_another_base_is_refused)
{
    static const char *const claims[] = {"wrn:depth=10,width=200",
                                         "wrn:depth=16,width=2", "resnet",
                                         "boost", "nonsense"};
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/net.safetensors",
                   scratch_folder("claims"));
    for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
        wsr_net *back = NULL;
        wsr_net *const net =
            made("base=wrn:depth=10\\,width=2,image_size=12,genotype=cna_r");
        wsr__text *const base =
            (wsr__text *)((char *)net->options +
                          wsr__schema_find(net->cls->super.schema, "base")
                              ->offset);
        (void)snprintf(base->s, sizeof(base->s), "%s", claims[i]);
        ck_assert_ok(wsr_net_save(net, path));
        ck_assert_fails(wsr_net_load(&back, path, NULL), WSR_FORMAT, "base");
        ck_assert_ptr_null(back);
        wsr_net_free(net);
    }
}
END_TEST

static wsr_status make_and_drop(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    char *text = NULL;
    (void)ctx;
    WSR_TRY(wsr_net_new_kind(&net, "boost",
                             "base=small_cnn,image_size=16,genotype=cna_r", 1));
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

START_TEST(bad_options_are_refused_in_one_line)
{
    static const kind_refusal rows[] = {
        {"base=nonsense", "boost.base: "},
        {"base=boost", "boost.base: a boost can be no base"},
        {"base=supernet", "boost.base: a supernet can be no base"},
        {"base=small_cnn:mean=0.5", "boost.base: mean and std"},
        {"base=network:genotype=cna_r\\,drop_path=0.1",
         "boost.base: drop_path and auxiliary"},
        {"base=small_cnn:dropout=0.5", "boost.base: dropout is not there"},
        {"base=wrn:depth=11", "boost.base: wrn.depth: 11 is not"},
        {"base=wrn:depth=10\\,width=1",
         "boost.base: 16 channels behind stage 0 are no multiple of 32"},
        {"base=small_cnn,image_size=8", "boost.base: small_cnn.image_size"},
        {"base=network", "boost.base: network.genotype: is missing"},
    };
    check_refusals("boost", rows, sizeof(rows) / sizeof(*rows));
    wsr_net *net = NULL;
    ck_assert_fails(wsr_net_new_kind(&net, "boost", "space=dart", 1),
                    WSR_NOTFOUND, "did you mean 'darts'");
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("boost");
    TCase *const t = tcase_create("boost");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, alphas_and_betas_have_their_gradients, 0, 2 * BASES);
    tcase_add_test(t, the_base_alone_is_the_network_itself);
    tcase_add_test(t, an_edge_is_that_of_pc_darts);
    tcase_add_test(t, betas_choose_among_the_edges_of_a_node);
    tcase_add_loop_test(t, every_base_has_both_forms, 0, BASES);
    tcase_add_test(t, multiply_adds_are_counted_by_candidate);
    tcase_add_loop_test(t, a_file_brings_the_network_back, 0, BASES);
    tcase_add_test(t, a_relaxed_network_can_be_saved);
    tcase_add_test(t, a_file_with_another_base_is_refused);
    tcase_add_test(t, memory_that_runs_short_is_reported_and_nothing_leaks);
    tcase_add_test(t, bad_options_are_refused_in_one_line);
    suite_add_tcase(s, t);
    return s;
}
