// SPDX-License-Identifier: Apache-2.0
//
// An analysis in steps: power iteration for the eigenvalue of largest size by
// the parameters, probes of the trace, then batches of images by the input.
//
//   v <- H v / |H v|, eigenvalue v'Hv     from a random v
//   trace H = E[z'Hz]                     for random signs z (Hutchinson 1990)

#include "hessian/hessian.h"

#include <math.h>
#include <string.h>

static const char *const parts[] = {"none", "params", "input", "both", NULL};

#define AT(field) offsetof(wsr__hessian_params, field)

// clang-format off
#define OPTIONS(none) \
    {"of", WSR__WORD, AT(of), none, 0, 0, "", \
     "second derivatives of the loss by the parameters, by the input, both", \
     parts}, \
    {"count", WSR__INT, AT(count), "256", 0, 1e9, "images", \
     "whose mean loss it is, at most, 0: all", NULL}, \
    {"batch", WSR__INT, AT(batch), "32", 1, 65536, "images", "at once", NULL}, \
    {"iterations", WSR__INT, AT(iterations), "50", 1, 100000, "", \
     "of power iteration at most", NULL}, \
    {"tol", WSR__FLOAT, AT(tol), "1e-3", 0, 1, "", \
     "relative change of the eigenvalue that ends it", NULL}, \
    {"probes", WSR__INT, AT(probes), "16", 0, 100000, "", \
     "random vectors for the trace by the parameters", NULL}, \
    {"step", WSR__FLOAT, AT(step), "0.005", 1e-6, 0.1, "", \
     "of differences of gradients, relative to the norm of the parameters", \
     NULL}
// clang-format on

const wsr__option wsr__hessian_schema[] = {OPTIONS("none"), {0}};

static const wsr__option schema[] = {
    OPTIONS("both"),
    {"seed", WSR__INT, AT(seed), "0", 0, 9007199254740991.0, "",
     "of all random numbers", NULL},
    {0},
};

void wsr_hessian_free(wsr_hessian *hessian)
{
    if (hessian == NULL) {
        return;
    }
    wsr_plan_free(hessian->plan);
    wsr_plan_free(hessian->signs);
    wsr_plan_free(hessian->input);
    wsr__free(hessian->tensors);
    wsr__free(hessian->index);
    wsr__free(hessian->origin);
    wsr__free(hessian->vector);
    wsr__free(hessian->product);
    wsr__free(hessian->gradient[0]);
    wsr__free(hessian->gradient[1]);
    wsr__free(hessian->jacobian);
    wsr__free(hessian->gram);
    wsr__free(hessian->chance);
    wsr__free(hessian->direction);
    wsr__free(hessian->tops);
    wsr__free(hessian->traces);
    wsr__free(hessian);
}

// Images (1, c, h, w) of a graph, and the number of its classes.
static wsr_status find_ports(wsr_shape *image, size_t *classes,
                             const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    wsr_value x = 0;
    wsr_value z = 0;
    WSR_TRY(wsr_graph_value(&x, graph, "x"));
    WSR_TRY(wsr_graph_value(&z, graph, "logits"));
    const wsr_shape *const logits = wsr_graph_shape(graph, z);
    *image = *wsr_graph_shape(graph, x);
    if (image->ndims != 4 || logits->ndims != 2) {
        return WSR_FAIL(WSR_SHAPE,
                        "hessian: the graph's input x must be (n, c, h, w) and "
                        "its output logits (n, classes)");
    }
    *classes = (size_t)logits->dims[1];
out:
    return status;
}

// Which parts are made follows from the word `of`.
static wsr_status open_parts(wsr_hessian *h, const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    const char *const of = h->params.of.s;
    if (!wsr__streq(of, "input")) {
        WSR_TRY(wsr__hessian_open_params(h, graph));
        h->iterations = (size_t)h->params.iterations;
        h->probes = (size_t)h->params.probes;
    }
    if (!wsr__streq(of, "params")) {
        WSR_TRY(wsr__hessian_open_input(h, graph));
    }
out:
    return status;
}

