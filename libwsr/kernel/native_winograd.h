// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions (Lavin and Gray 2016): functions of all passes. With
// a kernel of r x r, a tile of m x m results meets m + r - 1 = 6 pixels along a
// side, and needs 36 multiplications per pair of channels instead of (m r)^2:
//
//   result = A' [ (G g G') * (B' d B) ] A
//
// with d the pixels that a tile meets and g the filter. The points are 0, 1,
// -1, 1/2, -2 and infinity: halves and twos together keep numbers small, and
// with them errors (Barabasz et al. 2020). B depends on the points alone, so
// that m = 4, r = 3 and m = 2, r = 5 share it.

#ifndef WSR_KERNEL_NATIVE_WINOGRAD_H
#define WSR_KERNEL_NATIVE_WINOGRAD_H

#include "kernel/native_dense.h"

enum { SIDE = WINO_SIDE };

/// The tiles of a pass, and what they are read from.
typedef struct tiles {
    const wsr__winograd_layout *l;
    const input *in;
} tiles;

/// Consecutive tiles of one image, and which of the chunk the first one is.
typedef struct stretch {
    int64_t image;
    int64_t first; // tile of the image
    int64_t n;
    int64_t at; // in the chunk
} stretch;

/// The stretch that starts with tile `at` of a chunk, which holds the tiles
/// [begin, end) of the images from `image` on.
WSR_INLINE stretch stretch_of(const wsr__winograd_layout *l, int64_t image,
                              int64_t begin, int64_t end, int64_t at)
{
    const int64_t count = l->down * l->across;
    const int64_t i = begin + at;
    return (stretch){.image = image + i / count,
                     .first = i % count,
                     .n = min64(end - i, count - i % count),
                     .at = at};
}

// ----------------------------------------------------------------- transforms

/// B' d
WSR_INLINE void transform_input(vb to[SIDE], const vb d[SIDE])
{
    const vb a = subb(d[3], d[1]);
    const vb b = subb(d[4], d[2]);
    const vb more = splatb(1.5f);
    to[0] = addb(fmab(more, a, subb(d[0], d[2])), b);
    to[1] = fmab(more, addb(d[2], d[3]), addb(a, b));
    to[2] = fmab(more, subb(d[3], d[2]), subb(b, a));
    to[3] = fmab(splatb(2.0f), a, b);
    to[4] = fmab(splatb(-0.5f), a, b);
    to[5] = fmab(more, b, subb(subb(d[5], d[3]), a));
}

/// A' m, `size` results: the m of each point times powers of it.
WSR_INLINE void transform_result(vb *to, const vb m[SIDE], const int size)
{
    static const float half[] = {1.0f, 0.5f, 0.25f, 0.125f, 0.0625f};
    static const float two[] = {1.0f, -2.0f, 4.0f, -8.0f, 16.0f};
    const vb sum = addb(m[1], m[2]);
    const vb difference = subb(m[1], m[2]);
    WSR_UNROLL
    for (int i = 0; i < size; i++) {
        const vb ones = i % 2 == 0 ? sum : difference;
        to[i] = fmab(splatb(half[i]), m[3], fmab(splatb(two[i]), m[4], ones));
    }
    to[0] = addb(to[0], m[0]);
    to[size - 1] = addb(to[size - 1], m[5]);
}

/// G g of a filter of `size`.
WSR_INLINE void transform_filter(vb to[SIDE], const vb *g, const int size)
{
    static const float half[] = {1.0f, 0.5f, 0.25f, 0.125f};
    static const float two[] = {1.0f, -2.0f, 4.0f, -8.0f};
    vb even = splatb(0.0f);
    vb odd = splatb(0.0f);
    vb by_half = splatb(0.0f);
    vb by_two = splatb(0.0f);
    WSR_UNROLL
    for (int i = 0; i < size; i++) {
        if (i % 2 == 0) {
            even = addb(even, g[i]);
        } else {
            odd = addb(odd, g[i]);
        }
        by_half = fmab(splatb(half[i]), g[i], by_half);
        by_two = fmab(splatb(two[i]), g[i], by_two);
    }
    const vb third = splatb(1.0f / 3);
    to[0] = g[0];
    to[1] = mulb(third, addb(even, odd));
    to[2] = mulb(third, subb(odd, even));
    to[3] = mulb(splatb(-16.0f / 15), by_half);
    to[4] = mulb(splatb(1.0f / 15), by_two);
    to[5] = g[size - 1];
}

/// The 36 inputs of the tile at `from`, of one block, to places `step` floats
/// apart; with `next` floats to the tile after it also that one's.
WSR_INLINE void transform_tile(float *to, int64_t step, const float *from,
                               int64_t pitch, int64_t next)
{
    vb half[SIDE][SIDE];
    WSR_UNROLL
    for (int x = 0; x < SIDE; x++) {
        vb d[SIDE];
        vb result[SIDE];
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            d[y] = load_blocks(from + y * pitch + x * WSR__BLOCK, next);
        }
        transform_input(result, d);
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            half[y][x] = result[y];
        }
    }
    for (int y = 0; y < SIDE; y++) {
        vb result[SIDE];
        transform_input(result, half[y]);
        WSR_UNROLL
        for (int x = 0; x < SIDE; x++) {
            float *const at = to + (y * SIDE + x) * step;
            if (next != 0 && BUNDLE_BLOCKS > 1) {
                stbu(at, result[x]);
            } else {
                st8(at, block_of(result[x], 0));
            }
        }
    }
}

/// The inputs of a stretch of tiles, of block b: [tap][block][tile][8].
/// `padded` is memory for the rows of a block.
WSR_INLINE void read_tiles(float *inputs, float *padded, const tiles *t,
                           const stretch *s, int64_t b)
{
    const wsr__winograd_layout *const l = t->l;
    const int64_t top = s->first / l->across;
    const int64_t rows = (s->first + s->n - 1) / l->across - top + 1;
    const int64_t reach = SIDE - l->tile;
    float *const to = inputs + (b * l->chunk + s->at) * WSR__BLOCK;
    read_padded(padded, t->in, &l->rows, (const int64_t[]){s->image, b},
                top * l->tile + l->rows.first[0], rows * l->tile + reach);
    int64_t more;
    for (int64_t i = 0; i < s->n; i += more) {
        const int64_t y = (s->first + i) / l->across - top;
        const int64_t x = (s->first + i) % l->across;
        const float *const from =
            padded + (y * l->rows.pitch + x * WSR__BLOCK) * l->tile;
        more = min64(min64(BUNDLE_BLOCKS, l->across - x), s->n - i);
        transform_tile(to + i * WSR__BLOCK, l->inputs, from, l->rows.pitch,
                       more > 1 ? l->tile * WSR__BLOCK : 0);
    }
}

#endif
