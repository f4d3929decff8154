// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

// Where row `row` of what was learned from came from: the image that it is near
// to.
static size_t image_of(const step_bench *b, size_t row)
{
    for (size_t i = 0; i < STEP_N; i++) {
        float most = 0;
        for (size_t k = 0; k < STEP_PIXELS; k++) {
            most = fmaxf(most, fabsf(b->x_adv[row * STEP_PIXELS + k] -
                                     b->x[i * STEP_PIXELS + k]));
        }
        if (most <= 0.0501F) {
            return i;
        }
    }
    ck_abort_msg("row %zu is near to no image", row);
    return 0;
}

// The network at first classifies all images as one class or two: some leave at
// once, before the others.
START_TEST(images_leave_once_they_are_misclassified)
{
    step_bench b;
    size_t order[STEP_N];
    bool wrong[STEP_N];
    size_t left = 0;
    step_open(&b, "fat:eps=0.05,dynamic_tau=false,omega=0");
    static float none[STEP_FLOATS];
    b.step.start_noise = none;
    memcpy(wsr_plan_src(b.attack.batch, "x"), b.x, sizeof(b.x));
    ck_assert_ok(wsr_plan_forward(b.attack.batch));
    for (size_t i = 0; i < STEP_N; i++) {
        wrong[i] = wsr__argmax(wsr_plan_dst(b.attack.batch, "logits") +
                                   i * STEP_CLASSES,
                               STEP_CLASSES) != b.labels[i];
        left += wrong[i];
    }
    ck_assert(left > 0 && left < STEP_N);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_ptr_eq(b.step.labels, b.labels);
    for (size_t i = 0; i < STEP_N; i++) {
        order[i] = image_of(&b, i);
        const bool untouched = same_bits(b.x_adv + i * STEP_PIXELS,
                                         b.x + order[i] * STEP_PIXELS,
                                         STEP_PIXELS * sizeof(float));
        ck_assert(untouched == wrong[order[i]]);
        ck_assert(untouched == (i < left));
    }
    step_close(&b);
}
END_TEST

START_TEST(labels_go_with_their_images)
{
    step_bench b;
    int32_t labels[STEP_N];
    step_open(&b, "fat:eps=0.05");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    for (size_t i = 0; i < STEP_N; i++) {
        labels[i] = b.labels[image_of(&b, i)];
    }
    ck_assert_double_eq_tol(
        b.step.loss, step_cross_entropy(wsr_plan_dst(b.plan, "logits"), labels),
        1e-6);
    step_close(&b);
}
END_TEST

START_TEST(patience_grows_with_the_epochs)
{
    static const uint64_t epochs[] = {0, 50, 51, 90, 91};
    static const bool differs[] = {false, true, false, true};
    float last[STEP_FLOATS];
    for (size_t i = 0; i < 5; i++) {
        step_bench b;
        step_open(&b, "fat:eps=0.05");
        b.step.epoch = epochs[i];
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert(i == 0 ||
                  same_bits(last, b.x_adv, sizeof(last)) != differs[i - 1]);
        memcpy(last, b.x_adv, sizeof(last));
        step_close(&b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {images_leave_once_they_are_misclassified,
                                  labels_go_with_their_images,
                                  patience_grows_with_the_epochs, NULL};
    return suite_of("fat", tests);
}
