// SPDX-License-Identifier: Apache-2.0
//
// Networks against tensors computed by PyTorch: the same parameters and images
// must give the same logits, loss, gradients and running statistics, with the
// default kernels and with the reference ones. Prints what it measures; the
// tolerances are those that float32 against float64 leaves room for.

#include "io/io.h"
#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOGITS_TOL 2e-5 // absolute
#define LOSS_TOL 1e-5   // absolute
#define STATS_TOL 1e-5  // absolute
// Relative L2 distance of gradients, per tensor.
#define GRAD_MEDIAN_TOL 2e-5
#define GRAD_NINE_TENTHS_TOL 1e-3
#define GRAD_MOST_TOL 3e-2

enum { EDGES = 28, CANDIDATES = 8, MOST_CLASSES = 64, MOST_TENSORS = 4096 };

// A file, the network that it describes, and the graph of the run.
typedef struct golden {
    const char *name;
    wsr__st *st;
    wsr_net *net;
    wsr_graph *graph;
    size_t batch;
    size_t image; // floats of one image
    size_t classes;
} golden;

static const char *path_of(const char *name)
{
    static char path[1024];
    (void)snprintf(path, sizeof(path), "%s/golden/%s.safetensors",
                   shared_folder(), name);
    if (!wsr__file_exists(path)) {
        skip("the golden tensors are absent");
    }
    return path;
}

static const char *stem_of(const char *kind)
{
    return wsr__streq(kind, "NetworkImageNet") ? "imagenet" : "cifar";
}

static void options_of(char out[256], const wsr__st *st)
{
    (void)snprintf(out, 256, "channels=%s,layers=%s,classes=%s,stem=%s",
                   wsr__st_metadata(st, "C"), wsr__st_metadata(st, "layers"),
                   wsr__st_metadata(st, "num_classes"),
                   stem_of(wsr__st_metadata(st, "kind")));
}

static void make_network(golden *g, const char *options)
{
    wsr_genotype *genotype = NULL;
    ck_assert_ok(wsr_genotype_parse(
        &genotype, wsr__st_metadata(g->st, "genotype"), "golden"));
    ck_assert_ok(wsr_net_new(&g->net, genotype, options, 1));
    ck_assert_ok(wsr_net_graph(&g->graph, g->net, false));
    wsr_genotype_free(genotype);
}

static void make_robnet(golden *g, const char *options)
{
    wsr_robnet_codes *codes = NULL;
    char text[512];
    (void)snprintf(text, sizeof(text), "{\"share\": true, \"codes\": %s}",
                   wsr__st_metadata(g->st, "arch"));
    ck_assert_ok(wsr_robnet_codes_parse(&codes, text, "golden"));
    ck_assert_ok(wsr_robnet_new(&g->net, codes, options, 1));
    ck_assert_ok(wsr_net_graph(&g->graph, g->net, false));
    wsr_robnet_codes_free(codes);
}

static void make_supernet(golden *g, const char *options)
{
    float table[EDGES * CANDIDATES];
    float weights[EDGES];
    unsigned char choices[EDGES];
    const wsr__arch arch = {.rows = EDGES, .cols = CANDIDATES, .tau = 0.1};
    ck_assert_ok(wsr__st_read_f32(table, g->st, "arch_weights_normal",
                                  EDGES * CANDIDATES / 2));
    ck_assert_ok(wsr__st_read_f32(table + EDGES * CANDIDATES / 2, g->st,
                                  "arch_weights_reduce",
                                  EDGES * CANDIDATES / 2));
    wsr__arch_choose(choices, weights, &arch, table);
    ck_assert_ok(wsr_supernet_new(&g->net, options, 1));
    ck_assert_ok(wsr_supernet_graph(&g->graph, g->net, choices, weights));
}

