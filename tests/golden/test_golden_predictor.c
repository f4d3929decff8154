// SPDX-License-Identifier: Apache-2.0
//
// The released predictor against tensors that PyTorch computed with the
// authors' module: outputs, both losses with all gradients, three steps of
// Adam, and architecture steps through the Gumbel softmax.

#include "golden_support.h"
#include "net/net.h"
#include "predictor/predictor.h"

#define OUTPUT_TOL 2e-6
#define LOSS_TOL 1e-5

enum { N = 5, ROWS = 28, COLS = 8, TABLE = ROWS * COLS, HEADS = 7 };

typedef struct world {
    wsr__st *st;
    wsr_predictor *predictor;
    float *x;        // (n, rows, cols)
    double *targets; // (n, heads)
} world;

static void open_world(world *w, const char *spec)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    w->st = golden_open("predictor_h16");
    ck_assert_ok(wsr_predictor_new(&w->predictor, spec, &table, HEADS, 1));
    golden_load(wsr_predictor_params(w->predictor), w->st, "state.");
    w->x = golden_read(w->st, "input", N * TABLE);
    float *const targets = golden_read(w->st, "targets", HEADS * N);
    w->targets = wsr__alloc(N * HEADS, sizeof(double));
    for (size_t i = 0; i < N; i++) {
        for (size_t h = 0; h < HEADS; h++) {
            w->targets[i * HEADS + h] = (double)targets[h * N + i];
        }
    }
    wsr__free(targets);
}

static void close_world(world *w)
{
    wsr_predictor_free(w->predictor);
    wsr__free(w->x);
    wsr__free(w->targets);
    wsr__st_free(w->st);
}

START_TEST(the_outputs_are_the_same)
{
    world w;
    double losses[N * HEADS];
    open_world(&w, "lstm:fidelity=released");
    ck_assert_ok(wsr_predictor_run(losses, w.predictor, w.x, N));
    for (size_t h = 0; h < HEADS; h++) {
        char name[32];
        float out[N];
        for (size_t i = 0; i < N; i++) {
            out[i] = (float)losses[i * HEADS + h];
        }
        (void)snprintf(name, sizeof(name), "out%zu", h);
        golden_near(out, w.st, name, N, OUTPUT_TOL);
    }
    ck_assert_int_eq(wsr_params_scalars(wsr_predictor_params(w.predictor)),
                     1783);
    close_world(&w);
}
END_TEST

// Loss and gradients of one batch without noise.
static void check_gradients(const char *spec, const char *loss_name,
                            const char *prefix, const char *input_name)
{
    world w;
    wsr_plan *plan = NULL;
    open_world(&w, spec);
    wsr_params *const params = wsr_predictor_params(w.predictor);
    ck_assert_ok(wsr__predictor_plan_for(&plan, w.predictor, N,
                                         WSR_GRAD_PARAMS | WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), w.x, N * TABLE * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    const float loss =
        (float)wsr__predictor_error(wsr_plan_diff_dst(plan, "out"), w.predictor,
                                    wsr_plan_dst(plan, "out"), w.targets, N);
    ck_assert_ok(wsr_plan_backward(plan));
    golden_near(&loss, w.st, loss_name, 1, LOSS_TOL);
    ck_assert_uint_eq(golden_gradients(params, w.st, prefix), 18);
    if (input_name != NULL) {
        golden_near(wsr_plan_diff_src(plan, "x"), w.st, input_name, N * TABLE,
                    OUTPUT_TOL);
    }
    close_world(&w);
}

START_TEST(squared_errors_have_the_same_gradients)
{
    check_gradients("lstm:fidelity=released", "loss_mse_sum", "grad_mse.",
                    "grad_input_mse");
}
END_TEST

START_TEST(weighted_errors_have_the_same_gradients)
{
    check_gradients("lstm:fidelity=released,weighted=true", "loss_weighted_sum",
                    "grad_weighted.", NULL);
}
END_TEST

START_TEST(three_steps_of_adam_are_the_same)
{
    world w;
    open_world(&w, "lstm:fidelity=released,noise=0");
    wsr_params *const params = wsr_predictor_params(w.predictor);
    for (size_t i = 0; i < N; i++) {
        ck_assert_ok(wsr_predictor_remember(w.predictor, w.x + i * TABLE,
                                            w.targets + i * HEADS));
    }
    for (size_t k = 0; k < 3; k++) {
        char name[32];
        double loss = 0;
        ck_assert_ok(wsr_predictor_train(&loss, w.predictor, 1));
        const float sum = (float)(loss * HEADS); // golden: sum over the heads
        (void)snprintf(name, sizeof(name), "adam3.loss_step%zu", k);
        golden_near(&sum, w.st, name, 1, LOSS_TOL);
    }
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "adam3.state.%s",
                       wsr_params_name(params, i));
        golden_near(wsr_params_data(params, i), w.st, name,
                    (size_t)wsr_shape_count(wsr_params_shape(params, i)), 2e-5);
    }
    close_world(&w);
}
END_TEST

