// SPDX-License-Identifier: Apache-2.0

#include "kernel/dense_scene.h"

// Tiles that hang over the edge, rests of channels, several and parts of
// images in a chunk, every padding.
START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {3, 3, 17, 4, 4, {3, 3}, {1, 1}, {1, 1}, 1, true},
        {2, 40, 70, 8, 8, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {7, 33, 32, 5, 3, {3, 3}, {1, 1}, {1, 1}, 1, true},
        {2, 8, 9, 33, 37, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {1, 16, 24, 9, 13, {3, 3}, {1, 1}, {0, 2}, 1, true},
        {1, 9, 12, 12, 11, {3, 3}, {1, 1}, {-1, 1}, 1, false},
        {1, 5, 6, 6, 300, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {2, 7, 20, 9, 10, {5, 5}, {1, 1}, {2, 2}, 1, false},
        {1, 18, 37, 12, 33, {5, 5}, {1, 1}, {0, 1}, 1, true},
        {3, 9, 5, 8, 7, {5, 5}, {1, 1}, {-1, 3}, 1, false},
    };
    check_shapes(&wsr__winograd, shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

static void check_counts(void)
{
    static const shape shapes[] = {
        {1, 17, 70, 13, 11, {3, 3}, {1, 1}, {1, 1}, 1, false},
        {21, 40, 40, 12, 9, {3, 3}, {1, 1}, {1, 1}, 1, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_thread_counts(&wsr__winograd, &shapes[i], "winograd");
    }
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    each_variant(check_counts);
}
END_TEST

// Squared errors against the reference, which sums in double.
static double error_of(scene *s, const float *want)
{
    double square = 0.0;
    for (int64_t i = 0; i < plain_size(&s->t.dst); i++) {
        const double off = (double)s->t.dst.blocked[blocked_at(&s->t.dst, i)] -
                           (double)want[i];
        square += off * off;
    }
    return square;
}

static void check_error(void)
{
    const shape z = {2, 128, 32, 16, 16, {3, 3}, {1, 1}, {1, 1}, 1, false};
    scene s = scene_new(&wsr__winograd, &z);
    const size_t stride = wsr__dense_thread_scratch(&s.p);
    float *const memory = floats((int64_t)stride * THREADS);
    const wsr__thread_scratch threads = {
        .data = memory, .stride = (int64_t)stride, .count = THREADS};
    float *const packed = floats((int64_t)wsr__dense_weights_size(&s.p));
    float *const want = floats(plain_size(&s.t.dst));
    wsr__dense_pack(packed, &s.p, s.weights, NULL);
    wsr__ref_conv_forward(want, s.t.src.plain, s.weights, NULL, &s.p.conv);
    wsr__winograd_forward(s.t.dst.blocked, &s.p, s.t.src.blocked, s.packed,
                          &s.threads, NULL);
    const double fast = error_of(&s, want);
    wsr__dense_forward(s.t.dst.blocked, &s.p, s.t.src.blocked, packed, &threads,
                       NULL);
    const double plain = error_of(&s, want);
    ck_assert_msg(fast < 2.0 * 2.0 * plain,
                  "%s: mean errors %g against %g of the sum over taps",
                  wsr__native_name(), sqrt(fast), sqrt(plain));
    wsr__free(memory);
    wsr__free(packed);
    wsr__free(want);
    scene_free(&s);
}

START_TEST(errors_are_at_most_twice_those_of_the_sum_over_taps)
{
    each_variant(check_error);
}
END_TEST

START_TEST(a_factor_per_channel_is_folded_into_packed_weights)
{
    check_factor(&wsr__winograd);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        the_number_of_threads_does_not_change_a_bit,
        errors_are_at_most_twice_those_of_the_sum_over_taps,
        a_factor_per_channel_is_folded_into_packed_weights,
        NULL,
    };
    return suite_of("native_winograd", tests);
}
