// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

static const int64_t lengths[] = {1, 7, 8, 100, 4096, 9001};

// Values of all signs, zero and what is no number.
static float *special_floats(int64_t n, uint32_t seed)
{
    float *const x = random_floats(n, seed);
    for (int64_t i = 0; i < n; i += 5) {
        x[i] = 0.0f;
    }
    return x;
}

// The inputs of relu6 spread beyond 6; what it wrote tells where it is flat.
static void check_relu6(const float *a, const float *b, int64_t n)
{
    float *const got = floats(n);
    float *const want = floats(n);
    float *const y = floats(n);
    for (int64_t i = 0; i < n; i++) {
        y[i] = 7 * a[i];
        want[i] = y[i] > 6.0f ? 6.0f : y[i] > 0.0f ? y[i] : 0.0f;
    }
    wsr__relu6_forward(got, y, n);
    check_close(got, want, n, "relu6");
    for (int64_t i = 0; i < n; i++) {
        y[i] = want[i];
        want[i] = y[i] > 0.0f && y[i] < 6.0f ? b[i] : 0.0f;
    }
    wsr__relu6_backward(got, y, b, n, false);
    check_close(got, want, n, "relu6 backward");
    wsr__relu6_backward(got, y, b, n, true);
    for (int64_t i = 0; i < n; i++) {
        want[i] *= 2;
    }
    check_close(got, want, n, "relu6 backward, add");
    wsr__free(y);
    wsr__free(want);
    wsr__free(got);
}

static void check_inner_product(const float *a, const float *b, int64_t n)
{
    double got = NAN;
    double want = 0;
    double size = 1;
    for (int64_t i = 0; i < n; i++) {
        want += (double)a[i] * (double)b[i];
        size += fabs((double)a[i] * (double)b[i]);
    }
    wsr__inner_product(&got, a, b, n);
    ck_assert_double_eq_tol(got, want, 1e-6 * size);
}

static void check_lane_sums(const float *a, int64_t n)
{
    double got[8] = {1, 2, 3, 4, 5, 6, 7, 8}; // added to
    double want[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    double size = 1;
    for (int64_t i = 0; i < n; i++) {
        want[i % 8] += (double)a[i];
        size += fabs((double)a[i]);
    }
    wsr__lane_sums(got, a, n);
    for (int64_t k = 0; k < 8; k++) {
        ck_assert_double_eq_tol(got[k], want[k], 1e-6 * size);
    }
}

static void check_sums(const float *a, const float *b, int64_t n)
{
    check_inner_product(a, b, n);
    check_lane_sums(b, n);
}

static void check_flat(int64_t n)
{
    float *const a = special_floats(n, 1);
    float *const b = random_floats(n, 2);
    float *const c = random_floats(n, 3);
    float *const got = floats(n);
    float *const want = floats(n);
    wsr__relu_forward(got, a, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] = a[i] > 0.0f ? a[i] : 0.0f;
    }
    check_close(got, want, n, "relu");
    wsr__relu_backward(got, a, b, n, true);
    for (int64_t i = 0; i < n; i++) {
        want[i] += a[i] > 0.0f ? b[i] : 0.0f;
    }
    check_close(got, want, n, "relu backward, add");
    wsr__relu_backward(got, a, b, n, false);
    for (int64_t i = 0; i < n; i++) {
        want[i] = a[i] > 0.0f ? b[i] : 0.0f;
    }
    check_close(got, want, n, "relu backward");
    check_relu6(c, b, n);
    const float *const src[3] = {a, b, c};
    const float weights[3] = {0.5f, -2.0f, 3.0f};
    wsr__sum(got, src, weights, 3, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] = 0.5f * a[i] - 2.0f * b[i] + 3.0f * c[i];
    }
    check_close(got, want, n, "weighted sum");
    wsr__sum(got, src, NULL, 2, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] = a[i] + b[i];
    }
    check_close(got, want, n, "sum");
    wsr__axpy(got, -1.5f, c, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] -= 1.5f * c[i];
    }
    check_close(got, want, n, "axpy");
    wsr__scale(got, 0.25f, got, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] *= 0.25f;
    }
    check_close(got, want, n, "scale in place");
    check_sums(a, b, n);
    wsr__free(a);
    wsr__free(b);
    wsr__free(c);
    wsr__free(got);
    wsr__free(want);
}

