// SPDX-License-Identifier: Apache-2.0
//
// Sizes and packed weights of dense convolutions: what does not depend on the
// instruction set.

#include "kernel/native_layout.h"

#include <string.h>

enum {
    PAIR = 2 * WSR__BLOCK,
    ROWS_FLOATS = 1 << 18, // most of padded rows, unless one result needs more
    BAND_PIXELS = 128,     // of dst, that the first cache holds sixteen
                           // channels of twice
    ITEMS = 16             // of the gradient of weights, if there are so many
};

bool wsr__dense_supported(const wsr__conv *p)
{
    return p->groups == 1 && p->kh * p->kw <= WSR__DENSE_TAPS &&
           p->sh <= WSR__DENSE_STRIDE && p->sw <= WSR__DENSE_STRIDE;
}

// ------------------------------------------------------------------ weights

static int64_t pairs(int64_t channels)
{
    return (wsr__blocks(channels) + 1) / 2;
}

static size_t packed_size(const wsr__conv *p, int64_t outs, int64_t ins)
{
    return (size_t)(pairs(outs) * wsr__blocks(ins) * p->kh * p->kw *
                    WSR__BLOCK * PAIR);
}

size_t wsr__dense_weights_size(const wsr__dense *p)
{
    return packed_size(&p->conv, p->conv.co, p->conv.ci);
}

size_t wsr__dense_transposed_size(const wsr__dense *p)
{
    return packed_size(&p->conv, p->conv.ci, p->conv.co);
}

// Where the first tap of a pair of channels lies, of `ins` channels.
static int64_t packed_at(const wsr__conv *p, int64_t out, int64_t in,
                         int64_t ins)
{
    const int64_t taps = p->kh * p->kw;
    const int64_t block = out / PAIR * wsr__blocks(ins) + in / WSR__BLOCK;
    return (block * taps * WSR__BLOCK + in % WSR__BLOCK) * PAIR + out % PAIR;
}

// The places of padding channels hold zeros.
void wsr__dense_pack(float *packed, const wsr__dense *p, const float *plain,
                     const float *factor)
{
    const wsr__conv *const c = &p->conv;
    const int64_t taps = c->kh * c->kw;
    memset(packed, 0, wsr__dense_weights_size(p) * sizeof(*packed));
    for (int64_t i = 0; i < c->co * c->ci; i++) {
        const float by = factor != NULL ? factor[i / c->ci] : 1.0f;
        float *const to = packed + packed_at(c, i / c->ci, i % c->ci, c->ci);
        for (int64_t k = 0; k < taps; k++) {
            to[k * WSR__BLOCK * PAIR] = plain[i * taps + k] * by;
        }
    }
}

void wsr__dense_pack_transposed(float *packed, const wsr__dense *p,
                                const float *plain, const float *factor)
{
    const wsr__conv *const c = &p->conv;
    const int64_t taps = c->kh * c->kw;
    memset(packed, 0, wsr__dense_transposed_size(p) * sizeof(*packed));
    for (int64_t i = 0; i < c->co * c->ci; i++) {
        const float by = factor != NULL ? factor[i / c->ci] : 1.0f;
        float *const to = packed + packed_at(c, i % c->ci, i / c->ci, c->co);
        for (int64_t k = 0; k < taps; k++) {
            to[k * WSR__BLOCK * PAIR] = plain[i * taps + k] * by;
        }
    }
}

void wsr__dense_unpack_add(float *plain, const wsr__dense *p,
                           const float *packed)
{
    const wsr__conv *const c = &p->conv;
    const int64_t taps = c->kh * c->kw;
    for (int64_t i = 0; i < c->co * c->ci; i++) {
        const float *const from = packed +
                                  packed_at(c, i / c->ci, i % c->ci, c->ci);
        for (int64_t k = 0; k < taps; k++) {
            plain[i * taps + k] += from[k * WSR__BLOCK * PAIR];
        }
    }
}

// ------------------------------------------------------------------- layout

// Along one side: what a result of a phase meets by tap k, if it does.
typedef struct side {
    int64_t kernel;
    int64_t stride;
    int64_t pad;
    int64_t dilation;
} side;

// The least and the greatest distance of all taps.
static void range_of(int64_t range[2], const side *s, bool forward)
{
    range[0] = INT64_MAX;
    range[1] = INT64_MIN;
    for (int64_t k = 0; k < s->kernel; k++) {
        const int64_t tap = k * s->dilation - s->pad;
        for (int64_t phase = 0; phase < (forward ? 1 : s->stride); phase++) {
            int64_t at = tap;
            if (forward || wsr__dense_meets(&at, phase - tap, s->stride)) {
                range[0] = min64(range[0], at);
                range[1] = max64(range[1], at);
            }
        }
    }
}

