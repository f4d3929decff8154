// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of few channels on plain tensors: gradients of weights and bias.
//
//   weight[co][tap] = sum of lanes of, over all pixels,
//       diff_dst[16 pixels] * src[16 pixels + tap]
//
// A thread keeps the sums of the lanes for a group of images, and the groups
// are added in their order. If dst has fewer channels than src, the two change
// places, which mirrors the taps: tiles are wide in the channels of the second.

#include "kernel/native_plain.h"

enum {
    OUTS = WSR_AVX512 ? 5 : 3, // channels of dst in a tile
    TAPS = 9                   // at most
};

// So many that registers hold the sums: all of a 3x3 kernel for a few channels.
WSR_INLINE int taps_at_once(const int outs)
{
    const int most = WSR_AVX512 ? 27 : 9;
    return most / outs < TAPS ? most / outs : TAPS;
}

// What all threads of one call read.
typedef struct call {
    const wsr__conv *p;
    wsr__plain_layout l;
    tap_list taps;
    const float *src;
    const float *diff;
    const float *summed; // for the bias
    int64_t biases;      // channels of these
    int64_t pixels;      // of one of them
    float *out;          // [group][gradient]
    int64_t gradient;    // floats
    const wsr__thread_scratch *threads;
} call;

// A thread's memory: some channels of src as plain_read leaves them, OUTS of
// diff_dst as arrays of results, and the lanes of each gradient.
typedef struct memory {
    float *src;
    float *diff;
    float *lanes; // [gradient][PLAIN_LANES]
} memory;

// A chunk of src: its image, the first row of the band, and its channels.
typedef struct place {
    int64_t n;
    int64_t first;
    int64_t channel;
    int64_t channels;
} place;

static memory memory_of(const call *c, size_t part)
{
    memory m = {.src = c->threads->data + (int64_t)part * c->threads->stride};
    m.diff = m.src + c->l.chunk * c->l.channel + PLAIN_SLACK;
    m.lanes = m.diff + PLAIN_OUTS * (c->l.length + PLAIN_SLACK);
    return m;
}

// Floats from the sums of one channel of dst to those of the next.
WSR_INLINE int64_t next_out(const call *c)
{
    return c->p->ci * c->p->kh * c->p->kw * PLAIN_LANES;
}

// Add a band's products to `outs` times `count` sums, the first of which is in
// `lanes`.
WSR_INLINE void tile(float *lanes, const call *c, const float *diff,
                     const float *const *src, const int outs, const int count)
{
    const int64_t next = next_out(c);
    const int64_t pitch = c->l.length + PLAIN_SLACK;
    vb sum[OUTS * TAPS]; // as many as taps_at_once() says
    WSR_UNROLL
    for (int i = 0; i < outs * count; i++) {
        sum[i] = ldbu(lanes + i / count * next + i % count * PLAIN_LANES);
    }
    for (int64_t at = 0; at < c->l.length; at += BUNDLE) {
        vb d[OUTS];
        WSR_UNROLL
        for (int k = 0; k < outs; k++) {
            d[k] = ldbu(diff + k * pitch + at);
        }
        WSR_UNROLL
        for (int t = 0; t < count; t++) {
            const vb x = ldbu(src[t] + at);
            WSR_UNROLL
            for (int k = 0; k < outs; k++) {
                sum[k * count + t] = fmab(d[k], x, sum[k * count + t]);
            }
        }
    }
    WSR_UNROLL
    for (int i = 0; i < outs * count; i++) {
        stbu(lanes + i / count * next + i % count * PLAIN_LANES, sum[i]);
    }
}

// The gradients of `outs` channels of dst, from channel k on, and of a chunk of
// src.
WSR_INLINE void add_outs(const memory *m, const call *c, const place *at,
                         int64_t k, const int outs)
{
    const int64_t kernel = c->p->kh * c->p->kw;
    const int64_t n = at->channels * kernel;
    float *const sums = m->lanes + k * next_out(c) +
                        at->channel * kernel * PLAIN_LANES;
    const int most = taps_at_once(outs);
    for (int64_t i = 0; i < n; i += most) {
        const float *src[TAPS];
        const int64_t count = min64(most, n - i);
        for (int64_t t = 0; t < count; t++) {
            src[t] = m->src + (i + t) / kernel * c->l.channel +
                     c->taps.at[(i + t) % kernel];
        }
        float *const lanes = sums + i * PLAIN_LANES;
        if (count == most) {
            tile(lanes, c, m->diff, src, outs, most);
        } else {
            for (int64_t t = 0; t < count; t++) {
                tile(lanes + t * PLAIN_LANES, c, m->diff, src + t, outs, 1);
            }
        }
    }
}

// Bias: the sums of diff_dst alone.
static void add_bias(const memory *m, const call *c, int64_t n)
{
    const wsr__conv *const p = c->p;
    const int64_t first = p->co * p->ci * p->kh * p->kw;
    for (int64_t k = 0; k < c->biases; k++) {
        const float *const from = c->summed + (n * c->biases + k) * c->pixels;
        float *const lanes = m->lanes + (first + k) * PLAIN_LANES;
        vb sum = ldbu(lanes);
        int64_t i = 0;
        for (; i + BUNDLE <= c->pixels; i += BUNDLE) {
            sum = addb(sum, ldbu(from + i));
        }
        stbu(lanes, sum);
        for (; i < c->pixels; i++) {
            lanes[0] += from[i];
        }
    }
}

