// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 48, NAME_SIZE = 32 };

// What a source is in a graph.
typedef enum role { ROLE_INPUT, ROLE_TRAINED, ROLE_FROZEN } role;

typedef struct tensors {
    float *v[GRAD_SOURCES];
} tensors;

// A graph of `copies` applications of the op to the same sources, and a plan.
typedef struct rig {
    const grad_case *c;
    wsr_params *params;
    wsr_graph *graph;
    wsr_plan *plan;
    role roles[GRAD_SOURCES];
    size_t copies;
} rig;

static size_t source_count(const grad_case *c)
{
    return c->same ? 1 : c->n;
}

static size_t floats_of(const wsr_shape *shape)
{
    return (size_t)wsr_shape_count(shape);
}

static bool is_batched(const grad_source *src)
{
    return !src->weights;
}

static void label(char name[NAME_SIZE], char kind, size_t i)
{
    (void)snprintf(name, NAME_SIZE, "%c%zu", kind, i);
}

static void *get(size_t count, size_t size)
{
    void *const ptr = calloc(count > 0 ? count : 1, size);
    ck_assert_ptr_nonnull(ptr);
    return ptr;
}

// ------------------------------------------------------------------ values

static bool near_kink(const grad_case *c, double x)
{
    for (size_t i = 0; i < c->kink_count; i++) {
        if (fabs(x - c->kinks[i]) < 0.15) {
            return true;
        }
    }
    return false;
}

static float draw_uniform(const grad_case *c, const grad_source *src,
                          wsr__rng *rng)
{
    const bool given = src->low != 0 || src->high != 0;
    const double low = given ? src->low : -1;
    const double high = given ? src->high : 1;
    double x = 0;
    do {
        x = low + (high - low) * (double)wsr__rng_uniform(rng);
    } while (near_kink(c, x));
    return (float)x;
}

static void draw_spaced(float *v, size_t n, wsr__rng *rng)
{
    uint32_t *const order = get(n, sizeof(*order));
    wsr__rng_permutation(rng, order, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        v[i] = (2.0f * (float)order[i] - (float)n + (n % 2 == 0)) / 16.0f;
    }
    free(order);
}

static void draw_values(tensors *t, const grad_case *c)
{
    for (size_t s = 0; s < source_count(c); s++) {
        const grad_source *const src = &c->src[s];
        const size_t n = floats_of(&src->shape);
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, s, 0);
        t->v[s] = get(n, sizeof(float));
        if (src->draw == DRAW_SPACED) {
            draw_spaced(t->v[s], n, &rng);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            const double low = src->low;
            const uint32_t range = (uint32_t)(src->high - low) + 1;
            t->v[s][i] = src->draw == DRAW_INDEX
                             ? (float)(low + wsr__rng_below(&rng, range))
                             : draw_uniform(c, src, &rng);
        }
    }
}

static void tensors_free(tensors *t)
{
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        free(t->v[s]);
    }
}

static tensors tensors_like(const grad_case *c)
{
    tensors t = {{NULL}};
    for (size_t s = 0; s < source_count(c); s++) {
        t.v[s] = get(floats_of(&c->src[s].shape), sizeof(float));
    }
    return t;
}

static float *draw_cotangent(size_t n)
{
    float *const v = get(n, sizeof(*v));
    wsr__rng rng = wsr__rng_at(2, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < n; i++) {
        v[i] = 2 * wsr__rng_uniform(&rng) - 1;
    }
    return v;
}

static void compare(const char *what, const grad_case *c, const float *got,
                    const float *want, size_t n, double tol)
{
    double scale = 1e-2;
    for (size_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs((double)want[i]));
    }
    for (size_t i = 0; i < n; i++) {
        const double gap = fabs((double)got[i] - (double)want[i]);
        ck_assert_msg(gap <= tol * scale,
                      "%s [%s] %s: element %zu is %.9g, not %.9g (%.2g of %g)",
                      c->op, c->options == NULL ? "" : c->options, what, i,
                      (double)got[i], (double)want[i], gap / scale, scale);
    }
}

// -------------------------------------------------------------------- rigs

static role natural(const grad_source *src)
{
    if (src->weights) {
        return src->fixed ? ROLE_FROZEN : ROLE_TRAINED;
    }
    return ROLE_INPUT;
}

