// SPDX-License-Identifier: Apache-2.0
//
// The table of estimators, the handle, functions that variants build their
// graphs with, and the state in checkpoints. An estimator is a small network
// that maps noises (perturbations that attacks found) at a few strengths to
// noises at other strengths, so that a search need not attack at every
// strength. Its class builds the graph; everything else is shared.

#include "estimator/estimator.h"
#include "op/conv2d.h"
#include "op/params.h"

#include <math.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "estimator/estimators.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__estimators = {"estimator", classes};

// The parameters appear when a graph is built for the first time. Any number of
// sources and targets will do: the parameters do not depend on them.
static wsr_status make_params(wsr_estimator *est)
{
    wsr_graph *graph = NULL;
    const wsr_status status = wsr__estimator_build(&graph, est, 2, 1, false);
    wsr_graph_free(graph);
    if (status == WSR_OK && est->cls->init != NULL) {
        est->cls->init(est->params);
    }
    return status;
}

// AdamW with a rate that rises from 0 (warmup); a negative option asks for the
// length that goes with the fidelity.
static wsr_status make_optim(wsr_estimator *est)
{
    const wsr__estimator_options *const o = est->common;
    const bool released = wsr__streq(o->fidelity.s, "released");
    const wsr__warmup_cosine rise = {.warmup = o->warmup >= 0 ? o->warmup
                                               : released     ? 4000
                                                              : 50,
                                     .total = released ? 100000 : 0,
                                     .fidelity = o->fidelity};
    wsr_status status = WSR_OK;
    wsr__adam adam;
    wsr__params_default(&adam, wsr__optim_adamw.super.schema);
    adam.weight_decay = o->weight_decay;
    WSR_TRY(
        wsr__optim_make(&est->optim, est->params, &wsr__optim_adamw, &adam));
    WSR_TRY(wsr__sched_make(&est->sched, &wsr__sched_warmup_cosine, &rise));
out:
    return status;
}

// Convolutions and pools of a class need some pixels a side.
static wsr_status check_image(const wsr__estimator_class *cls,
                              const wsr_shape *image)
{
    bool fits = image->ndims == 3;
    for (int i = 0; fits && i < 3; i++) {
        fits = image->dims[i] >= (i == 0 ? 1 : cls->min_side) &&
               image->dims[i] <= 4096;
    }
    if (!fits) {
        char text[96];
        wsr__shape_print(text, image);
        return WSR_FAIL(
            WSR_SHAPE,
            "estimator %s: images must be (c, h, w) with h and w in "
            "[%lld, 4096], not %s",
            cls->super.name, (long long)cls->min_side, text);
    }
    return WSR_OK;
}

// Graphs are built again for each combination of batch, sources and targets;
// the parameters are made here, once.
wsr_status wsr__estimator_make(wsr_estimator **out,
                               const wsr__estimator_class *cls,
                               const void *options, const wsr_shape *image,
                               uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr_estimator *est = NULL;
    *out = NULL;
    WSR_TRY(check_image(cls, image));
    est = wsr__alloc(1, sizeof(*est));
    if (est == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    est->cls = cls;
    WSR_TRY(wsr__class_copy(&est->options, &cls->super, options));
    est->common = est->options;
    est->image = *image;
    est->pixels = (size_t)wsr_shape_count(image);
    est->seed = seed;
    est->memory.capacity = (size_t)est->common->memory;
    est->memory.pixels = est->pixels;
    WSR_TRY(wsr_params_new(&est->params, seed));
    WSR_TRY(make_params(est));
    WSR_TRY(make_optim(est));
    *out = est;
    est = NULL;
out:
    wsr_estimator_free(est);
    return status;
}

wsr_status wsr_estimator_new(wsr_estimator **out, const char *spec,
                             const wsr_shape *image, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    void *options = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_spec(&cls, &options, &wsr__estimators, spec));
    WSR_TRY(wsr__estimator_make(out,
                                (const wsr__estimator_class *)(const void *)cls,
                                options, image, seed));
out:
    wsr__free(options);
    return status;
}

void wsr_estimator_free(wsr_estimator *est)
{
    if (est == NULL) {
        return;
    }
    wsr__estimator_plans_free(est);
    wsr_optim_free(est->optim);
    wsr_sched_free(est->sched);
    wsr_params_free(est->params);
    wsr__ae_memory_free(&est->memory);
    wsr__free(est->samples);
    wsr__free(est->permutation);
    wsr__free(est->options);
    wsr__free(est);
}

wsr_params *wsr_estimator_params(wsr_estimator *estimator)
{
    return estimator->params;
}