static void open_golden(golden *g, const char *name)
{
    char options[256];
    *g = (golden){.name = name};
    ck_assert_ok(wsr__st_open(&g->st, path_of(name)));
    options_of(options, g->st);
    if (wsr__st_metadata(g->st, "arch") != NULL) {
        make_robnet(g, options);
    } else if (wsr__st_metadata(g->st, "genotype") != NULL) {
        make_network(g, options);
    } else {
        make_supernet(g, options);
    }
    g->batch = (size_t)wsr__st_find(g->st, "input")->dims[0];
    g->image = (size_t)wsr_shape_count(wsr_net_image(g->net));
    g->classes = wsr_net_classes(g->net);
    ck_assert_uint_le(g->classes, MOST_CLASSES);
}

static void close_golden(golden *g)
{
    wsr_graph_free(g->graph);
    wsr_net_free(g->net);
    wsr__st_free(g->st);
}

// ------------------------------------------------------------------- numbers

static float *numbers_of(const wsr__st *st, const char *name, size_t n)
{
    float *const data = wsr__alloc(n, sizeof(*data));
    ck_assert_ok(wsr__st_read_f32(data, st, name, n));
    return data;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

static double relative_l2(const float *a, const float *want, size_t n)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)a[i] - (double)want[i];
        difference += d * d;
        size += (double)want[i] * (double)want[i];
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

// Mean cross entropy, and its gradient.
static double cross_entropy(float *diff, const float *logits,
                            const int64_t *labels, size_t n, size_t classes)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const float *const z = logits + i * classes;
        double sum = 0;
        for (size_t k = 0; k < classes; k++) {
            sum += exp((double)z[k]);
        }
        const size_t label = (size_t)labels[i];
        loss += (log(sum) - (double)z[label]) / (double)n;
        for (size_t k = 0; k < classes; k++) {
            const double p = exp((double)z[k]) / sum - (k == label ? 1 : 0);
            diff[i * classes + k] = (float)(p / (double)n);
        }
    }
    return loss;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// ---------------------------------------------------------------------- runs

typedef struct measured {
    double logits;
    double logits64; // against double precision
    double loss;
    double grad_input;
    double median;
    double nine_tenths;
    double most;
    double stats;
} measured;

static wsr_plan *run(measured *m, const golden *g, const char *mode,
                     unsigned purpose)
{
    char key[64];
    wsr_plan *plan = NULL;
    const size_t n = g->batch * g->classes;
    int64_t *const labels = wsr__alloc(g->batch, sizeof(*labels));
    ck_assert_ok(wsr__st_read_i64(labels, g->st, "labels", g->batch));
    ck_assert_ok(wsr__st_read_params(wsr_net_params(g->net), g->st, "state."));
    wsr_params_zero_grad(wsr_net_params(g->net), true);
    ck_assert_ok(wsr_plan_new(&plan, g->graph, g->batch, purpose));
    ck_assert_ok(wsr__st_read_f32(wsr_plan_src(plan, "x"), g->st, "input",
                                  g->batch * g->image));
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const logits = wsr_plan_dst(plan, "logits");
    (void)snprintf(key, sizeof(key), "%s.logits", mode);
    float *const want = numbers_of(g->st, key, n);
    (void)snprintf(key, sizeof(key), "f64.%s.logits", mode);
    float *const want64 = numbers_of(g->st, key, n);
    m->logits = largest_difference(logits, want, n);
    m->logits64 = largest_difference(logits, want64, n);
    (void)snprintf(key, sizeof(key), "%s.loss", mode);
    float *const loss = numbers_of(g->st, key, 1);
    m->loss = fabs(cross_entropy(wsr_plan_diff_dst(plan, "logits"), logits,
                                 labels, g->batch, g->classes) -
                   (double)loss[0]);
    ck_assert_ok(wsr_plan_backward(plan));
    (void)snprintf(key, sizeof(key), "%s.grad_input", mode);
    if (wsr__st_find(g->st, key) != NULL) {
        float *const grad = numbers_of(g->st, key, g->batch * g->image);
        m->grad_input = relative_l2(wsr_plan_diff_src(plan, "x"), grad,
                                    g->batch * g->image);
        wsr__free(grad);
    }
    wsr__free(want);
    wsr__free(want64);
    wsr__free(loss);
    wsr__free(labels);
    return plan;
}