// Gradient of the objective in the alphas.
static double objective(float *diff, const world *w, const float *alphas,
                        const float *gumbel)
{
    const wsr__arch arch = {.rows = ROWS, .cols = COLS, .tau = 0.1};
    float weights[TABLE];
    float diff_weights[TABLE];
    double value = 0;
    double objective_weights[HEADS];
    float *const golden =
        golden_read(w->st, "arch.search_objective_weights", HEADS);
    for (size_t h = 0; h < HEADS; h++) {
        objective_weights[h] = (double)golden[h];
    }
    wsr__free(golden);
    wsr__arch_weights(weights, &arch, alphas, gumbel);
    ck_assert_ok(wsr_predictor_gradient(&value, diff_weights, w->predictor,
                                        weights, 1, objective_weights));
    memset(diff, 0, TABLE * sizeof(*diff));
    wsr__arch_backward(diff, &arch, weights, diff_weights);
    return value;
}

START_TEST(the_first_architecture_step_is_the_same)
{
    world w;
    const wsr__arch arch = {.rows = ROWS, .cols = COLS, .tau = 0.1};
    float weights[TABLE];
    float diff[TABLE];
    double outputs[HEADS];
    float as_float[HEADS];
    open_world(&w, "lstm:fidelity=released");
    float *const alphas = golden_read(w.st, "arch.alphas", TABLE);
    float *const gumbel = golden_read(w.st, "arch.gumbel", TABLE);
    float *const grad = golden_read(w.st, "arch.grad_alphas", TABLE);
    wsr__arch_weights(weights, &arch, alphas, gumbel);
    golden_near(weights, w.st, "arch.weights", TABLE, OUTPUT_TOL);
    ck_assert_ok(wsr_predictor_run(outputs, w.predictor, weights, 1));
    for (size_t h = 0; h < HEADS; h++) {
        as_float[h] = (float)outputs[h];
    }
    golden_near(as_float, w.st, "arch.outputs", HEADS, OUTPUT_TOL);
    const float loss = (float)objective(diff, &w, alphas, gumbel);
    golden_near(&loss, w.st, "arch.loss", 1, LOSS_TOL);
    const double distance = golden_distance(diff, grad, TABLE);
    printf("%-40s relative distance %.2g (tolerance 1e-4)\n",
           "arch.grad_alphas", distance);
    ck_assert(distance < 1e-4);
    wsr__free(alphas);
    wsr__free(gumbel);
    wsr__free(grad);
    close_world(&w);
}
END_TEST

START_TEST(three_architecture_steps_end_at_the_same_alphas)
{
    world w;
    wsr_params *params = NULL;
    wsr__param *alphas = NULL;
    wsr_optim *optim = NULL;
    const wsr_shape shape = wsr__shape2(ROWS, COLS);
    open_world(&w, "lstm:fidelity=released");
    float *const gumbel = golden_read(w.st, "arch.gumbel", TABLE);
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr__params_trained(&alphas, params, "alphas", &shape,
                                     (wsr__init){.value = 0}));
    ck_assert_ok(wsr__param_need_grad(alphas));
    ck_assert_ok(wsr__st_read_f32(alphas->data, w.st, "arch.alphas", TABLE));
    ck_assert_ok(wsr_optim_new(&optim, params, "adam:beta1=0.5"));
    for (size_t k = 0; k < 3; k++) {
        (void)objective(alphas->grad, &w, alphas->data, gumbel);
        alphas->has_grad = true;
        ck_assert_ok(wsr_optim_step(optim, 3e-5));
    }
    golden_near(alphas->data, w.st, "arch.alphas_after_3_adam", TABLE, 1e-6);
    wsr__free(gumbel);
    wsr_optim_free(optim);
    wsr_params_free(params);
    close_world(&w);
}
END_TEST