// --------------------------------------------------------------------- run

// counts are batch, sources and targets, here and in all that follows.
static wsr_status check_counts(const size_t counts[3])
{
    static const char *const names[] = {"batch", "sources", "targets"};
    static const size_t most[] = {1 << 24, WSR_ESTIMATOR_SOURCES,
                                  WSR_ESTIMATOR_TARGETS};
    for (size_t i = 0; i < 3; i++) {
        if (counts[i] < 1 || counts[i] > most[i]) {
            return WSR_FAIL(WSR_ARG, "estimator: %s: %zu is outside [1, %zu]",
                            names[i], counts[i], most[i]);
        }
    }
    return WSR_OK;
}

// One call: what all images share.
typedef struct estimates {
    float *const *dst;
    wsr_estimator *estimator;
    const size_t *counts; // of the call
} estimates;

// Samples `first` and following, as many as the plan takes.
static wsr_status estimate(void *ctx, wsr_plan *plan, size_t first)
{
    wsr_status status = WSR_OK;
    const estimates *const e = ctx;
    const size_t pixels = e->estimator->pixels;
    const size_t counts[] = {wsr_plan_batch(plan), e->counts[1], e->counts[2]};
    wsr__estimator_prepare(plan, e->estimator, e->estimator->samples + first,
                           counts);
    WSR_TRY(wsr_plan_forward(plan));
    for (size_t t = 0; t < counts[2]; t++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "dst%zu", t);
        // The plan's memory is used again by the next plan.
        memcpy(e->dst[t] + first * pixels, wsr_plan_dst(plan, name),
               counts[0] * pixels * sizeof(float));
    }
out:
    return status;
}

static void set_samples(wsr_estimator *estimator, const float *const *sources,
                        const float *images, const float *targets,
                        const size_t counts[3])
{
    const size_t pixels = estimator->pixels;
    for (size_t b = 0; b < counts[0]; b++) {
        wsr__estimator_sample *const sample = &estimator->samples[b];
        sample->image = images + b * pixels;
        sample->target = targets + b * counts[2];
        for (size_t i = 0; i < counts[1]; i++) {
            sample->noise[i] = sources[i] + b * pixels;
        }
    }
}

// sources[i] is (batch, c, h, w), targets (batch, t) the norms wanted, dst[t]
// (batch, c, h, w). Each image has targets of its own.
wsr_status wsr_estimator_run(float *const *dst, wsr_estimator *estimator,
                             const float *const *sources, const float *images,
                             const float *targets, const size_t counts[3])
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    wsr__image_plans *image_plans = NULL;
    estimates e = {dst, estimator, counts};
    WSR_TRY(check_counts(counts));
    WSR_TRY(wsr__reserve((void **)&estimator->samples,
                         &estimator->sample_capacity, counts[0],
                         sizeof(*estimator->samples)));
    set_samples(estimator, sources, images, targets, counts);
    WSR_TRY(wsr__estimator_images_for(&image_plans, estimator, counts[1],
                                      counts[2]));
    if (image_plans != NULL) {
        return wsr__image_plans_run(image_plans, counts[0], estimate, &e);
    }
    WSR_TRY(wsr__estimator_plan_for(&plan, estimator, counts, false));
    status = estimate(&e, plan, 0);
out:
    return status;
}

// ---------------------------------------------------------------- building

// Uniform with bound 1 / sqrt(fan in), as PyTorch's layers start.
static wsr_value parameter(const wsr__estimator_graph *g, const char *name,
                           const char *part, wsr_shape shape, int64_t fan_in)
{
    char text[96];
    const wsr__init init = {.bound = (float)(1 / sqrt((double)fan_in))};
    (void)snprintf(text, sizeof(text), "%s.%s", name, part);
    return wsr__param_value(g->graph, text, shape, init);
}

// 1 after a failure, so that building can go on without a check at every call.
int64_t wsr__estimator_size(const wsr__estimator_graph *g, wsr_value value)
{
    return wsr__graph_status(g->graph) == WSR_OK
               ? wsr_graph_shape(g->graph, value)->dims[1]
               : 1;
}

// src (n, k), weight (m, k), bias (m).
wsr_value wsr__estimator_dense(const wsr__estimator_graph *g, const char *name,
                               wsr_value src, int64_t m)
{
    const int64_t k = wsr__estimator_size(g, src);
    const wsr_value weights =
        parameter(g, name, "weight", wsr__shape2(m, k), k);
    const wsr_value bias = parameter(g, name, "bias", wsr__shape1(m), k);
    return wsr__op1(g->graph, "relu", NULL,
                    wsr__op3(g->graph, "linear", NULL, src, weights, bias));
}

