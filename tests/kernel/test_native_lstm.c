// SPDX-License-Identifier: Apache-2.0
//
// The native LSTM against its definition in double, and its gradients against
// central differences of that definition.

#include "kernel/native_support.h"

#include <math.h>

enum { X, IH, HH, BIAS_IH, BIAS_HH, DIFF, ARRAYS };

typedef struct scene {
    wsr__lstm p;
    int64_t size[ARRAYS];
    float *data[ARRAYS]; // DIFF is the gradient of dst
    double *exact[ARRAYS];
} scene;

static scene scene_new(const wsr__lstm *p)
{
    scene s = {.p = *p,
               .size = {[X] = p->n * p->l * p->i,
                        [IH] = 4 * p->h * p->i,
                        [HH] = 4 * p->h * p->h,
                        [BIAS_IH] = 4 * p->h,
                        [BIAS_HH] = 4 * p->h,
                        [DIFF] = p->n * p->h}};
    for (uint32_t a = 0; a < ARRAYS; a++) {
        s.data[a] = random_floats(s.size[a], a);
        s.exact[a] = doubles((size_t)s.size[a]);
        for (int64_t i = 0; i < s.size[a]; i++) {
            s.exact[a][i] = (double)s.data[a][i];
        }
    }
    return s;
}

static void scene_free(scene *s)
{
    for (size_t a = 0; a < ARRAYS; a++) {
        wsr__free(s->data[a]);
        wsr__free(s->exact[a]);
    }
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// Row g of the weights times x_t and h, both biases added.
static double row_of(const scene *s, int64_t g, const double *x,
                     const double *h)
{
    double sum = s->exact[BIAS_IH][g] + s->exact[BIAS_HH][g];
    for (int64_t k = 0; k < s->p.i; k++) {
        sum += s->exact[IH][g * s->p.i + k] * x[k];
    }
    for (int64_t k = 0; k < s->p.h; k++) {
        sum += s->exact[HH][g * s->p.h + k] * h[k];
    }
    return sum;
}

// One sequence, from a zero state: the last h.
static void define_sequence(double *h, const scene *s, int64_t n)
{
    enum { MOST = 16 };
    const int64_t size = s->p.h;
    double cell[MOST] = {0};
    double next[MOST] = {0};
    memset(h, 0, (size_t)size * sizeof(*h));
    for (int64_t t = 0; t < s->p.l; t++) {
        const double *const x = s->exact[X] + (n * s->p.l + t) * s->p.i;
        for (int64_t j = 0; j < size; j++) {
            const double in = sigmoid(row_of(s, j, x, h));
            const double forget = sigmoid(row_of(s, size + j, x, h));
            const double made = tanh(row_of(s, 2 * size + j, x, h));
            cell[j] = forget * cell[j] + in * made;
            next[j] = sigmoid(row_of(s, 3 * size + j, x, h)) * tanh(cell[j]);
        }
        memcpy(h, next, (size_t)size * sizeof(*h));
    }
}

// sum of dst * DIFF, whose gradients backward computes.
static double define_loss(const scene *s)
{
    double h[16];
    double loss = 0;
    for (int64_t n = 0; n < s->p.n; n++) {
        define_sequence(h, s, n);
        for (int64_t j = 0; j < s->p.h; j++) {
            loss += h[j] * s->exact[DIFF][n * s->p.h + j];
        }
    }
    return loss;
}

// What backward adds to an array that holds `before`.
static float *define_gradient(scene *s, size_t array, float before)
{
    const double eps = 1e-5;
    float *const grad = floats(s->size[array]);
    for (int64_t i = 0; i < s->size[array]; i++) {
        double *const at = &s->exact[array][i];
        const double old = *at;
        *at = old + eps;
        const double up = define_loss(s);
        *at = old - eps;
        const double down = define_loss(s);
        *at = old;
        grad[i] = before + (float)((up - down) / (2 * eps));
    }
    return grad;
}

static wsr__lstm_weights weights_of(const scene *s)
{
    return (wsr__lstm_weights){s->data[IH], s->data[HH], s->data[BIAS_IH],
                               s->data[BIAS_HH]};
}

// dst, the gradients of X, IH, HH and of the biases, all of which held 1.
static void run(float *const out[5], const scene *s, bool add_src)
{
    const wsr__lstm_weights w = weights_of(s);
    float *const records = floats((int64_t)wsr__lstm_records(&s->p, true));
    float *const scratch = floats((int64_t)wsr__lstm_scratch(&s->p));
    const wsr__lstm_grads grads = {.src = out[1],
                                   .ih = out[2],
                                   .hh = out[3],
                                   .bias = out[4],
                                   .add_src = add_src};
    wsr__lstm_forward(out[0], &s->p, s->data[X], &w, records, true);
    wsr__lstm_backward(&grads, &s->p, s->data[DIFF], &w, records, scratch);
    wsr__free(records);
    wsr__free(scratch);
}

static void check_forward(const scene *s, const float *dst)
{
    const wsr__lstm_weights w = weights_of(s);
    float *const alone = floats(s->size[DIFF]);
    float *const work = floats((int64_t)wsr__lstm_records(&s->p, false));
    double h[16];
    for (int64_t n = 0; n < s->p.n; n++) {
        define_sequence(h, s, n);
        for (int64_t j = 0; j < s->p.h; j++) {
            ck_assert_double_eq_tol((double)dst[n * s->p.h + j], h[j], 2e-6);
        }
    }
    wsr__lstm_forward(alone, &s->p, s->data[X], &w, work, false);
    ck_assert_mem_eq(alone, dst, (size_t)s->size[DIFF] * sizeof(*dst));
    wsr__free(alone);
    wsr__free(work);
}

static const wsr__lstm shapes[] = {
    {1, 1, 1, 1},
    {8, 2, 3, 4},
    {11, 3, 5, 6},
    {19, 4, 2, 9},
};

static void check_all(void)
{
    static const char *const names[] = {"diff_src", "weight_ih", "weight_hh",
                                        "bias"};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        scene s = scene_new(&shapes[i]);
        const bool add_src = i % 2 == 0;
        float *out[5] = {floats(s.size[DIFF])};
        for (size_t a = 0; a < 4; a++) {
            out[a + 1] = constant_floats(s.size[X + a], 1);
        }
        run(out, &s, add_src);
        check_forward(&s, out[0]);
        for (size_t a = 0; a < 4; a++) {
            const float before = a > 0 || add_src ? 1.0f : 0.0f;
            float *const want = define_gradient(&s, X + a, before);
            check_close(out[a + 1], want, s.size[X + a], names[a]);
            wsr__free(want);
        }
        for (size_t a = 0; a < 5; a++) {
            wsr__free(out[a]);
        }
        scene_free(&s);
    }
}

START_TEST(all_variants_agree_with_the_definition)
{
    each_variant(check_all);
}
END_TEST

static void fill(float *out, void *ctx)
{
    const scene *const s = ctx;
    float *parts[5];
    parts[0] = out;
    parts[1] = parts[0] + s->size[DIFF];
    for (size_t a = 0; a < 3; a++) {
        parts[a + 2] = parts[a + 1] + s->size[X + a];
    }
    run(parts, s, true);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    scene s = scene_new(&shapes[3]);
    check_threads(fill, &s,
                  s.size[DIFF] + s.size[X] + s.size[IH] + s.size[HH] +
                      s.size[BIAS_IH],
                  "lstm");
    scene_free(&s);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_definition,
        the_number_of_threads_does_not_change_a_bit,
        NULL,
    };
    return suite_of("native_lstm", tests);
}
