// SPDX-License-Identifier: Apache-2.0
//
// What the tests of optimisers share: one parameter of four numbers, four
// steps with given gradients (the third zero) and rates.

#ifndef WSR_TESTS_OPTIM_SUPPORT_H
#define WSR_TESTS_OPTIM_SUPPORT_H

#include "optim/optim.h"
#include "support/support.h"

#include <string.h>

enum { WIDTH = 4, STEPS = 4 };

static const float start[WIDTH] = {0.5F, -1.25F, 2.0F, 0.03F};
static const float grads[STEPS][WIDTH] = {{0.1F, -0.2F, 0.3F, 0.0F},
                                          {-0.4F, 0.5F, 0.0F, 1e-3F},
                                          {0.0F, 0.0F, 0.0F, 0.0F},
                                          {2.0F, -3.0F, 0.25F, -0.7F}};
static const double rates[STEPS] = {0.1, 0.05, 0.05, 0.2};

static inline wsr__param *add_param(wsr_params *params, const char *name)
{
    wsr__param *param = NULL;
    const wsr_shape shape = wsr__shape1(WIDTH);
    ck_assert_ok(wsr__params_trained(&param, params, name, &shape,
                                     (wsr__init){.value = 0}));
    ck_assert_ok(wsr__param_need_grad(param));
    memcpy(param->data, start, sizeof(start));
    return param;
}

static inline void set_grad(wsr__param *param, const float *grad)
{
    memcpy(param->grad, grad, WIDTH * sizeof(float));
    param->has_grad = true;
}

/// The parameter after the four steps, as PyTorch has it.
static inline void check_steps(const char *spec, const float *expected)
{
    wsr_params *params = NULL;
    wsr_optim *optim = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    wsr__param *const param = add_param(params, "p");
    ck_assert_ok(wsr_optim_new(&optim, params, spec));
    for (size_t i = 0; i < STEPS; i++) {
        const uint64_t version = param->version;
        set_grad(param, grads[i]);
        ck_assert_ok(wsr_optim_step(optim, rates[i]));
        ck_assert_uint_gt(param->version, version);
    }
    for (size_t i = 0; i < WIDTH; i++) {
        ck_assert_msg(param->data[i] > expected[i] - 1e-6F &&
                          param->data[i] < expected[i] + 1e-6F,
                      "%s: number %zu is %.9g, not %.9g", spec, i,
                      (double)param->data[i], (double)expected[i]);
    }
    wsr_optim_free(optim);
    wsr_params_free(params);
}

#define CHECK_STEPS(spec, ...) check_steps(spec, (const float[]){__VA_ARGS__})

#endif
