// SPDX-License-Identifier: Apache-2.0
//
// Files of optimisers and of parameter sets.

#include "io/io.h"
#include "optim/optim_support.h"
#include "support/files.h"
#include "support/oom.h"

#include <string.h>

typedef struct rig {
    wsr_params *params;
    wsr_optim *optim;
} rig;

static rig rig_open(const char *spec)
{
    rig r = {0};
    ck_assert_ok(wsr_params_new(&r.params, 1));
    (void)add_param(r.params, "layer.weight");
    (void)add_param(r.params, "layer.bias");
    ck_assert_ok(wsr_optim_new(&r.optim, r.params, spec));
    return r;
}

static void rig_close(rig *r)
{
    wsr_optim_free(r->optim);
    wsr_params_free(r->params);
}

static void step(const rig *r, size_t i)
{
    wsr_params_zero_grad(r->params, false);
    set_grad(wsr__params_at(r->params, 0), grads[i]);
    ck_assert_ok(wsr_optim_step(r->optim, 0.1));
}

static const char *file(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/x.safetensors",
                   scratch_folder(name));
    return path;
}

static void continues(const char *spec)
{
    rig a = rig_open(spec);
    rig b = rig_open(spec);
    const char *const path = file("continues");
    char weights[600];
    (void)snprintf(weights, sizeof(weights), "%s.params", path);
    // The second parameter has a gradient in the first step alone; a momentum
    // then moves it on.
    set_grad(wsr__params_at(a.params, 1), grads[2]);
    step(&a, 0);
    step(&a, 1);
    ck_assert_ok(wsr_optim_save(a.optim, path));
    ck_assert_ok(wsr_params_save(a.params, weights));
    ck_assert_ok(wsr_params_load(b.params, weights));
    ck_assert_ok(wsr_optim_load(b.optim, path));
    step(&a, 2);
    step(&b, 2);
    for (size_t i = 0; i < 2; i++) {
        const wsr__param *const p = wsr__params_at(a.params, i);
        ck_assert(same_bits(p->data, wsr_params_data(b.params, i),
                            (size_t)p->count * sizeof(float)));
    }
    rig_close(&a);
    rig_close(&b);
}

START_TEST(a_loaded_optimiser_goes_on_bit_for_bit)
{
    continues("sgd:momentum=0.9,weight_decay=0.01");
    continues("adam");
    continues("adamw:weight_decay=0.1");
}
END_TEST

START_TEST(what_is_not_its_state_is_refused_and_changes_nothing)
{
    rig sgd = rig_open("sgd:momentum=0.9");
    rig adam = rig_open("adam");
    rig more = rig_open("sgd:momentum=0.9");
    rig adamw = rig_open("adamw");
    char weights[600];
    const char *const path = file("refused");
    (void)snprintf(weights, sizeof(weights), "%s.params", path);
    (void)add_param(more.params, "layer.more");
    step(&sgd, 0);
    step(&adam, 0);
    ck_assert_ok(wsr_optim_save(sgd.optim, path));
    ck_assert_fails(wsr_optim_load(adam.optim, path), WSR_FORMAT,
                    "is the state of sgd, not of adam");
    ck_assert_fails(wsr_optim_load(more.optim, path), WSR_FORMAT, "steps");
    ck_assert_ok(wsr_optim_save(more.optim, path));
    ck_assert_fails(wsr_optim_load(sgd.optim, path), WSR_FORMAT,
                    "has 4 arrays, an optimiser of these parameters has 3");
    ck_assert_ok(wsr_optim_save(adam.optim, path));
    ck_assert_fails(wsr_optim_load(adamw.optim, path), WSR_FORMAT,
                    "is the state of adam, not of adamw");
    ck_assert_ok(wsr_params_save(sgd.params, weights));
    ck_assert_fails(wsr_optim_load(sgd.optim, weights), WSR_FORMAT,
                    "is no state of an optimiser");
    ck_assert_fails(wsr_params_load(sgd.params, path), WSR_FORMAT, "missing");
    ck_assert_fails(wsr_optim_load(sgd.optim, "nowhere"), WSR_IO, "nowhere");

    // Whatever was refused, the optimiser goes on as one that was not asked.
    rig same = rig_open("sgd:momentum=0.9");
    step(&same, 0);
    step(&same, 1);
    step(&sgd, 1);
    ck_assert(same_bits(wsr_params_data(same.params, 0),
                        wsr_params_data(sgd.params, 0), sizeof(start)));
    rig_close(&same);
    rig_close(&sgd);
    rig_close(&adam);
    rig_close(&more);
    rig_close(&adamw);
}
END_TEST

static wsr_status load_again(void *ctx)
{
    rig r = {0};
    wsr_status status = WSR_OK;
    const wsr_shape shape = {1, {3}};
    WSR_TRY(wsr_params_new(&r.params, 1));
    WSR_TRY(wsr_params_add(NULL, r.params, "w", &shape, NULL));
    WSR_TRY(wsr_optim_new(&r.optim, r.params, "adam"));
    WSR_TRY(wsr_optim_save(r.optim, ctx));
    WSR_TRY(wsr_optim_load(r.optim, ctx));
out:
    rig_close(&r);
    return status;
}

START_TEST(memory_that_runs_short_is_reported)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s", file("short"));
    ck_assert_uint_gt(oom_sweep(load_again, path), 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_loaded_optimiser_goes_on_bit_for_bit,
        what_is_not_its_state_is_refused_and_changes_nothing,
        memory_that_runs_short_is_reported,
        NULL,
    };
    return suite_of("optim", tests);
}