static wsr_value add_source(rig *r, size_t s, wsr_shape shape)
{
    char name[NAME_SIZE];
    wsr_value value = 0;
    label(name, 'x', s);
    if (r->roles[s] == ROLE_INPUT) {
        value = wsr__input(r->graph, name, shape);
    } else if (r->roles[s] == ROLE_TRAINED) {
        value = wsr__param_value(r->graph, name, shape, (wsr__init){0});
    } else {
        value = wsr__buffer_value(r->graph, name, shape, 0);
    }
    if (r->c->blocked && shape.ndims == 4 && is_batched(&r->c->src[s])) {
        value = wsr__op1(r->graph, "reorder", NULL, value);
    } else if (r->roles[s] == ROLE_INPUT && !r->c->src[s].fixed) {
        // Memory that a plan gives away if the op does not ask for it.
        value = wsr__op1(r->graph, "scale", "factor=1", value);
    }
    return value;
}

// `sample`: the graph is for one sample, and the plan for a batch of them.
static void rig_build(rig *r, unsigned purpose, size_t batch, bool sample)
{
    const grad_case *const c = r->c;
    wsr_value srcs[GRAD_SOURCES] = {0};
    ck_assert_ok(wsr_params_new(&r->params, 1));
    ck_assert_ok(wsr_graph_new(&r->graph, r->params));
    for (size_t s = 0; s < c->n; s++) {
        wsr_shape shape = c->src[s].shape;
        if (sample && is_batched(&c->src[s])) {
            shape.dims[0] = 1;
        }
        srcs[s] = c->same && s > 0 ? srcs[0] : add_source(r, s, shape);
    }
    for (size_t i = 0; i < r->copies; i++) {
        char name[NAME_SIZE];
        label(name, 'y', i);
        const wsr_value y = wsr__opn(r->graph, c->op, c->options, srcs, c->n);
        wsr__set_output(r->graph, name, y);
    }
    ck_assert_ok(wsr__graph_status(r->graph));
    ck_assert_ok(wsr_plan_new(&r->plan, r->graph, batch, purpose | c->purpose));
}

static void rig_open(rig *r, const grad_case *c, const role *roles,
                     unsigned purpose, size_t copies)
{
    *r = (rig){.c = c, .copies = copies};
    memcpy(r->roles, roles, sizeof(r->roles));
    rig_build(r, purpose, 1, false);
}

static void rig_close(rig *r)
{
    wsr_plan_free(r->plan);
    wsr_graph_free(r->graph);
    wsr_params_free(r->params);
}

// Where the values of a source are to be written.
static float *rig_src(const rig *r, size_t s)
{
    char name[NAME_SIZE];
    label(name, 'x', s);
    if (r->roles[s] == ROLE_INPUT) {
        return wsr_plan_src(r->plan, name);
    }
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, r->params, name));
    return wsr_params_edit(r->params, at);
}

// The gradient of a source, NULL when there is none.
static const float *rig_grad(const rig *r, size_t s)
{
    char name[NAME_SIZE];
    label(name, 'x', s);
    if (r->roles[s] == ROLE_INPUT) {
        return wsr_plan_diff_src(r->plan, name);
    }
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, r->params, name));
    return wsr_params_grad(r->params, at);
}

static void rig_load(const rig *r, const tensors *x)
{
    for (size_t s = 0; s < source_count(r->c); s++) {
        float *const to = rig_src(r, s);
        if (to != NULL) { // NULL: no result depends on it
            memcpy(to, x->v[s], floats_of(&r->c->src[s].shape) * sizeof(float));
        }
    }
}

static void rig_set_diff_dst(const rig *r, const float *cotangent, size_t n)
{
    for (size_t i = 0; i < r->copies; i++) {
        char name[NAME_SIZE];
        label(name, 'y', i);
        float *const seed = wsr_plan_diff_dst(r->plan, name);
        if (seed != NULL) {
            memcpy(seed, cotangent, n * sizeof(*seed));
        }
    }
}

static void rig_run(const rig *r, const tensors *x, const float *cotangent,
                    size_t n)
{
    rig_load(r, x);
    ck_assert_ok(wsr_plan_forward(r->plan));
    rig_set_diff_dst(r, cotangent, n);
    ck_assert_ok(wsr_plan_backward(r->plan));
}

// ------------------------------------------------------ finite differences

typedef struct probe {
    const rig *r;
    const tensors *x;
    const float *cotangent;
    size_t dst_floats;
} probe;

static double loss_at(const probe *p, size_t s, size_t i, float value)
{
    float *const src = rig_src(p->r, s);
    const float kept = src[i];
    src[i] = value;
    ck_assert_ok(wsr_plan_forward(p->r->plan));
    const float *const y = wsr_plan_dst(p->r->plan, "y0");
    double loss = 0;
    for (size_t j = 0; j < p->dst_floats; j++) {
        loss += (double)p->cotangent[j] * (double)y[j];
    }
    rig_src(p->r, s)[i] = kept;
    return loss;
}

