// SPDX-License-Identifier: Apache-2.0
//
// Operations on bytes against Pillow, by hashes of its results on pictures that
// both sides make by formula, and by properties that hold for any image.

#include "augment/bitmap_support.h"
#include "augment/image_ops.h"
#include "support/oom.h"

typedef struct row {
    const char *name;
    wsr__image_op op;
    double argument;
    wsr__sampling sampling;
    wsr__image shape;
    picture kind;
    uint64_t hash;
} row;

static const row rows[] = {
#define PILLOW(name, argument, sampling, c, h, w, kind, hash) \
    {#name,           wsr__image_##name,                      \
     (argument),      (wsr__sampling)(sampling),              \
     {(c), (h), (w)}, kind,                                   \
     hash##u},
#include "augment/pillow_results.def"
#undef PILLOW
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

START_TEST(operations_give_the_bytes_of_pillow)
{
    for (size_t i = 0; i < ROWS; i++) {
        const row *const r = &rows[i];
        const wsr__border border = {r->sampling, {124, 116, 104}};
        wsr__bitmap image = {0};
        bitmap_make(&image, r->shape, r->kind);
        ck_assert_ok(r->op(&image, r->argument, &border));
        ck_assert_msg(bitmap_hash(&image) == r->hash,
                      "row %zu: %s(%g), sampling %d, %lldx%lldx%lld, differs",
                      i, r->name, r->argument, (int)r->sampling,
                      (long long)r->shape.c, (long long)r->shape.h,
                      (long long)r->shape.w);
        wsr__bitmap_free(&image);
    }
}
END_TEST

// The same operation on three equal channels and on one.
START_TEST(grey_images_are_treated_as_grey_colours)
{
    static const wsr__image one = {1, 13, 17};
    static const wsr__image three = {3, 13, 17};
    for (size_t i = 0; i < ROWS; i++) {
        const row *const r = &rows[i];
        const wsr__border border = {r->sampling, {90, 90, 90}};
        const size_t n = (size_t)(one.h * one.w);
        wsr__bitmap grey = {0};
        wsr__bitmap colour = {0};
        bitmap_make(&grey, one, r->kind);
        bitmap_make(&colour, three, r->kind);
        for (size_t c = 0; c < 3; c++) {
            memcpy(colour.bytes + c * n, grey.bytes, n);
        }
        ck_assert_ok(r->op(&grey, r->argument, &border));
        ck_assert_ok(r->op(&colour, r->argument, &border));
        for (size_t c = 0; c < 3; c++) {
            ck_assert_msg(memcmp(colour.bytes + c * n, grey.bytes, n) == 0,
                          "%s(%g): channel %zu", r->name, r->argument, c);
        }
        wsr__bitmap_free(&grey);
        wsr__bitmap_free(&colour);
    }
}
END_TEST

START_TEST(the_fill_of_a_grey_image_is_its_luma)
{
    const wsr__border border = {WSR__SAMPLE_NEAREST, {255, 0, 0}};
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){1, 2, 3}, NOISE);
    ck_assert_ok(wsr__image_translate_x(&image, 1000, &border));
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(image.bytes[i], 76);
    }
    wsr__bitmap_free(&image);
}
END_TEST

static wsr_status run_all(void *ctx)
{
    wsr_status status = WSR_OK;
    const wsr__border border = {WSR__SAMPLE_BICUBIC, {0, 0, 0}};
    unsigned char *const bytes = wsr__alloc(48, 1);
    wsr__bitmap image = {.shape = {3, 4, 4}, .bytes = bytes, .room = 48};
    (void)ctx;
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__image_rotate(&image, 30, &border));
    WSR_TRY(wsr__image_blur(&image, 2, &border));
    WSR_TRY(wsr__image_sharpness(&image, 2, &border));
out:
    wsr__bitmap_free(&image);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_ge(oom_sweep(run_all, NULL), 2);
}
END_TEST

START_TEST(other_channels_are_refused_with_the_name)
{
    static const char *const specs[] = {"color_jitter",
                                        "grayscale",
                                        "gaussian_blur",
                                        "rand_augment",
                                        "rand_augment_torchvision",
                                        "auto_augment",
                                        "augmix"};
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){4, 3, 3}, NOISE);
        ck_assert_fails(bitmap_augment(&image, specs[i], 0), WSR_CONFIG,
                        "an image of 4 channels, only grey (1) and RGB (3)");
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), specs[i]));
        wsr__bitmap_free(&image);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        operations_give_the_bytes_of_pillow,
        grey_images_are_treated_as_grey_colours,
        the_fill_of_a_grey_image_is_its_luma,
        short_memory_leaves_nothing_behind,
        other_channels_are_refused_with_the_name,
        NULL,
    };
    return suite_of("image operations", tests);
}
