// SPDX-License-Identifier: Apache-2.0
//
// JPEG and PNG images: the header, the whole image, and a window of it.

#include "data/image_file.h"
#include "fuzz/fuzz.h"
#include "support/pictures.h"

#include <string.h>

static void seed_and_free(bytes b)
{
    fuzz_seed(b.data, b.size);
    bytes_free(&b);
}

static void seeds(void)
{
    static const jpeg_kind jpegs[] = {{17, 21, 3, 2, 2, false, 0},
                                      {16, 8, 1, 0, 0, false, 2},
                                      {9, 24, 4, 0, 0, false, 0},
                                      {24, 24, 3, 2, 1, true, 0}};
    static const png_kind pngs[] = {{9, 12, 2, 8, false, false},
                                    {7, 5, 0, 1, true, true},
                                    {8, 8, 3, 4, false, true},
                                    {5, 6, 4, 16, true, false},
                                    {6, 6, 6, 8, false, false}};
    need_pictures();
    for (size_t i = 0; i < sizeof(jpegs) / sizeof(jpegs[0]); i++) {
        seed_and_free(make_jpeg(&jpegs[i], 3));
    }
    for (size_t i = 0; i < sizeof(pngs) / sizeof(pngs[0]); i++) {
        seed_and_free(make_png(&pngs[i], 3));
    }
}

static void mend(uint8_t *data, size_t size)
{
    if (size > 8 && data[0] == 0x89) {
        fuzz_mend_png(data, size);
    }
}

const fuzz_target fuzz = {
    .seeds = seeds, .files = 9, .rounds = 500, .mend = mend};

// Large images take long and are told by the header alone.
enum { MOST_PIXELS = 1 << 16 };

static wsr_status decode(wsr__image_file *file, const char *path, int part)
{
    wsr_status status = wsr__image_open(file, path);
    if (status != WSR_OK) {
        return status;
    }
    const wsr__image s = file->super.shape;
    fuzz_demand(s.c == 3 && s.h >= 1 && s.w >= 1);
    if (s.h * s.w <= MOST_PIXELS) {
        wsr__bitmap image = {0};
        const wsr__window window = {part * (s.h / 3), part * (s.w / 3),
                                    s.h - part * (s.h / 3),
                                    s.w - part * (s.w / 3)};
        status = file->super.decode(&image, &file->super, &window);
        fuzz_demand(status != WSR_OK ||
                    (image.shape.h == window.h && image.shape.w == window.w));
        wsr__bitmap_free(&image);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static wsr__image_file file; // serves all
    const char *const path = fuzz_file("image", data, size);
    for (int part = 0; part < 2; part++) {
        const wsr_status status = decode(&file, path, part);
        fuzz_check(status, status == WSR_OK);
    }
    return 0;
}