static void report(const golden *g, const char *mode, const char *kernels,
                   const measured *m)
{
    printf("%s, %s, %s kernels: logits %.1e (to float64 %.1e), loss %.1e, "
           "grad_input %.1e",
           g->name, mode, kernels, m->logits, m->logits64, m->loss,
           m->grad_input);
    if (m->most != 0 || m->stats != 0) {
        printf(", grad median %.1e, nine tenths %.1e, most %.1e, statistics "
               "%.1e",
               m->median, m->nine_tenths, m->most, m->stats);
    }
    printf("\n");
    ck_assert_double_le(m->logits, LOGITS_TOL);
    ck_assert_double_le(m->logits64, LOGITS_TOL);
    ck_assert_double_le(m->loss, LOSS_TOL);
    ck_assert_double_le(m->grad_input, GRAD_NINE_TENTHS_TOL);
    ck_assert_double_le(m->median, GRAD_MEDIAN_TOL);
    ck_assert_double_le(m->nine_tenths, GRAD_NINE_TENTHS_TOL);
    ck_assert_double_le(m->most, GRAD_MOST_TOL);
    ck_assert_double_le(m->stats, STATS_TOL);
}

// Gradients of all parameters; those without one in the file must have none.
static void compare_gradients(measured *m, const golden *g)
{
    const wsr_params *const params = wsr_net_params(g->net);
    double *const list = wsr__alloc(MOST_TENSORS, sizeof(*list));
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char key[128];
        (void)snprintf(key, sizeof(key), "grad.%s", wsr_params_name(params, i));
        const wsr__st_tensor *const t = wsr__st_find(g->st, key);
        const float *const grad = wsr_params_grad(params, i);
        ck_assert_msg((t != NULL) == (grad != NULL), "%s", key);
        if (t != NULL) {
            float *const want = numbers_of(g->st, key, t->count);
            ck_assert_uint_lt(n, MOST_TENSORS);
            list[n++] = relative_l2(grad, want, t->count);
            wsr__free(want);
        }
    }
    ck_assert_uint_gt(n, 0);
    qsort(list, n, sizeof(*list), by_size);
    m->median = list[n / 2];
    m->nine_tenths = list[n * 9 / 10];
    m->most = list[n - 1];
    wsr__free(list);
}

static void compare_statistics(measured *m, const golden *g)
{
    const wsr_params *const params = wsr_net_params(g->net);
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        char key[128];
        (void)snprintf(key, sizeof(key), "after.%s", p->name);
        const wsr__st_tensor *const t = wsr__st_find(g->st, key);
        ck_assert_msg((t != NULL) == !p->trainable, "%s", key);
        if (t != NULL && p->integer) {
            int64_t count = 0;
            ck_assert_ok(wsr__st_read_i64(&count, g->st, key, 1));
            ck_assert_msg((int64_t)p->data[0] == count, "%s", key);
        } else if (t != NULL) {
            float *const want = numbers_of(g->st, key, t->count);
            m->stats =
                fmax(m->stats, largest_difference(p->data, want, t->count));
            wsr__free(want);
        }
        n += t != NULL;
    }
    ck_assert_uint_gt(n, 0);
}

static void check_file(const char *name)
{
    for (int reference = 0; reference < 2; reference++) {
        const unsigned kernels = reference == 1 ? WSR_REFERENCE : 0;
        const char *const word = reference == 1 ? "reference" : "default";
        golden g;
        measured eval = {0};
        measured train = {0};
        open_golden(&g, name);
        wsr_plan_free(run(&eval, &g, "eval", kernels | WSR_GRAD_INPUT));
        report(&g, "eval", word, &eval);
        wsr_plan_free(run(&train, &g, "train",
                          kernels | WSR_GRAD_INPUT | WSR_GRAD_PARAMS |
                              WSR_TRAIN | WSR_MOVE_STATS));
        compare_gradients(&train, &g);
        compare_statistics(&train, &g);
        report(&g, "train", word, &train);
        close_golden(&g);
    }
}

START_TEST(a_cifar_network_is_that_of_pytorch)
{
    check_file("net_cifar_cna_r");
}
END_TEST

START_TEST(an_imagenet_network_is_that_of_pytorch)
{
    check_file("net_imagenet_cna_r");
}
END_TEST

