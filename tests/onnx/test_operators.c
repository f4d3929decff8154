// SPDX-License-Identifier: Apache-2.0
//
// Each operator that is read, at odd shapes, against PyTorch in double
// precision: logits, and gradients with respect to the images. The models and
// the values are those of operators.py, in operators.safetensors.

#include "io/io.h"
#include "onnx/onnx.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 160 };

// Largest difference over the largest value that is wanted, or over 1e-3 where
// all are smaller.
static double difference(const float *got, const float *want, size_t n)
{
    double most = 1e-3;
    double apart = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)want[i]));
        const double d = fabs((double)got[i] - (double)want[i]);
        apart = isnan(d) ? (double)INFINITY : fmax(apart, d);
    }
    return apart / most;
}

// The floats of a part of a case. [out, owned]
static float *part_of(size_t *n, const wsr__st *st, const char *name,
                      const char *suffix)
{
    char key[NAME_SIZE];
    const wsr__st_tensor *t = NULL;
    (void)snprintf(key, sizeof(key), "%.99s.%s", name, suffix);
    ck_assert_ok(wsr__st_need(&t, st, key));
    float *const out = wsr__alloc(t->count, sizeof(*out));
    ck_assert_ptr_nonnull(out);
    ck_assert_ok(wsr__st_read_f32(out, st, key, t->count));
    *n = t->count;
    return out;
}

// Images, logits, and the gradient of the weighted sum of the logits.
typedef struct answers {
    size_t batch;
    float *x;
    float *y;
    float *g;
    size_t n_x;
    size_t n_y;
} answers;

// The weight of logit i, as in operators.py.
static float weight(size_t i)
{
    return ((float)(i * 7 % 11) - 5) / 4;
}

// How far logits and gradients are from what is wanted.
static wsr_status compare(double apart[2], wsr_graph *graph, const answers *a)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr_plan_new(&plan, graph, a->batch, WSR_GRAD_INPUT));
    const size_t n = (size_t)wsr_shape_count(wsr_plan_shape(plan, "logits"));
    if (n != a->n_y) {
        status = WSR_FAIL(WSR_FORMAT, "logits of another shape");
        goto out;
    }
    memcpy(wsr_plan_src(plan, "x"), a->x, a->n_x * sizeof(*a->x));
    WSR_TRY(wsr_plan_forward(plan));
    apart[0] = difference(wsr_plan_dst(plan, "logits"), a->y, a->n_y);
    for (size_t i = 0; i < a->n_y; i++) {
        wsr_plan_diff_dst(plan, "logits")[i] = weight(i);
    }
    WSR_TRY(wsr_plan_backward(plan));
    apart[1] = difference(wsr_plan_diff_src(plan, "x"), a->g, a->n_x);
out:
    wsr_plan_free(plan);
    return status;
}

// Says what is wrong with a model.
static bool check(const answers *a, const wsr__st_tensor *model)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    double apart[2] = {0};
    ck_assert_ok(wsr_params_new(&params, 1));
    WSR_TRY(wsr__onnx_read_bytes(&graph, params, model->data, model->count,
                                 model->name, NULL));
    WSR_TRY(compare(apart, graph, a));
out:
    if (status != WSR_OK) {
        printf("%s: %s\n", model->name, wsr_error_detail());
    } else if (apart[0] > 2e-6 || apart[1] > 2e-6) {
        printf("%s: logits %.1e, gradients %.1e apart\n", model->name, apart[0],
               apart[1]);
        status = WSR_FORMAT;
    }
    wsr_graph_free(graph);
    wsr_params_free(params);
    return status == WSR_OK;
}

// A file with an open batch and one for one image; failures.
static size_t check_both(const wsr__st *st, const char *name)
{
    static const char *const ways[] = {"open", "one"};
    answers a = {0};
    size_t failed = 0;
    char key[NAME_SIZE];
    a.x = part_of(&a.n_x, st, name, "x");
    a.g = part_of(&a.n_x, st, name, "g");
    a.y = part_of(&a.n_y, st, name, "y");
    (void)snprintf(key, sizeof(key), "%.99s.x", name);
    a.batch = (size_t)wsr__st_find(st, key)->dims[0];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(key, sizeof(key), "%.99s.%s", name, ways[i]);
        ck_assert_ptr_nonnull(wsr__st_find(st, key));
        failed += !check(&a, wsr__st_find(st, key));
    }
    wsr__free(a.x);
    wsr__free(a.g);
    wsr__free(a.y);
    return failed;
}

START_TEST(operators_compute_what_pytorch_computes)
{
    static const char suffix[] = ".open";
    wsr__st *st = NULL;
    size_t cases = 0;
    size_t failed = 0;
    ck_assert_ok(wsr__st_open(&st, OPERATORS));
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const char *const key = wsr__st_at(st, i)->name;
        const char *const end = strstr(key, suffix);
        if (end != NULL && end[sizeof(suffix) - 1] == '\0') {
            char name[NAME_SIZE];
            (void)snprintf(name, sizeof(name), "%.*s", (int)(end - key), key);
            failed += check_both(st, name);
            cases++;
        }
    }
    wsr__st_free(st);
    ck_assert_uint_ge(cases, 340);
    ck_assert_msg(failed == 0, "%zu models of %zu cases fail", failed, cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {operators_compute_what_pytorch_computes,
                                  NULL};
    return suite_of("onnx operators", tests);
}