// The gradients of some results, between zeros that are there already.
static void read_diff_rows(const memory *m, const call *c, const place *at,
                           int64_t k, int64_t outs)
{
    const wsr__conv *const p = c->p;
    const int64_t rows = min64(c->l.rows, p->oh - at->first);
    for (int64_t i = 0; i < outs; i++) {
        const int64_t row = (at->n * p->co + k + i) * p->oh + at->first;
        float *const to = m->diff + i * (c->l.length + PLAIN_SLACK);
        for (int64_t y = 0; y < rows; y++) {
            take_columns(to + y * c->l.pitch, c->diff + (row + y) * p->ow, 0,
                         p->ow, 1);
        }
    }
}

static void add_chunk(const memory *m, const call *c, const place *at)
{
    const wsr__conv *const p = c->p;
    plain_read(m->src, c->src + (at->n * p->ci + at->channel) * p->h * p->w,
               at->channels, &c->l, at->first);
    for (int64_t k = 0; k < p->co; k += OUTS) {
        const int64_t outs = min64(OUTS, p->co - k);
        // All channels of dst may be there from the chunk before.
        if (at->channel == 0 || p->co > OUTS) {
            read_diff_rows(m, c, at, k, outs);
        }
        if (outs == 1) {
            add_outs(m, c, at, k, 1);
        } else if (outs == 2) {
            add_outs(m, c, at, k, 2);
        } else if (outs == 3) {
            add_outs(m, c, at, k, 3);
        } else if (outs == 4) {
            add_outs(m, c, at, k, OUTS > 4 ? 4 : OUTS);
        } else {
            add_outs(m, c, at, k, OUTS);
        }
    }
}

// In one fixed order; lanes beyond the register's hold zeros. n is a multiple
// of eight.
static void sum_lanes(float *out, const float *lanes, int64_t n)
{
    for (int64_t i = 0; i < n; i += 8) {
        float halves[8 * WSR__BLOCK];
        for (int64_t k = 0; k < 8; k++) {
            const float *const from = lanes + (i + k) * PLAIN_LANES;
            stu8(halves + k * WSR__BLOCK,
                 add8(ldu8(from), ldu8(from + WSR__BLOCK)));
        }
        stu8(out + i, sum_lanes8(halves));
    }
}

// All bands of image n. Where it is one band, the zeros around it stay where
// they are.
static void add_image(const memory *m, const call *c, int64_t n, bool clear)
{
    const size_t size = (size_t)(m->lanes - m->src) * sizeof(*m->src);
    for (int64_t b = 0; b < c->l.bands; b++) {
        if (clear || c->l.bands > 1) {
            memset(m->src, 0, size);
        }
        for (int64_t k = 0; k < c->p->ci; k += c->l.chunk) {
            const place at = {.n = n,
                              .first = b * c->l.rows,
                              .channel = k,
                              .channels = min64(c->l.chunk, c->p->ci - k)};
            add_chunk(m, c, &at);
        }
    }
}

// Items are groups of images.
static void body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const int64_t images = c->p->n;
    const memory m = memory_of(c, part);
    const int64_t groups = wsr__image_groups(images);
    for (int64_t group = begin; group < end; group++) {
        const int64_t first = group * images / groups;
        memset(m.lanes, 0,
               (size_t)(c->gradient * PLAIN_LANES) * sizeof(*m.lanes));
        for (int64_t n = first; n < (group + 1) * images / groups; n++) {
            add_image(&m, c, n, group == begin && n == first);
            add_bias(&m, c, n);
        }
        sum_lanes(c->out + group * c->gradient, m.lanes, c->gradient);
    }
}

// The convolution whose src is the gradient of dst, and the other way round.
static wsr__conv exchanged(const wsr__conv *p)
{
    wsr__conv e = *p;
    e.ci = p->co;
    e.co = p->ci;
    e.h = p->oh;
    e.w = p->ow;
    e.oh = p->h;
    e.ow = p->w;
    e.ph = (p->kh - 1) * p->dh - p->ph;
    e.pw = (p->kw - 1) * p->dw - p->pw;
    return e;
}

// (ci, co, mirrored kernel) to (co, ci, kernel).
static void exchange(float *to, const float *from, const wsr__conv *p)
{
    const int64_t kernel = p->kh * p->kw;
    for (int64_t i = 0; i < p->co * p->ci; i++) {
        const int64_t at = i % p->ci * p->co + i / p->ci;
        for (int64_t k = 0; k < kernel; k++) {
            to[i * kernel + k] = from[at * kernel + kernel - 1 - k];
        }
    }
}

void WSR_NAME(wsr__plain_backward_weights)(float *gradients, const wsr__conv *p,
                                           const float *src,
                                           const float *diff_dst,
                                           float *scratch,
                                           const wsr__thread_scratch *threads)
{
    const bool swap = p->co < p->ci && p->sh == 1 && p->sw == 1;
    const wsr__conv as = swap ? exchanged(p) : *p;
    const int64_t groups = wsr__image_groups(p->n);
    const int64_t weights = p->co * p->ci * p->kh * p->kw;
    call c = {.p = &as,
              .l = wsr__plain_layout_of(&as, true),
              .src = swap ? diff_dst : src,
              .diff = swap ? src : diff_dst,
              .summed = diff_dst,
              .biases = p->co,
              .pixels = p->oh * p->ow,
              .out = scratch,
              .gradient = (int64_t)wsr__plain_gradients(p),
              .threads = threads};
    plain_taps(&c.taps, &as, &c.l, true);
    wsr__parallel_among(groups, threads->count, body, &c);
    WSR_NAME(wsr__sum_images)(gradients, scratch, groups, c.gradient);
    if (swap) {
        memcpy(scratch, gradients, (size_t)weights * sizeof(*scratch));
        exchange(gradients, scratch, p);
    }
}
