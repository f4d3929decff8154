// SPDX-License-Identifier: Apache-2.0

#include "augment/timm_support.h"

enum { PLAIN = 15 };

static const char *const plain[PLAIN] = {
    "AutoContrast", "Equalize",    "Invert", "Rotate",        "Posterize",
    "Solarize",     "SolarizeAdd", "Color",  "Contrast",      "Brightness",
    "Sharpness",    "ShearX",      "ShearY", "TranslateXRel", "TranslateYRel"};

static const char *const increasing[PLAIN] = {"AutoContrast",
                                              "Equalize",
                                              "Invert",
                                              "Rotate",
                                              "PosterizeIncreasing",
                                              "SolarizeIncreasing",
                                              "SolarizeAdd",
                                              "ColorIncreasing",
                                              "ContrastIncreasing",
                                              "BrightnessIncreasing",
                                              "SharpnessIncreasing",
                                              "ShearX",
                                              "ShearY",
                                              "TranslateXRel",
                                              "TranslateYRel"};

// Enough pixels for Equalize to change something.
static const wsr__image shape = {3, 24, 22};

static void add(const wsr__bitmap *image, void *user)
{
    outcomes_add(user, image);
}

// With one operation, each image is what one of them makes at this level, and
// each comes as often as the others.
static void check_ops(const char *const *names, const char *spec, double level)
{
    static outcomes sets[PLAIN];
    size_t counts[PLAIN] = {0};
    memset(sets, 0, sizeof(sets));
    for (size_t i = 0; i < PLAIN; i++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NARROW);
        timm_each(&image, timm_find(names[i]), level, add, &sets[i]);
        wsr__bitmap_free(&image);
    }
    for (uint32_t sample = 0; sample < 3000; sample++) {
        wsr__bitmap image = {0};
        size_t i = 0;
        bitmap_make(&image, shape, NARROW);
        ck_assert_ok(bitmap_augment(&image, spec, sample));
        while (i < PLAIN && !outcomes_count(&sets[i], &image)) {
            i++;
        }
        ck_assert_msg(i < PLAIN, "%s: sample %u is no operation's", spec,
                      sample);
        counts[i]++;
        wsr__bitmap_free(&image);
    }
    for (size_t i = 0; i < PLAIN; i++) {
        ck_assert_msg(counts[i] > 140 && counts[i] < 260, // 200 +- 14
                      "%s: %s came %zu times of 200", spec, names[i],
                      counts[i]);
        ck_assert_uint_eq(outcomes_seen(&sets[i]), sets[i].n);
    }
}

START_TEST(an_operation_is_any_of_the_fifteen_of_timm)
{
    check_ops(plain, "rand_augment:n=1,m=9,mstd=0,p=1", 9);
    check_ops(plain, "rand_augment:n=1,m=3.5,mstd=0,p=1", 3.5);
}
END_TEST

START_TEST(increasing_operations_take_their_places)
{
    check_ops(increasing, "rand_augment:n=1,m=9,mstd=0,p=1,increasing=true", 9);
}
END_TEST

// Two operations that each come with p = 1/2 leave a quarter of the images, and
// Solarize at a threshold above all values leaves some more.
START_TEST(n_operations_come_with_probability_p)
{
    size_t same = 0;
    for (uint32_t sample = 0; sample < 2000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NARROW);
        const uint64_t before = bitmap_hash(&image);
        ck_assert_ok(bitmap_augment(&image, "rand_augment", sample));
        same += bitmap_hash(&image) == before;
        ck_assert_ok(bitmap_augment(&image, "rand_augment:n=0", sample));
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(same, 490); // 569 +- 20
    ck_assert_uint_lt(same, 650);
}
END_TEST

START_TEST(weighted_draws_prefer_moves_and_never_repeat)
{
    static outcomes rotated;
    size_t moved = 0;
    wsr__bitmap image = {0};
    memset(&rotated, 0, sizeof(rotated));
    bitmap_make(&image, shape, NARROW);
    timm_each(&image, timm_find("Rotate"), 9, add, &rotated);
    wsr__bitmap_free(&image);
    for (uint32_t sample = 0; sample < 2000; sample++) {
        bitmap_make(&image, shape, NARROW);
        ck_assert_ok(bitmap_augment(
            &image, "rand_augment:n=1,mstd=0,p=1,weighted=true", sample));
        moved += outcomes_count(&rotated, &image);
        // All thirteen, each once: it would fail or hang if one were missing.
        ck_assert_ok(bitmap_augment(
            &image, "rand_augment:n=13,p=0,weighted=true", sample));
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(moved, 530); // 600 +- 20
    ck_assert_uint_lt(moved, 670);
    bitmap_make(&image, shape, NARROW);
    ck_assert_fails(
        bitmap_augment(&image, "rand_augment:n=14,weighted=true", 0),
        WSR_CONFIG, "weighted permits 13");
    wsr__bitmap_free(&image);
}
END_TEST

START_TEST(one_sample_is_changed_alike_every_time)
{
    for (uint32_t sample = 0; sample < 100; sample++) {
        wsr__bitmap a = {0};
        wsr__bitmap b = {0};
        bitmap_make(&a, shape, NOISE);
        bitmap_make(&b, shape, NOISE);
        ck_assert_ok(bitmap_augment(&a, "rand_augment:n=3", sample));
        ck_assert_ok(bitmap_augment(&b, "rand_augment:n=3", sample));
        ck_assert(bitmap_hash(&a) == bitmap_hash(&b));
        wsr__bitmap_free(&a);
        wsr__bitmap_free(&b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_operation_is_any_of_the_fifteen_of_timm,
        increasing_operations_take_their_places,
        n_operations_come_with_probability_p,
        weighted_draws_prefer_moves_and_never_repeat,
        one_sample_is_changed_alike_every_time,
        NULL,
    };
    return suite_of("rand augment", tests);
}