wsr_status wsr__hessian_make(wsr_hessian **out, const wsr_graph *graph,
                             const wsr_dataset *dataset,
                             const wsr__hessian_params *params)
{
    wsr_status status = WSR_OK;
    wsr_hessian *h = NULL;
    wsr_shape image;
    size_t classes = 0;
    *out = NULL;
    WSR_TRY(find_ports(&image, &classes, graph));
    image = wsr__shape3(image.dims[1], image.dims[2], image.dims[3]);
    WSR_TRY(wsr__dataset_fits(dataset, &image, classes, "hessian", "network"));
    h = wsr__alloc(1, sizeof(*h));
    if (h == NULL) {
        return WSR_NOMEM;
    }
    h->params = *params;
    h->set = graph->params;
    h->classes = classes;
    h->dataset = dataset;
    h->count = wsr_dataset_count(dataset);
    if (params->count > 0 && (size_t)params->count < h->count) {
        h->count = (size_t)params->count;
    }
    h->batch = (size_t)params->batch < h->count ? (size_t)params->batch
                                                : h->count;
    h->index = wsr__alloc(h->batch, sizeof(*h->index));
    if (h->index == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(open_parts(h, graph));
    *out = h;
    h = NULL;
out:
    wsr_hessian_free(h);
    return status;
}

wsr_status wsr__hessian_of_net(wsr_hessian **out, const wsr_net *net,
                               const wsr_dataset *dataset,
                               const wsr__hessian_params *params)
{
    wsr_graph *graph = NULL;
    *out = NULL;
    wsr_status status = wsr_net_graph(&graph, net, false);
    if (status == WSR_OK) {
        status = wsr__hessian_make(out, graph, dataset, params);
    }
    wsr_graph_free(graph);
    return status;
}

static wsr_status decode(wsr__hessian_params *params, const char *options)
{
    wsr_status status = WSR_OK;
    *params = (wsr__hessian_params){0};
    wsr__params_default(params, schema);
    WSR_TRY(wsr__params_parse(params, schema, "hessian.",
                              options == NULL ? "" : options));
    if (wsr__streq(params->of.s, "none")) {
        return WSR_FAIL(WSR_CONFIG,
                        "hessian.of: is none, must be params, input or both");
    }
out:
    return status;
}

wsr_status wsr_hessian_from_graph(wsr_hessian **out, const wsr_graph *graph,
                                  const wsr_dataset *dataset,
                                  const char *options)
{
    wsr__hessian_params params;
    *out = NULL;
    const wsr_status status = decode(&params, options);
    return status == WSR_OK ? wsr__hessian_make(out, graph, dataset, &params)
                            : status;
}

wsr_status wsr_hessian_new(wsr_hessian **out, const wsr_net *net,
                           const wsr_dataset *dataset, const char *options)
{
    wsr__hessian_params params;
    *out = NULL;
    const wsr_status status = decode(&params, options);
    return status == WSR_OK ? wsr__hessian_of_net(out, net, dataset, &params)
                            : status;
}

void wsr__hessian_set_watch(wsr_hessian *hessian,
                            wsr_status (*watch)(void *ctx), void *ctx)
{
    hessian->watch = watch;
    hessian->watched = ctx;
}

wsr_status wsr__hessian_ask(const wsr_hessian *hessian)
{
    return hessian->watch == NULL ? WSR_OK : hessian->watch(hessian->watched);
}

wsr_status wsr__hessian_load(size_t *n, wsr_hessian *hessian, wsr_plan *plan,
                             size_t first)
{
    wsr_hessian *const h = hessian;
    const size_t batch = wsr_plan_batch(plan);
    const size_t left = h->count - first;
    const size_t count = left < batch ? left : batch;
    const size_t floats =
        (size_t)wsr_shape_count(wsr_dataset_shape(h->dataset));
    float *const x = wsr_plan_src(plan, "x");
    for (size_t i = 0; i < count; i++) {
        h->index[i] = first + i;
    }
    memset(x + count * floats, 0, (batch - count) * floats * sizeof(*x));
    *n = count;
    return wsr_dataset_images(x, h->dataset, h->index, count);
}

// -------------------------------------------------------------------- steps

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

// The random vector that power iteration begins with, of length 1.
static void draw_start(wsr_hessian *h)
{
    wsr__rng rng =
        wsr__rng_at((uint64_t)h->params.seed, WSR__RNG_HESSIAN, 0, 0);
    for (size_t i = 0; i < h->size; i++) {
        h->vector[i] = wsr__rng_normal(&rng);
    }
    const double length = sqrt(dot(h->vector, h->vector, h->size));
    for (size_t i = 0; i < h->size; i++) {
        h->vector[i] /= length;
    }
}

// Returns whether the eigenvalue has converged. A zero product is an eigenvalue
// of 0.
static bool take_power(wsr_hessian *h)
{
    const double before = h->top;
    const double length = sqrt(dot(h->product, h->product, h->size));
    h->top = dot(h->product, h->vector, h->size);
    for (size_t i = 0; i < h->size && length > 0; i++) {
        h->vector[i] = h->product[i] / length;
    }
    return !(length > 0) || (h->done > 0 && fabs(h->top - before) <
                                                h->params.tol * fabs(h->top));
}

static wsr_status power_step(wsr_hessian *h)
{
    wsr_status status = WSR_OK;
    double error = 0;
    if (h->done == 0) {
        draw_start(h);
    }
    WSR_TRY(wsr_hessian_product(h->product, &error, h, h->vector));
    h->error_sum += error;
    const bool converged = take_power(h);
    h->done++;
    h->position = converged ? h->iterations : h->position + 1;
out:
    return status;
}

// A probe does not depend on what came before.
static wsr_status trace_step(wsr_hessian *h)
{
    wsr_status status = WSR_OK;
    double error = 0;
    wsr__rng rng = wsr__rng_at((uint64_t)h->params.seed, WSR__RNG_HESSIAN, 1,
                               (uint32_t)h->traced);
    for (size_t i = 0; i < h->size; i++) {
        h->vector[i] = (wsr__rng_u32(&rng) & 1u) != 0 ? 1 : -1;
    }
    WSR_TRY(wsr_hessian_product(h->product, &error, h, h->vector));
    const double value = dot(h->product, h->vector, h->size);
    h->error_sum += error;
    h->trace_sum += value;
    h->trace_squares += value * value;
    h->traced++;
    h->position++;
out:
    return status;
}

static size_t input_steps(const wsr_hessian *h)
{
    return h->input == NULL ? 0 : (h->count + h->pictures - 1) / h->pictures;
}

size_t wsr_hessian_size(const wsr_hessian *hessian)
{
    return hessian->size;
}

size_t wsr_hessian_steps(const wsr_hessian *hessian)
{
    return hessian->iterations + hessian->probes + input_steps(hessian);
}

size_t wsr_hessian_position(const wsr_hessian *hessian)
{
    return hessian->position;
}

wsr_status wsr_hessian_step(wsr_hessian *hessian)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    if (h->position >= wsr_hessian_steps(h)) {
        return WSR_FAIL(WSR_ARG, "hessian: there is no step left to do");
    }
    if (h->position < h->iterations) {
        WSR_TRY(power_step(h));
    } else if (h->position < h->iterations + h->probes) {
        WSR_TRY(trace_step(h));
    } else {
        WSR_TRY(wsr__hessian_input_step(h));
        h->position++;
    }
out:
    return status;
}

wsr_status wsr_hessian_finish(wsr_hessian *hessian)
{
    wsr_status status = WSR_OK;
    while (hessian->position < wsr_hessian_steps(hessian)) {
        WSR_TRY(wsr_hessian_step(hessian));
    }
out:
    return status;
}
