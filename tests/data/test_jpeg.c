// SPDX-License-Identifier: Apache-2.0

#include "data/image_support.h"
#include "support/oom.h"
#include "support/pictures.h"

#include <stdlib.h>
#include <string.h>

static const char *write_file(const char *name, const bytes *content)
{
    const char *const path = path_in(scratch_folder("jpeg"), name);
    put_file(path, content);
    return path;
}

static const char *write_kind(const jpeg_kind *kind)
{
    bytes content = make_jpeg(kind, 5);
    const char *const path = write_file("image.jpg", &content);
    bytes_free(&content);
    return path;
}

static const jpeg_kind kinds[] = {
    {.h = 97, .w = 131, .channels = 3, .across = 1, .down = 1},
    {.h = 97, .w = 131, .channels = 3, .across = 2, .down = 1},
    {.h = 97, .w = 131, .channels = 3, .across = 2, .down = 2},
    {.h = 98, .w = 130, .channels = 3, .across = 1, .down = 2},
    {.h = 97, .w = 131, .channels = 3, .across = 4, .down = 1},
    {.h = 95, .w = 129, .channels = 3, .across = 4, .down = 2},
    {.h = 97, .w = 131, .channels = 3, .across = 2, .down = 2, .restart = 3},
    {.h = 97,
     .w = 131,
     .channels = 3,
     .across = 2,
     .down = 2,
     .progressive = true},
    {.h = 64, .w = 80, .channels = 3, .across = 2, .down = 2},
    {.h = 97, .w = 131, .channels = 1},
    {.h = 97, .w = 131, .channels = 1, .progressive = true},
    {.h = 61, .w = 75, .channels = 4},
    {.h = 1, .w = 1, .channels = 3, .across = 2, .down = 2},
    {.h = 3, .w = 200, .channels = 3, .across = 2, .down = 2},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), WINDOWS = 120 };

static void check_window(const wsr__bitmap *whole, const wsr__bitmap *part,
                         const wsr__window *w)
{
    const wsr__image all = whole->shape;
    for (int64_t r = 0; r < 3 * w->h; r++) {
        const unsigned char *const want =
            whole->bytes + (r / w->h * all.h + w->top + r % w->h) * all.w +
            w->left;
        ck_assert_msg(memcmp(part->bytes + r * w->w, want, (size_t)w->w) == 0,
                      "row %d of window %d,%d %dx%d", (int)(r % w->h),
                      (int)w->top, (int)w->left, (int)w->h, (int)w->w);
    }
}

// Whatever part is decoded, its pixels are those of the whole image.
START_TEST(windows_have_the_pixels_of_the_whole_image)
{
    need_pictures();
    for (size_t k = 0; k < KINDS; k++) {
        const char *const path = write_kind(&kinds[k]);
        wsr__image_file file = {0};
        wsr__bitmap whole = {0};
        wsr__bitmap part = {0};
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, k, 0);
        ck_assert_ok(decode(&whole, &file, path, NULL));
        ck_assert_int_eq(whole.shape.c, 3);
        ck_assert_int_eq(whole.shape.h, kinds[k].h);
        ck_assert_int_eq(whole.shape.w, kinds[k].w);
        for (int i = 0; i < WINDOWS; i++) {
            wsr__window w;
            w.h = 1 + wsr__rng_below(&rng, (uint32_t)whole.shape.h);
            w.w = 1 + wsr__rng_below(&rng, (uint32_t)whole.shape.w);
            w.top = wsr__rng_below(&rng, (uint32_t)(whole.shape.h - w.h + 1));
            w.left = wsr__rng_below(&rng, (uint32_t)(whole.shape.w - w.w + 1));
            ck_assert_ok(decode(&part, &file, path, &w));
            check_window(&whole, &part, &w);
        }
        wsr__bitmap_free(&whole);
        wsr__bitmap_free(&part);
        wsr__image_close(&file);
    }
}
END_TEST

// Adobe's programs store ink inverted; Pillow's conversion to RGB.
START_TEST(cmyk_becomes_rgb_as_in_pillow)
{
    const jpeg_kind kind = {.h = 16, .w = 16, .channels = 4};
    const char *const path = (need_pictures(), write_kind(&kind));
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    int worst = 0;
    ck_assert_ok(decode(&image, &file, path, NULL));
    for (int i = 0; i < 3 * 256; i++) {
        const int c = i / 256, y = i / 16 % 16, x = i % 16;
        const int light = drawn_pixel(5, y, x, 3);
        const int ink = 255 - drawn_pixel(5, y, x, c);
        const int want = light - (ink * light + 127) / 255;
        worst = abs(want - image.bytes[i]) > worst ? abs(want - image.bytes[i])
                                                   : worst;
    }
    ck_assert_int_le(worst, 40); // what the compression loses
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
}
END_TEST

START_TEST(a_grey_channel_is_repeated)
{
    const jpeg_kind kind = {.h = 20, .w = 30, .channels = 1};
    const char *const path = (need_pictures(), write_kind(&kind));
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    ck_assert_ok(decode(&image, &file, path, NULL));
    ck_assert_mem_eq(image.bytes, image.bytes + 600, 600);
    ck_assert_mem_eq(image.bytes, image.bytes + 1200, 600);
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
}
END_TEST

