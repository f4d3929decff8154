// SPDX-License-Identifier: Apache-2.0
//
// Sizes of convolutions on plain tensors: what does not depend on the
// instruction set.

#include "kernel/native_layout.h"

enum {
    BAND_FLOATS = 1 << 13, // most of what is read, unless a row needs more
    LEAST_CHUNK = 4        // channels
};

bool wsr__plain_supported(const wsr__conv *p)
{
    return wsr__dense_supported(p);
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

// As many channels of whole images as the first cache holds, else bands of a
// few channels. Where the channels are read in chunks, the sums over the first
// ones wait for the others.
wsr__plain_layout wsr__plain_layout_of(const wsr__conv *p, bool forward)
{
    const wsr__dense dense = {.conv = *p};
    wsr__plain_layout l = {.sides = wsr__dense_layout_of(&dense, forward)};
    const wsr__dense_layout *const s = &l.sides;
    const int64_t more = (s->reach[0] - 1) / s->stride[0];
    l.pitch = s->columns;
    const int64_t row = s->stride[0] * s->stride[1] * l.pitch;
    const int64_t whole = BAND_FLOATS / ((s->size[0] + more) * row);
    l.chunk = min64(max64(whole, LEAST_CHUNK), s->ins);
    l.rows = min64(max64(BAND_FLOATS / (l.chunk * row) - more, 1), s->size[0]);
    l.bands = (s->size[0] + l.rows - 1) / l.rows;
    l.plane = (l.rows + more) * l.pitch;
    l.channel = round_up((l.rows + more) * row, PLAIN_LANES);
    l.length = round_up((l.rows - 1) * l.pitch + s->size[1], PLAIN_LANES);
    l.results = l.chunk < s->ins ? s->phases[0] * s->phases[1] * s->outs
                                 : min64(s->outs, PLAIN_OUTS);
    return l;
}

// What a thread reads is followed by results, or by some channels of the
// gradient of dst and the sums of the lanes of gradients. The gradient of
// weights may have the layout of backward data.
size_t wsr__plain_thread_scratch(const wsr__conv *p)
{
    int64_t most = 0;
    for (int forward = 0; forward < 2; forward++) {
        const wsr__plain_layout l = wsr__plain_layout_of(p, forward != 0);
        const int64_t lanes = (int64_t)wsr__plain_gradients(p) * PLAIN_LANES;
        const int64_t arrays = max64(l.results, PLAIN_OUTS);
        most = max64(most, l.chunk * l.channel + PLAIN_SLACK +
                               arrays * (l.length + PLAIN_SLACK) + lanes);
    }
    return wsr__lines((size_t)most);
}

size_t wsr__plain_gradients(const wsr__conv *p)
{
    return (size_t)round_up(p->co * (p->ci * p->kh * p->kw + 1), WSR__BLOCK);
}

size_t wsr__plain_weights_scratch(const wsr__conv *p)
{
    return (size_t)wsr__image_groups(p->n) * wsr__plain_gradients(p);
}
