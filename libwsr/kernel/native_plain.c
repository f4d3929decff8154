// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of few channels on plain tensors, forward and backward data, in
// vectors along the rows:
//
//   dst[16 pixels] += splat(weight) * src[16 pixels + tap]
//
// A thread copies what a band of results meets to planes with zeros around
// them. There the results of all rows are one array (wsr__plain_layout), so
// that narrow images fill the vectors too. Backward data is the same sum with
// the channels exchanged; with a stride it takes the results phase by phase.

#include "kernel/native_plain.h"

// What all threads of one call read.
typedef struct call {
    wsr__plain_layout l;
    tap_list taps;
    const float *in;
    const float *weights;
    int64_t weights_in;  // floats from channel to channel of what is read
    int64_t weights_out; // the same of results
    const float *bias;
    bool accumulate;
    float *out;
    int64_t h; // of results
    int64_t w;
    const wsr__thread_scratch *threads;
} call;

// The results of some channels in one phase, from one chunk of what is read.
typedef struct product {
    const call *c;
    const float *in;
    int64_t ins;
    const float *weights;
    int64_t begin; // taps of the phase
    int64_t end;
    float *out; // [channel][length + PLAIN_SLACK]
    bool add;   // to what an earlier chunk left there
} product;

// Where a call is: what the first channel of a chunk is, of which image, and
// the first row of the band.
typedef struct place {
    int64_t n;
    int64_t first;
    int64_t channel;
    int64_t channels;
} place;

// -------------------------------------------------------------------- tile

enum {
    WIDE = WSR_AVX512 ? 4 : 2 // registers of a row in a tile
};

// `outs` channels of `vectors` registers from result `at` on.
WSR_INLINE void tile(const product *p, int64_t at, const int outs,
                     const int vectors)
{
    const call *const c = p->c;
    float *const out = p->out + at;
    const int64_t next = c->l.length + PLAIN_SLACK;
    vb sum[PLAIN_OUTS * WIDE * 2];
    WSR_UNROLL
    for (int i = 0; i < outs * vectors; i++) {
        sum[i] = p->add ? ldbu(out + i / vectors * next + i % vectors * BUNDLE)
                        : splatb(0.0f);
    }
    for (int64_t k = 0; k < p->ins; k++) {
        const float *const in = p->in + k * c->l.channel + at;
        const float *const weights = p->weights + k * c->weights_in;
        for (int64_t t = p->begin; t < p->end; t++) {
            const float *const x = in + c->taps.at[t];
            const float *const w = weights + c->taps.weight[t];
            WSR_UNROLL
            for (int i = 0; i < outs * vectors; i++) {
                sum[i] = fmab(splatb(w[i / vectors * c->weights_out]),
                              ldbu(x + i % vectors * BUNDLE), sum[i]);
            }
        }
    }
    WSR_UNROLL
    for (int i = 0; i < outs * vectors; i++) {
        stbu(out + i / vectors * next + i % vectors * BUNDLE, sum[i]);
    }
}

// Fewer channels leave registers for longer tiles.
WSR_INLINE void tiles(const product *p, const int outs)
{
    const int wide = outs <= 2 ? 2 * WIDE : WIDE;
    int64_t at = 0;
    for (; at + wide / 2 * BUNDLE < p->c->l.length; at += wide * BUNDLE) {
        tile(p, at, outs, wide);
    }
    for (; at < p->c->l.length; at += wide / 2 * BUNDLE) {
        tile(p, at, outs, wide / 2);
    }
}

static void multiply(const product *p, int64_t outs)
{
    if (outs == 1) {
        tiles(p, 1);
    } else if (outs == 2) {
        tiles(p, 2);
    } else if (outs == 3) {
        tiles(p, 3);
    } else if (outs == 4) {
        tiles(p, 4);
    } else {
        tiles(p, PLAIN_OUTS);
    }
}

// ------------------------------------------------------------------ results

// n results of a row, `step` apart.
WSR_INLINE void put_row(float *to, const float *from, int64_t n, float bias,
                        bool accumulate, const int64_t step)
{
    const vb add = splatb(bias);
    int64_t i = 0;
    for (; step == 1 && i + BUNDLE <= n; i += BUNDLE) {
        const vb v = addb(ldbu(from + i), add);
        stbu(to + i, accumulate ? addb(ldbu(to + i), v) : v);
    }
    for (; i < n; i++) {
        const float v = from[i] + bias;
        to[i * step] = accumulate ? to[i * step] + v : v;
    }
}

