// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over strengths as the released code of Wsr-NAS measures it. It
// differs from the paper's description in two ways. The attack runs in
// training mode, so it maximises the loss of another function than the one
// that is evaluated. Its passes update the running statistics, so the
// predictions use statistics that are mostly those of the attacked batch. Both
// make a network look more robust than it is; the library's own evaluation
// does neither.

#include "attack/engine/pgd_plan.h"
#include "data/data.h"
#include "eval/eval.h"

#include <math.h>
#include <string.h>

#define AT(field) offsetof(wsr__released_params, field)

const wsr__option wsr__released_schema[] = {
    {"steps", WSR__INT, AT(steps), "20", 1, 100000, "steps", "gradient steps",
     NULL},
    {"rel_length", WSR__FLOAT, AT(rel_length), "2.5", 0, 1000, "",
     "length of all steps together, in strengths", NULL},
    {"batch", WSR__INT, AT(batch), "32", 1, 65536, "images",
     "that share their statistics", NULL},
    {"count", WSR__INT, AT(count), "0", 0, 1e9, "images",
     "that are evaluated, 0: all", NULL},
    {0},
};

// A batch size: one plan to attack and one to classify.
typedef struct pair {
    wsr_plan *attack;
    wsr_plan *classify;
} pair;

// x and x_adv hold one batch, (batch, pixels).
typedef struct evaluation {
    const wsr__released_params *p;
    const wsr_dataset *dataset;
    wsr_params *parameters;
    float *statistics; // as they were
    pair whole;
    pair rest; // of the last batch
    size_t n;
    size_t batch;
    int64_t pixels;
    float *x;
    float *x_adv;
} evaluation;

static void pair_free(pair *plans)
{
    wsr_plan_free(plans->attack);
    wsr_plan_free(plans->classify);
}

// No plans for batch 0: the number of images is a multiple of the batch.
static wsr_status pair_new(pair *plans, const wsr_graph *graph, size_t batch)
{
    wsr_status status = WSR_OK;
    if (batch > 0) {
        WSR_TRY(wsr_plan_new(&plans->attack, graph, batch,
                             WSR_GRAD_INPUT | WSR_TRAIN | WSR_MOVE_STATS));
        WSR_TRY(wsr_plan_new(&plans->classify, graph, batch, WSR_FORWARD));
    }
out:
    return status;
}

// Buffers are the tensors that are not trained. They are restored at the end,
// also after a failure.
static void copy_statistics(evaluation *ev, bool back)
{
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(ev->parameters); i++) {
        const size_t n =
            (size_t)wsr_shape_count(wsr_params_shape(ev->parameters, i));
        if (wsr_params_trainable(ev->parameters, i)) {
            continue;
        }
        if (back) {
            memcpy(wsr_params_edit(ev->parameters, i), ev->statistics + at,
                   n * sizeof(float));
        } else {
            memcpy(ev->statistics + at, wsr_params_data(ev->parameters, i),
                   n * sizeof(float));
        }
        at += n;
    }
}

// A copy of all buffers, in the order of the parameter set.
static wsr_status save_statistics(evaluation *ev)
{
    size_t floats = 0;
    for (size_t i = 0; i < wsr_params_count(ev->parameters); i++) {
        floats +=
            wsr_params_trainable(ev->parameters, i)
                ? 0
                : (size_t)wsr_shape_count(wsr_params_shape(ev->parameters, i));
    }
    ev->statistics = wsr__alloc(floats, sizeof(*ev->statistics));
    if (ev->statistics == NULL) {
        return WSR_NOMEM;
    }
    copy_statistics(ev, false);
    return WSR_OK;
}

// Adds the number of images of a batch that are classified correctly after the
// attack. The plan that classifies sees the statistics that the attack has
// just updated, since both plans share the parameter set.
static wsr_status run_batch(size_t *correct, evaluation *ev, size_t at,
                            float eps)
{
    wsr_status status = WSR_OK;
    const size_t left = ev->n - at;
    const size_t count = left < ev->batch ? left : ev->batch;
    const pair *const plans = count == ev->batch ? &ev->whole : &ev->rest;
    const int32_t *const labels = wsr_dataset_labels(ev->dataset) + at;
    const double alpha = ev->p->rel_length * (double)eps / (double)ev->p->steps;
    const wsr__pgd pgd = {
        .eps = eps, .alpha = (float)alpha, .steps = (size_t)ev->p->steps};
    for (size_t i = 0; i < count; i++) {
        WSR_TRY(wsr__dataset_read(wsr__at(ev->x, ev->pixels, i), ev->dataset,
                                  at + i));
    }
    const float *x = ev->x;
    if (eps > 0) {
        WSR_TRY(wsr__pgd_plan(ev->x_adv, plans->attack, ev->x, labels, &pgd));
        x = ev->x_adv;
    }
    memcpy(wsr_plan_src(plans->classify, "x"), x,
           count * (size_t)ev->pixels * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plans->classify));
    const float *const z = wsr_plan_dst(plans->classify, "logits");
    const size_t classes =
        (size_t)wsr_plan_shape(plans->classify, "logits")->dims[1];
    for (size_t i = 0; i < count; i++) {
        *correct += wsr__argmax(z + i * classes, classes) == labels[i];
    }
