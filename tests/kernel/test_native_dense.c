// SPDX-License-Identifier: Apache-2.0

#include "kernel/dense_scene.h"

// Every tile and rest of channels: widths from 1 to 33, one and more pairs.
START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, {1, 1}, {1, 1}, {0, 0}, 1, false},
        {3, 3, 3, 5, 5, {3, 3}, {1, 1}, {1, 1}, 1, true},
        {1, 8, 17, 7, 31, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {2, 17, 40, 6, 33, {3, 5}, {1, 1}, {1, 2}, 1, true},
        {5, 19, 70, 8, 8, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {1, 9, 33, 14, 15, {5, 5}, {1, 1}, {0, 1}, 2, true},
        {2, 11, 12, 4, 3, {7, 1}, {1, 1}, {3, 0}, 1, false},
        {1, 12, 8, 6, 6, {3, 3}, {1, 1}, {-1, -1}, 1, false},
    };
    check_shapes(&wsr__sum_of_taps, shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

// The last ones meet no tap in some phases.
START_TEST(strides_agree_with_the_reference)
{
    static const shape shapes[] = {
        {2, 3, 10, 9, 9, {5, 5}, {4, 4}, {2, 2}, 1, false},
        {3, 7, 17, 8, 8, {3, 3}, {2, 2}, {1, 1}, 1, true},
        {1, 17, 35, 15, 13, {3, 3}, {2, 1}, {1, 0}, 1, false},
        {2, 8, 9, 16, 12, {3, 3}, {2, 2}, {2, 2}, 2, true},
        {1, 5, 33, 9, 16, {7, 7}, {2, 3}, {3, 3}, 1, false},
        {1, 9, 8, 7, 8, {1, 2}, {3, 3}, {0, 1}, 1, false},
        {2, 4, 6, 9, 9, {3, 3}, {2, 2}, {-1, -1}, 1, true},
    };
    check_shapes(&wsr__sum_of_taps, shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

// Rows that do not fit a thread's memory come in bands.
START_TEST(bands_of_rows_agree_with_the_reference)
{
    const shape z = {1, 70, 5, 40, 120, {3, 3}, {1, 1}, {1, 1}, 1, false};
    const wsr__dense p = {.conv = conv_of(&z)};
    wsr_set_threads(1);
    for (int forward = 0; forward < 2; forward++) {
        shape other = z;
        other.ci = forward ? z.ci : z.co;
        other.co = forward ? z.co : z.ci;
        scene s = scene_new(&wsr__sum_of_taps, &other);
        check_forward(&s.t, &(wsr__fwd){.moments = s.t.sums}, "forward, bands");
        check_backward(&s.t, NULL, "backward data, bands");
        check_sums(&s.t);
        scene_free(&s);
    }
    ck_assert_uint_lt(wsr__dense_thread_scratch(&p),
                      (size_t)(wsr__blocks(z.ci) * WSR__BLOCK * z.h * z.w));
}
END_TEST

static void check_counts(void)
{
    static const shape shapes[] = {
        {1, 17, 70, 13, 11, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {9, 3, 3, 12, 12, {5, 5}, {2, 2}, {2, 2}, 1, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_thread_counts(&wsr__sum_of_taps, &shapes[i], "dense");
    }
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    each_variant(check_counts);
}
END_TEST

START_TEST(a_factor_per_channel_is_folded_into_packed_weights)
{
    check_factor(&wsr__sum_of_taps);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        strides_agree_with_the_reference,
        bands_of_rows_agree_with_the_reference,
        the_number_of_threads_does_not_change_a_bit,
        a_factor_per_channel_is_folded_into_packed_weights,
        NULL,
    };
    return suite_of("native_dense", tests);
}
