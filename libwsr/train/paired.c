// SPDX-License-Identifier: Apache-2.0
//
// A second network beside the one that is trained, see paired.h.

#include "train/paired.h"

#include <string.h>

static wsr_status check_fit(const wsr__paired *paired, const char *path,
                            const wsr_net *net)
{
    const wsr_shape *const have = wsr_net_image(paired->net);
    const wsr_shape *const want = wsr_net_image(net);
    if (!wsr_shape_equal(have, want)) {
        char a[96];
        char b[96];
        wsr__shape_print(a, have);
        wsr__shape_print(b, want);
        return WSR_FAIL(WSR_SHAPE,
                        "%s: takes images %s, the trained network %s", path, a,
                        b);
    }
    if (wsr_net_classes(paired->net) != wsr_net_classes(net)) {
        return WSR_FAIL(WSR_ARG, "%s: has %zu classes, the trained network %zu",
                        path, wsr_net_classes(paired->net),
                        wsr_net_classes(net));
    }
    return WSR_OK;
}

static wsr_status make_plan(wsr_plan **out, wsr__paired *paired, size_t n)
{
    return wsr__plan_new_in(out, paired->graph, n, WSR_TRAIN | WSR_MOVE_STATS,
                            &paired->arena);
}

wsr_status wsr__paired_open(wsr__paired **out, const char *path,
                            const wsr__training_of *of, size_t batch)
{
    wsr_status status = WSR_OK;
    wsr__paired *paired = wsr__alloc(1, sizeof(*paired));
    *out = NULL;
    if (paired == NULL) {
        return WSR_NOMEM;
    }
    if (path[0] == '\0') {
        status =
            WSR_FAIL(WSR_CONFIG, "base: is missing, the file of a network");
        goto out;
    }
    WSR_TRY(wsr_net_load(&paired->net, path, NULL));
    WSR_TRY(check_fit(paired, path, of->net));
    WSR_TRY(wsr_net_graph(&paired->graph, paired->net, false));
    WSR_TRY(make_plan(&paired->plans[0], paired, batch));
    paired->buffers = wsr__stats_copy(NULL, wsr_net_params(paired->net));
    *out = paired;
    paired = NULL;
out:
    wsr__paired_free(paired);
    return status == WSR_OK || status == WSR_NOMEM
               ? status
               : wsr__fail_at(status, "train.trainer");
}

void wsr__paired_free(wsr__paired *paired)
{
    if (paired != NULL) {
        for (size_t i = 0; i < WSR__PAIRED_PLANS; i++) {
            wsr_plan_free(paired->plans[i]);
        }
        wsr__arena_free(&paired->arena);
        wsr_graph_free(paired->graph);
        wsr_net_free(paired->net);
        wsr__free(paired);
    }
}

double wsr__paired_bytes(const wsr__paired *paired)
{
    const int64_t weights = wsr_params_scalars(wsr_net_params(paired->net));
    return sizeof(float) * ((double)paired->arena.floats +
                            (double)paired->buffers + (double)weights);
}

// A mark that there are statistics, and these.
size_t wsr__paired_state(const wsr__paired *paired)
{
    return 1 + paired->buffers;
}

static wsr_status plan_for(wsr_plan **out, wsr__paired *paired, size_t n)
{
    wsr_status status = WSR_OK;
    wsr_plan **const last = &paired->plans[1];
    *out = paired->plans[0];
    if (wsr_plan_batch(*out) == n) {
        return WSR_OK;
    }
    if (*last == NULL || wsr_plan_batch(*last) != n) {
        wsr_plan_free(*last);
        *last = NULL;
        WSR_TRY(make_plan(last, paired, n));
    }
    *out = *last;
out:
    return status;
}

wsr_status wsr__paired_loss(double *loss, wsr__paired *paired,
                            const wsr__train_step *step, const float *x,
                            float *state)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    wsr_params *const params = wsr_net_params(paired->net);
    const wsr__ce_batch of = {step->labels, step->n, step->classes, 0, 1};
    WSR_TRY(plan_for(&plan, paired, step->n));
    if (state[0] > 0) {
        wsr__stats_put(params, state + 1);
    }
    memcpy(wsr_plan_src(plan, "x"), x,
           (size_t)wsr_shape_count(wsr__plan_images(plan)) * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plan));
    *loss = wsr__mean_cross_entropy(NULL, wsr_plan_dst(plan, "logits"), &of);
    state[0] = 1;
    (void)wsr__stats_copy(state + 1, params);
out:
    return status;
}

wsr_status wsr__paired_constraint(double *constraint, wsr__paired *paired,
                                  const wsr__train_step *step, const float *x,
                                  float *state)
{
    wsr_status status = WSR_OK;
    double own = 0;
    double base = 0;
    size_t correct = 0;
    WSR_TRY(wsr__train_step_forward(step, step->plan, x));
    WSR_TRY(wsr__train_step_loss(&own, &correct, step, step->plan,
                                 (wsr__pass){1, 0}));
    WSR_TRY(wsr__paired_loss(&base, paired, step, x, state));
    *constraint = own - base;
out:
    return status;
}
