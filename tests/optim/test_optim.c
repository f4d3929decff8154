// SPDX-License-Identifier: Apache-2.0

#include "optim/optim_support.h"
#include "support/oom.h"

#include <math.h>

enum { LARGE = 100003 };

START_TEST(a_parameter_without_gradient_is_left_alone)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const touched = add_param(params, "touched");
    wsr__param *const other = add_param(params, "other");
    ck_assert_ok(wsr_optim_new(&optim, params, "adamw:weight_decay=0.5"));
    set_grad(touched, grads[0]);
    const uint64_t version = other->version;
    ck_assert_ok(wsr_optim_step(optim, 0.1));
    ck_assert_mem_eq(other->data, start, sizeof(start));
    ck_assert_uint_eq(other->version, version);
    ck_assert(touched->data[0] != start[0]);

    // Its first step, later, is a first step.
    set_grad(other, grads[0]);
    touched->has_grad = false;
    const float kept = touched->data[0];
    ck_assert_ok(wsr_optim_step(optim, 0.1));
    ck_assert(touched->data[0] == kept);
    ck_assert(other->data[0] == kept);
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

START_TEST(a_zero_gradient_still_decays)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const param = add_param(params, "p");
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd:weight_decay=0.5"));
    set_grad(param, grads[2]);
    wsr_params_zero_grad(params, false);
    ck_assert_ok(wsr_optim_step(optim, 0.1));
    ck_assert_float_eq_tol(param->data[2], 1.9F, 1e-6F);
    wsr_params_zero_grad(params, true);
    ck_assert_ok(wsr_optim_step(optim, 0.1));
    ck_assert_float_eq_tol(param->data[2], 1.9F, 1e-6F);
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

START_TEST(buffers_are_never_stepped)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    wsr__param *buffer = NULL;
    const wsr_shape shape = wsr__shape1(WIDTH);
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr__params_buffer(&buffer, params, "mean", &shape, 3));
    ck_assert_ok(wsr__param_need_grad(buffer));
    set_grad(buffer, grads[0]);
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    ck_assert_ok(wsr_optim_step(optim, 1));
    ck_assert(buffer->data[0] == 3.0F);
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

START_TEST(clipping_scales_to_the_joint_norm)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    double norm = 0;
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const a = add_param(params, "a");
    wsr__param *const b = add_param(params, "b");
    wsr__param *const absent = add_param(params, "absent");
    set_grad(a, (const float[WIDTH]){3, 0, 0, 0});
    set_grad(b, (const float[WIDTH]){0, 0, -4, 0});
    set_grad(absent, (const float[WIDTH]){1e9F, 0, 0, 0});
    absent->has_grad = false;
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    ck_assert_ok(wsr_optim_clip(&norm, optim, INFINITY));
    ck_assert_double_eq_tol(norm, 5, 1e-12);
    ck_assert_ok(wsr_optim_clip(&norm, optim, 6));
    ck_assert(a->grad[0] == 3.0F);
    ck_assert_ok(wsr_optim_clip(&norm, optim, 1));
    ck_assert_double_eq_tol(norm, 5, 1e-12);
    ck_assert_float_eq_tol(a->grad[0], 0.6F, 1e-6F);
    ck_assert_float_eq_tol(b->grad[2], -0.8F, 1e-6F);
    ck_assert(absent->grad[0] == 1e9F);
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

START_TEST(a_gradient_that_is_not_finite_is_named)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const a = add_param(params, "stem.0.weight");
    wsr__param *const b = add_param(params, "classifier.bias");
    set_grad(a, grads[0]);
    set_grad(b, (const float[WIDTH]){0, NAN, 0, 0});
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    ck_assert_fails(wsr_optim_clip(NULL, optim, 1), WSR_NUMERIC,
                    "gradient of classifier.bias: is not finite");
    ck_assert_mem_eq(a->grad, grads[0], sizeof(grads[0]));
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

START_TEST(rates_and_specs_are_checked)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_fails(wsr_optim_new(&optim, params, "adm"), WSR_NOTFOUND,
                    "did you mean 'adam'");
    ck_assert_fails(wsr_optim_new(&optim, params, "sgd:momentum=2"), WSR_CONFIG,
                    "sgd.momentum: 2 is outside [0, 1]");
    ck_assert_ptr_null(optim);
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    ck_assert_fails(wsr_optim_step(optim, -1), WSR_ARG, "learning rate -1");
    ck_assert_fails(wsr_optim_step(optim, (double)NAN), WSR_ARG,
                    "learning rate");
    ck_assert_ok(wsr_optim_step(optim, 0));
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

static wsr__param *add_large(wsr_params *params)
{
    wsr__param *param = NULL;
    const wsr_shape shape = wsr__shape1(LARGE);
    ck_assert_ok(wsr__params_trained(&param, params, "large", &shape,
                                     (wsr__init){.bound = 1}));
    ck_assert_ok(wsr__param_need_grad(param));
    param->has_grad = true;
    return param;
}

