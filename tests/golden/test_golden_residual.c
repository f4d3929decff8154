// SPDX-License-Identifier: Apache-2.0
//
// Residual networks against those of torchvision and of the repository of
// TRADES: names, shapes and order of the parameters, and, with weights from a
// file or from the formula of the golden README, logits, losses, gradients and
// running statistics. Prints what it measures.

#include "golden/golden_support.h"
#include "net/net.h"

#define LOGITS_TOL 2e-5 // absolute, and four times what rounding changes
#define LOSS_TOL 1e-5
#define STATS_TOL 1e-5
#define SUM_TOL 1e-4 // of a gradient, to its norm times sqrt(elements)
#define GRAD_EVAL50_TOL 2e-2

typedef struct row {
    const char *file;
    const char *kind;
    const char *options;
    double grad_input; // tolerance: one file is stable to 4e-3 only
} row;

static const row rows[] = {
    {"net_wrn16_1", "wrn", "depth=16,width=1,sub_block1=true", 1e-3},
    {"net_cifar_resnet18", "resnet", "depth=18", 1e-3},
    {"net_torchvision_resnet18", "resnet",
     "depth=18,stem=imagenet,classes=1000,image_size=64", 1e-3},
    {"net_torchvision_resnet50", "resnet",
     "depth=50,stem=imagenet,classes=1000,image_size=64", GRAD_EVAL50_TOL},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

// ------------------------------------------------------------------- weights

static bool ends_in(const char *name, const char *tail)
{
    const size_t n = strlen(name);
    const size_t k = strlen(tail);
    return n >= k && strcmp(name + n - k, tail) == 0;
}

static uint64_t hash_of(const char *name, uint64_t seed)
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (const char *p = name; *p != '\0'; p++) {
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    }
    return h;
}

// Element k of the README's formula, in [-1, 1).
static double draw(uint64_t h, size_t k)
{
    uint64_t z = h + (k + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (double)(z >> 40) / 8388608.0 - 1;
}

static double value_of(const wsr__param *p, double u)
{
    const bool linear = strncmp(p->name, "fc.", 3) == 0 ||
                        strncmp(p->name, "linear.", 7) == 0;
    if (p->integer) {
        return 7;
    }
    if (p->shape.ndims >= 2) {
        const double fan_in = (double)p->count / (double)p->shape.dims[0];
        return linear ? u / sqrt(fan_in) : u * sqrt(6 / fan_in);
    }
    if (linear) {
        return u / 10;
    }
    const bool scale = ends_in(p->name, "weight") ||
                       ends_in(p->name, "running_var");
    return scale ? 1 + u / 2 : u / 5;
}

static void fill(wsr_params *params, const wsr__st *st)
{
    int64_t seed = 0;
    if (wsr__st_find(st, "state.conv1.weight") != NULL) {
        ck_assert_ok(wsr__st_read_params(params, st, "state."));
        return;
    }
    ck_assert(wsr__parse_int(&seed, wsr__st_metadata(st, "seed_state")));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        const uint64_t h = hash_of(p->name, (uint64_t)seed);
        float *const data = wsr_params_edit(params, i);
        for (int64_t k = 0; k < p->count; k++) {
            data[k] = (float)value_of(p, draw(h, (size_t)k));
        }
    }
}

// ------------------------------------------------------------------ measuring

// Number `i` of the pair that metadata `key`, an object of JSON, has for `of`.
static double pair_of(const wsr__st *st, const char *key, const char *of, int i)
{
    char quoted[160];
    double pair[2] = {0, 0};
    (void)snprintf(quoted, sizeof(quoted), "\"%s\": [", of);
    const char *const text = wsr__st_metadata(st, key);
    const char *const at = text == NULL ? NULL : strstr(text, quoted);
    ck_assert_msg(at != NULL, "%s: has no %s", key, of);
    ck_assert_int_eq(
        sscanf(at + strlen(quoted), "%lf, %lf", &pair[0], &pair[1]), 2);
    return pair[i];
}

