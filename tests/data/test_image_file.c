// SPDX-License-Identifier: Apache-2.0

#include "data/image_file.h"
#include "support/pictures.h"
#include "support/support.h"

#include <string.h>

static wsr_status open_bytes(const char *name, const void *data, size_t size)
{
    wsr__image_file file = {0};
    bytes content = {NULL, 0};
    const char *const path = path_in(scratch_folder("image_file"), name);
    bytes_add(&content, data, size);
    put_file(path, &content);
    const wsr_status status = wsr__image_open(&file, path);
    wsr__image_close(&file);
    bytes_free(&content);
    return status;
}

START_TEST(files_of_other_formats_are_named)
{
    ck_assert_fails(open_bytes("empty.jpg", "", 0), WSR_UNSUPPORTED,
                    "empty.jpg: is empty, not a JPEG or PNG image");
    ck_assert_fails(open_bytes("text.jpg", "hello", 5), WSR_UNSUPPORTED,
                    "text.jpg: is of an unknown format");
    ck_assert_fails(open_bytes("page.jpg", "<!DOCTYPE html><html>", 21),
                    WSR_UNSUPPORTED, "page.jpg: is an HTML page");
    ck_assert_fails(open_bytes("a.gif", "GIF89a......", 12), WSR_UNSUPPORTED,
                    "a.gif: is a GIF image");
    ck_assert_fails(open_bytes("a.bmp", "BM\x36", 3), WSR_UNSUPPORTED,
                    "a.bmp: is of an unknown format");
    ck_assert_fails(open_bytes("a.tif", "II*\0\x08\0\0\0", 8), WSR_UNSUPPORTED,
                    "a.tif: is a TIFF image");
    ck_assert_fails(open_bytes("a.webp", "RIFF\x24\0\0\0WEBPVP8 ", 16),
                    WSR_UNSUPPORTED, "a.webp: is a WebP image");
    ck_assert_fails(open_bytes("a.ppm", "P6\n2 2\n255\n............", 23),
                    WSR_UNSUPPORTED, "a.ppm: is a PPM image");
}
END_TEST

START_TEST(missing_files_and_folders_are_named)
{
    wsr__image_file file = {0};
    const char *const folder = scratch_folder("image_file");
    ck_assert_fails(wsr__image_open(&file, path_in(folder, "none.jpg")),
                    WSR_NOTFOUND, "none.jpg: does not exist");
    ck_assert_fails(wsr__image_open(&file, folder), WSR_IO,
                    "is not a regular file");
    wsr__image_close(&file);
}
END_TEST

// Of ImageNet's .JPEG files one is a PNG image.
START_TEST(the_content_counts_and_not_the_name)
{
    const png_kind kind = {.h = 5, .w = 6, .type = 2, .depth = 8};
    bytes content = (need_pictures(), make_png(&kind, 1));
    ck_assert_ok(open_bytes("image.JPEG", content.data, content.size));
    bytes_free(&content);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        files_of_other_formats_are_named,
        missing_files_and_folders_are_named,
        the_content_counts_and_not_the_name,
        NULL,
    };
    return suite_of("image_file", tests);
}
