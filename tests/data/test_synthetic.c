// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static wsr_dataset *open_spec(const char *spec, const char *split)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(wsr_dataset_open(&dataset, spec, split, NULL));
    return dataset;
}

START_TEST(options_set_shape_count_and_classes)
{
    wsr_dataset *dataset = open_spec(
        "synthetic:classes=20,count=45,test_count=7,size=17,channels=2",
        "train");
    ck_assert_uint_eq(wsr_dataset_count(dataset), 45);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 20);
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[0], 2);
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[1], 17);
    for (size_t i = 0; i < 45; i++) {
        ck_assert_int_eq(wsr_dataset_labels(dataset)[i], (int32_t)(i % 20));
    }
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 4), "disc");
    wsr_dataset_free(dataset);
    dataset = open_spec("synthetic:test_count=7", "test");
    ck_assert_uint_eq(wsr_dataset_count(dataset), 7);
    wsr_dataset_free(dataset);
    dataset = open_spec("synthetic", NULL);
    ck_assert_uint_eq(wsr_dataset_count(dataset), 500);
    wsr_dataset_free(dataset);
}
END_TEST

static bool same(const wsr_dataset *a, const wsr_dataset *b, size_t n)
{
    const size_t floats = (size_t)wsr_shape_count(wsr_dataset_shape(a));
    return memcmp(a->bytes, b->bytes, n * floats) == 0;
}

START_TEST(images_depend_on_seed_split_and_number_alone)
{
    wsr_dataset *const a = open_spec("synthetic:count=30", "train");
    wsr_dataset *const longer = open_spec("synthetic:count=60", "train");
    wsr_dataset *const seeded = open_spec("synthetic:count=30,seed=1", "train");
    wsr_dataset *const test = open_spec("synthetic:test_count=30", "test");
    ck_assert(same(a, longer, 30));
    ck_assert(!same(a, seeded, 30));
    ck_assert(!same(a, test, 30));
    wsr_dataset_free(a);
    wsr_dataset_free(longer);
    wsr_dataset_free(seeded);
    wsr_dataset_free(test);
}
END_TEST

// A checksum over all pixels: every machine must draw the same.
START_TEST(images_are_the_same_on_every_machine)
{
    wsr_dataset *const a =
        open_spec("synthetic:count=40,classes=20,size=24", "train");
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < 40 * 3 * 24 * 24; i++) {
        sum = (sum ^ a->bytes[i]) * 16777619u;
    }
    ck_assert_msg(sum == 0xc34fc200u, "0x%08xu", sum);
    wsr_dataset_free(a);
}
END_TEST

enum { SIDE = 16, FEATURES = SIDE * SIDE };

// Amplitudes of the 2-d Fourier transform at low frequencies, of the centred
// grey image: enough to tell textures from figures.
static void features(float *out, const wsr_dataset *dataset, size_t index)
{
    float image[FEATURES];
    const float pi = 3.14159265f;
    float mean = 0.0f;
    float norm = 0.0f;
    ck_assert_ok(wsr_dataset_images(image, dataset, &index, 1));
    for (size_t i = 0; i < FEATURES; i++) {
        mean += image[i] / FEATURES;
    }
    for (size_t k = 0; k < 64; k++) {
        float re = 0.0f;
        float im = 0.0f;
        for (size_t i = 0; i < FEATURES; i++) {
            const size_t turns = k / 8 * (i / SIDE) + k % 8 * (i % SIDE);
            const float phase = 2.0f * pi * (float)turns / SIDE;
            re += (image[i] - mean) * cosf(phase);
            im += (image[i] - mean) * sinf(phase);
        }
        out[k] = sqrtf(re * re + im * im);
        norm += out[k] * out[k];
    }
    for (size_t k = 0; k < 64; k++) {
        out[k] /= sqrtf(norm) + 1e-6f;
    }
}

START_TEST(classes_can_be_learned_from_the_training_images)
{
    const char *const spec =
        "synthetic:size=16,channels=1,count=1000,test_count=200";
    wsr_dataset *const train = open_spec(spec, "train");
    wsr_dataset *const test = open_spec(spec, "test");
    static float known[1000][64];
    size_t right = 0;
    for (size_t i = 0; i < 1000; i++) {
        features(known[i], train, i);
    }
    for (size_t j = 0; j < 200; j++) {
        float want[64];
        size_t best = 0;
        float least = INFINITY;
        features(want, test, j);
        for (size_t i = 0; i < 1000; i++) {
            float distance = 0.0f;
            for (size_t k = 0; k < 64; k++) {
                const float d = known[i][k] - want[k];
                distance += d * d;
            }
            if (distance < least) {
                least = distance;
                best = i;
            }
        }
        right += wsr_dataset_labels(train)[best] == wsr_dataset_labels(test)[j];
    }
    // The nearest neighbour alone; chance is 20 of 200.
    ck_assert_msg(right >= 120, "%zu of 200", right);
    wsr_dataset_free(train);
    wsr_dataset_free(test);
}
END_TEST

START_TEST(options_out_of_bounds_are_refused)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(
        wsr_dataset_open(&dataset, "synthetic:classes=1", "train", NULL),
        WSR_CONFIG, "synthetic.classes: 1 is outside [2, 20]");
    ck_assert_fails(
        wsr_dataset_open(&dataset, "synthetic:sise=32", "train", NULL),
        WSR_CONFIG, "did you mean 'synthetic.size'");
    ck_assert_fails(
        wsr_dataset_open(&dataset, "synthetic:/a/path", "train", NULL),
        WSR_CONFIG, "synthetic./a/path");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(the_smallest_images_can_be_drawn)
{
    wsr_dataset *const dataset = open_spec(
        "synthetic:size=8,classes=20,channels=1,count=200,noise=1", "train");
    ck_assert_uint_eq(wsr_dataset_count(dataset), 200);
    wsr_dataset_free(dataset);
}
END_TEST

static wsr_status open_and_free(void *ctx)
{
    wsr_dataset *dataset = NULL;
    (void)ctx;
    const wsr_status status = wsr_dataset_open(
        &dataset, "synthetic:count=5,size=8", "train", "limit=3");
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_ge(oom_sweep(open_and_free, NULL), 4);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        options_set_shape_count_and_classes,
        images_depend_on_seed_split_and_number_alone,
        images_are_the_same_on_every_machine,
        classes_can_be_learned_from_the_training_images,
        options_out_of_bounds_are_refused,
        the_smallest_images_can_be_drawn,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("synthetic", tests);
}