// Central differences at h and 2h, extrapolated: the error is of order h^4.
static double slope(const probe *p, size_t s, size_t i)
{
    const double h = p->r->c->step > 0 ? p->r->c->step : 1.0 / 32;
    const double x = (double)p->x->v[s][i];
    const float at[] = {(float)(x - 2 * h), (float)(x - h), (float)(x + h),
                        (float)(x + 2 * h)};
    double y[4];
    for (size_t k = 0; k < 4; k++) {
        y[k] = loss_at(p, s, i, at[k]);
    }
    const double near = (y[2] - y[1]) / ((double)at[2] - (double)at[1]);
    const double far = (y[3] - y[0]) / ((double)at[3] - (double)at[0]);
    return (4 * near - far) / 3;
}

static void check_slopes(const probe *p, size_t s, const float *grad)
{
    const grad_case *const c = p->r->c;
    const size_t n = floats_of(&c->src[s].shape);
    const double tol = c->tol > 0 ? c->tol : 1e-3;
    double scale = 1e-2;
    for (size_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs((double)grad[i]));
    }
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, s, 0);
    const size_t probes = n < PROBES ? n : PROBES;
    for (size_t k = 0; k < probes; k++) {
        const size_t i = n < PROBES ? k
                                    : (size_t)wsr__rng_below(&rng, (uint32_t)n);
        const double numeric = slope(p, s, i);
        const double gap = fabs((double)grad[i] - numeric);
        ck_assert_msg(gap <= tol * scale,
                      "%s [%s] source %zu element %zu: gradient %.9g, finite "
                      "difference %.9g (%.2g of %g)",
                      c->op, c->options == NULL ? "" : c->options, s, i,
                      (double)grad[i], numeric, gap / scale, scale);
    }
}

// ---------------------------------------------------------------- variants

// Everything that the variants are compared with.
typedef struct truth {
    const grad_case *c;
    const tensors *x;
    const float *cotangent;
    size_t dst_floats;
    float *dst;
    tensors grad;
    role roles[GRAD_SOURCES];
    double tol;
} truth;

static bool passes_grad(const grad_case *c, size_t s)
{
    return !c->no_grad && !c->src[s].fixed;
}

static void check_grads(const char *what, const rig *r, const truth *t,
                        const bool *wanted, double factor)
{
    for (size_t s = 0; s < source_count(t->c); s++) {
        const size_t n = floats_of(&t->c->src[s].shape);
        const float *const grad = rig_grad(r, s);
        const bool expected = wanted[s] && passes_grad(t->c, s);
        ck_assert_msg((grad != NULL) == expected,
                      "%s %s: source %zu has %s gradient", t->c->op, what, s,
                      expected ? "no" : "an unwanted");
        if (!expected) {
            continue;
        }
        float *const want = get(n, sizeof(*want));
        for (size_t i = 0; i < n; i++) {
            want[i] = (float)factor * t->grad.v[s][i];
        }
        compare(what, t->c, grad, want, n, t->tol);
        free(want);
    }
}

// One way to ask for gradients: roles, purpose, which are then there.
static void check_way(const char *what, const truth *t, const role *roles,
                      unsigned purpose)
{
    rig r;
    bool wanted[GRAD_SOURCES] = {false};
    for (size_t s = 0; s < source_count(t->c); s++) {
        wanted[s] = (roles[s] == ROLE_INPUT && (purpose & WSR_GRAD_INPUT)) ||
                    (roles[s] == ROLE_TRAINED && (purpose & WSR_GRAD_PARAMS));
    }
    rig_open(&r, t->c, roles, purpose, 1);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    compare(what, t->c, wsr_plan_dst(r.plan, "y0"), t->dst, t->dst_floats,
            t->tol);
    check_grads(what, &r, t, wanted, 1);
    rig_close(&r);
}

static void check_masks(const truth *t)
{
    role roles[GRAD_SOURCES];
    check_way("inputs only", t, t->roles, WSR_GRAD_INPUT);
    check_way("parameters only", t, t->roles, WSR_GRAD_PARAMS);
    check_way("reference", t, t->roles,
              WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_REFERENCE);
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        roles[s] = t->c->src[s].fixed ? ROLE_FROZEN : ROLE_TRAINED;
    }
    check_way("all parameters", t, roles, WSR_GRAD_PARAMS);
    check_way("reference, all parameters", t, roles,
              WSR_GRAD_PARAMS | WSR_REFERENCE);
    for (size_t s = 0; s < source_count(t->c); s++) {
        for (size_t i = 0; i < GRAD_SOURCES; i++) {
            roles[i] = i == s ? t->roles[s] : ROLE_FROZEN;
        }
        check_way("one source alone", t, roles,
                  WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
        check_way("one source alone, reference", t, roles,
                  WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_REFERENCE);
    }
}