START_TEST(a_robnet_is_that_of_pytorch)
{
    check_file("robnet_large");
}
END_TEST

START_TEST(a_path_of_a_supernet_is_that_of_pytorch)
{
    check_file("supernet_onehot");
}
END_TEST

START_TEST(architecture_weights_and_their_gradients_are_those_of_pytorch)
{
    enum { HALF = EDGES / 2, SIZE = HALF * CANDIDATES };
    static const char *const halves[] = {"normal", "reduce"};
    const wsr__arch arch = {.rows = HALF, .cols = CANDIDATES, .tau = 0.1};
    wsr__st *st = NULL;
    double weights_error = 0;
    double grad_error = 0;
    ck_assert_ok(wsr__st_open(&st, path_of("supernet_onehot")));
    float *const cotangent = numbers_of(st, "arch_cotangent", (size_t)2 * SIZE);
    for (size_t h = 0; h < 2; h++) {
        char key[64];
        float weights[SIZE];
        float grad[SIZE] = {0};
        unsigned char choices[HALF];
        int64_t want_choices[HALF];
        (void)snprintf(key, sizeof(key), "alphas_%s", halves[h]);
        float *const alphas = numbers_of(st, key, SIZE);
        (void)snprintf(key, sizeof(key), "g_%s", halves[h]);
        float *const g = numbers_of(st, key, SIZE);
        (void)snprintf(key, sizeof(key), "arch_weights_%s", halves[h]);
        float *const want = numbers_of(st, key, SIZE);
        (void)snprintf(key, sizeof(key), "grad_alphas_%s_for_cotangent",
                       halves[h]);
        float *const want_grad = numbers_of(st, key, SIZE);
        (void)snprintf(key, sizeof(key), "choice_%s", halves[h]);
        ck_assert_ok(wsr__st_read_i64(want_choices, st, key, HALF));
        wsr__arch_weights(weights, &arch, alphas, g);
        wsr__arch_choose(choices, NULL, &arch, weights);
        wsr__arch_backward(grad, &arch, weights, cotangent + h * SIZE);
        for (size_t i = 0; i < HALF; i++) {
            ck_assert_int_eq(choices[i], want_choices[i]);
        }
        weights_error =
            fmax(weights_error, largest_difference(weights, want, SIZE));
        grad_error =
            fmax(grad_error, largest_difference(grad, want_grad, SIZE));
        wsr__free(alphas);
        wsr__free(g);
        wsr__free(want);
        wsr__free(want_grad);
    }
    printf("supernet_onehot: architecture weights %.1e, gradient of alphas "
           "%.1e\n",
           weights_error, grad_error);
    ck_assert_double_le(weights_error, 1e-6);
    ck_assert_double_le(grad_error, 1e-6);
    wsr__free(cotangent);
    wsr__st_free(st);
}
END_TEST

// The images as bytes, padded to 32 x 32, grey in three channels.
static void spread(float *out, const unsigned char *bytes, size_t n)
{
    memset(out, 0, n * 3072 * sizeof(*out));
    for (size_t i = 0; i < n * 784; i++) {
        const size_t row = i / 28 % 28 + 2;
        const size_t column = i % 28 + 2;
        for (size_t c = 0; c < 3; c++) {
            out[(i / 784 * 3 + c) * 1024 + row * 32 + column] =
                (float)bytes[i] / 255;
        }
    }
}

static void check_first16(const wsr__st *st, const wsr_graph *graph,
                          unsigned kernels)
{
    enum { N = 16 };
    wsr_plan *plan = NULL;
    int64_t labels[256];
    float loss = 0;
    ck_assert_ok(wsr__st_read_i64(labels, st, "labels", 256));
    ck_assert_ok(wsr__st_read_f32(&loss, st, "first16.loss", 1));
    float *const want = numbers_of(st, "first16.grad_input", N * 3072);
    ck_assert_ok(wsr_plan_new(&plan, graph, N, kernels | WSR_GRAD_INPUT));
    ck_assert_ok(wsr__st_read_f32(wsr_plan_src(plan, "x"), st, "first16.input",
                                  N * 3072));
    ck_assert_ok(wsr_plan_forward(plan));
    const double own = cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                     wsr_plan_dst(plan, "logits"), labels, N,
                                     10);
    ck_assert_ok(wsr_plan_backward(plan));
    const double grad =
        relative_l2(wsr_plan_diff_src(plan, "x"), want, N * 3072);
    const double off = fabs(own - (double)loss);
    printf("testset_256, first 16, %s kernels: loss %.1e, grad_input %.1e\n",
           kernels != 0 ? "reference" : "default", off, grad);
    ck_assert_double_le(off, LOSS_TOL);
    ck_assert_double_le(grad, GRAD_NINE_TENTHS_TOL);
    wsr__free(want);
    wsr_plan_free(plan);
}

