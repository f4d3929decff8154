// SPDX-License-Identifier: Apache-2.0
//
// Products of the Hessian by the parameters with a vector, as central
// differences of gradients of the mean loss:
//
//   D(h) = (g(p + h v) - g(p - h v)) / 2h = Hv + h^2 c + O(h^4)
//   Hv  ~= (4 D(h/2) - D(h)) / 3            (Richardson)
//
// The gradient of a network with relus jumps where a relu switches, and over a
// jump a difference has no limit. Therefore the relus stay as they are at p:
// the graph that is differentiated multiplies by their signs there (freeze.c).
// Its Hessian at p is what PyTorch's double backward computes, for which relu
// has no second derivative.
//
// Plans compute gradients in single precision, which leaves an error of about
// eps |g| / h. It meets h^2 near h = eps^(1/3) = 0.005, relative to the norm of
// the parameters. Gradients of batches are summed in double precision.

#include "hessian/hessian.h"
#include "kernel/softmax_cross_entropy.h"

#include <math.h>
#include <string.h>

// The gradients of the mean loss of some rows of a plan; other rows have none.
static double set_gradients(wsr_hessian *h, wsr_plan *plan, size_t first,
                            size_t n)
{
    const size_t classes = h->classes;
    const int32_t *const labels = wsr_dataset_labels(h->dataset) + first;
    const float *const z = wsr_plan_dst(plan, "logits");
    float *const dz = wsr_plan_diff_dst(plan, "logits");
    double loss = 0;
    memset(dz, 0, wsr_plan_batch(plan) * classes * sizeof(*dz));
    for (size_t i = 0; i < n; i++) {
        const wsr__ce_target target = {.label = (size_t)labels[i], .scale = 1};
        loss += wsr__softmax_cross_entropy(dz + i * classes, z + i * classes,
                                           classes, &target);
    }
    return loss;
}

static void add_gradients(double *sum, const wsr_hessian *h, double factor)
{
    for (size_t t = 0; t < h->n_tensors; t++) {
        const float *const g = wsr_params_grad(h->set, h->tensors[t].at);
        for (size_t i = 0; i < h->tensors[t].count; i++) {
            sum[i] += g == NULL ? 0 : factor * (double)g[i];
        }
        sum += h->tensors[t].count;
    }
}

// The signs that relus have at the origin, where the parameters must be.
static wsr_status take_signs(wsr_hessian *h, size_t first)
{
    wsr_status status = WSR_OK;
    size_t n = 0;
    if (h->signs != NULL) {
        WSR_TRY(wsr__hessian_ask(h));
        WSR_TRY(wsr__hessian_load(&n, h, h->signs, first));
        WSR_TRY(wsr_plan_forward(h->signs));
    }
out:
    return status;
}

// Inputs of the plan are written before each pass, since it may use their
// memory for something else.
static void put_signs(wsr_hessian *h)
{
    for (size_t k = 0; k < h->kinks; k++) {
        char name[WSR__KINK_NAME];
        wsr__hessian_kink(name, k);
        const float *const source = wsr_plan_dst(h->signs, name);
        const size_t n =
            (size_t)wsr_shape_count(wsr_plan_shape(h->signs, name));
        float *const positive = wsr_plan_src(h->plan, name);
        for (size_t i = 0; positive != NULL && i < n; i++) {
            positive[i] = source[i] > 0;
        }
    }
}

// Forward and back for one batch, with the signs that were taken last.
static wsr_status pass(wsr_hessian *h, size_t first)
{
    wsr_status status = WSR_OK;
    size_t n = 0;
    WSR_TRY(wsr__hessian_ask(h));
    WSR_TRY(wsr__hessian_load(&n, h, h->plan, first));
    put_signs(h);
    WSR_TRY(wsr_plan_forward(h->plan));
    const double loss = set_gradients(h, h->plan, first, n);
    if (!isfinite(loss)) {
        return WSR_FAIL(WSR_NUMERIC,
                        "hessian: the loss of images %zu to %zu is %g, not "
                        "finite",
                        first, first + n - 1, loss);
    }
    wsr_params_zero_grad(h->set, false);
    WSR_TRY(wsr_plan_backward(h->plan));
out:
    return status;
}

// Parameters at the origin plus `step` v; with step 0 they are the origin's
// bits.
static void move(wsr_hessian *h, const double *v, double step)
{
    size_t at = 0;
    for (size_t t = 0; t < h->n_tensors; t++) {
        float *const p = wsr_params_edit(h->set, h->tensors[t].at);
        for (size_t i = 0; i < h->tensors[t].count; i++, at++) {
            const double x = (double)h->origin[at];
            p[i] = step < 0 || step > 0 ? (float)(x + step * v[at])
                                        : h->origin[at];
        }
    }
}