static void check_accumulation(const truth *t, unsigned purpose)
{
    rig r;
    bool all[GRAD_SOURCES];
    bool params[GRAD_SOURCES];
    bool inputs[GRAD_SOURCES];
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        all[s] = true;
        params[s] = t->roles[s] == ROLE_TRAINED;
        inputs[s] = t->roles[s] == ROLE_INPUT;
    }
    rig_open(&r, t->c, t->roles, purpose | WSR_GRAD_INPUT | WSR_GRAD_PARAMS, 2);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    check_grads("used twice", &r, t, all, 2);
    rig_close(&r);

    rig_open(&r, t->c, t->roles, purpose | WSR_GRAD_PARAMS, 1);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    check_grads("second backward, parameters", &r, t, params, 2);
    rig_close(&r);

    rig_open(&r, t->c, t->roles, purpose | WSR_GRAD_INPUT, 1);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    check_grads("second backward, inputs", &r, t, inputs, 1);
    rig_close(&r);
}

// ----------------------------------------------------------------- samples

static size_t samples_of(const grad_case *c)
{
    for (size_t s = 0; s < c->n; s++) {
        if (is_batched(&c->src[s])) {
            return (size_t)c->src[s].shape.dims[0];
        }
    }
    return 1;
}

static void check_batch(const truth *t)
{
    rig r = {.c = t->c, .copies = 1};
    bool all[GRAD_SOURCES];
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        r.roles[s] = t->roles[s];
        all[s] = true;
    }
    rig_build(&r, WSR_GRAD_INPUT | WSR_GRAD_PARAMS, samples_of(t->c), true);
    rig_run(&r, t->x, t->cotangent, t->dst_floats);
    compare("batch of the plan", t->c, wsr_plan_dst(r.plan, "y0"), t->dst,
            t->dst_floats, t->tol);
    check_grads("batch of the plan", &r, t, all, 1);
    rig_close(&r);
}

// Sample k of everything; weights as they are.
static void load_sample(const rig *r, const truth *t, size_t k, size_t n)
{
    for (size_t s = 0; s < source_count(t->c); s++) {
        const size_t floats = floats_of(&t->c->src[s].shape);
        const size_t own = is_batched(&t->c->src[s]) ? floats / n : floats;
        float *const to = rig_src(r, s);
        if (to != NULL) {
            memcpy(to, t->x->v[s] + (own == floats ? 0 : k * own),
                   own * sizeof(*to));
        }
    }
}

static void check_samples(const truth *t)
{
    const size_t n = samples_of(t->c);
    const size_t own = t->dst_floats / n;
    rig r = {.c = t->c, .copies = 1};
    memcpy(r.roles, t->roles, sizeof(r.roles));
    rig_build(&r, WSR_GRAD_INPUT | WSR_GRAD_PARAMS, 1, true);
    for (size_t k = 0; k < n; k++) {
        load_sample(&r, t, k, n);
        ck_assert_ok(wsr_plan_forward(r.plan));
        rig_set_diff_dst(&r, t->cotangent + k * own, own);
        ck_assert_ok(wsr_plan_backward(r.plan));
        compare("sample alone", t->c, wsr_plan_dst(r.plan, "y0"),
                t->dst + k * own, own, t->tol);
        for (size_t s = 0; s < source_count(t->c); s++) {
            const size_t floats = floats_of(&t->c->src[s].shape) / n;
            if (passes_grad(t->c, s) && t->roles[s] == ROLE_INPUT) {
                compare("gradient of a sample alone", t->c, rig_grad(&r, s),
                        t->grad.v[s] + k * floats, floats, t->tol);
            }
        }
    }
    bool params[GRAD_SOURCES];
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        params[s] = t->roles[s] == ROLE_TRAINED;
    }
    for (size_t s = 0; s < source_count(t->c); s++) {
        if (params[s] && passes_grad(t->c, s)) {
            compare("sum over samples", t->c, rig_grad(&r, s), t->grad.v[s],
                    floats_of(&t->c->src[s].shape), 4 * t->tol);
        }
    }
    rig_close(&r);
}

// -------------------------------------------------------------- everything

