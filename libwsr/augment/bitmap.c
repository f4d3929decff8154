// SPDX-License-Identifier: Apache-2.0
//
// Images of bytes between a decoder and the floats of a batch. Two buffers take
// turns, since most operations read pixels that they have already replaced; as
// they only grow, a thread that has seen its largest image allocates no more.

#include "augment/augment.h"

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