// weight is (m, c / groups, kh, kw); depthwise means one group a channel.
wsr_value wsr__estimator_conv2d(const wsr__estimator_graph *g, const char *name,
                                const wsr__estimator_conv *conv, wsr_value src)
{
    const int64_t c = wsr__estimator_size(g, src);
    const int64_t per_group = conv->depthwise ? 1 : c;
    const int64_t fan_in = per_group * conv->kernel[0] * conv->kernel[1];
    const wsr_shape shape =
        wsr__shape4(conv->m, per_group, conv->kernel[0], conv->kernel[1]);
    const wsr__conv2d options = {
        .stride = {2, {conv->stride[0], conv->stride[1]}},
        .pad = {1, {conv->pad}},
        .dilation = {1, {1}},
        .groups = c / per_group};
    wsr_value srcs[3] = {src};
    srcs[1] = parameter(g, name, "weight", shape, fan_in);
    if (conv->bias) {
        srcs[2] = parameter(g, name, "bias", wsr__shape1(conv->m), fan_in);
    }
    return wsr__opn_of(g->graph, &wsr__op_conv2d, &options, srcs,
                       conv->bias ? 3 : 2);
}

wsr_value wsr__estimator_concat(const wsr__estimator_graph *g,
                                const wsr_value *srcs, size_t n, int64_t axis)
{
    return wsr__opn_of(g->graph, &wsr__op_concat,
                       &(wsr__concat_params){.axis = axis}, srcs, n);
}

wsr_value wsr__estimator_chunk(const wsr__estimator_graph *g, wsr_value src,
                               size_t n, size_t i)
{
    const wsr__chunk_params part = {.count = (int64_t)n, .index = (int64_t)i};
    return wsr__op1_of(g->graph, &wsr__op_chunk, &part, src);
}

wsr_value wsr__estimator_mix(const wsr__estimator_graph *g,
                             const wsr_value *srcs, size_t n, wsr_value coef)
{
    wsr_value all[2 * WSR_ESTIMATOR_SOURCES + 1];
    for (size_t i = 0; i < n; i++) {
        all[i] = srcs[i];
    }
    all[n] = coef;
    return wsr__opn(g->graph, "weighted_sum", NULL, all, n + 1);
}

// The weights of the sources below and above the target add up to one row: a
// source is never both.
wsr_value wsr__estimator_between(const wsr__estimator_graph *g,
                                 const wsr_value *v, size_t t)
{
    const wsr_value coef =
        wsr__op2(g->graph, "add", NULL, g->target[t].lower, g->target[t].upper);
    return wsr__estimator_mix(g, v, g->n, coef);
}

// A guard of 1e-12 turns an estimate of zeros into zeros instead of NaN; the
// released code has none.
wsr_value wsr__estimator_normalize(const wsr__estimator_graph *g, wsr_value z,
                                   size_t t)
{
    const wsr__estimator_options *const o = g->options;
    const bool guarded = !wsr__is_released(&o->guard, &o->fidelity);
    const wsr__l2_normalize_params params = {.guard = guarded ? 1e-12 : 0};
    const wsr_value srcs[] = {z, g->target[t].norm};
    return wsr__opn_of(g->graph, &wsr__op_l2_normalize, &params, srcs, 2);
}

// ------------------------------------------------------------------- state

// So that a checkpoint can be read into a fresh estimator.
wsr_status wsr__estimator_reserve(wsr_estimator *estimator, size_t sources)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__optim_reserve(estimator->optim));
    WSR_TRY(wsr__ae_memory_reserve(&estimator->memory, sources));
out:
    return status;
}

enum { OWN_STATES = 3 };

size_t wsr__estimator_states(const wsr_estimator *estimator)
{
    return OWN_STATES + wsr__optim_states(estimator->optim);
}

// Names are part of the checkpoint format.
wsr__state wsr__estimator_state(wsr_estimator *estimator, size_t i)
{
    wsr__ae_memory *const memory = &estimator->memory;
    switch (i) {
    case 0:
        return (wsr__state){"train.steps", WSR__STATE_I64, &estimator->steps,
                            1};
    case 1:
        return (wsr__state){"memory.ring", WSR__STATE_I64, memory->counters, 2};
    case 2:
        return (wsr__state){"memory.samples", WSR__STATE_F32, memory->data,
                            memory->data == NULL
                                ? 0
                                : memory->capacity *
                                      wsr__ae_memory_floats(memory)};
    default:
        return wsr__optim_state(estimator->optim, i - OWN_STATES);
    }
}