// The form with one linear map for all heads: outputs, squared error and all
// gradients. The golden loss is the mean over architectures and heads.
START_TEST(predictor3_is_the_same)
{
    enum { B = 4, PARAMS = 6 };
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    wsr__st *const st = golden_open("predictor3_h12");
    wsr_predictor *p = NULL;
    wsr_plan *plan = NULL;
    double targets[B * HEADS];
    ck_assert_ok(wsr_predictor_new(
        &p, "lstm:fidelity=released,form=predictor3,hidden=12", &table, HEADS,
        1));
    wsr_params *const params = wsr_predictor_params(p);
    ck_assert_uint_eq(wsr_params_count(params), PARAMS);
    golden_load(params, st, "state.");
    float *const x = golden_read(st, "input", B * TABLE);
    float *const y = golden_read(st, "targets", B * HEADS);
    for (size_t i = 0; i < B * HEADS; i++) {
        targets[i] = (double)y[i];
    }
    ck_assert_ok(
        wsr__predictor_plan_for(&plan, p, B, WSR_GRAD_PARAMS | WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), x, B * TABLE * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    golden_near(wsr_plan_dst(plan, "out"), st, "output", B * HEADS, OUTPUT_TOL);
    float *const diff = wsr_plan_diff_dst(plan, "out");
    const float loss =
        (float)(wsr__predictor_error(diff, p, wsr_plan_dst(plan, "out"),
                                     targets, B) /
                HEADS);
    for (size_t i = 0; i < B * HEADS; i++) {
        diff[i] /= HEADS;
    }
    ck_assert_ok(wsr_plan_backward(plan));
    golden_near(&loss, st, "loss_mse", 1, LOSS_TOL);
    ck_assert_uint_eq(golden_gradients(params, st, "grad."), PARAMS);
    golden_near(wsr_plan_diff_src(plan, "x"), st, "grad_input_mse", B * TABLE,
                OUTPUT_TOL);
    wsr__free(x);
    wsr__free(y);
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

// ------------------------------------------------------- graph auto-encoder

enum { G = 6, V = 17, KINDS = 11, EDGES = ROWS / 2 };

// Both cells' tables of all architectures, (g, 2, edges, cols).
static wsr_predictor *open_gae(wsr__st **st, float **x)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    wsr_predictor *p = NULL;
    *st = golden_open("gae_small");
    ck_assert_ok(wsr_predictor_new(
        &p, "gae:fidelity=released,hidden=24,layers=3,dropout=0", &table, 1,
        1));
    golden_load(wsr_predictor_params(p), *st, "state.");
    *x = golden_read(*st, "arch_weights", G * TABLE);
    return p;
}

// One op on the tables of one of the cells, and the tensor that it gives.
typedef struct graph_case {
    size_t cell;
    const char *op;
    const char *options;
    const char *name;
    size_t n;
} graph_case;

static void check_graph(const wsr__st *st, const float *x, const graph_case *c)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value in = wsr__input(graph, "x", wsr__shape3(1, EDGES, COLS));
    wsr__set_output(graph, "y", wsr__op1(graph, c->op, c->options, in));
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert_ok(wsr_plan_new(&plan, graph, G, WSR_FORWARD));
    for (size_t i = 0; i < G; i++) {
        memcpy(wsr_plan_src(plan, "x") + i * EDGES * COLS,
               x + (2 * i + c->cell) * EDGES * COLS,
               EDGES * COLS * sizeof(float));
    }
    ck_assert_ok(wsr_plan_forward(plan));
    golden_near(wsr_plan_dst(plan, "y"), st, c->name, c->n, 0);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

START_TEST(gae_reads_the_same_graphs)
{
    static const graph_case cases[] = {
        {0, "cell_adjacency", NULL, "graph.adj_normal", G * V * V},
        {1, "cell_adjacency", NULL, "graph.adj_reduce", G * V * V},
        {0, "cell_adjacency", "against=1", "graph.adj_normal_preprocessed",
         G * V * V},
        {1, "cell_adjacency", "against=1", "graph.adj_reduce_preprocessed",
         G * V * V},
        {0, "cell_operations", NULL, "graph.opt_normal", G * V * KINDS},
        {1, "cell_operations", NULL, "graph.opt_reduce", G * V * KINDS}};
    wsr__st *st = NULL;
    float *x = NULL;
    wsr_predictor *const p = open_gae(&st, &x);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_graph(st, x, &cases[i]);
    }
    wsr__free(x);
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

START_TEST(gae_predicts_the_same)
{
    wsr__st *st = NULL;
    float *x = NULL;
    double y[G];
    float as_float[G];
    wsr_predictor *const p = open_gae(&st, &x);
    ck_assert_ok(wsr_predictor_run(y, p, x, G));
    for (size_t i = 0; i < G; i++) {
        as_float[i] = (float)y[i];
    }
    golden_near(as_float, st, "eval.y", G, 2e-5);
    wsr__free(x);
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

// Batch norms take out the biases before them: their gradient is rounding, for
// which no relative distance means anything. Both are next to nothing.
static void check_and_drop_biases(wsr_params *params, const wsr__st *st)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const param = wsr__params_at(params, i);
        if (strstr(param->name, "mlps.") != NULL &&
            strstr(param->name, ".linears.") != NULL &&
            strstr(param->name, ".bias") != NULL) {
            char name[128];
            (void)snprintf(name, sizeof(name), "grad.%s", param->name);
            float *const golden = golden_read(st, name, (size_t)param->count);
            golden_near(param->grad, st, name, (size_t)param->count, 1e-6);
            memcpy(param->grad, golden, (size_t)param->count * sizeof(float));
            wsr__free(golden);
            n++;
        }
    }
    ck_assert_uint_eq(n, 4);
}