// Adds what a batch contributes to D(step).
static wsr_status difference(double *sum, wsr_hessian *h, size_t first,
                             const double *v, double step)
{
    wsr_status status = WSR_OK;
    const double factor = 1 / (2 * step * (double)h->count);
    move(h, v, step);
    WSR_TRY(pass(h, first));
    add_gradients(sum, h, factor);
    move(h, v, -step);
    WSR_TRY(pass(h, first));
    add_gradients(sum, h, -factor);
    move(h, v, 0);
out:
    return status;
}

// The parameters as they are now; callers may have changed them since the last
// product.
static double take_origin(wsr_hessian *h)
{
    double squares = 0;
    size_t at = 0;
    for (size_t t = 0; t < h->n_tensors; t++) {
        const float *const p = wsr_params_data(h->set, h->tensors[t].at);
        for (size_t i = 0; i < h->tensors[t].count; i++, at++) {
            h->origin[at] = p[i];
            squares += (double)p[i] * (double)p[i];
        }
    }
    return sqrt(squares);
}

static double length_of(const double *v, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        squares += v[i] * v[i];
    }
    return sqrt(squares);
}

// Relative error that the difference of both steps lets expect.
static double combine(double *hv, const wsr_hessian *h)
{
    double wrong = 0;
    double size = 0;
    for (size_t i = 0; i < h->size; i++) {
        const double d = (h->gradient[1][i] - h->gradient[0][i]) / 3;
        hv[i] = h->gradient[1][i] + d;
        wrong += d * d;
        size += hv[i] * hv[i];
    }
    return size > 0 ? sqrt(wrong / size) : 0;
}

// `v` may be `hv`, which is written last.
wsr_status wsr_hessian_product(double *hv, double *error, wsr_hessian *hessian,
                               const double *v)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    if (h->plan == NULL) {
        return WSR_FAIL(WSR_ARG, "hessian: was made without the parameters");
    }
    const double norm = take_origin(h);
    const double length = length_of(v, h->size);
    if (!(length > 0) || !isfinite(length)) {
        memset(hv, 0, h->size * sizeof(*hv));
        return isfinite(length)
                   ? WSR_OK
                   : WSR_FAIL(WSR_NUMERIC, "hessian: the vector's length is %g",
                              length);
    }
    const double step = h->params.step * (norm > 0 ? norm : 1) / length;
    memset(h->gradient[0], 0, h->size * sizeof(*h->gradient[0]));
    memset(h->gradient[1], 0, h->size * sizeof(*h->gradient[1]));
    for (size_t first = 0; first < h->count; first += h->batch) {
        WSR_TRY(take_signs(h, first));
        WSR_TRY(difference(h->gradient[0], h, first, v, step));
        WSR_TRY(difference(h->gradient[1], h, first, v, step / 2));
    }
    const double wrong = combine(hv, h);
    if (error != NULL) {
        *error = wrong;
    }
out:
    move(h, v, 0);
    return status;
}

// --------------------------------------------------------------- making it

// The tensors that a backward pass has given gradients.
static wsr_status find_tensors(wsr_hessian *h)
{
    const size_t n = wsr_params_count(h->set);
    h->tensors = wsr__alloc(n, sizeof(*h->tensors));
    if (h->tensors == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (wsr_params_trainable(h->set, i) &&
            wsr_params_grad(h->set, i) != NULL) {
            const size_t count =
                (size_t)wsr_shape_count(wsr_params_shape(h->set, i));
            h->tensors[h->n_tensors++] = (wsr__hessian_tensor){i, count};
            h->size += count;
        }
    }
    return WSR_OK;
}

static wsr_status make_plans(wsr_hessian *h, const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    wsr_graph *frozen = NULL;
    wsr_graph *signs = NULL;
    WSR_TRY(wsr__hessian_freeze(&frozen, &signs, &h->kinks, graph));
    WSR_TRY(wsr_plan_new(&h->plan, frozen, h->batch, WSR_GRAD_PARAMS));
    if (h->kinks > 0) {
        WSR_TRY(wsr_plan_new(&h->signs, signs, h->batch, WSR_FORWARD));
    }
out:
    wsr_graph_free(frozen);
    wsr_graph_free(signs);
    return status;
}

wsr_status wsr__hessian_open_params(wsr_hessian *hessian,
                                    const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    WSR_TRY(make_plans(h, graph));
    wsr_params_zero_grad(h->set, true);
    WSR_TRY(take_signs(h, 0));
    WSR_TRY(pass(h, 0));
    WSR_TRY(find_tensors(h));
    h->origin = wsr__alloc(h->size, sizeof(*h->origin));
    h->vector = wsr__alloc(h->size, sizeof(*h->vector));
    h->product = wsr__alloc(h->size, sizeof(*h->product));
    h->gradient[0] = wsr__alloc(h->size, sizeof(*h->gradient[0]));
    h->gradient[1] = wsr__alloc(h->size, sizeof(*h->gradient[1]));
    if (h->origin == NULL || h->vector == NULL || h->product == NULL ||
        h->gradient[0] == NULL || h->gradient[1] == NULL) {
        status = WSR_NOMEM;
    }
out:
    return status;
}