static double room(const wsr__st *st, const char *key, double tol)
{
    return tol + 4 * pair_of(st, "f32_vs_f64", key, 0);
}

static double cross_entropy(float *diff, const float *logits,
                            const int64_t *labels, size_t n, size_t classes)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const float *const z = logits + i * classes;
        double most = -INFINITY;
        double sum = 0;
        for (size_t k = 0; k < classes; k++) {
            most = fmax(most, (double)z[k]);
        }
        for (size_t k = 0; k < classes; k++) {
            sum += exp((double)z[k] - most);
        }
        const size_t label = (size_t)labels[i];
        loss += (log(sum) + most - (double)z[label]) / (double)n;
        for (size_t k = 0; k < classes; k++) {
            const double p = exp((double)z[k] - most) / sum;
            diff[i * classes + k] =
                (float)((p - (k == label ? 1 : 0)) / (double)n);
        }
    }
    return loss;
}

// A gradient of which the file has norm and sum alone.
static void check_norm(const wsr__st *st, const wsr__param *p)
{
    double squares = 0;
    double sum = 0;
    for (int64_t k = 0; k < p->count; k++) {
        squares += (double)p->grad[k] * (double)p->grad[k];
        sum += (double)p->grad[k];
    }
    const double norm = pair_of(st, "gradient_norm_and_sum", p->name, 0);
    const double want = pair_of(st, "gradient_norm_and_sum", p->name, 1);
    ck_assert_msg(fabs(sqrt(squares) - norm) <= 1e-4 * norm,
                  "%s: norm %g is not %g", p->name, sqrt(squares), norm);
    ck_assert_msg(fabs(sum - want) <= SUM_TOL * norm * sqrt((double)p->count),
                  "%s: sum %g is not %g", p->name, sum, want);
}

static void check_gradients(const wsr__st *st, const wsr_params *params)
{
    double distances[GOLDEN_TENSORS];
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        char key[160];
        (void)snprintf(key, sizeof(key), "grad.%s", p->name);
        const wsr__st_tensor *const t = wsr__st_find(st, key);
        if (!p->trainable || strncmp(p->name, "sub_block1.", 11) == 0) {
            ck_assert_msg(!p->has_grad && t == NULL, "%s", key);
            continue;
        }
        ck_assert_msg(p->has_grad, "%s: is missing", key);
        if (t == NULL) {
            check_norm(st, p);
            continue;
        }
        float *const want = golden_read(st, key, t->count);
        distances[n++] = golden_distance(p->grad, want, t->count);
        wsr__free(want);
    }
    ck_assert_uint_gt(n, 0);
    qsort(distances, n, sizeof(*distances), golden_order);
    printf("    gradients of %zu parameters: median %.1e, nine tenths %.1e, "
           "most %.1e\n",
           n, distances[n / 2], distances[n * 9 / 10], distances[n - 1]);
    ck_assert_double_le(distances[n / 2], 2e-5);
    ck_assert_double_le(distances[n * 9 / 10], 1e-3);
    ck_assert_double_le(distances[n - 1], 3e-2);
}

static void check_statistics(const wsr__st *st, const wsr_params *params)
{
    double most = 0;
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        char key[160];
        (void)snprintf(key, sizeof(key), "after.%s", p->name);
        const wsr__st_tensor *const t = wsr__st_find(st, key);
        ck_assert_msg((t != NULL) == !p->trainable, "%s", key);
        if (t != NULL && p->integer) {
            int64_t count = 0;
            ck_assert_ok(wsr__st_read_i64(&count, st, key, 1));
            ck_assert_int_eq((int64_t)p->data[0], count);
        } else if (t != NULL) {
            float *const want = golden_read(st, key, t->count);
            for (size_t k = 0; k < t->count; k++) {
                const double d = fabs((double)p->data[k] - (double)want[k]) /
                                 fmax(1, fabs((double)want[k]));
                most = fmax(most, d);
            }
            wsr__free(want);
        }
        n += t != NULL;
    }
    ck_assert_uint_gt(n, 0);
    printf("    statistics %.1e\n", most);
    ck_assert_double_le(most, STATS_TOL);
}

