// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"
#include "support/oom.h"

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
    float dst[3 * 36];
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    float src[16];
    for (size_t i = 0; i < 16; i++) {
        src[i] = (float)i;
    }
    apply_pipeline(dst, pipeline, src, 16, &rng);
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
    ck_assert_ptr_eq(wsr__pipeline_input(pipeline, dst, NULL), dst);
    ck_assert_ok(wsr__pipeline_apply(dst, pipeline, NULL, &rng));
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

// The result depends on the image and the stream alone, and stays in [0, 1],
// for images of all sizes: between flips, so that each comes behind another.
START_TEST(every_augmentation_is_a_function_of_image_and_stream)
{
    static const wsr__image shapes[] = {
        {1, 1, 1}, {3, 1, 1}, {1, 16, 16}, {3, 16, 16}, {3, 7, 19}};
    for (size_t i = 0; wsr__augments.classes[i] != NULL; i++) {
        for (uint32_t k = 0; k < 5 * 40; k++) {
            wsr__pipeline *pipeline = NULL;
            char specs[96];
            float src[3 * 256];
            float dst[2][3 * 400];
            const size_t n = (size_t)wsr__image_floats(shapes[k % 5]);
            for (size_t j = 0; j < n; j++) {
                src[j] = (float)(j * 37 % 256) / 255.0f;
            }
            (void)snprintf(specs, sizeof(specs), "flip,%s,flip",
                           wsr__augments.classes[i]->name);
            ck_assert_ok(wsr__pipeline_new(&pipeline, specs, shapes[k % 5]));
            const size_t out =
                (size_t)wsr__image_floats(wsr__pipeline_image(pipeline));
            ck_assert_uint_le(out, 3 * 400);
            for (size_t j = 0; j < 2; j++) {
                wsr__rng rng = wsr__rng_at(2, WSR__RNG_AUGMENT, 1, k);
                apply_pipeline(dst[j], pipeline, src, n, &rng);
            }
            ck_assert_msg(same_bits(dst[0], dst[1], out * sizeof(float)), "%s",
                          specs);
            size_t outside = 0;
            for (size_t j = 0; j < out; j++) {
                outside += !(dst[0][j] >= 0 && dst[0][j] <= 1);
            }
            ck_assert_uint_eq(outside, 0);
            wsr__pipeline_free(pipeline);
        }
    }
}
END_TEST

// ------------------------------------------------------- bytes and pictures

// Whatever turns floats into bytes in between gives back the same floats.
START_TEST(bytes_in_between_change_no_float_that_was_a_byte)
{
    static const char *const lists[] = {"resize", "flip:p=0,resize,flip:p=0",
                                        "resize,pad:pixels=0,resize"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        wsr__pipeline *pipeline = NULL;
        const wsr__image all = {1, 16, 16};
        wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
        float src[256];
        float dst[256];
        for (size_t k = 0; k < 256; k++) {
            src[k] = (float)k / 255.0f;
        }
        ck_assert_ok(wsr__pipeline_new(&pipeline, lists[i], all));
        apply_pipeline(dst, pipeline, src, 256, &rng);
        ck_assert(same_bits(dst, src, sizeof(src)));
        wsr__pipeline_free(pipeline);
    }
}
END_TEST

// Flips bytes and floats alike, with the same draw.
START_TEST(what_works_on_both_gives_the_same_image)
{
    for (uint32_t sample = 0; sample < 20; sample++) {
        const wsr__image all = {1, 8, 8};
        float src[64];
        float dst[2][64];
        for (size_t k = 0; k < 64; k++) {
            src[k] = (float)(3 * k) / 255.0f;
        }
        for (size_t i = 0; i < 2; i++) {
            wsr__pipeline *pipeline = NULL;
            wsr__rng rng = wsr__rng_at(7, WSR__RNG_AUGMENT, 0, sample);
            ck_assert_ok(wsr__pipeline_new(
                &pipeline, i == 0 ? "flip" : "resize,flip", all));
            apply_pipeline(dst[i], pipeline, src, 64, &rng);
            wsr__pipeline_free(pipeline);
        }
        ck_assert(same_bits(dst[0], dst[1], sizeof(dst[0])));
    }
}
END_TEST

// A picture whose pixel at (y, x) is y * w + x modulo 251, in three channels.
typedef struct drawn {
    wsr__encoded super;
    wsr__window asked;
} drawn;

