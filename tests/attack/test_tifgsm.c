// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

enum { C = 2, H = 9, W = 7, D = C * H * W };

// logits = (0, v . x): all gradients are multiples of v.
static wsr_status logits(float *z, const float *x, size_t n, void *user)
{
    const float *const v = user;
    for (size_t i = 0; i < n; i++) {
        z[2 * i] = 0;
        z[2 * i + 1] = 0;
        for (size_t p = 0; p < D; p++) {
            z[2 * i + 1] += v[p] * x[i * D + p];
        }
    }
    return WSR_OK;
}

static wsr_status backward(float *dx, const float *dz, size_t n, void *user)
{
    const float *const v = user;
    for (size_t i = 0; i < n * D; i++) {
        dx[i] = dz[2 * (i / D) + 1] * v[i % D];
    }
    return WSR_OK;
}

// sum over a window of kernel[dy] kernel[dx] v, by its definition
static float smoothed(const float *v, const float *kernel, int half, int at)
{
    const int c = at / (H * W);
    const int y = at / W % H;
    const int x = at % W;
    float sum = 0;
    for (int dy = -half; dy <= half; dy++) {
        for (int dx = -half; dx <= half; dx++) {
            if (y + dy >= 0 && y + dy < H && x + dx >= 0 && x + dx < W) {
                sum += kernel[dy + half] * kernel[dx + half] *
                       v[(c * H + y + dy) * W + x + dx];
            }
        }
    }
    return sum;
}

static void expect_smoothed(const char *spec, const float *kernel, int half)
{
    static float v[D];
    static float x[D];
    const int32_t label = 0;
    const float eps = 0.01f;
    const wsr_shape shape = wsr__shape3(C, H, W);
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 2, 0);
    wsr_model *model = NULL;
    for (size_t i = 0; i < D; i++) {
        v[i] = (float)wsr__rng_normal(&rng) - 0.2f;
        x[i] = 0.3f;
    }
    ck_assert_ok(wsr_model_new(&model, &shape, 2, logits, backward, v));
    wsr_attack_result *const r = toy_attack(spec, "stop=false", &eps, 1,
                                            &(toy_task){model, x, &label, 1});
    for (int i = 0; i < D; i++) {
        const float sum = smoothed(v, kernel, half, i);
        if (fabsf(sum) > 1e-4f) {
            ck_assert_float_eq_tol(wsr_attack_result_images(r, 0)[i],
                                   0.3f + (sum > 0 ? eps : -eps), 1e-6f);
        }
    }
    wsr_attack_result_free(r);
    wsr_model_free(model);
}

START_TEST(gradients_are_smoothed_with_the_kernel)
{
    const float uniform[3] = {1, 1, 1};
    const float linear[5] = {1, 2, 3, 2, 1};
    const float e = 0.32465247f;  // exp(-9 / 8)
    const float f = 0.011108997f; // exp(-9 / 2)
    const float gaussian[5] = {f, e, 1, e, f};
    expect_smoothed("tifgsm:steps=1,prob=0,kernel=uniform,length=3", uniform,
                    1);
    expect_smoothed("tifgsm:steps=1,prob=0,kernel=linear,length=5", linear, 2);
    expect_smoothed("tifgsm:steps=1,prob=0,length=5", gaussian, 2);
}
END_TEST

START_TEST(a_kernel_of_one_pixel_changes_nothing)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "tifgsm:steps=6,length=1,prob=0,decay=1",
                    "mifgsm:steps=6", 0.04f);
    toy_end(w);
}
END_TEST

START_TEST(kernels_have_a_middle)
{
    wsr_attack *attack = NULL;
    ck_assert_fails(wsr_attack_new(&attack, "tifgsm:length=4", NULL),
                    WSR_CONFIG, "4 is not odd");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {gradients_are_smoothed_with_the_kernel,
                                  a_kernel_of_one_pixel_changes_nothing,
                                  kernels_have_a_middle, NULL};
    return suite_of("tifgsm", tests);
}