static void check_pass(const row *r, const wsr__st *st, const wsr_net *net,
                       const wsr_graph *graph, const char *mode,
                       unsigned purpose)
{
    char key[64];
    wsr_plan *plan = NULL;
    int64_t labels[16];
    const size_t batch = (size_t)wsr__st_find(st, "input")->dims[0];
    const size_t image = (size_t)wsr_shape_count(wsr_net_image(net));
    const size_t classes = wsr_net_classes(net);
    ck_assert_uint_le(batch, 16);
    ck_assert_ok(wsr__st_read_i64(labels, st, "labels", batch));
    fill(wsr_net_params(net), st);
    wsr_params_zero_grad(wsr_net_params(net), true);
    ck_assert_ok(wsr_plan_new(&plan, graph, batch, purpose));
    ck_assert_ok(
        wsr__st_read_f32(wsr_plan_src(plan, "x"), st, "input", batch * image));
    ck_assert_ok(wsr_plan_forward(plan));
    printf("%s, %s:\n", r->file, mode);
    (void)snprintf(key, sizeof(key), "%s.logits", mode);
    const float *const logits = wsr_plan_dst(plan, "logits");
    golden_near(logits, st, key, batch * classes, room(st, key, LOGITS_TOL));
    const double loss = cross_entropy(wsr_plan_diff_dst(plan, "logits"), logits,
                                      labels, batch, classes);
    (void)snprintf(key, sizeof(key), "%s.loss", mode);
    const double off = fabs(loss - (double)golden_scalar(st, key));
    ck_assert_double_le(off, room(st, key, LOSS_TOL));
    ck_assert_ok(wsr_plan_backward(plan));
    (void)snprintf(key, sizeof(key), "%s.grad_input", mode);
    float *const want = golden_read(st, key, batch * image);
    const double grad =
        golden_distance(wsr_plan_diff_src(plan, "x"), want, batch * image);
    printf("    loss %.1e, gradient of the input %.1e\n", off, grad);
    ck_assert_double_le(grad, r->grad_input);
    wsr__free(want);
    wsr_plan_free(plan);
}

static void check_row(const row *r, unsigned kernels)
{
    int64_t want = 0;
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    wsr__st *const st = golden_open(r->file);
    ck_assert_ok(wsr_net_new_kind(&net, r->kind, r->options, 1));
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    ck_assert(wsr__parse_int(&want, wsr__st_metadata(st, "n_params")));
    ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)), want);
    check_pass(r, st, net, graph, "eval", kernels | WSR_GRAD_INPUT);
    if (wsr__st_find(st, "train.logits") != NULL) {
        check_pass(r, st, net, graph, "train",
                   kernels | WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_TRAIN |
                       WSR_MOVE_STATS);
        check_gradients(st, wsr_net_params(net));
        check_statistics(st, wsr_net_params(net));
    }
    wsr_graph_free(graph);
    wsr_net_free(net);
    wsr__st_free(st);
}

START_TEST(networks_compute_what_pytorch_computes)
{
    for (size_t i = 0; i < ROWS; i++) {
        check_row(&rows[i], 0);
    }
}
END_TEST

START_TEST(reference_kernels_compute_the_same)
{
    check_row(&rows[0], WSR_REFERENCE);
}
END_TEST

START_TEST(the_formula_gives_the_values_of_the_file)
{
    static const char *const names[] = {"conv1.weight", "bn1.weight",
                                        "bn1.bias", "bn1.running_mean",
                                        "bn1.running_var"};
    for (size_t i = 1; i < ROWS; i++) {
        wsr_net *net = NULL;
        wsr__st *const st = golden_open(rows[i].file);
        ck_assert_ok(wsr_net_new_kind(&net, rows[i].kind, rows[i].options, 1));
        fill(wsr_net_params(net), st);
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
            const wsr__param *const p =
                wsr__params_named(wsr_net_params(net), names[k]);
            for (int j = 0; j < 2; j++) {
                ck_assert(p->data[j] == (float)pair_of(st,
                                                       "checksum_first_values",
                                                       names[k], j));
            }
        }
        wsr_net_free(net);
        wsr__st_free(st);
    }
}
END_TEST

