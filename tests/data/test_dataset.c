// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

enum { N = 5, C = 2, H = 3, W = 4, FLOATS = C * H * W };

static const wsr_shape shape = {4, {N, C, H, W}};
static const int32_t labels[N] = {0, 2, 1, 2, 0};

static wsr_status make(wsr_dataset **out)
{
    unsigned char images[N * FLOATS];
    for (size_t i = 0; i < sizeof(images); i++) {
        images[i] = (unsigned char)(i * 2 + 1);
    }
    return wsr_dataset_new(out, images, labels, &shape, 3);
}

START_TEST(all_bytes_become_the_floats_of_a_single_precision_division)
{
    unsigned char images[256];
    const int32_t label = 0;
    const wsr_shape one = {4, {1, 1, 16, 16}};
    wsr_dataset *dataset = NULL;
    float image[256];
    for (size_t i = 0; i < 256; i++) {
        images[i] = (unsigned char)i;
    }
    ck_assert_ok(wsr_dataset_new(&dataset, images, &label, &one, 1));
    ck_assert_ok(wsr_dataset_images(image, dataset, NULL, 1));
    for (size_t i = 0; i < 256; i++) {
        volatile const float byte = (float)i;
        volatile const float want = byte / 255.0f;
        ck_assert(image[i] == want);
    }
    ck_assert(image[255] == 1.0f);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(images_come_in_the_order_of_their_indices)
{
    wsr_dataset *dataset = NULL;
    const size_t indices[] = {4, 0, 4};
    float images[3 * FLOATS];
    ck_assert_ok(make(&dataset));
    ck_assert_uint_eq(wsr_dataset_count(dataset), N);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 3);
    ck_assert_ptr_null(wsr_dataset_class_name(dataset, 0));
    ck_assert_mem_eq(wsr_dataset_labels(dataset), labels, sizeof(labels));
    ck_assert_ok(wsr_dataset_images(images, dataset, indices, 3));
    for (size_t i = 0; i < 3 * FLOATS; i++) {
        const size_t at = indices[i / FLOATS] * FLOATS + i % FLOATS;
        ck_assert(images[i] == (float)((at * 2 + 1) & 255) / 255.0f);
    }
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(an_index_beyond_the_data_set_is_refused)
{
    wsr_dataset *dataset = NULL;
    const size_t indices[] = {0, N};
    float images[6 * FLOATS];
    ck_assert_ok(make(&dataset));
    ck_assert_fails(wsr_dataset_images(images, dataset, indices, 2), WSR_ARG,
                    "5 is outside [0, 4] (index 1)");
    ck_assert_fails(wsr_dataset_images(images, dataset, NULL, 6), WSR_ARG,
                    "5 is outside [0, 4] (index 5)");
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(a_subset_numbers_its_samples_from_zero)
{
    wsr_dataset *dataset = NULL;
    wsr_dataset *subset = NULL;
    wsr_dataset *inner = NULL;
    float want[2 * FLOATS];
    float images[2 * FLOATS];
    const size_t indices[] = {2, 3};
    ck_assert_ok(make(&dataset));
    ck_assert_ok(wsr_dataset_subset(&subset, dataset, 1, 4));
    ck_assert_ok(wsr_dataset_subset(&inner, subset, 1, 2));
    ck_assert_uint_eq(wsr_dataset_count(inner), 2);
    ck_assert_int_eq(wsr_dataset_labels(inner)[0], labels[2]);
    ck_assert_int_eq(wsr_dataset_labels(inner)[1], labels[3]);
    ck_assert_ok(wsr_dataset_images(want, dataset, indices, 2));
    ck_assert_ok(wsr_dataset_images(images, inner, NULL, 2));
    ck_assert_mem_eq(images, want, sizeof(want));
    wsr_dataset_free(inner);
    wsr_dataset_free(subset);
    wsr_dataset_free(dataset);
    wsr_dataset_free(NULL);
}
END_TEST

START_TEST(a_subset_must_lie_inside)
{
    wsr_dataset *dataset = NULL;
    wsr_dataset *subset = NULL;
    static const size_t bad[][2] = {{0, 0}, {0, 6},        {5, 1},
                                    {4, 2}, {1, SIZE_MAX}, {SIZE_MAX, 1}};
    ck_assert_ok(make(&dataset));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(
            wsr_dataset_subset(&subset, dataset, bad[i][0], bad[i][1]), WSR_ARG,
            "do not lie inside the 5");
        ck_assert_ptr_null(subset);
    }
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(shapes_and_labels_are_checked)
{
    static const unsigned char images[8];
    const int32_t negative[] = {0, -1};
    const int32_t large[] = {3, 0};
    wsr_shape s = {4, {2, 1, 2, 2}};
    wsr_dataset *dataset = NULL;
    ck_assert_fails(wsr_dataset_new(&dataset, images, negative, &s, 3), WSR_ARG,
                    "label -1 is outside [0, 2] (sample 1)");
    ck_assert_fails(wsr_dataset_new(&dataset, images, large, &s, 3), WSR_ARG,
                    "label 3 is outside [0, 2] (sample 0)");
    ck_assert_fails(wsr_dataset_new(&dataset, images, large, &s, 0), WSR_ARG,
                    "0 classes");
    ck_assert_fails(wsr_dataset_new(&dataset, NULL, large, &s, 1), WSR_ARG,
                    "NULL");
    s.dims[3] = 0;
    ck_assert_fails(wsr_dataset_new(&dataset, images, large, &s, 9), WSR_SHAPE,
                    "0 is outside [1, 4096] (dimension 3)");
    s.ndims = 3;
    ck_assert_fails(wsr_dataset_new(&dataset, images, large, &s, 9), WSR_SHAPE,
                    "3 dimensions");
    s = (wsr_shape){4, {2, 64, 4096, 4096}};
    ck_assert_fails(wsr_dataset_new(&dataset, images, large, &s, 9), WSR_SHAPE,
                    "too many");
    ck_assert_ptr_null(dataset);
}
END_TEST

// Decode on demand: pixel values are the index, or a failure.
static wsr_status read_index(float *dst, const wsr_dataset *dataset,
                             size_t index)
{
    const size_t *const bad = dataset->user;
    if (index == *bad) {
        return WSR_FAIL(WSR_IO, "sample %zu: is broken", index);
    }
    for (size_t i = 0; i < FLOATS; i++) {
        dst[i] = (float)index;
    }
    return WSR_OK;
}

START_TEST(a_source_may_decode_on_demand_and_fail)
{
    size_t bad = 4;
    wsr_dataset *dataset = NULL;
    wsr_dataset *subset = NULL;
    float images[3 * FLOATS];
    ck_assert_ok(make(&dataset));
    dataset->read = read_index;
    dataset->user = &bad;
    ck_assert_ok(wsr_dataset_subset(&subset, dataset, 2, 3));
    ck_assert_ok(wsr_dataset_images(images, subset, NULL, 2));
    ck_assert(images[0] == 2.0f);
    ck_assert(images[FLOATS] == 3.0f);
    ck_assert_fails(wsr_dataset_images(images, subset, NULL, 3), WSR_IO,
                    "sample 4: is broken");
    wsr_dataset_free(subset);
    wsr_dataset_free(dataset);
}
END_TEST

static wsr_status make_and_free(void *ctx)
{
    wsr_dataset *dataset = NULL;
    wsr_dataset *subset = NULL;
    wsr_status status = make(&dataset);
    (void)ctx;
    if (status == WSR_OK) {
        status = wsr_dataset_subset(&subset, dataset, 0, 1);
    }
    wsr_dataset_free(subset);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_eq(oom_sweep(make_and_free, NULL), 4);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_bytes_become_the_floats_of_a_single_precision_division,
        images_come_in_the_order_of_their_indices,
        an_index_beyond_the_data_set_is_refused,
        a_subset_numbers_its_samples_from_zero,
        a_subset_must_lie_inside,
        shapes_and_labels_are_checked,
        a_source_may_decode_on_demand_and_fail,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("dataset", tests);
}
