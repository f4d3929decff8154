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

// A run that goes on needs the file too: a message about a file that is gone
// says so.
static wsr_status load(wsr_net **out, const char *path)
{
    if (path[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "is missing, the file of a network");
    }
    if (!wsr__file_exists(path)) {
        return WSR_FAIL(WSR_NOTFOUND,
                        "%s: there is no such file; training reads it when it "
                        "begins and when it resumes",
                        path);
    }
    return wsr_net_load(out, path, NULL);
}

static wsr_status make_plan(wsr_plan **out, wsr__paired *paired, size_t n)
{
    return wsr__plan_new_in(out, paired->graph, n, paired->purpose,
                            &paired->arena);
}

wsr_status wsr__paired_open(wsr__paired **out, const char *key,
                            const char *path, const wsr__training_of *of,
                            size_t batch, unsigned purpose)
{
    wsr_status status = WSR_OK;
    wsr__paired *paired = wsr__alloc(1, sizeof(*paired));
    *out = NULL;
    if (paired == NULL) {
        return WSR_NOMEM;
    }
    paired->purpose = purpose;
    WSR_TRY(load(&paired->net, path));
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
               : wsr__fail_at(status, "%s", key);
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

wsr_status wsr__paired_input(float **x, wsr_plan **plan, wsr__paired *paired,
                             size_t n)
{
    wsr_status status = WSR_OK;
    const bool whole = wsr_plan_batch(paired->plans[0]) == n;
    wsr_plan **const at = &paired->plans[whole ? 0 : 1 + n % 2];
    if (*at == NULL || wsr_plan_batch(*at) != n) {
        wsr_plan_free(*at);
        *at = NULL;
        WSR_TRY(make_plan(at, paired, n));
    }
    *plan = *at;
    *x = wsr_plan_src(*at, "x");
out:
    return status;
}

void wsr__denormalise(float *out, const float *x, const wsr_net *net,
                      const wsr_shape *shape)
{
    const wsr__normalize *const p = &net->options->normalize;
    const int64_t plane = shape->dims[2] * shape->dims[3];
    for (int64_t i = 0; i < wsr_shape_count(shape); i++) {
        const int64_t channel = i / plane % shape->dims[1];
        out[i] = x[i] * wsr__normalize_std(p, channel) +
                 wsr__normalize_mean(p, channel);
    }
}

// ---------------------------------------- trainers that compare with a base

unsigned wsr__base_attack(const void *params)
{
    return wsr__attack_purpose(&((const wsr__base_params *)params)->mode);
}

wsr_status wsr__base_open(void **own, const void *params,
                          const wsr__training_of *of, size_t batch)
{
    const wsr__base_params *const p = params;
    wsr__paired *base = NULL;
    const wsr_status status = wsr__paired_open(&base, "train.trainer: base",
                                               p->base.s, of, batch,
                                               WSR_TRAIN | WSR_MOVE_STATS);
    *own = base;
    return status;
}

void wsr__base_close(void *own)
{
    wsr__paired_free(own);
}

double wsr__base_bytes(const void *own)
{
    return wsr__paired_bytes(own);
}

size_t wsr__base_updates(const void *params)
{
    (void)params;
    return 2;
}

double wsr__base_passes(const void *params)
{
    return (double)((const wsr__base_params *)params)->steps + 2.5;
}

// A mark that there are statistics, and these.
size_t wsr__base_state(const void *own)
{
    return 1 + ((const wsr__paired *)own)->buffers;
}

wsr_status wsr__base_attacked(wsr__train_step *step,
                              const wsr__base_params *params)
{
    const wsr__base_params *const p = params;
    const wsr__pgd pgd = {
        .eps = (float)p->eps,
        .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
        .steps = (size_t)p->steps,
        .box_at_use = true};
    return wsr__train_step_attacked(step, &pgd);
}

static wsr_status base_loss(double *loss, const wsr__train_step *step,
                            const float *x, float *state)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    float *src = NULL;
    wsr__paired *const base = step->own;
    wsr_params *const params = wsr_net_params(base->net);
    const wsr__ce_batch of = {.labels = step->labels,
                              .n = step->n,
                              .classes = step->classes,
                              .smoothing = step->smoothing,
                              .weight = 1,
                              .mixed = step->mixed};
    WSR_TRY(wsr__paired_input(&src, &plan, base, step->n));
    if (state[0] > 0) {
        wsr__stats_put(params, state + 1);
    }
    memcpy(src, x,
           (size_t)wsr_shape_count(wsr__plan_images(plan)) * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plan));
    *loss = wsr__mean_cross_entropy(NULL, wsr_plan_dst(plan, "logits"), &of);
    state[0] = 1;
    (void)wsr__stats_copy(state + 1, params);
out:
    return status;
}

// What is compared with the base's loss is that of the labels, whoever teaches.
static wsr_status own_loss(double *loss, const wsr__train_step *step,
                           double weight)
{
    size_t correct = 0;
    wsr__train_step untaught = *step;
    untaught.distill.logits = NULL;
    return wsr__train_step_loss(loss, &correct, &untaught, step->plan,
                                (wsr__pass){weight, 0});
}

wsr_status wsr__base_constraint(double *constraint, wsr__train_step *step,
                                const float *x, float *state)
{
    wsr_status status = WSR_OK;
    double own = 0;
    double base = 0;
    WSR_TRY(wsr__train_step_forward(step, step->plan, x));
    WSR_TRY(own_loss(&own, step, 1));
    WSR_TRY(base_loss(&base, step, x, state));
    *constraint = own - base;
out:
    return status;
}

wsr_status wsr__base_descend(wsr__train_step *step, double weight)
{
    wsr_status status = WSR_OK;
    double none = 0;
    WSR_TRY(own_loss(&none, step, weight));
    WSR_TRY(wsr__train_step_last_backward(step, step->plan));
out:
    return status;
}
