// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

static const double beta = 5;

static void softmax(double *p, const float *z)
{
    double sum = 0;
    for (size_t c = 0; c < STEP_CLASSES; c++) {
        sum += exp((double)z[c]);
    }
    for (size_t c = 0; c < STEP_CLASSES; c++) {
        p[c] = exp((double)z[c]) / sum;
    }
}

// The loss by its definition.
static double loss_of(const float *clean, const float *attacked,
                      const int32_t *labels)
{
    double loss = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        const size_t y = (size_t)labels[i];
        double q[STEP_CLASSES];
        double p[STEP_CLASSES];
        double other = 0;
        double kl = 0;
        softmax(q, clean + i * STEP_CLASSES);
        softmax(p, attacked + i * STEP_CLASSES);
        for (size_t c = 0; c < STEP_CLASSES; c++) {
            other = c != y ? fmax(other, p[c]) : other;
            kl += q[c] * log(q[c] / p[c]);
        }
        loss += -log(p[y]) - log(1.0001 - other) + beta * kl * (1 - q[y]);
    }
    return loss / STEP_N;
}

START_TEST(the_loss_is_that_of_the_formula)
{
    step_bench b;
    step_open(&b, "mart:beta=5,eps=0.1,alpha=0.03,steps=3");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 2);
    ck_assert(b.step.clean_known);
    ck_assert_float_eq_tol(step_farthest(&b), 0.091F, 0.0095F);
    ck_assert_double_eq_tol(b.step.loss,
                            loss_of(wsr_plan_dst(b.plan, "logits"),
                                    wsr_plan_dst(b.second, "logits"), b.labels),
                            1e-5);
    step_close(&b);
}
END_TEST

// Central differences by the logits of either pass.
static void check_gradient(const step_bench *b, wsr_plan *plan)
{
    float logits[2][STEP_N * STEP_CLASSES];
    const float *const diff = wsr_plan_diff_dst(plan, "logits");
    const double h = 1e-3;
    const size_t moved = plan == b->plan ? 0 : 1;
    float most = 0;
    for (size_t i = 0; i < STEP_N * STEP_CLASSES; i++) {
        double loss[2];
        for (size_t k = 0; k < 2; k++) {
            memcpy(logits[0], wsr_plan_dst(b->plan, "logits"),
                   sizeof(logits[0]));
            memcpy(logits[1], wsr_plan_dst(b->second, "logits"),
                   sizeof(logits[1]));
            logits[moved][i] += (float)(k == 0 ? h : -h);
            loss[k] = loss_of(logits[0], logits[1], b->labels);
        }
        ck_assert_double_eq_tol((double)diff[i], (loss[0] - loss[1]) / (2 * h),
                                3e-4);
        most = fmaxf(most, fabsf(diff[i]));
    }
    ck_assert_float_gt(most, 3e-3F);
}

START_TEST(the_gradient_is_that_of_the_loss)
{
    step_bench b;
    step_open(&b, "mart:beta=5,eps=0.5,alpha=0.2,steps=3");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    check_gradient(&b, b.plan);
    check_gradient(&b, b.second);
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_loss_is_that_of_the_formula,
                                  the_gradient_is_that_of_the_loss, NULL};
    return suite_of("mart", tests);
}
