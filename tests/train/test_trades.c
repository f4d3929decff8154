// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

static double divergence(const float *clean, const float *attacked)
{
    double sum = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        const float *const p = clean + i * STEP_CLASSES;
        const float *const q = attacked + i * STEP_CLASSES;
        double norm_p = 0;
        double norm_q = 0;
        for (size_t c = 0; c < STEP_CLASSES; c++) {
            norm_p += exp((double)p[c]);
            norm_q += exp((double)q[c]);
        }
        for (size_t c = 0; c < STEP_CLASSES; c++) {
            sum += exp((double)p[c]) / norm_p *
                   ((double)p[c] - log(norm_p) - (double)q[c] + log(norm_q));
        }
    }
    return sum / STEP_N;
}

START_TEST(the_loss_is_cross_entropy_and_divergence)
{
    step_bench b;
    step_open(&b, "trades:beta=40,eps=0.1,alpha=0.03,steps=3");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 2);
    ck_assert(b.step.clean_known);
    ck_assert_float_eq_tol(step_farthest(&b), 0.091F, 0.0095F);
    const float *const clean = wsr_plan_dst(b.plan, "logits");
    const float *const attacked = wsr_plan_dst(b.second, "logits");
    const double kl = divergence(clean, attacked);
    ck_assert_double_gt(kl, 1e-6);
    ck_assert_double_eq_tol(
        b.step.loss, step_cross_entropy(clean, b.labels) + 40 * kl, 1e-6);
    step_close(&b);
}
END_TEST

static bool same_gradients(const step_bench *a, const step_bench *b)
{
    const wsr_params *const p = wsr_net_params(a->net);
    const wsr_params *const q = wsr_net_params(b->net);
    bool same = true;
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, i));
        const float *const x = wsr_params_grad(p, i);
        const float *const y = wsr_params_grad(q, i);
        for (size_t k = 0; x != NULL && y != NULL && k < n; k++) {
            same = same && fabsf(x[k] - y[k]) <= 1e-6F * fmaxf(1, fabsf(y[k]));
        }
    }
    return same;
}

// The slip of the released code: the second term is 0 and has no gradient.
START_TEST(without_its_second_term_it_is_standard_training)
{
    static const char *const specs[] = {"trades:fidelity=released",
                                        "trades:beta=0", "trades"};
    step_bench natural;
    step_open(&natural, "natural");
    ck_assert_ok(natural.trainer->batch(&natural.step, natural.options));
    for (size_t i = 0; i < 3; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert(same_gradients(&b, &natural) == (i < 2));
        ck_assert((fabs(b.step.loss - natural.step.loss) < 1e-7) == (i < 2));
        ck_assert_uint_eq(b.step.clean, natural.step.clean);
        step_close(&b);
    }
    step_close(&natural);
}
END_TEST

START_TEST(a_second_clean_pass_moves_statistics_once_more)
{
    step_bench b;
    step_bench c;
    step_open(&b, "trades:second_clean_pass=true");
    step_open(&c, "trades");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_ok(c.trainer->batch(&c.step, c.options));
    ck_assert_float_eq(step_tracked(&b), before + 3);
    ck_assert(same_gradients(&b, &c));
    step_close(&b);
    step_close(&c);
}
END_TEST

START_TEST(the_euclidean_ball_is_reached_and_not_left)
{
    step_bench b;
    step_open(&b, "trades:norm=l2,eps=0.5,steps=4");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    (void)step_farthest(&b);
    for (size_t i = 0; i < STEP_N; i++) {
        double sum = 0;
        for (size_t k = 0; k < STEP_PIXELS; k++) {
            const size_t at = i * STEP_PIXELS + k;
            const double d = (double)b.x_adv[at] - (double)b.x[at];
            sum += d * d;
        }
        ck_assert(sqrt(sum) > 0.4 && sqrt(sum) < 0.5001);
    }
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_loss_is_cross_entropy_and_divergence,
        without_its_second_term_it_is_standard_training,
        a_second_clean_pass_moves_statistics_once_more,
        the_euclidean_ball_is_reached_and_not_left, NULL};
    return suite_of("trades", tests);
}