static wsr_status decode_drawn(wsr__bitmap *out, wsr__encoded *picture,
                               const wsr__window *window)
{
    wsr_status status = WSR_OK;
    drawn *const d = (drawn *)(void *)picture;
    const wsr__image shape = {3, window->h, window->w};
    d->asked = *window;
    WSR_TRY(wsr__bitmap_reserve(out, shape));
    for (int64_t i = 0; i < 3 * window->h * window->w; i++) {
        const int64_t y = i / window->w % window->h + window->top;
        const int64_t x = i % window->w + window->left;
        out->spare[i] = (unsigned char)((y * picture->shape.w + x) % 251);
    }
    wsr__bitmap_swap(out, shape);
out:
    return status;
}

// What a list makes of a picture of 30 x 40 in a data set that shows 14 x 14
// after a resize to 16. The part that was decoded is left in `asked`.
static void decode(float dst[3 * 14 * 14], wsr__window *asked,
                   const char *specs)
{
    const wsr__view view = {{3, 14, 14}, 16};
    drawn d = {.super = {.shape = {3, 30, 40}, .decode = decode_drawn}};
    wsr__pipeline *pipeline = NULL;
    wsr__workspace workspace;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_AUGMENT, 0, 5);
    ck_assert_ok(wsr__pipeline_new_view(&pipeline, specs, &view));
    ck_assert_int_eq(wsr__pipeline_image(pipeline).h, 14);
    ck_assert_int_eq(wsr__pipeline_image(pipeline).w, 14);
    ck_assert_ok(wsr__workspace_make(&workspace, pipeline));
    ck_assert_ok(
        wsr__pipeline_decode(dst, pipeline, &workspace, &d.super, &rng));
    *asked = d.asked;
    wsr__workspace_free(&workspace);
    wsr__pipeline_free(pipeline);
}

// An augmentation of floats needs one size, so the view comes before it; what
// follows a resize by hand needs none.
START_TEST(pictures_are_shown_where_a_size_is_needed)
{
    static const char *const lists[] = {"", "flip:p=0", "random_crop:pad=0",
                                        "resize,center_crop",
                                        "resize:size=16,flip:p=0"};
    float want[3 * 14 * 14];
    wsr__window asked;
    decode(want, &asked, "");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        float dst[3 * 14 * 14];
        decode(dst, &asked, lists[i]);
        ck_assert_int_eq(asked.h * asked.w, 30 * 40);
        ck_assert_msg(same_bits(dst, want, sizeof(want)), "%s", lists[i]);
    }
}
END_TEST

START_TEST(of_a_picture_no_more_is_decoded_than_the_first_crop_needs)
{
    float dst[3 * 14 * 14];
    wsr__window asked;
    decode(dst, &asked, "random_resized_crop:scale=[0.2,0.2]");
    ck_assert_int_lt(asked.h * asked.w, 300);
    decode(dst, &asked, "center_crop");
    ck_assert_int_eq(asked.top, 8);
    ck_assert_int_eq(asked.left, 13);
    for (int64_t i = 0; i < 14 * 14; i++) {
        const int64_t at = (i / 14 + 8) * 40 + i % 14 + 13;
        ck_assert(dst[i] == (float)(at % 251) / 255.0f);
    }
    // Behind another augmentation it is cut from the whole.
    float flipped[3 * 14 * 14];
    decode(flipped, &asked, "resize:size=30,center_crop");
    ck_assert(same_bits(dst, flipped, sizeof(dst)));
}
END_TEST

START_TEST(a_crop_that_does_not_fit_names_its_augmentation)
{
    const wsr__view view = {{3, 14, 14}, 16};
    drawn d = {.super = {.shape = {3, 30, 40}, .decode = decode_drawn}};
    wsr__pipeline *pipeline = NULL;
    wsr__workspace workspace;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_AUGMENT, 0, 5);
    static float dst[3 * 35 * 35];
    ck_assert_ok(
        wsr__pipeline_new_view(&pipeline, "center_crop:size=35", &view));
    ck_assert_ok(wsr__workspace_make(&workspace, pipeline));
    ck_assert_fails(
        wsr__pipeline_decode(dst, pipeline, &workspace, &d.super, &rng),
        WSR_CONFIG,
        "augment.center_crop: a crop of 35x35 is larger than the image of "
        "30x40");
    wsr__workspace_free(&workspace);
    wsr__pipeline_free(pipeline);
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
        every_augmentation_is_a_function_of_image_and_stream,
        bytes_in_between_change_no_float_that_was_a_byte,
        what_works_on_both_gives_the_same_image,
        pictures_are_shown_where_a_size_is_needed,
        of_a_picture_no_more_is_decoded_than_the_first_crop_needs,
        a_crop_that_does_not_fit_names_its_augmentation,
        NULL,
    };
    return suite_of("pipeline", tests);
}
