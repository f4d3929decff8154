// SPDX-License-Identifier: Apache-2.0
//
// What the attacks inside trainers share, for each trainer.

#include "train/each_trainer.h"
#include "train/train_step.h"

// Whether image i is learned from as it is.
static bool is_clean(const step_bench *b, size_t i)
{
    bool found = false;
    for (size_t row = 0; row < STEP_N; row++) {
        found = found ||
                same_bits(b->x_adv + row * STEP_PIXELS, b->x + i * STEP_PIXELS,
                          STEP_PIXELS * sizeof(float));
    }
    return found;
}

// The second batch of a trainer whose first perturbation is 0.
static size_t clean_images(const char *trainer, double share)
{
    step_bench b;
    size_t clean = 0;
    step_open(&b, trainer);
    b.step.clean_share = share;
    const size_t updates =
        b.trainer->updates != NULL ? b.trainer->updates(b.options) : 1;
    for (size_t k = 0; k < 2 || k < updates; k++) {
        b.step.update = (updates - 1 - k) % updates;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
    }
    for (size_t i = 0; i < STEP_N; i++) {
        const bool is = is_clean(&b, i);
        ck_assert(is || (double)i >= share * STEP_N);
        clean += is;
    }
    step_close(&b);
    return clean;
}

START_TEST(a_share_of_each_batch_is_not_attacked)
{
    char name[TRAINER_SPEC];
    step_bench b;
    each_trainer_spec(name, _i, step_network);
    step_open(&b, name);
    const bool attacks = b.trainer->attack != NULL || b.trainer->state != NULL;
    step_close(&b);
    if (!attacks) {
        return;
    }
    const size_t none = clean_images(name, 0);
    ck_assert_uint_lt(none, STEP_N);
    ck_assert_uint_ge(clean_images(name, 0.5), 2);
    ck_assert_uint_eq(clean_images(name, 1), STEP_N);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_of("inner", (const TTest *const[]){NULL});
    TCase *const loop = tcase_create("each trainer");
    tcase_add_loop_test(loop, a_share_of_each_batch_is_not_attacked, 0,
                        each_trainer_count());
    suite_add_tcase(s, loop);
    return s;
}
