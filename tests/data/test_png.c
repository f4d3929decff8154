// SPDX-License-Identifier: Apache-2.0

#include "data/image_support.h"
#include "support/oom.h"
#include "support/pictures.h"

#include <string.h>

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };

static const char *write_file(const char *name, const bytes *content)
{
    const char *const path = path_in(scratch_folder("png"), name);
    put_file(path, content);
    return path;
}

// What convert("RGB") of Pillow gives for the pixels that make_png() draws.
static unsigned char pixel(const png_kind *kind, int y, int x, int c)
{
    const bool grey = kind->type == GREY || kind->type == GREY_ALPHA;
    const int v = drawn_pixel(7, y, x, grey || kind->type == PALETTE ? 0 : c);
    const int depth = kind->depth < 8 ? kind->depth : 8;
    const int sample = v >> (8 - depth);
    if (kind->type == PALETTE) {
        const int colors[] = {sample * 7, sample * 11, 255 - sample};
        return (unsigned char)colors[c];
    }
    return (unsigned char)(sample * 255 / ((1 << depth) - 1));
}

static void check_kind(const png_kind *kind)
{
    const wsr__window window = {3, 5, 9, 12};
    bytes content = make_png(kind, 7);
    const char *const path = write_file("image.png", &content);
    wsr__image_file file = {0};
    for (int i = 0; i < 2; i++) {
        wsr__bitmap image = {0};
        const wsr__window *const w = i == 0 ? NULL : &window;
        ck_assert_ok(decode(&image, &file, path, w));
        const wsr__image s = image.shape;
        ck_assert_int_eq(s.h, i == 0 ? kind->h : 9);
        for (int64_t k = 0; k < 3 * s.h * s.w; k++) {
            const int y = (int)(k / s.w % s.h) + (i == 0 ? 0 : 3);
            const int x = (int)(k % s.w) + (i == 0 ? 0 : 5);
            const int c = (int)(k / (s.h * s.w));
            ck_assert_msg(image.bytes[k] == pixel(kind, y, x, c),
                          "type %d, depth %d: pixel %d,%d channel %d is %d",
                          kind->type, kind->depth, y, x, c, image.bytes[k]);
        }
        wsr__bitmap_free(&image);
    }
    wsr__image_close(&file);
    bytes_free(&content);
}

START_TEST(all_kinds_become_rgb_as_in_pillow)
{
    static const int rows[][2] = {
        {GREY, 1},      {GREY, 2},      {GREY, 4},       {GREY, 8},
        {RGB, 8},       {RGB, 16},      {PALETTE, 1},    {PALETTE, 2},
        {PALETTE, 4},   {PALETTE, 8},   {GREY_ALPHA, 8}, {GREY_ALPHA, 16},
        {RGB_ALPHA, 8}, {RGB_ALPHA, 16}};
    need_pictures();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int variant = 0; variant < 4; variant++) {
            const int type = rows[i][0];
            const png_kind kind = {.h = 23,
                                   .w = 37,
                                   .type = type,
                                   .depth = rows[i][1],
                                   .interlaced = variant % 2 == 1,
                                   .transparent = variant > 1 &&
                                                  type < GREY_ALPHA};
            check_kind(&kind);
        }
    }
}
END_TEST

// Pillow would clip its pixels to 255, a white image.
START_TEST(sixteen_bits_of_grey_are_refused_by_name)
{
    const png_kind kind = {.h = 4, .w = 4, .type = GREY, .depth = 16};
    bytes content = (need_pictures(), make_png(&kind, 7));
    wsr__image_file file = {0};
    ck_assert_fails(wsr__image_open(&file, write_file("deep.png", &content)),
                    WSR_UNSUPPORTED, "deep.png: is a 16-bit grey PNG image");
    wsr__image_close(&file);
    bytes_free(&content);
}
END_TEST

START_TEST(a_file_that_was_cut_off_is_refused_by_its_name)
{
    need_pictures();
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        const png_kind kind = {.h = 30,
                               .w = 40,
                               .type = RGB,
                               .depth = 8,
                               .interlaced = interlaced == 1};
        const wsr__window first = {0, 0, 1, 1};
        bytes content = make_png(&kind, 7);
        const size_t size = content.size;
        wsr__image_file file = {0};
        wsr__bitmap image = {0};
        for (size_t n = 8; n < size - 8; n += n < 60 ? 1 : 19) {
            content.size = n;
            ck_assert_fails(
                decode(&image, &file, write_file("cut.png", &content), &first),
                WSR_FORMAT, "cut.png: PNG image is ");
        }
        wsr__bitmap_free(&image);
        wsr__image_close(&file);
        bytes_free(&content);
    }
}
END_TEST

START_TEST(damage_anywhere_is_an_image_or_one_line)
{
    const png_kind kind = {.h = 30, .w = 40, .type = RGB, .depth = 8};
    bytes content = (need_pictures(), make_png(&kind, 7));
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    size_t refused = 0;
    for (size_t i = 0; i<content.size; i += i> 60 ? 8 : 1) {
        const unsigned char before = content.data[i];
        content.data[i] ^= (unsigned char)(1u << i % 8);
        const wsr_status status =
            decode(&image, &file, write_file("bad.png", &content), NULL);
        ck_assert(status == WSR_OK || status == WSR_FORMAT ||
                  status == WSR_UNSUPPORTED);
        if (status != WSR_OK) {
            ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "bad.png: "));
            refused++;
        }
        content.data[i] = before;
    }
    ck_assert_uint_gt(refused, 100);
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
    bytes_free(&content);
}
END_TEST

START_TEST(a_claim_of_too_many_pixels_is_refused)
{
    const png_kind kind = {.h = 4, .w = 4, .type = RGB, .depth = 8};
    bytes content = (need_pictures(), make_png(&kind, 7));
    wsr__image_file file = {0};
    memset(content.data + 16, 0x7f, 8);
    ck_assert_fails(wsr__image_open(&file, write_file("huge.png", &content)),
                    WSR_FORMAT, "pixels is empty or too large");
    wsr__image_close(&file);
    bytes_free(&content);
}
END_TEST

START_TEST(short_memory_leaves_nothing_behind)
{
    const png_kind kind = {
        .h = 30, .w = 40, .type = PALETTE, .depth = 4, .interlaced = true};
    bytes content = (need_pictures(), make_png(&kind, 7));
    char path[256];
    (void)snprintf(path, sizeof(path), "%s",
                   write_file("memory.png", &content));
    bytes_free(&content);
    ck_assert_uint_ge(oom_sweep(decode_once, path), 5);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_kinds_become_rgb_as_in_pillow,
        sixteen_bits_of_grey_are_refused_by_name,
        a_file_that_was_cut_off_is_refused_by_its_name,
        damage_anywhere_is_an_image_or_one_line,
        a_claim_of_too_many_pixels_is_refused,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("png", tests);
}