static void truth_find(truth *t, const grad_case *c, const tensors *x)
{
    rig r;
    *t = (truth){.c = c, .x = x, .tol = c->ref_tol > 0 ? c->ref_tol : 1e-5};
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        t->roles[s] = natural(&c->src[s]);
    }
    rig_open(&r, c, t->roles, WSR_GRAD_INPUT | WSR_GRAD_PARAMS, 1);
    t->dst_floats = floats_of(wsr_plan_shape(r.plan, "y0"));
    t->dst = get(t->dst_floats, sizeof(*t->dst));
    float *const cotangent = draw_cotangent(t->dst_floats);
    t->cotangent = cotangent;
    t->grad = tensors_like(c);
    rig_run(&r, x, cotangent, t->dst_floats);
    memcpy(t->dst, wsr_plan_dst(r.plan, "y0"), t->dst_floats * sizeof(float));
    for (size_t s = 0; s < source_count(c); s++) {
        const float *const grad = rig_grad(&r, s);
        ck_assert_msg((grad != NULL) == passes_grad(c, s),
                      "%s: source %zu has %s gradient", c->op, s,
                      grad == NULL ? "no" : "an unwanted");
        if (grad != NULL) {
            memcpy(t->grad.v[s], grad,
                   floats_of(&c->src[s].shape) * sizeof(float));
        }
    }
    const probe p = {&r, x, cotangent, t->dst_floats};
    for (size_t s = 0; s < source_count(c); s++) {
        if (passes_grad(c, s)) {
            check_slopes(&p, s, t->grad.v[s]);
        }
    }
    rig_close(&r);
}

void gradcheck(const grad_case *c)
{
    tensors x = {{NULL}};
    truth t;
    ck_assert_uint_le(c->n, GRAD_SOURCES);
    draw_values(&x, c);
    truth_find(&t, c, &x);
    check_masks(&t);
    check_accumulation(&t, 0);
    check_accumulation(&t, WSR_REFERENCE);
    if (!c->mixes) {
        check_batch(&t);
        check_samples(&t);
    }
    free(t.dst);
    union {
        const float *in;
        void *out;
    } cotangent = {t.cotangent};
    free(cotangent.out);
    tensors_free(&t.grad);
    tensors_free(&x);
}

// --------------------------------------------------------------- given data

static void forward_with(float *dst, size_t *n_dst, unsigned purpose,
                         const grad_case *c, const op_value *srcs)
{
    rig r;
    role roles[GRAD_SOURCES];
    for (size_t s = 0; s < GRAD_SOURCES; s++) {
        const bool scalar = s < c->n && srcs[s].shape.ndims == 0;
        roles[s] = scalar ? ROLE_FROZEN : ROLE_INPUT;
    }
    rig_open(&r, c, roles, purpose, 1);
    for (size_t s = 0; s < c->n; s++) {
        float *const to = rig_src(&r, s);
        memcpy(to, srcs[s].data, floats_of(&srcs[s].shape) * sizeof(*to));
    }
    ck_assert_ok(wsr_plan_forward(r.plan));
    *n_dst = floats_of(wsr_plan_shape(r.plan, "y0"));
    memcpy(dst, wsr_plan_dst(r.plan, "y0"), *n_dst * sizeof(*dst));
    rig_close(&r);
}

void op_forward(float *dst, const char *op, const char *options,
                const op_value *srcs, size_t n)
{
    grad_case c = {.op = op, .options = options, .n = n};
    ck_assert_uint_le(n, GRAD_SOURCES);
    for (size_t s = 0; s < n; s++) {
        c.src[s].shape = srcs[s].shape;
    }
    size_t count = 0;
    forward_with(dst, &count, WSR_FORWARD, &c, srcs);
    float *const other = get(count, sizeof(*other));
    forward_with(other, &count, WSR_REFERENCE, &c, srcs);
    for (size_t i = 0; i < count; i++) {
        const double a = (double)dst[i];
        const double b = (double)other[i];
        const bool same = a == b || (isnan(a) && isnan(b)) ||
                          fabs(a - b) <= 1e-5 * (1 + fabs(b));
        ck_assert_msg(same, "%s: element %zu is %g, by reference %g", op, i, a,
                      b);
    }
    free(other);
}

void op_refuses(wsr_status code, const char *words, const char *op,
                const char *options, const wsr_shape *shapes, size_t n)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_value srcs[GRAD_SOURCES] = {0};
    wsr_value out = 0;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    for (size_t s = 0; s < n; s++) {
        char name[NAME_SIZE];
        label(name, 'x', s);
        ck_assert_ok(wsr_graph_input(&srcs[s], graph, name, &shapes[s]));
    }
    ck_assert_fails(wsr_graph_op(&out, graph, op, srcs, n, options), code,
                    words);
    ck_assert_msg(strstr(wsr_error_detail(), op) != NULL, "'%s' lacks '%s'",
                  wsr_error_detail(), op);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