wsr__dense_layout wsr__dense_layout_of(const wsr__dense *p, bool forward)
{
    const wsr__conv *const c = &p->conv;
    const side sides[2] = {{c->kh, c->sh, c->ph, c->dh},
                           {c->kw, c->sw, c->pw, c->dw}};
    const int64_t outs[2] = {forward ? c->oh : c->h, forward ? c->ow : c->w};
    wsr__dense_layout l = {.ins = forward ? c->ci : c->co,
                           .outs = forward ? c->co : c->ci,
                           .h = forward ? c->h : c->oh,
                           .w = forward ? c->w : c->ow};
    for (int i = 0; i < 2; i++) {
        int64_t range[2];
        range_of(range, &sides[i], forward);
        l.stride[i] = forward ? sides[i].stride : 1;
        l.phases[i] = forward ? 1 : sides[i].stride;
        l.size[i] = (outs[i] + l.phases[i] - 1) / l.phases[i];
        l.first[i] = range[0];
        l.reach[i] = range[1] - range[0] + 1;
    }
    l.columns = l.size[1] + (l.reach[1] - 1) / l.stride[1];
    l.pitch = l.stride[1] * l.columns * WSR__BLOCK;
    const int64_t fit = ROWS_FLOATS / (l.pitch * wsr__blocks(l.ins));
    l.rows = max64((fit - l.reach[0]) / l.stride[0] + 1, 1);
    l.rows = min64(l.rows, l.size[0]);
    l.plane = ((l.rows - 1) * l.stride[0] + l.reach[0]) * l.pitch;
    return l;
}

int64_t wsr__dense_images(const wsr__dense_layout *l, int64_t n,
                          int64_t threads)
{
    const int64_t fit = ROWS_FLOATS / (l->plane * wsr__blocks(l->ins));
    const int64_t share = n / (4 * threads);
    return l->rows < l->size[0] ? 1 : max64(min64(fit, share), 1);
}

int64_t wsr__dense_weights_rows(const wsr__dense *p)
{
    return min64(max64(BAND_PIXELS / p->conv.ow, 1), p->conv.oh);
}

// Few channels leave few items to share among threads: then their blocks, and
// after them the images, are divided further.
int64_t wsr__dense_weights_chunk(const wsr__dense *p)
{
    const int64_t outs = (pairs(p->conv.co) + DENSE_PAIRS - 1) / DENSE_PAIRS;
    const int64_t blocks = wsr__blocks(p->conv.ci);
    return max64(blocks * outs / ITEMS, 1);
}

int64_t wsr__dense_weights_groups(const wsr__dense *p)
{
    const int64_t chunk = wsr__dense_weights_chunk(p);
    const int64_t items = (wsr__blocks(p->conv.ci) + chunk - 1) / chunk *
                          ((pairs(p->conv.co) + DENSE_PAIRS - 1) / DENSE_PAIRS);
    return min64(max64(ITEMS / items, 1), p->conv.n);
}

size_t wsr__dense_weights_scratch(const wsr__dense *p)
{
    const int64_t groups = wsr__dense_weights_groups(p);
    return groups > 1 ? (size_t)groups * wsr__dense_weights_size(p) : 0;
}

static size_t rows_floats(const wsr__dense *p, bool forward)
{
    const wsr__dense_layout l = wsr__dense_layout_of(p, forward);
    const int64_t image = l.plane * wsr__blocks(l.ins);
    return (size_t)max64(image, min64(image * p->conv.n, ROWS_FLOATS));
}

// For the gradient of weights: rows of one block of src, and pixels of dst.
size_t wsr__dense_thread_scratch(const wsr__dense *p)
{
    const wsr__dense_layout l = wsr__dense_layout_of(p, true);
    const int64_t rows = wsr__dense_weights_rows(p);
    const int64_t src = ((rows - 1) * l.stride[0] + l.reach[0]) * l.pitch;
    const int64_t dst = rows * p->conv.ow * DENSE_PAIRS * PAIR;
    size_t most = (size_t)(src + dst);
    for (int forward = 0; forward < 2; forward++) {
        const size_t floats = rows_floats(p, forward);
        most = floats > most ? floats : most;
    }
    return wsr__lines(most);
}

const wsr__dense_method wsr__sum_of_taps = {
    .weights_size = wsr__dense_weights_size,
    .transposed_size = wsr__dense_transposed_size,
    .thread_scratch = wsr__dense_thread_scratch,
    .pack = wsr__dense_pack,
    .pack_transposed = wsr__dense_pack_transposed,
    .forward = wsr__dense_forward,
    .backward_data = wsr__dense_backward_data,
    .weights_scratch = wsr__dense_weights_scratch,
    .backward_weights = wsr__dense_backward_weights,
};
