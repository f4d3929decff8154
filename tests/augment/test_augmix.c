// SPDX-License-Identifier: Apache-2.0

#include "augment/bitmap_support.h"
#include "support/oom.h"

#include <math.h>

static const wsr__image shape = {3, 6, 7};

// With severity 0, all operations but PosterizeIncreasing, which keeps four
// bits, leave an image of one value, so a chain makes 240 or 255 of 255. Large
// alpha gives equal weights and m = 1/2.
START_TEST(an_image_is_mixed_with_the_mean_of_its_chains)
{
    enum { DRAWS = 4000 };
    size_t posterized[3] = {0}; // chains
    for (uint32_t sample = 0; sample < DRAWS; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NOISE);
        memset(image.bytes, 255, (size_t)wsr__image_floats(shape));
        ck_assert_ok(bitmap_augment(
            &image, "augmix:severity=0,alpha=1e6,width=2,depth=1,fill=255",
            sample));
        for (size_t i = 1; i < 126; i++) {
            ck_assert_uint_eq(image.bytes[i], image.bytes[0]);
        }
        // Means 255, 247.5 and 240, mixed with 255; both are truncated.
        const int lost = 255 - image.bytes[0];
        const size_t k = lost <= 1 ? 0 : lost == 4 || lost == 5 ? 1 : 2;
        ck_assert(k < 2 || lost == 7 || lost == 8);
        posterized[k]++;
        wsr__bitmap_free(&image);
    }
    ck_assert_double_eq_tol((double)posterized[0], DRAWS * 144.0 / 169, 90);
    ck_assert_double_eq_tol((double)posterized[1], DRAWS * 24.0 / 169, 90);
    ck_assert_double_eq_tol((double)posterized[2], DRAWS * 1.0 / 169, 20);
}
END_TEST

// One chain of one operation at full severity: between the image and it.
START_TEST(m_has_the_beta_distribution)
{
    double sum = 0;
    double squares = 0;
    size_t n = 0;
    for (uint32_t sample = 0; sample < 60000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
        image.bytes[0] = 15; // four bits of it are 0
        ck_assert_ok(bitmap_augment(
            &image, "augmix:severity=0,alpha=2,width=1,depth=1,fill=15",
            sample));
        if (image.bytes[0] < 15) { // posterized: 15 (1 - m), truncated
            const double m = 1 - ((double)image.bytes[0] + 0.5) / 15;
            sum += m;
            squares += m * m;
            n++;
        }
        wsr__bitmap_free(&image);
    }
    // Beta(2, 2): mean 1/2, variance 1/20. One in 13 images.
    const double mean = sum / (double)n;
    ck_assert_uint_gt(n, 4200);
    ck_assert_uint_lt(n, 5000);
    ck_assert_double_eq_tol(mean, 0.5, 0.02);
    ck_assert_double_eq_tol(squares / (double)n - mean * mean, 0.05, 0.005);
}
END_TEST

START_TEST(chains_have_one_to_three_operations)
{
    size_t same[2] = {0};
    static const char *const specs[] = {
        "augmix:severity=0,alpha=1e6,width=1,fill=100",
        "augmix:severity=0,alpha=1e6,width=1,fill=100,depth=3"};
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t sample = 0; sample < 6000; sample++) {
            wsr__bitmap image = {0};
            bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
            image.bytes[0] = 100;
            ck_assert_ok(bitmap_augment(&image, specs[k], sample));
            same[k] += image.bytes[0] > 98; // 98 where one posterizes
            wsr__bitmap_free(&image);
        }
    }
    const double q = 12.0 / 13;
    ck_assert_double_eq_tol((double)same[0] / 6000, (q + q * q + q * q * q) / 3,
                            0.02);
    ck_assert_double_eq_tol((double)same[1] / 6000, q * q * q, 0.02);
}
END_TEST

START_TEST(severity_changes_images_and_samples_differ)
{
    uint64_t last = 0;
    size_t equal = 0;
    for (uint32_t sample = 0; sample < 200; sample++) {
        wsr__bitmap a = {0};
        wsr__bitmap b = {0};
        bitmap_make(&a, shape, NOISE);
        bitmap_make(&b, shape, NOISE);
        ck_assert_ok(bitmap_augment(&a, "augmix", sample));
        ck_assert_ok(bitmap_augment(&b, "augmix", sample));
        ck_assert(bitmap_hash(&a) == bitmap_hash(&b));
        equal += bitmap_hash(&a) == last;
        last = bitmap_hash(&a);
        wsr__bitmap_free(&a);
        wsr__bitmap_free(&b);
    }
    ck_assert_uint_lt(equal, 3);
}
END_TEST

static wsr_status mix(void *ctx)
{
    unsigned char *const bytes = wsr__alloc(48, 1);
    wsr__bitmap image = {.shape = {3, 4, 4}, .bytes = bytes, .room = 48};
    (void)ctx;
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    const wsr_status status = bitmap_augment(&image, "augmix", 1);
    wsr__bitmap_free(&image);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_gt(oom_sweep(mix, NULL), 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_image_is_mixed_with_the_mean_of_its_chains,
        m_has_the_beta_distribution,
        chains_have_one_to_three_operations,
        severity_changes_images_and_samples_differ,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("augmix", tests);
}