// One channel's results of a phase, of the band from row `first` on.
static void put(const call *c, float *image, const float *from, float bias,
                const int64_t phase[2], int64_t first)
{
    const wsr__dense_layout *const s = &c->l.sides;
    const int64_t n = (c->w - phase[1] + s->phases[1] - 1) / s->phases[1];
    for (int64_t i = 0; i < c->l.rows; i++) {
        const int64_t y = (first + i) * s->phases[0] + phase[0];
        if (y >= c->h) {
            return;
        }
        float *const to = image + y * c->w + phase[1];
        const float *const row = from + i * c->l.pitch;
        if (s->phases[1] == 1) {
            put_row(to, row, n, bias, c->accumulate, 1);
        } else {
            put_row(to, row, n, bias, c->accumulate, s->phases[1]);
        }
    }
}

// `outs` channels of results from channel k on, in phase i.
static void compute_outs(const call *c, const place *at, float *memory,
                         int64_t i, int64_t k, int64_t outs)
{
    const wsr__dense_layout *const s = &c->l.sides;
    const int64_t phase[2] = {i / s->phases[1], i % s->phases[1]};
    const int64_t next = c->l.length + PLAIN_SLACK;
    const bool whole = c->l.chunk == s->ins;
    const product p = {
        .c = c,
        .in = memory,
        .ins = at->channels,
        .weights = c->weights + k * c->weights_out +
                   at->channel * c->weights_in,
        .begin = c->taps.begin[i],
        .end = c->taps.begin[i + 1],
        .out = memory + c->l.chunk * c->l.channel + PLAIN_SLACK +
               (whole ? 0 : (i * s->outs + k) * next),
        .add = at->channel > 0,
    };
    multiply(&p, outs);
    if (at->channel + at->channels < s->ins) {
        return;
    }
    for (int64_t j = 0; j < outs; j++) {
        put(c, c->out + (at->n * s->outs + k + j) * c->h * c->w,
            p.out + j * next, c->bias != NULL ? c->bias[k + j] : 0.0f, phase,
            at->first);
    }
}

static void compute_chunk(const call *c, const place *at, float *memory)
{
    const wsr__dense_layout *const s = &c->l.sides;
    plain_read(memory, c->in + (at->n * s->ins + at->channel) * s->h * s->w,
               at->channels, &c->l, at->first);
    for (int64_t i = 0; i < s->phases[0] * s->phases[1]; i++) {
        for (int64_t k = 0; k < s->outs; k += PLAIN_OUTS) {
            compute_outs(c, at, memory, i, k, min64(PLAIN_OUTS, s->outs - k));
        }
    }
}

// Items are bands of images. Where an image is one band, the zeros around it
// stay where they are.
static void body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const wsr__plain_layout *const l = &c->l;
    float *const memory = c->threads->data + (int64_t)part * c->threads->stride;
    const size_t size = (size_t)(l->chunk * l->channel + PLAIN_SLACK) *
                        sizeof(*memory);
    for (int64_t i = begin; i < end; i++) {
        if (i == begin || l->bands > 1) {
            memset(memory, 0, size);
        }
        for (int64_t k = 0; k < l->sides.ins; k += l->chunk) {
            const place at = {.n = i / l->bands,
                              .first = i % l->bands * l->rows,
                              .channel = k,
                              .channels = min64(l->chunk, l->sides.ins - k)};
            compute_chunk(c, &at, memory);
        }
    }
}

// ----------------------------------------------------------------- entries

static void run(call *c, const wsr__conv *p, bool forward)
{
    c->l = wsr__plain_layout_of(p, forward);
    plain_taps(&c->taps, p, &c->l, forward);
    c->h = forward ? p->oh : p->h;
    c->w = forward ? p->ow : p->w;
    const int64_t kernel = p->kh * p->kw;
    c->weights_in = forward ? kernel : p->ci * kernel;
    c->weights_out = forward ? p->ci * kernel : kernel;
    wsr__parallel_among(p->n * c->l.bands, c->threads->count, body, c);
}

void WSR_NAME(wsr__plain_forward)(float *dst, const wsr__conv *p,
                                  const float *src, const float *weights,
                                  const float *bias,
                                  const wsr__thread_scratch *threads)
{
    call c = {.in = src,
              .weights = weights,
              .bias = bias,
              .out = dst,
              .threads = threads};
    run(&c, p, true);
}

void WSR_NAME(wsr__plain_backward_data)(float *diff_src, const wsr__conv *p,
                                        const float *diff_dst,
                                        const float *weights, bool accumulate,
                                        const wsr__thread_scratch *threads)
{
    call c = {.in = diff_dst,
              .weights = weights,
              .accumulate = accumulate,
              .out = diff_src,
              .threads = threads};
    run(&c, p, false);
}
