// SPDX-License-Identifier: Apache-2.0
//
// What holds for every corruption, at every severity and with both sets of
// constants; and what is refused.

#include "corrupt/images.h"
#include "support/oom.h"

#include "wsr/registry.h"

enum { MOST = 3 * 70 * 70, N = 3 };

static size_t members(void)
{
    size_t n = 0;
    while (wsr__corruptions.classes[n] != NULL) {
        n++;
    }
    return n;
}

static const char *name_of(size_t i)
{
    return wsr__corruptions.classes[i]->name;
}

// Noise that is neither constant nor smooth, as bytes / 255.
static void draw(float *x, size_t floats)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < floats; i++) {
        x[i] = (float)wsr__rng_below(&rng, 256) / 255.0f;
    }
}

static wsr_corruption *make(size_t i, const wsr_shape *shape, int severity,
                            const char *scale)
{
    wsr_corruption *corruption = NULL;
    char options[64];
    (void)snprintf(options, sizeof(options), "severity=%d,scale=%s,seed=1",
                   severity, scale);
    ck_assert_ok(wsr_corruption_new(&corruption, name_of(i), shape, options));
    ck_assert_str_eq(wsr_corruption_name(corruption), name_of(i));
    return corruption;
}

static void expect_bytes(const float *x, size_t floats, const char *name)
{
    for (size_t i = 0; i < floats; i++) {
        const float byte = rintf(255.0f * x[i]);
        ck_assert_msg(byte >= 0 && byte <= 255 && x[i] == byte / 255.0f,
                      "%s: %g is no byte", name, (double)x[i]);
    }
}

START_TEST(every_shape_gives_bytes)
{
    static const int64_t shapes[][3] = {{1, 1, 1},   {3, 1, 1},   {3, 2, 5},
                                        {1, 28, 28}, {3, 33, 17}, {3, 64, 70}};
    static const char *const scales[] = {"cifar", "imagenet"};
    static float x[MOST];
    for (size_t k = 0; k < members() * 60; k++) {
        const int64_t *const d = shapes[k % 6];
        const wsr_shape shape = {3, {d[0], d[1], d[2]}};
        const size_t floats = (size_t)(d[0] * d[1] * d[2]);
        wsr_corruption *const corruption =
            make(k / 60, &shape, (int)(k / 6 % 5) + 1, scales[k / 30 % 2]);
        draw(x, floats);
        wsr_corruption_apply(x, corruption, x, NULL, 1);
        expect_bytes(x, floats, name_of(k / 60));
        wsr_corruption_free(corruption);
    }
}
END_TEST

// Alone or in a batch, with one thread or three, in place or not.
START_TEST(an_image_depends_on_its_number_alone)
{
    static float x[N * FLOATS];
    static float all[N * FLOATS];
    static float one[FLOATS];
    const wsr_shape shape = {3, {3, SIDE, SIDE}};
    const size_t numbers[N] = {7, 3, 11};
    const size_t threads = wsr_threads();
    draw(x, N * FLOATS);
    for (size_t i = 0; i < members(); i++) {
        wsr_set_threads(3);
        wsr_corruption *const many = make(i, &shape, 3, "auto");
        wsr_corruption_apply(all, many, x, numbers, N);
        wsr_set_threads(1);
        wsr_corruption *const single = make(i, &shape, 3, "auto");
        memcpy(one, x + FLOATS, sizeof(one));
        wsr_corruption_apply(one, single, one, numbers + 1, 1);
        ck_assert_mem_eq(one, all + FLOATS, sizeof(one));
        wsr_corruption_free(many);
        wsr_corruption_free(single);
    }
    wsr_set_threads(threads);
}
END_TEST

START_TEST(every_severity_changes_the_image_in_its_own_way)
{
    for (size_t i = 0; i < members(); i++) {
        float before[FLOATS];
        float last[FLOATS];
        pattern(before);
        pattern(last);
        for (int severity = 1; severity <= 5; severity++) {
            float x[FLOATS];
            pattern(x);
            corrupt_one(x, name_of(i), severity, 2);
            ck_assert_msg(!same_bits(x, before, sizeof(x)), "%s %d", name_of(i),
                          severity);
            ck_assert_msg(!same_bits(x, last, sizeof(x)), "%s %d", name_of(i),
                          severity);
            memcpy(last, x, sizeof(x));
        }
    }
}
END_TEST

