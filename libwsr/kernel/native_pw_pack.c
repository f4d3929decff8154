// SPDX-License-Identifier: Apache-2.0
//
// Sizes and packed weights of pointwise convolutions.

#include "kernel/native_layout.h"

#include <string.h>

// Parts of the concatenation that src is, and the channels of one.
static int64_t parts_of(const wsr__pw *p)
{
    return p->ci_part != 0 ? p->ci / p->ci_part : 1;
}

static int64_t part_of(const wsr__pw *p)
{
    return p->ci_part != 0 ? p->ci_part : p->ci;
}

wsr__pw wsr__pw_of(const wsr__conv *c)
{
    return (wsr__pw){.n = c->n,
                     .ci = c->ci,
                     .co = c->co,
                     .h = c->h,
                     .w = c->w,
                     .oh = c->oh,
                     .ow = c->ow,
                     .stride = c->sh,
                     .oy = -c->ph,
                     .ox = -c->pw};
}

int64_t wsr__pw_src_blocks(const wsr__pw *p)
{
    return parts_of(p) * wsr__blocks(part_of(p));
}

// Floats of a packed matrix: outputs are padded to whole pairs of blocks.
static size_t packed_size(int64_t outs, int64_t ins)
{
    return (size_t)((outs + 1) / 2 * 2 * ins * WSR__BLOCK * WSR__BLOCK);
}

size_t wsr__pw_weights_size(const wsr__pw *p)
{
    return packed_size(wsr__blocks(p->co), wsr__pw_src_blocks(p));
}

bool wsr__pw_supported(const wsr__pw *p)
{
    return max64(wsr__pw_src_blocks(p), wsr__blocks(p->co)) * WSR__BLOCK <=
           WSR__PW_CHANNELS;
}

size_t wsr__pw_transposed_size(const wsr__pw *p)
{
    return packed_size(wsr__pw_src_blocks(p), wsr__blocks(p->co));
}

// Gradients of one group of images after the other.
size_t wsr__pw_weights_scratch(const wsr__pw *p)
{
    return (size_t)wsr__image_groups(p->n) * wsr__pw_weights_size(p);
}

enum {
    PAIR = 2 * WSR__BLOCK,
    TILE = WSR__BLOCK * PAIR, // floats of a block of src by a pair of dst
    ALONE = 1 << 14           // weights that are not worth waking threads for
};

// A walk over the weights of a pointwise convolution.
typedef struct pw_walk {
    const wsr__pw *p;
    float *packed; // to pack
    const float *plain;
    const float *factor;
    const float *from; // or to add to sums, which are plain
    float *sums;
    int64_t ins;  // of src, padding counted
    int64_t outs; // of dst, padded to blocks
} pw_walk;

static void pw_walk_run(pw_walk *w, int64_t items, wsr__body body)
{
    w->ins = wsr__pw_src_blocks(w->p) * WSR__BLOCK;
    w->outs = wsr__blocks(w->p->co) * WSR__BLOCK;
    if (w->p->ci * w->p->co < ALONE) {
        body(w, 0, items, 0);
    } else {
        wsr__parallel(items, body, w);
    }
}

// The channels of src in block b, of which *first is the first: parts begin at
// whole blocks.
static int64_t channels_of_block(int64_t *first, const wsr__pw *p, int64_t b)
{
    const int64_t blocks = wsr__blocks(part_of(p));
    const int64_t at = b % blocks * WSR__BLOCK;
    *first = b / blocks * part_of(p) + at;
    return min64(part_of(p) - at, WSR__BLOCK);
}

// n weights of channel o of dst, from channel `first` of src on, `step` floats
// apart.
static void pack_weights(float *to, int64_t step, const pw_walk *w, int64_t o,
                         int64_t first, int64_t n)
{
    const float factor = w->factor != NULL ? w->factor[o] : 1.0f;
    const float *const from = w->plain + o * w->p->ci + first;
    for (int64_t i = 0; i < n; i++) {
        to[i * step] = from[i] * factor;
    }
}

// Items are pairs of blocks of dst. The places of padding channels, of the last
// block and of parts, hold zeros.
static void pw_pack_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const pw_walk *const w = ctx;
    for (int64_t pair = begin; pair < end; pair++) {
        float *to = w->packed + pair * w->ins * PAIR;
        const int64_t lanes = min64(w->p->co - pair * PAIR, PAIR);
        memset(to, 0, (size_t)(w->ins * PAIR) * sizeof(*to));
        for (int64_t b = 0; b < w->ins / WSR__BLOCK; b++, to += TILE) {
            int64_t first;
            const int64_t n = channels_of_block(&first, w->p, b);
            for (int64_t k = 0; k < lanes; k++) {
                pack_weights(to + k, PAIR, w, pair * PAIR + k, first, n);
            }
        }
    }
}

void wsr__pw_pack(float *packed, const wsr__pw *p, const float *plain,
                  const float *factor)
{
    pw_walk w = {.p = p, .packed = packed, .factor = factor, .plain = plain};
    pw_walk_run(&w, (wsr__blocks(p->co) + 1) / 2, pw_pack_body);
}

// Items are blocks of src, padding counted, two of which are a pair.
static void pw_transposed_body(void *ctx, int64_t begin, int64_t end,
                               size_t part)
{
    (void)part;
    const pw_walk *const w = ctx;
    const wsr__pw *const p = w->p;
    for (int64_t b = begin; b < end; b++) {
        float *to = w->packed + b / 2 * w->outs * PAIR + b % 2 * WSR__BLOCK;
        int64_t first = 0;
        const int64_t n =
            b < w->ins / WSR__BLOCK ? channels_of_block(&first, p, b) : 0;
        for (int64_t o = 0; o < w->outs; o++, to += PAIR) {
            memset(to, 0, WSR__BLOCK * sizeof(*to));
            if (o < p->co) {
                pack_weights(to, 1, w, o, first, n);
            }
        }
    }
}

void wsr__pw_pack_transposed(float *packed, const wsr__pw *p,
                             const float *plain, const float *factor)
{
    pw_walk w = {.p = p, .packed = packed, .factor = factor, .plain = plain};
    const int64_t pairs = (wsr__pw_src_blocks(p) + 1) / 2;
    pw_walk_run(&w, 2 * pairs, pw_transposed_body);
}

static void add_weights(float *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        to[i] += from[i * PAIR];
    }
}

// Items are pairs of blocks of dst.
static void pw_unpack_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const pw_walk *const w = ctx;
    const int64_t ci = w->p->ci;
    for (int64_t pair = begin; pair < end; pair++) {
        const float *from = w->from + pair * w->ins * PAIR;
        const int64_t lanes = min64(w->p->co - pair * PAIR, PAIR);
        for (int64_t b = 0; b < w->ins / WSR__BLOCK; b++, from += TILE) {
            int64_t first;
            const int64_t n = channels_of_block(&first, w->p, b);
            for (int64_t k = 0; k < lanes; k++) {
                add_weights(w->sums + (pair * PAIR + k) * ci + first, from + k,
                            n);
            }
        }
    }
}

void wsr__pw_unpack_add(float *plain, const wsr__pw *p, const float *packed)
{
    pw_walk w = {.p = p, .from = packed, .sums = plain};
    pw_walk_run(&w, (wsr__blocks(p->co) + 1) / 2, pw_unpack_body);
}
