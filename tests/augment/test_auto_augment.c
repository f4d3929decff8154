// SPDX-License-Identifier: Apache-2.0

#include "augment/timm_support.h"

enum { PAIRS = 25 };

// "Posterize" stands for what the policy posterizes by.
typedef struct pair {
    const char *first;
    double p1, m1;
    const char *second;
    double p2, m2;
} pair;

static const pair v0[PAIRS] = {{"Equalize", 0.8, 1, "ShearY", 0.8, 4},
                               {"Color", 0.4, 9, "Equalize", 0.6, 3},
                               {"Color", 0.4, 1, "Rotate", 0.6, 8},
                               {"Solarize", 0.8, 3, "Equalize", 0.4, 7},
                               {"Solarize", 0.4, 2, "Solarize", 0.6, 2},
                               {"Color", 0.2, 0, "Equalize", 0.8, 8},
                               {"Equalize", 0.4, 8, "SolarizeAdd", 0.8, 3},
                               {"ShearX", 0.2, 9, "Rotate", 0.6, 8},
                               {"Color", 0.6, 1, "Equalize", 1.0, 2},
                               {"Invert", 0.4, 9, "Rotate", 0.6, 0},
                               {"Equalize", 1.0, 9, "ShearY", 0.6, 3},
                               {"Color", 0.4, 7, "Equalize", 0.6, 0},
                               {"Posterize", 0.4, 6, "AutoContrast", 0.4, 7},
                               {"Solarize", 0.6, 8, "Color", 0.6, 9},
                               {"Solarize", 0.2, 4, "Rotate", 0.8, 9},
                               {"Rotate", 1.0, 7, "TranslateYRel", 0.8, 9},
                               {"ShearX", 0.0, 0, "Solarize", 0.8, 4},
                               {"ShearY", 0.8, 0, "Color", 0.6, 4},
                               {"Color", 1.0, 0, "Rotate", 0.6, 2},
                               {"Equalize", 0.8, 4, "Equalize", 0.0, 8},
                               {"Equalize", 1.0, 4, "AutoContrast", 0.6, 2},
                               {"ShearY", 0.4, 7, "SolarizeAdd", 0.6, 7},
                               {"Posterize", 0.8, 2, "Solarize", 0.6, 10},
                               {"Solarize", 0.6, 8, "Equalize", 0.6, 1},
                               {"Color", 0.8, 6, "Rotate", 0.4, 5}};

static const pair original[PAIRS] = {
    {"Posterize", 0.4, 8, "Rotate", 0.6, 9},
    {"Solarize", 0.6, 5, "AutoContrast", 0.6, 5},
    {"Equalize", 0.8, 8, "Equalize", 0.6, 3},
    {"Posterize", 0.6, 7, "Posterize", 0.6, 6},
    {"Equalize", 0.4, 7, "Solarize", 0.2, 4},
    {"Equalize", 0.4, 4, "Rotate", 0.8, 8},
    {"Solarize", 0.6, 3, "Equalize", 0.6, 7},
    {"Posterize", 0.8, 5, "Equalize", 1.0, 2},
    {"Rotate", 0.2, 3, "Solarize", 0.6, 8},
    {"Equalize", 0.6, 8, "Posterize", 0.4, 6},
    {"Rotate", 0.8, 8, "Color", 0.4, 0},
    {"Rotate", 0.4, 9, "Equalize", 0.6, 2},
    {"Equalize", 0.0, 7, "Equalize", 0.8, 8},
    {"Invert", 0.6, 4, "Equalize", 1.0, 8},
    {"Color", 0.6, 4, "Contrast", 1.0, 8},
    {"Rotate", 0.8, 8, "Color", 1.0, 2},
    {"Color", 0.8, 8, "Solarize", 0.8, 7},
    {"Sharpness", 0.4, 7, "Invert", 0.6, 8},
    {"ShearX", 0.6, 5, "Equalize", 1.0, 9},
    {"Color", 0.4, 0, "Equalize", 0.6, 3},
    {"Equalize", 0.4, 7, "Solarize", 0.2, 4},
    {"Solarize", 0.6, 5, "AutoContrast", 0.6, 5},
    {"Invert", 0.6, 4, "Equalize", 1.0, 8},
    {"Color", 0.6, 4, "Contrast", 1.0, 8},
    {"Equalize", 0.8, 8, "Equalize", 0.6, 3}};

