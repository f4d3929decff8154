// SPDX-License-Identifier: Apache-2.0
//
// The option "size" of augmentations that give images another size: one number
// for a square, or height and width, in torchvision's order. And the size that
// follows from that of the short side.

#include "augment/augment.h"

void wsr__size_bind(wsr__ints *size, const wsr__view *view)
{
    if (size->n == 1) {
        size->v[1] = size->v[0];
        size->n = 2;
    }
    size->v[0] = size->v[0] > 0 ? size->v[0] : view->image.h;
    size->v[1] = size->v[1] > 0 ? size->v[1] : view->image.w;
}

wsr_status wsr__size_check(const wsr__ints *size, const char *name)
{
    if (size->n != 2) {
        return WSR_FAIL(WSR_CONFIG,
                        "%s.size: %zu numbers are neither one side nor "
                        "[height, width]",
                        name, size->n);
    }
    return WSR_OK;
}

// The long side truncates: 500x334 to 256 gives 383x256.
void wsr__size_short(int64_t *h, int64_t *w, wsr__image in, int64_t side)
{
    *h = in.h <= in.w ? side : side * in.h / in.w;
    *w = in.w <= in.h ? side : side * in.w / in.h;
}