// Cut anywhere, also where the window that is wanted is complete.
START_TEST(a_file_that_was_cut_off_is_refused_by_its_name)
{
    need_pictures();
    for (size_t k = 0; k < KINDS; k++) {
        const wsr__window first = {0, 0, 1, 1};
        bytes content = make_jpeg(&kinds[k], 5);
        const size_t size = content.size;
        wsr__image_file file = {0};
        wsr__bitmap image = {0};
        for (size_t n = 3; n < size; n += n + 12 < size ? 1 + size / 30 : 1) {
            content.size = n;
            const char *const path = write_file("cut.jpg", &content);
            ck_assert_fails(decode(&image, &file, path, &first), WSR_FORMAT,
                            "cut.jpg: JPEG image is ");
        }
        wsr__bitmap_free(&image);
        wsr__image_close(&file);
        bytes_free(&content);
    }
}
END_TEST

// One byte changed at a time: refused by name, or decoded; nothing else.
START_TEST(damage_anywhere_is_an_image_or_one_line)
{
    size_t refused = 0;
    size_t n = 0;
    need_pictures();
    for (size_t k = 0; k < KINDS; k++) {
        bytes content = make_jpeg(&kinds[k], 5);
        wsr__image_file file = {0};
        wsr__bitmap image = {0};
        for (size_t i = 0; i < content.size; i += 1 + content.size / 100) {
            const unsigned char before = content.data[i];
            content.data[i] ^= (unsigned char)(1u << i % 8);
            const char *const path = write_file("bad.jpg", &content);
            const wsr_status status = decode(&image, &file, path, NULL);
            ck_assert(status == WSR_OK || status == WSR_FORMAT ||
                      status == WSR_UNSUPPORTED);
            if (status != WSR_OK) {
                ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "bad.jpg: "));
                refused++;
            }
            content.data[i] = before;
            n++;
        }
        const char *const good = write_file("good.jpg", &content);
        ck_assert_ok(decode(&image, &file, good, NULL));
        wsr__bitmap_free(&image);
        wsr__image_close(&file);
        bytes_free(&content);
    }
    printf("%zu of %zu damaged files are refused\n", refused, n);
    ck_assert_uint_gt(refused, n / 20);
}
END_TEST

// Bytes of no meaning between markers are no damage: ImageNet has such files.
START_TEST(bytes_between_markers_and_behind_the_end_do_no_harm)
{
    static const unsigned char odd[] = {1, 2, 3, 0, 0, 9};
    const jpeg_kind kind = {.h = 40, .w = 50, .channels = 3};
    bytes content = (need_pictures(), make_jpeg(&kind, 5));
    bytes padded = {NULL, 0};
    wsr__image_file file = {0};
    wsr__bitmap a = {0};
    wsr__bitmap b = {0};
    bytes_add(&padded, content.data, content.size - 2);
    bytes_add(&padded, odd, sizeof(odd));
    bytes_add(&padded, content.data + content.size - 2, 2);
    bytes_add(&padded, odd, sizeof(odd));
    ck_assert_ok(decode(&a, &file, write_file("plain.jpg", &content), NULL));
    ck_assert_ok(decode(&b, &file, write_file("odd.jpg", &padded), NULL));
    ck_assert_mem_eq(a.bytes, b.bytes, 3 * 40 * 50);
    wsr__bitmap_free(&a);
    wsr__bitmap_free(&b);
    wsr__image_close(&file);
    bytes_free(&content);
    bytes_free(&padded);
}
END_TEST

// A header that claims more pixels than an image may have is refused before
// memory is asked for.
START_TEST(a_claim_of_too_many_pixels_is_refused)
{
    const jpeg_kind kind = {.h = 40, .w = 50, .channels = 3};
    bytes content = (need_pictures(), make_jpeg(&kind, 5));
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    size_t at = 0;
    while (content.data[at] != 0xff || content.data[at + 1] != 0xc0) {
        at++;
    }
    memcpy(content.data + at + 5, "\xfd\xe8\xfd\xe8", 4); // height, width
    oom_begin(0);
    ck_assert_fails(
        decode(&image, &file, write_file("huge.jpg", &content), NULL),
        WSR_FORMAT, "65000x65000 pixels is empty or too large");
    wsr__image_close(&file);
    ck_assert_uint_eq(oom_live(), 0);
    oom_end();
    bytes_free(&content);
}
END_TEST

START_TEST(short_memory_leaves_nothing_behind)
{
    const jpeg_kind kind = {.h = 40, .w = 50, .channels = 3};
    char path[256];
    (void)snprintf(path, sizeof(path), "%s",
                   (need_pictures(), write_kind(&kind)));
    ck_assert_uint_ge(oom_sweep(decode_once, path), 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        windows_have_the_pixels_of_the_whole_image,
        cmyk_becomes_rgb_as_in_pillow,
        a_grey_channel_is_repeated,
        a_file_that_was_cut_off_is_refused_by_its_name,
        damage_anywhere_is_an_image_or_one_line,
        bytes_between_markers_and_behind_the_end_do_no_harm,
        a_claim_of_too_many_pixels_is_refused,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("jpeg", tests);
}