// Enough pixels for Equalize to change something.
static const wsr__image shape = {3, 24, 22};

// Images after one operation of a pair, and what follows.
typedef struct walk {
    double weight; // probability of this image among all
    const timm_op *second;
    double p2, m2;
    outcomes *set;
    double *expected; // share of each outcome
} walk;

static void finish(const wsr__bitmap *image, void *user)
{
    const walk *const w = user;
    const uint64_t h = bitmap_hash(image);
    size_t i = 0;
    outcomes_add(w->set, image);
    while (w->set->hash[i] != h) {
        i++;
    }
    w->expected[i] += w->weight;
}

// Without the second operation, and with each of its four images.
static void go_on(const wsr__bitmap *image, void *user)
{
    walk w = *(const walk *)user;
    const double all = w.weight;
    w.weight = all * (1 - w.p2);
    if (w.weight > 0) {
        finish(image, &w);
    }
    w.weight = all * w.p2 / 4;
    if (w.weight > 0) {
        timm_each(image, w.second, w.m2, finish, &w);
    }
}

static const timm_op *find(const char *name, const char *posterize)
{
    return timm_find(strcmp(name, "Posterize") == 0 ? posterize : name);
}

static void all_images(outcomes *set, double *expected, const pair *policy,
                       const char *posterize)
{
    for (size_t i = 0; i < PAIRS; i++) {
        const pair *const q = &policy[i];
        wsr__bitmap image = {0};
        walk w = {(1 - q->p1) / PAIRS,
                  find(q->second, posterize),
                  q->p2,
                  q->m2,
                  set,
                  expected};
        bitmap_make(&image, shape, NARROW);
        if (w.weight > 0) {
            go_on(&image, &w);
        }
        w.weight = q->p1 / PAIRS / 4;
        if (w.weight > 0) {
            timm_each(&image, find(q->first, posterize), q->m1, go_on, &w);
        }
        wsr__bitmap_free(&image);
    }
}

// Pearson's statistic over the outcomes that are expected at least five times.
static double chi_squared(const outcomes *set, const double *expected, double n,
                          double *degrees)
{
    double sum = 0;
    *degrees = 0;
    for (size_t i = 0; i < set->n; i++) {
        const double want = n * expected[i];
        const double d = (double)set->seen[i] - want;
        if (want >= 5) {
            sum += d * d / want;
            *degrees += 1;
        }
    }
    return sum;
}

static void check_policy(const char *spec, const pair *policy,
                         const char *posterize)
{
    enum { DRAWS = 8000 };
    static outcomes set;
    static double expected[MOST_HASHES];
    double degrees;
    memset(&set, 0, sizeof(set));
    memset(expected, 0, sizeof(expected));
    all_images(&set, expected, policy, posterize);
    for (uint32_t sample = 0; sample < DRAWS; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NARROW);
        ck_assert_ok(bitmap_augment(&image, spec, sample));
        ck_assert_msg(outcomes_count(&set, &image),
                      "%s: sample %u is of no pair", spec, sample);
        wsr__bitmap_free(&image);
    }
    const double chi = chi_squared(&set, expected, DRAWS, &degrees);
    printf("%s: %zu outcomes, chi squared %.1f of %.0f\n", spec, set.n, chi,
           degrees);
    ck_assert_double_gt(degrees, 50);
    ck_assert_double_lt(fabs(chi - degrees), 3 * sqrt(2 * degrees));
}

START_TEST(images_are_those_of_the_pairs_and_as_frequent)
{
    check_policy("auto_augment:policy=v0", v0, "Posterize");
    check_policy("auto_augment:policy=v0r", v0, "PosterizeIncreasing");
    check_policy("auto_augment", original, "PosterizeOriginal");
    check_policy("auto_augment:policy=originalr", original,
                 "PosterizeIncreasing");
}
END_TEST

START_TEST(an_unknown_policy_is_named)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, shape, NARROW);
    ck_assert_fails(bitmap_augment(&image, "auto_augment:policy=v1", 0),
                    WSR_CONFIG, "auto_augment.policy");
    ck_assert_fails(bitmap_augment(&image, "auto_augment:fill=[1,2]", 0),
                    WSR_CONFIG, "augment.auto_augment.fill: 2 values");
    wsr__bitmap_free(&image);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_are_those_of_the_pairs_and_as_frequent,
        an_unknown_policy_is_named,
        NULL,
    };
    return suite_of("auto augment", tests);
}