static void check_testset(const wsr__st *st, const wsr_graph *graph,
                          unsigned kernels, size_t n)
{
    enum { N = 256 };
    static unsigned char bytes[N * 784];
    static float logits[N * 10];
    unsigned char correct[N];
    int64_t labels[N];
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr__st_read_u8(bytes, st, "images_u8", N * 784));
    ck_assert_ok(wsr__st_read_u8(correct, st, "clean_correct", N));
    ck_assert_ok(wsr__st_read_i64(labels, st, "labels", N));
    ck_assert_ok(wsr__st_read_f32(logits, st, "clean_logits", N * 10));
    ck_assert_ok(wsr_plan_new(&plan, graph, n, kernels | WSR_FORWARD));
    spread(wsr_plan_src(plan, "x"), bytes, n);
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const own = wsr_plan_dst(plan, "logits");
    const double most = largest_difference(own, logits, n * 10);
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        for (size_t k = 1; k < 10; k++) {
            best = own[i * 10 + k] > own[i * 10 + best] ? k : best;
        }
        ck_assert_int_eq(best == (size_t)labels[i], correct[i] != 0);
        right += correct[i] != 0;
    }
    printf("testset_256, %s kernels: logits %.1e, %zu of %zu right\n",
           kernels != 0 ? "reference" : "default", most, right, n);
    ck_assert_double_le(most, LOGITS_TOL);
    wsr_plan_free(plan);
}

START_TEST(a_trained_network_classifies_as_under_pytorch)
{
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    wsr__st *st = NULL;
    ck_assert_ok(
        wsr_net_load(&net, path_of("robust_fashion_mnist"), "genotype=cna_r"));
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert_ok(wsr__st_open(&st, path_of("testset_256")));
    check_testset(st, graph, 0, 256);
    check_testset(st, graph, WSR_REFERENCE, 64);
    check_first16(st, graph, 0);
    check_first16(st, graph, WSR_REFERENCE);
    wsr__st_free(st);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

static size_t tensors_of_state(const wsr__st *st)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        n += strncmp(wsr__st_at(st, i)->name, "state.", 6) == 0;
    }
    return n;
}

START_TEST(parameters_have_the_names_shapes_and_number_of_pytorch)
{
    static const char *const files[] = {"net_cifar_cna_r", "net_imagenet_cna_r",
                                        "robnet_large", "supernet_onehot"};
    for (size_t i = 0; i < 4; i++) {
        golden g;
        int64_t want = 0;
        open_golden(&g, files[i]);
        // Reading fails for a name or a shape that differs.
        ck_assert_ok(
            wsr__st_read_params(wsr_net_params(g.net), g.st, "state."));
        ck_assert_uint_eq(wsr_params_count(wsr_net_params(g.net)),
                          tensors_of_state(g.st));
        ck_assert(wsr__parse_int(&want, wsr__st_metadata(g.st, "n_params")));
        ck_assert_int_eq(wsr_params_scalars(wsr_net_params(g.net)), want);
        close_golden(&g);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_have_the_names_shapes_and_number_of_pytorch,
        a_cifar_network_is_that_of_pytorch,
        an_imagenet_network_is_that_of_pytorch,
        a_robnet_is_that_of_pytorch,
        a_path_of_a_supernet_is_that_of_pytorch,
        architecture_weights_and_their_gradients_are_those_of_pytorch,
        a_trained_network_classifies_as_under_pytorch,
        NULL};
    return suite_of("golden networks", tests);
}
