// SPDX-License-Identifier: Apache-2.0
//
// Images of bytes between a decoder and the floats of a batch. Two buffers take
// turns, since most operations read pixels that they have already replaced; as
// they only grow, a thread that has seen its largest image allocates no more.

#include "augment/augment.h"

#include <math.h>
#include <string.h>

wsr_status wsr__bitmap_reserve(wsr__bitmap *bitmap, wsr__image shape)
{
    const size_t bytes = (size_t)wsr__image_floats(shape);
    if (bytes <= bitmap->spare_room) {
        return WSR_OK;
    }
    wsr__free(bitmap->spare);
    bitmap->spare_room = 0;
    bitmap->spare = wsr__alloc_raw(bytes, 1);
    if (bitmap->spare == NULL) {
        return WSR_NOMEM;
    }
    bitmap->spare_room = bytes;
    return WSR_OK;
}

void wsr__bitmap_swap(wsr__bitmap *bitmap, wsr__image shape)
{
    unsigned char *const bytes = bitmap->bytes;
    const size_t room = bitmap->room;
    bitmap->bytes = bitmap->spare;
    bitmap->room = bitmap->spare_room;
    bitmap->spare = bytes;
    bitmap->spare_room = room;
    bitmap->shape = shape;
}

void wsr__bitmap_free(wsr__bitmap *bitmap)
{
    wsr__free(bitmap->bytes);
    wsr__free(bitmap->spare);
    *bitmap = (wsr__bitmap){0};
}

// -------------------------------------------------------------------- pixels

// The quotient is rounded as a scalar one is, so vectors give the same bits; a
// product with 1 / 255 would not.
WSR__WIDE static void to_floats(float *restrict dst,
                                const unsigned char *restrict src, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dst[i] = (float)src[i] / 255.0f;
    }
}

// Clones of a function that is not static would be exported.
void wsr__bytes_to_floats(float *restrict dst,
                          const unsigned char *restrict src, int64_t n)
{
    to_floats(dst, src, n);
}

// A NaN becomes 0: it is neither above 0 nor below 1.
void wsr__floats_to_bytes(unsigned char *restrict dst,
                          const float *restrict src, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float v = src[i] > 0.0f ? src[i] : 0.0f;
        dst[i] = (unsigned char)lrintf((v < 1.0f ? v : 1.0f) * 255.0f);
    }
}

// ------------------------------------------------------------------- windows

// Half of a number, rounded to even where it is odd: 31 gives 16, 33 gives 16.
static int64_t half_even(int64_t n)
{
    return n / 2 + (n % 2 != 0 && n / 2 % 2 != 0);
}

wsr_status wsr__window_centre(wsr__window *out, wsr__image in, int64_t h,
                              int64_t w)
{
    if (h > in.h || w > in.w) {
        return WSR_FAIL(WSR_CONFIG,
                        "a crop of %lldx%lld is larger than the image of "
                        "%lldx%lld pixels",
                        (long long)h, (long long)w, (long long)in.h,
                        (long long)in.w);
    }
    *out = (wsr__window){half_even(in.h - h), half_even(in.w - w), h, w};
    return WSR_OK;
}

wsr_status wsr__bitmap_crop(wsr__bitmap *bitmap, const wsr__window *window)
{
    wsr_status status = WSR_OK;
    const wsr__image in = bitmap->shape;
    const wsr__image out = {in.c, window->h, window->w};
    if (out.h == in.h && out.w == in.w) {
        return WSR_OK;
    }
    WSR_TRY(wsr__bitmap_reserve(bitmap, out));
    for (int64_t c = 0; c < out.c; c++) {
        for (int64_t y = 0; y < out.h; y++) {
            const int64_t row = c * in.h + window->top + y;
            memcpy(bitmap->spare + (c * out.h + y) * out.w,
                   bitmap->bytes + row * in.w + window->left, (size_t)out.w);
        }
    }
    wsr__bitmap_swap(bitmap, out);
out:
    return status;
}