// Two corruptions that draw the same kind of numbers draw other ones.
START_TEST(streams_differ_by_image_seed_severity_and_corruption)
{
    static const char *const noises[] = {"gaussian_noise", "impulse_noise",
                                         "shot_noise", "fog", "snow"};
    for (size_t i = 0; i < 5; i++) {
        float a[FLOATS];
        float b[FLOATS];
        pattern(a);
        pattern(b);
        corrupt_one(a, noises[i], 3, 0);
        corrupt_one(b, noises[i], 3, 1);
        ck_assert_msg(!same_bits(a, b, sizeof(a)), "%s", noises[i]);
    }
}
END_TEST

START_TEST(numbers_that_are_none_become_bytes)
{
    const wsr_shape shape = {4, {1, 3, SIDE, SIDE}};
    for (size_t i = 0; i < members(); i++) {
        float x[FLOATS];
        wsr_corruption *const corruption = make(i, &shape, 5, "cifar");
        for (size_t k = 0; k < FLOATS; k++) {
            x[k] = k % 3 == 0 ? NAN : k % 3 == 1 ? INFINITY : -INFINITY;
        }
        wsr_corruption_apply(x, corruption, x, NULL, 1);
        expect_bytes(x, FLOATS, name_of(i));
        wsr_corruption_free(corruption);
    }
}
END_TEST

// From 64 pixels on images are large ones.
START_TEST(the_scale_follows_the_shorter_side)
{
    static float x[MOST];
    static float small[MOST];
    static float large[MOST];
    for (int side = 63; side <= 64; side++) {
        const wsr_shape shape = {3, {3, side, 70}};
        const size_t floats = 3 * (size_t)side * 70;
        wsr_corruption *const automatic = make(0, &shape, 3, "auto");
        wsr_corruption *const cifar = make(0, &shape, 3, "cifar");
        wsr_corruption *const imagenet = make(0, &shape, 3, "imagenet");
        draw(x, floats);
        wsr_corruption_apply(small, cifar, x, NULL, 1);
        wsr_corruption_apply(large, imagenet, x, NULL, 1);
        wsr_corruption_apply(x, automatic, x, NULL, 1);
        ck_assert_mem_ne(small, large, floats * sizeof(*x));
        ck_assert_mem_eq(x, side == 63 ? small : large, floats * sizeof(*x));
        wsr_corruption_free(automatic);
        wsr_corruption_free(cifar);
        wsr_corruption_free(imagenet);
    }
}
END_TEST

START_TEST(what_does_not_exist_is_refused_in_one_line)
{
    const wsr_shape shape = {3, {3, 8, 8}};
    const wsr_shape four = {3, {4, 8, 8}};
    const wsr_shape huge = {3, {3, 8, 5000}};
    wsr_corruption *c = NULL;
    ck_assert_fails(wsr_corruption_new(&c, "fogg", &shape, NULL), WSR_NOTFOUND,
                    "did you mean 'fog'");
    ck_assert_fails(wsr_corruption_new(&c, "fog", &shape, "severity=6"),
                    WSR_CONFIG, "corruption.severity: 6 is outside [1, 5]");
    ck_assert_fails(wsr_corruption_new(&c, "fog", &shape, "scale=huge"),
                    WSR_CONFIG, "huge");
    ck_assert_fails(wsr_corruption_new(&c, "fog", &four, NULL), WSR_SHAPE,
                    "1 or 3 channels");
    ck_assert_fails(wsr_corruption_new(&c, "fog", &huge, NULL), WSR_SHAPE,
                    "4096");
    ck_assert_ptr_null(c);
    wsr_corruption_free(NULL);
}
END_TEST

static wsr_status make_one(void *ctx)
{
    const wsr_shape shape = {3, {3, 8, 8}};
    wsr_corruption *corruption = NULL;
    (void)ctx;
    const wsr_status status =
        wsr_corruption_new(&corruption, "spatter", &shape, NULL);
    ck_assert((corruption == NULL) == (status != WSR_OK));
    wsr_corruption_free(corruption);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_ge(oom_sweep(make_one, NULL), 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_shape_gives_bytes,
        an_image_depends_on_its_number_alone,
        every_severity_changes_the_image_in_its_own_way,
        streams_differ_by_image_seed_severity_and_corruption,
        numbers_that_are_none_become_bytes,
        the_scale_follows_the_shorter_side,
        what_does_not_exist_is_refused_in_one_line,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("corrupt", tests);
}
