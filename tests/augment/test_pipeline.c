// SPDX-License-Identifier: Apache-2.0

#include "augment/augment.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

static const wsr__image image = {1, 4, 4};

START_TEST(commas_separate_both_augmentations_and_options)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_ok(wsr__pipeline_new(
        &pipeline, "pad:pixels=1,value=0.25, replicate ,flip:p=1", image));
    const wsr__image out = wsr__pipeline_image(pipeline);
    ck_assert_int_eq(out.c, 3);
    ck_assert_int_eq(out.h, 6);
    float scratch[256];
    float dst[3 * 36];
    ck_assert_uint_le(wsr__pipeline_scratch(pipeline), 256);
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    float *const src = wsr__pipeline_input(pipeline, dst, scratch);
    for (size_t i = 0; i < 16; i++) {
        src[i] = (float)i;
    }
    wsr__pipeline_apply(dst, pipeline, scratch, &rng);
    for (size_t i = 0; i < 3 * 36; i++) {
        const size_t y = i / 6 % 6;
        const size_t x = 5 - i % 6;
        const bool inside = y >= 1 && y < 5 && x >= 1 && x < 5;
        const float plain = inside ? (float)((y - 1) * 4 + (x - 1)) : 0.25f;
        ck_assert(dst[i] == plain);
    }
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(the_empty_pipeline_passes_the_image)
{
    wsr__pipeline *pipeline = NULL;
    float dst[16] = {3.0f};
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    ck_assert_ok(wsr__pipeline_new(&pipeline, "", image));
    ck_assert_uint_eq(wsr__pipeline_scratch(pipeline), 0);
    ck_assert_ptr_eq(wsr__pipeline_input(pipeline, dst, NULL), dst);
    wsr__pipeline_apply(dst, pipeline, NULL, &rng);
    ck_assert(dst[0] == 3.0f);
    wsr__pipeline_free(pipeline);
    wsr__pipeline_free(NULL);
}
END_TEST

START_TEST(an_unknown_augmentation_is_named_with_a_suggestion)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_fails(wsr__pipeline_new(&pipeline, "flip,ranom_crop", image),
                    WSR_NOTFOUND,
                    "there is no 'ranom_crop', did you mean 'random_crop'");
    ck_assert_ptr_null(pipeline);
}
END_TEST

// It would change training images alone.
START_TEST(normalisation_is_refused_with_where_it_belongs)
{
    static const char *const lists[] = {"normalize",
                                        "flip, normalize:mean=0.5,std=0.25",
                                        "normalize:std=[0.1,0.2,0.3],flip"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        wsr__pipeline *pipeline = NULL;
        ck_assert_fails(wsr__pipeline_new(&pipeline, lists[i], image),
                        WSR_CONFIG, "net.mean, net.std");
        ck_assert_ptr_null(pipeline);
    }
}
END_TEST

START_TEST(an_unknown_option_is_named_with_a_suggestion)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_fails(wsr__pipeline_new(&pipeline, "random_crop:pda=4", image),
                    WSR_CONFIG, "did you mean 'random_crop.pad'");
}
END_TEST

START_TEST(malformed_lists_are_refused)
{
    static const char *const lists[] = {",",
                                        "flip,",
                                        ",flip",
                                        "flip,,flip",
                                        ":",
                                        "flip:p",
                                        "p=0.5",
                                        "flip:,",
                                        "[",
                                        "]",
                                        "random_crop:pad=[0",
                                        "flip:p=0.5,p",
                                        ":p=1",
                                        "flip: p=1"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        wsr__pipeline *pipeline = NULL;
        const wsr_status status = wsr__pipeline_new(&pipeline, lists[i], image);
        ck_assert_msg(status == WSR_CONFIG || status == WSR_NOTFOUND,
                      "'%s' is accepted", lists[i]);
        ck_assert_ptr_null(pipeline);
    }
}
END_TEST

START_TEST(too_many_augmentations_and_too_large_images_are_refused)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_fails(
        wsr__pipeline_new(&pipeline,
                          "flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,"
                          "flip,flip,flip,flip,flip,flip,flip",
                          image),
        WSR_CONFIG, "more than 16");
    ck_assert_fails(wsr__pipeline_new(&pipeline,
                                      "pad:pixels=4096,replicate:channels=64",
                                      image),
                    WSR_CONFIG, "too large");
}
END_TEST

static wsr_status make_and_free(void *ctx)
{
    wsr__pipeline *pipeline = NULL;
    (void)ctx;
    const wsr_status status = wsr__pipeline_new(
        &pipeline, "random_crop:pad=4,replicate:channels=2,flip", image);
    wsr__pipeline_free(pipeline);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_gt(oom_sweep(make_and_free, NULL), 4);
}
END_TEST

START_TEST(every_augmentation_accepts_its_defaults)
{
    for (size_t i = 0; wsr__augments.classes[i] != NULL; i++) {
        const wsr__class *const cls = wsr__augments.classes[i];
        wsr__pipeline *pipeline = NULL;
        ck_assert_ok(wsr__pipeline_new(&pipeline, cls->name, image));
        ck_assert_int_gt(wsr__image_floats(wsr__pipeline_image(pipeline)), 0);
        ck_assert_str_ne(cls->summary, "");
        wsr__pipeline_free(pipeline);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        commas_separate_both_augmentations_and_options,
        the_empty_pipeline_passes_the_image,
        an_unknown_augmentation_is_named_with_a_suggestion,
        normalisation_is_refused_with_where_it_belongs,
        an_unknown_option_is_named_with_a_suggestion,
        malformed_lists_are_refused,
        too_many_augmentations_and_too_large_images_are_refused,
        short_memory_leaves_nothing_behind,
        every_augmentation_accepts_its_defaults,
        NULL,
    };
    return suite_of("pipeline", tests);
}