static void check_statistics(const wsr_params *params, const wsr__st *st)
{
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[128];
        const wsr__param *const param = wsr__params_at(params, i);
        (void)snprintf(name, sizeof(name), "after.%s", param->name);
        if (param->integer) {
            int64_t count = 0;
            ck_assert_ok(wsr__st_read_i64(&count, st, name, 1));
            ck_assert(param->data[0] == (float)count);
        } else if (!param->trainable) {
            golden_near(param->data, st, name, (size_t)param->count, 1e-5);
        }
    }
}

START_TEST(gae_trains_the_same)
{
    static const unsigned training = WSR_GRAD_PARAMS | WSR_TRAIN |
                                     WSR_MOVE_STATS;
    wsr__st *st = NULL;
    float *x = NULL;
    wsr_plan *plan = NULL;
    double targets[G];
    wsr_predictor *const p = open_gae(&st, &x);
    wsr_params *const params = wsr_predictor_params(p);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[128];
        wsr__param *const param = wsr__params_at(params, i);
        (void)snprintf(name, sizeof(name), "state.%s", param->name);
        if (param->integer) {
            int64_t count = 0;
            ck_assert_ok(wsr__st_read_i64(&count, st, name, 1));
            param->data[0] = (float)count;
        }
    }
    float *const y = golden_read(st, "targets", G);
    for (size_t i = 0; i < G; i++) {
        targets[i] = (double)y[i];
    }
    ck_assert_ok(wsr__predictor_plan_for(&plan, p, G, training));
    memcpy(wsr_plan_src(plan, "x"), x, G * TABLE * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    golden_near(wsr_plan_dst(plan, "out"), st, "train.y", G, 2e-5);
    const float error =
        (float)wsr__predictor_error(wsr_plan_diff_dst(plan, "out"), p,
                                    wsr_plan_dst(plan, "out"), targets, G);
    golden_near(&error, st, "train.loss_mse", 1, LOSS_TOL);
    double recon = 0;
    for (size_t i = 0; i < G; i++) {
        recon += (double)wsr_plan_dst(plan, "loss")[i] / G;
        wsr_plan_diff_dst(plan, "loss")[i] = 1.0F / G;
    }
    const float alone = (float)(recon / 0.8);
    const float total = (float)recon + error;
    golden_near(&alone, st, "train.loss_reconstruction", 1, LOSS_TOL);
    golden_near(&total, st, "train.loss_total", 1, LOSS_TOL);
    ck_assert_ok(wsr_plan_backward(plan));
    check_and_drop_biases(params, st);
    ck_assert_uint_eq(golden_gradients(params, st, "grad."), 25);
    check_statistics(params, st);
    wsr__free(x);
    wsr__free(y);
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_outputs_are_the_same,
        squared_errors_have_the_same_gradients,
        weighted_errors_have_the_same_gradients,
        three_steps_of_adam_are_the_same,
        the_first_architecture_step_is_the_same,
        three_architecture_steps_end_at_the_same_alphas,
        predictor3_is_the_same,
        gae_reads_the_same_graphs,
        gae_predicts_the_same,
        gae_trains_the_same,
        NULL,
    };
    return suite_of("golden_predictor", tests);
}