// ---------------------------------------------------------- names and shapes

// The next ["name", [dims]] of a list of JSON; NULL behind its last one.
static const char *next_tensor(const char *at, char name[128], wsr_shape *shape)
{
    *shape = (wsr_shape){0};
    at += strspn(at, " \n,[");
    if (*at != '"') {
        return NULL;
    }
    const size_t n = strcspn(at + 1, "\"");
    ck_assert_uint_lt(n, 128);
    memcpy(name, at + 1, n);
    name[n] = '\0';
    at += n + 2;
    at += strspn(at, " \n,");
    ck_assert_int_eq(*at, '[');
    for (at++; *at != ']'; at += strspn(at, " \n,")) {
        char *end = NULL;
        shape->dims[shape->ndims++] = strtoll(at, &end, 10);
        at = end;
    }
    return at + 1 + strspn(at + 1, " \n") + 1; // behind both brackets
}

// A list against the parameters of the network that are trained or are not.
static void check_list(const char *text, const wsr_params *params, bool trained)
{
    const char *at = text + strcspn(text, "[") + 1;
    char name[128];
    wsr_shape shape;
    size_t i = 0;
    while ((at = next_tensor(at, name, &shape)) != NULL) {
        while (i < wsr_params_count(params) &&
               wsr_params_trainable(params, i) != trained) {
            i++;
        }
        ck_assert_uint_lt(i, wsr_params_count(params));
        ck_assert_str_eq(wsr_params_name(params, i), name);
        ck_assert_msg(wsr_shape_equal(wsr_params_shape(params, i), &shape),
                      "%s", name);
        i++;
    }
    for (; i < wsr_params_count(params); i++) {
        ck_assert_msg(wsr_params_trainable(params, i) != trained, "%s",
                      wsr_params_name(params, i));
    }
}

START_TEST(parameters_have_the_names_shapes_and_order_of_pytorch)
{
    static const char *const nets[][3] = {
        {"\"cifar_resnet18 (TRADES)\"", "resnet", "depth=18"},
        {"\"wrn_34_10 (TRADES)\"", "wrn", "sub_block1=true"},
        {"\"wrn_16_1 (TRADES class)\"", "wrn",
         "depth=16,width=1,sub_block1=true"},
        {"\"torchvision_resnet18\"", "resnet", "stem=imagenet,classes=1000"},
        {"\"torchvision_resnet50\"", "resnet",
         "depth=50,stem=imagenet,classes=1000"},
    };
    char path[1024];
    unsigned char *text = NULL;
    size_t size = 0;
    (void)snprintf(path, sizeof(path), "%s/golden/resnet_shapes.json",
                   shared_folder());
    if (!wsr__file_exists(path)) {
        skip("the golden tensors are absent");
    }
    ck_assert_ok(wsr__file_read(&text, &size, path, 1 << 20));
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        wsr_net *net = NULL;
        const char *const at = strstr((const char *)text, nets[i][0]);
        ck_assert_ptr_nonnull(at);
        ck_assert_ok(wsr_net_new_kind(&net, nets[i][1], nets[i][2], 1));
        check_list(strstr(at, "\"parameters\""), wsr_net_params(net), true);
        check_list(strstr(at, "\"buffers\""), wsr_net_params(net), false);
        ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)),
                         strtoll(strstr(at, "\"n_params\":") + 11, NULL, 10));
        wsr_net_free(net);
    }
    wsr__free(text);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_have_the_names_shapes_and_order_of_pytorch,
        the_formula_gives_the_values_of_the_file,
        networks_compute_what_pytorch_computes,
        reference_kernels_compute_the_same, NULL};
    return suite_of("golden residual networks", tests);
}