out:
    return status;
}

// The public function takes any network and data, so both are compared here.
static wsr_status check(const evaluation *ev, const wsr_net *net,
                        const float *eps, size_t n)
{
    wsr_status status = WSR_OK;
    wsr_shape image = *wsr_net_image(net);
    image = wsr__shape3(image.dims[1], image.dims[2], image.dims[3]);
    WSR_TRY(wsr__dataset_fits(ev->dataset, &image, wsr_net_classes(net),
                              "evaluation", "network"));
    for (size_t i = 0; i < n; i++) {
        if (!(eps[i] >= 0) || isinf(eps[i])) {
            return WSR_FAIL(WSR_ARG,
                            "evaluation: strength %g is no number from "
                            "0 up",
                            (double)eps[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const wsr__range range = {
            WSR__LINF, {0, 1}, wsr_shape_count(wsr_dataset_shape(ev->dataset))};
        wsr__strength_check(&range, eps[i]);
    }
out:
    return status;
}

// Two pairs of plans: for whole batches and for the rest.
static wsr_status prepare(evaluation *ev, const wsr_net *net)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    const size_t have = wsr_dataset_count(ev->dataset);
    ev->n = ev->p->count == 0 ? have : (size_t)ev->p->count;
    if (ev->n > have) {
        return WSR_FAIL(WSR_ARG,
                        "count: %zu images are more than the %zu there "
                        "are",
                        ev->n, have);
    }
    ev->batch = (size_t)ev->p->batch < ev->n ? (size_t)ev->p->batch : ev->n;
    ev->pixels = wsr_shape_count(wsr_dataset_shape(ev->dataset));
    ev->x = wsr__alloc(ev->batch, (size_t)ev->pixels * sizeof(*ev->x));
    ev->x_adv = wsr__alloc(ev->batch, (size_t)ev->pixels * sizeof(*ev->x_adv));
    if (ev->x == NULL || ev->x_adv == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr_net_graph(&graph, net, false));
    WSR_TRY(pair_new(&ev->whole, graph, ev->batch));
    WSR_TRY(pair_new(&ev->rest, graph, ev->n % ev->batch));
    WSR_TRY(save_statistics(ev));
out:
    wsr_graph_free(graph);
    return status;
}

// Steps are batches over all strengths. Without a run nobody is told.
static wsr_status tell(const evaluation *ev, size_t done, size_t steps)
{
    return ev->p->run == NULL
               ? WSR_OK
               : wsr__run_progress(ev->p->run, "released", done, steps, "");
}

// Strengths in their order: the statistics move on from one to the next, so
// the order matters.
static wsr_status measure(double *accuracy, evaluation *ev, const float *eps,
                          size_t n)
{
    wsr_status status = WSR_OK;
    const size_t batches = (ev->n + ev->batch - 1) / ev->batch;
    for (size_t e = 0; e < n; e++) {
        size_t correct = 0;
        for (size_t b = 0; b < batches; b++) {
            WSR_TRY(run_batch(&correct, ev, b * ev->batch, eps[e]));
            WSR_TRY(tell(ev, e * batches + b + 1, n * batches));
        }
        accuracy[e] = (double)correct / (double)ev->n;
    }
out:
    return status;
}

// Measures with decoded options; the public function below decodes them from
// text.
wsr_status wsr__eval_measure_released(double *accuracy, const wsr_net *net,
                                      const wsr_dataset *dataset,
                                      const float *eps, size_t n,
                                      const wsr__released_params *params)
{
    wsr_status status = WSR_OK;
    evaluation ev = {
        .p = params, .dataset = dataset, .parameters = wsr_net_params(net)};
    WSR_TRY(check(&ev, net, eps, n));
    WSR_TRY(prepare(&ev, net));
    WSR_TRY(measure(accuracy, &ev, eps, n));
out:
    if (ev.statistics != NULL) {
        copy_statistics(&ev, true);
    }
    pair_free(&ev.whole);
    pair_free(&ev.rest);
    wsr__free(ev.statistics);
    wsr__free(ev.x);
    wsr__free(ev.x_adv);
    return status;
}

wsr_status wsr_eval_released(double *accuracy, const wsr_net *net,
                             const wsr_dataset *dataset, const float *eps,
                             size_t n, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__released_params params = {0};
    wsr__params_default(&params, wsr__released_schema);
    WSR_TRY(wsr__params_parse(&params, wsr__released_schema, "released.",
                              options == NULL ? "" : options));
    WSR_TRY(
        wsr__eval_measure_released(accuracy, net, dataset, eps, n, &params));
out:
    return status;
}
