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

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_outputs_are_the_same,
        squared_errors_have_the_same_gradients,
        weighted_errors_have_the_same_gradients,
        three_steps_of_adam_are_the_same,
        the_first_architecture_step_is_the_same,
        three_architecture_steps_end_at_the_same_alphas,
        NULL,
    };
    return suite_of("golden_predictor", tests);
}
