// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(each_channel_has_its_own_mean_and_deviation)
{
    const float x[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f,
                       0.6f, 0.5f, 0.4f, 0.3f, 0.2f, 0.1f};
    const float mean[] = {0.49139968f, 0.48215827f, 0.44653124f};
    const float std[] = {0.24703233f, 0.24348505f, 0.26158768f};
    float y[12];
    op_forward(y, "normalize",
               "mean=[0.49139968,0.48215827,0.44653124],"
               "std=[0.24703233,0.24348505,0.26158768]",
               &(op_value){{4, {2, 3, 1, 2}}, x}, 1);
    for (size_t i = 0; i < 12; i++) {
        const size_t c = i / 2 % 3;
        ck_assert(y[i] == (x[i] - mean[c]) / std[c]);
    }
}
END_TEST

START_TEST(every_pixel_is_divided_not_multiplied)
{
    float x[64];
    float y[64];
    for (size_t i = 0; i < 64; i++) {
        x[i] = (float)(4 * i) / 255.0f;
    }
    op_forward(y, "normalize", "mean=0.4914,std=0.2470",
               &(op_value){{4, {1, 1, 4, 16}}, x}, 1);
    for (size_t i = 0; i < 64; i++) {
        ck_assert(y[i] == (x[i] - 0.4914f) / 0.2470f);
    }
}
END_TEST

START_TEST(one_value_serves_all_channels_and_none_changes_nothing)
{
    const float x[] = {0.25f, 0.5f, 0.75f, 1.0f};
    const float both[] = {-1, 0, 1, 2};
    const float scaled[] = {0.5f, 1, 1.5f, 2};
    const op_value src = {{4, {1, 2, 1, 2}}, x};
    float y[4];
    op_forward(y, "normalize", "mean=0.5,std=[0.25]", &src, 1);
    ck_assert_mem_eq(y, both, sizeof(y));
    op_forward(y, "normalize", "std=0.5", &src, 1);
    ck_assert_mem_eq(y, scaled, sizeof(y));
    op_forward(y, "normalize", NULL, &src, 1);
    ck_assert_mem_eq(y, x, sizeof(y));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {
        "mean=0.5,std=0.25", "mean=[0.1,0.2,0.3],std=[0.5,2,1]", "std=0.5"};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {.op = "normalize",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 3, 5, 4}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    const wsr_shape image = {4, {1, 3, 4, 4}};
    const wsr_shape row = {2, {1, 3}};
    op_refuses(WSR_CONFIG, "mean: 2 values do not fit 3 channels", "normalize",
               "mean=[0.1,0.2]", &image, 1);
    op_refuses(WSR_CONFIG, "std: 4 values do not fit 3 channels", "normalize",
               "std=[1,2,3,4]", &image, 1);
    op_refuses(WSR_CONFIG, "std: 0 is outside", "normalize", "std=0", &image,
               1);
    op_refuses(WSR_CONFIG, "std: -1 is outside", "normalize", "std=[1,-1,1]",
               &image, 1);
    op_refuses(WSR_CONFIG, "std", "normalize", "std=nan", &image, 1);
    op_refuses(WSR_CONFIG, "mean", "normalize", "mean=inf", &image, 1);
    op_refuses(WSR_CONFIG, "123.675 is outside", "normalize", "mean=123.675",
               &image, 1);
    op_refuses(WSR_SHAPE, "(1, 3)", "normalize", NULL, &row, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_channel_has_its_own_mean_and_deviation,
        every_pixel_is_divided_not_multiplied,
        one_value_serves_all_channels_and_none_changes_nothing,
        gradients_are_right,
        what_does_not_fit_is_refused,
        NULL,
    };
    return suite_of("normalize", tests);
}