static void check_lengths(void)
{
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        check_flat(lengths[i]);
    }
}

START_TEST(flat_kernels_agree_with_their_formulas)
{
    each_variant(check_lengths);
}
END_TEST

static void check_nan(void)
{
    float x[9] = {NAN, 1, 2, 3, 4, 5, 6, 7, NAN};
    wsr__relu_forward(x, x, 9);
    ck_assert(isnan(x[0]) && isnan(x[8]) && x[7] == 7.0f);
    wsr__relu6_forward(x, x, 9);
    ck_assert(isnan(x[0]) && isnan(x[8]) && x[7] == 6.0f && x[6] == 6.0f);
}

START_TEST(relu_lets_a_nan_through)
{
    each_variant(check_nan);
}
END_TEST

static void check_layout(int64_t n, int64_t c, bool view)
{
    const int64_t pixels = 15;
    pair t = pair_new(n, c, pixels, view, 1);
    const int64_t count = n * c * pixels;
    const int64_t step = view ? t.batch_stride : 0;
    const wsr__dims in = {
        .n = n, .c = c, .h = 3, .w = 5, .dst_batch_stride = step};
    const wsr__dims out = {
        .n = n, .c = c, .h = 3, .w = 5, .src_batch_stride = step};
    float *const other = random_floats(count, 2);
    float *const want = floats(count);
    wsr__to_blocked(t.blocked, &in, other, true);
    for (int64_t i = 0; i < count; i++) {
        want[i] = t.plain[i] + other[i];
    }
    check_blocked(&t, want, "to blocked, add");
    wsr__to_blocked(t.blocked, &in, other, false);
    check_blocked(&t, other, "to blocked");
    memcpy(want, t.plain, (size_t)count * sizeof(*want));
    wsr__to_plain(want, &out, t.blocked, true);
    for (int64_t i = 0; i < count; i++) {
        ck_assert(want[i] == t.plain[i] + other[i]);
    }
    wsr__to_plain(want, &out, t.blocked, false);
    ck_assert_mem_eq(want, other, (size_t)count * sizeof(*want));
    wsr__free(other);
    wsr__free(want);
    pair_free(&t);
}

static void check_layouts(void)
{
    static const int64_t channels[] = {1, 3, 7, 8, 17};
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        check_layout(1, channels[i], false);
        check_layout(3, channels[i], true);
    }
}

START_TEST(layouts_are_converted_there_and_back)
{
    each_variant(check_layouts);
}
END_TEST

static void check_images(void)
{
    pair src = pair_new(3, 11, 6, true, 1);
    pair dst = pair_new(3, 11, 6, true, 2);
    const float factor[3] = {0.0f, 2.0f, -1.0f};
    const wsr__dims d = {.n = 3,
                         .c = 11,
                         .h = 2,
                         .w = 3,
                         .src_batch_stride = src.batch_stride,
                         .dst_batch_stride = dst.batch_stride};
    float *const want = floats(3 * 11 * 6);
    wsr__scale_images(dst.blocked, &d, src.blocked, factor, true);
    for (int64_t i = 0; i < 3 * 11 * 6; i++) {
        want[i] = dst.plain[i] + factor[i / 66] * src.plain[i];
    }
    check_blocked(&dst, want, "scaled images, add");
    wsr__scale_images(dst.blocked, &d, src.blocked, NULL, false);
    check_blocked(&dst, src.plain, "copy between views");
    wsr__free(want);
    pair_free(&src);
    pair_free(&dst);
}

START_TEST(images_are_scaled_one_by_one)
{
    each_variant(check_images);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        flat_kernels_agree_with_their_formulas,
        relu_lets_a_nan_through,
        layouts_are_converted_there_and_back,
        images_are_scaled_one_by_one,
        NULL,
    };
    return suite_of("native_eltwise", tests);
}