// A clipped step of a large parameter with `threads` threads.
static void step_large(float *out, double *norm, size_t threads)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    const size_t before = wsr_threads();
    wsr_set_threads(threads);
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const param = add_large(params);
    for (int64_t i = 0; i < LARGE; i++) {
        param->grad[i] = sinf((float)i);
    }
    ck_assert_ok(wsr_optim_new(&optim, params, "adam"));
    ck_assert_ok(wsr_optim_clip(norm, optim, 1));
    ck_assert_ok(wsr_optim_step(optim, 0.1));
    memcpy(out, param->data, LARGE * sizeof(float));
    wsr_optim_free(optim);
    wsr_params_free(params);
    wsr_set_threads(before);
}

START_TEST(results_do_not_depend_on_the_number_of_threads)
{
    static float one[LARGE];
    static float three[LARGE];
    double norms[2];
    step_large(one, &norms[0], 1);
    step_large(three, &norms[1], 3);
    ck_assert_mem_eq(one, three, sizeof(one));
    ck_assert(norms[0] == norms[1]);
    ck_assert_double_eq_tol(norms[0], sqrt(LARGE / 2.0), 1e-3);
}
END_TEST

// Copy the state of one optimiser into another of the same parameters.
static void copy_state(wsr_optim *to, const wsr_optim *from)
{
    ck_assert_ok(wsr__optim_reserve(to));
    ck_assert_uint_eq(wsr__optim_states(to), wsr__optim_states(from));
    for (size_t i = 0; i < wsr__optim_states(from); i++) {
        const wsr__state a = wsr__optim_state(from, i);
        const wsr__state b = wsr__optim_state(to, i);
        ck_assert_str_eq(a.name, b.name);
        ck_assert_int_eq((int)a.kind, (int)b.kind);
        ck_assert_uint_eq(a.count, b.count);
        memcpy(b.data, a.data, a.count * (a.kind == WSR__STATE_F32 ? 4 : 8));
    }
}

START_TEST(an_imported_state_goes_on_exactly)
{
    wsr_params *params[2] = {NULL, NULL};
    wsr_optim *optim[2] = {NULL, NULL};
    wsr__param *p[2];
    for (size_t k = 0; k < 2; k++) {
        ck_assert_ok(wsr_params_new(&params[k], 1));
        p[k] = add_param(params[k], "cells.0.weight");
        ck_assert_ok(wsr_optim_new(&optim[k], params[k], "adam"));
    }
    set_grad(p[0], grads[0]);
    ck_assert_ok(wsr_optim_step(optim[0], 0.1));
    copy_state(optim[1], optim[0]);
    ck_assert_str_eq(wsr__optim_state(optim[1], 2).name,
                     "cells.0.weight.exp_avg_sq");
    memcpy(p[1]->data, p[0]->data, sizeof(start));

    // Those that were stepped have a gradient again; it is zero.
    ck_assert(!p[1]->has_grad);
    ck_assert_ok(wsr__optim_recall(optim[1]));
    ck_assert(p[1]->has_grad && p[1]->grad[0] == 0.0F);
    for (size_t k = 0; k < 2; k++) {
        set_grad(p[k], grads[1]);
        ck_assert_ok(wsr_optim_step(optim[k], 0.1));
    }
    ck_assert_mem_eq(p[0]->data, p[1]->data, sizeof(start));
    for (size_t k = 0; k < 2; k++) {
        wsr_optim_free(optim[k]);
        wsr_params_free(params[k]);
    }
}
END_TEST

START_TEST(parameters_added_later_take_part)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    set_grad(add_param(params, "a"), grads[0]);
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    ck_assert_ok(wsr_optim_step(optim, 1));
    wsr__param *const b = add_param(params, "b");
    set_grad(b, grads[0]);
    ck_assert_ok(wsr_optim_step(optim, 1));
    ck_assert_float_eq_tol(b->data[0], 0.4F, 1e-6F);
    wsr_optim_free(optim);
    wsr_params_free(params);
}
END_TEST

static wsr_status steps(void *ctx)
{
    wsr_params *const params = ctx;
    wsr_optim *optim = NULL;
    wsr_status status = wsr_optim_new(&optim, params, "adam:beta1=0.5");
    if (status == WSR_OK) {
        status = wsr_optim_step(optim, 0);
    }
    if (status == WSR_OK) {
        status = wsr__optim_reserve(optim);
    }
    wsr_optim_free(optim);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    wsr_params *params = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    set_grad(add_param(params, "a"), grads[0]);
    ck_assert_uint_gt(oom_sweep(steps, params), 5);
    wsr_params_free(params);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_parameter_without_gradient_is_left_alone,
        a_zero_gradient_still_decays,
        buffers_are_never_stepped,
        clipping_scales_to_the_joint_norm,
        a_gradient_that_is_not_finite_is_named,
        rates_and_specs_are_checked,
        results_do_not_depend_on_the_number_of_threads,
        an_imported_state_goes_on_exactly,
        parameters_added_later_take_part,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("optim", tests);
}
