// SPDX-License-Identifier: Apache-2.0
//
// Row kernels of depthwise convolutions, see native_row.h.
//
// A tile of P neighbouring results stays in registers while all kernel rows
// pass over it. Each source pixel is loaded once per kernel row and multiplied
// with all taps that meet it, so that loads are a fraction of the
// multiply-adds. The gradient of the weights is the mirror image: the taps'
// sums stay in registers while pixels pass by.

#include "kernel/native_row.h"

// Longest tile: what fits into the registers beside the taps of a row.
#if WSR_AVX512
enum { TILE = 16 };
#elif WSR_AVX2
enum { TILE = 8 };
#else
enum { TILE = 4 };
#endif

enum { LANES = 4 }; // sums side by side

// What a kernel is unrolled for. All uses are inlined with constants.
typedef struct unrolled {
    int taps; // of a kernel row
    int dilation;
    int stride;
    int rows;     // kernel rows at a time (gradient)
    int pixels;   // results at a time
    int64_t step; // floats from result to result
} unrolled;

// Zero the gradient of a tile where the relu of the prologue has cut src off.
WSR_INLINE void mask_tile(vb *acc, const float *mask, const finish *f,
                          const unrolled u)
{
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        const vb src = load_blocks(mask + p * u.step, f->pitch);
        acc[p] = mask_apply(acc[p], src, f);
    }
}

// Several sums side by side: in one, each addition would wait for the one
// before.
WSR_INLINE void sums_tile(const vb *acc, const float *mask, finish *f,
                          const unrolled u)
{
    vb sum[LANES];
    vb product[LANES];
    const vb mean = f->mean;
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        const vb off = subb(load_blocks(mask + p * u.step, f->pitch), mean);
        const int k = p % LANES;
        sum[k] = p < LANES ? acc[p] : addb(sum[k], acc[p]);
        product[k] = p < LANES ? mulb(acc[p], off)
                               : fmab(acc[p], off, product[k]);
    }
    const int lanes = u.pixels < LANES ? u.pixels : LANES;
    WSR_UNROLL
    for (int k = 1; k < lanes; k++) {
        sum[0] = addb(sum[0], sum[k]);
        product[0] = addb(product[0], product[k]);
    }
    f->sum = addb(f->sum, sum[0]);
    f->product = addb(f->product, product[0]);
}

// What follows the convolution, in registers: mask, sums, accumulation;
// then the store.
WSR_INLINE void finish_tile(float *out, vb *acc, int64_t x, finish *f,
                            const unrolled u)
{
    float *const to = out + x * u.step;
    if (f->masked) {
        mask_tile(acc, f->mask + x * u.step, f, u);
    }
    if (f->summed) {
        sums_tile(acc, f->mask + x * u.step, f, u);
    }
    if (f->accumulate) {
        WSR_UNROLL
        for (int p = 0; p < u.pixels; p++) {
            acc[p] = addb(load_blocks(to + p * u.step, f->pitch), acc[p]);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        store_blocks(to + p * u.step, f->pitch, acc[p]);
    }
}

// The result that source pixel j meets through tap k, or -1.
WSR_INLINE int meets(int j, int k, const unrolled u)
{
    const int q = j - k * u.dilation;
    const int result = q / u.stride;
    return q >= 0 && q % u.stride == 0 && result < u.pixels ? result : -1;
}

// Multiply source pixel j with all taps that meet it.
WSR_INLINE void spread(vb *acc, const vb *tap, vb src, int j, const unrolled u)
{
    WSR_UNROLL
    for (int k = 0; k < u.taps; k++) {
        const int p = meets(j, k, u);
        if (p >= 0) {
            acc[p] = fmab(tap[k], src, acc[p]);
        }
    }
}

// The same for the gradient of the taps.
WSR_INLINE void collect(vb *sum, const vb *diff, vb src, int j,
                        const unrolled u)
{
    WSR_UNROLL
    for (int k = 0; k < u.taps; k++) {
        const int p = meets(j, k, u);
        if (p >= 0) {
            sum[k] = fmab(src, diff[p], sum[k]);
        }
    }
}

// P results from pixel x on, over all kernel rows.
WSR_INLINE void conv_tile(float *out, const taps *t, int64_t x, finish *f,
                          const unrolled u)
{
    vb acc[TILE];
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        acc[p] = f->bias;
    }
    const int last = (u.pixels - 1) * u.stride + (u.taps - 1) * u.dilation;
    for (int r = 0; r < t->count; r++) {
        const float *const row = opaque(t->row[r] + x * u.stride * BUNDLE);
        vb tap[ROW_TAPS];
        WSR_UNROLL
        for (int k = 0; k < u.taps; k++) {
            tap[k] = ldb(t->weight[r] + k * BUNDLE);
        }
        WSR_UNROLL
        for (int j = 0; j <= last; j++) {
            spread(acc, tap, ldb(row + j * BUNDLE), j, u);
        }
    }
    finish_tile(out, acc, x, f, u);
}

// A row of n results: whole tiles, then single results.
WSR_INLINE void conv_row(float *out, const taps *t, int64_t n, finish *f,
                         unrolled u)
{
    int64_t x = 0;
    u.pixels = TILE;
    for (; x + TILE <= n; x += TILE) {
        conv_tile(out, t, x, f, u);
    }
    u.pixels = 8;
    if (TILE > 8 && x + 8 <= n) {
        conv_tile(out, t, x, f, u);
        x += 8;
    }
    u.pixels = 4;
    if (TILE > 4 && x + 4 <= n) {
        conv_tile(out, t, x, f, u);
        x += 4;
    }
    u.pixels = 1;
    for (; x < n; x++) {
        conv_tile(out, t, x, f, u);
    }
}

// Add what P pixels of diff_dst contribute to the sums of some kernel rows.
WSR_INLINE void grad_tile(vb *acc, const float *const *row, const float *diff,
                          int64_t x, const unrolled u)
{
    vb g[8];
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        g[p] = ldb(diff + (x + p) * BUNDLE);
    }
    const int last = (u.pixels - 1) * u.stride + (u.taps - 1) * u.dilation;
    WSR_UNROLL
    for (int r = 0; r < u.rows; r++) {
        const float *const src = opaque(row[r] + x * u.stride * BUNDLE);
        vb *const sum = acc + r * u.taps;
        WSR_UNROLL
        for (int j = 0; j <= last; j++) {
            collect(sum, g, ldb(src + j * BUNDLE), j, u);
        }
    }
}

WSR_INLINE void grad_rows(const grad_taps *t, int first, const float *diff,
                          int64_t n, unrolled u)
{
    vb acc[ROW_TAPS * ROW_TAPS];
    WSR_UNROLL
    for (int i = 0; i < u.rows * u.taps; i++) {
        acc[i] = splatb(0.0f);
    }
    const float *const *const row = t->row + first;
    int64_t x = 0;
    for (; x + u.pixels <= n; x += u.pixels) {
        grad_tile(acc, row, diff, x, u);
    }
    u.pixels = 1;
    for (; x < n; x++) {
        grad_tile(acc, row, diff, x, u);
    }
    WSR_UNROLL
    for (int i = 0; i < u.rows * u.taps; i++) {
        float *const sum = t->sum[first + i / u.taps] + i % u.taps * WSR__BLOCK;
        store_blocks(sum, t->pitch, addb(load_blocks(sum, t->pitch), acc[i]));
    }
}

// Several kernel rows at a time and several pixels of diff_dst in registers:
// there must be enough sums to keep the multiply-add units busy, and all must
// fit into the registers.
WSR_INLINE void grad_row(const grad_taps *t, const float *diff, int64_t n,
                         unrolled u)
{
#if WSR_AVX512
    u.rows = u.taps == 5 ? 5 : 3;
    u.pixels = u.taps == 5 ? 4 : 8;
#else
    u.rows = u.taps == 3 ? 3 : u.taps == 5 ? 2 : 1;
    u.pixels = u.taps == 7 ? 6 : 4;
#endif
    int r = 0;
    for (; r + u.rows <= t->count; r += u.rows) {
        grad_rows(t, r, diff, n, u);
    }
    u.rows = 1;
    for (; r < t->count; r++) {
        grad_rows(t, r, diff, n, u);
    }
}

// Results lie side by side, except those of a strided backward pass, whose
// kernels always have stride and dilation 1.
#define ROW(K, D, S)                                                         \
    static void row_##K##_##D##_##S(float *out, int64_t step, const taps *t, \
                                    int64_t n, finish *f)                    \
    {                                                                        \
        unrolled u = {.taps = (K), .dilation = (D), .stride = (S)};          \
        if ((D) * (S) == 1 && step != WSR__BLOCK) {                          \
            u.step = step;                                                   \
            conv_row(out, t, n, f, u);                                       \
        } else {                                                             \
            u.step = WSR__BLOCK;                                             \
            conv_row(out, t, n, f, u);                                       \
        }                                                                    \
    }
#define GRAD(K, D, S)                                                       \
    static void grad_##K##_##D##_##S(const grad_taps *t, const float *diff, \
                                     int64_t n)                             \
    {                                                                       \
        const unrolled u = {.taps = (K), .dilation = (D), .stride = (S)};   \
        grad_row(t, diff, n, u);                                            \
    }
#define BOTH(K, D, S) ROW(K, D, S) GRAD(K, D, S)

ROW(1, 1, 1)
ROW(2, 1, 1)
ROW(4, 1, 1)
BOTH(3, 1, 1)
BOTH(3, 1, 2)
BOTH(3, 2, 1)
BOTH(3, 2, 2)
BOTH(5, 1, 1)
BOTH(5, 1, 2)
BOTH(5, 2, 1)
BOTH(5, 2, 2)
BOTH(7, 1, 1)
BOTH(7, 1, 2)
BOTH(7, 2, 1)
BOTH(7, 2, 2)

#define ROWS(K)                                                         \
    {                                                                   \
        {row_##K##_1_1, row_##K##_1_2}, {row_##K##_2_1, row_##K##_2_2}, \
    }
#define GRADS(K)                                                            \
    {                                                                       \
        {grad_##K##_1_1, grad_##K##_1_2}, {grad_##K##_2_1, grad_##K##_2_2}, \
    }

// [kernel][dilation - 1][stride - 1]
static const row_kernel row_kernels[ROW_TAPS + 1][2][2] = {
    [1] = {{row_1_1_1}}, [2] = {{row_2_1_1}}, [3] = ROWS(3),
    [4] = {{row_4_1_1}}, [5] = ROWS(5),       [7] = ROWS(7),
};
static const grad_kernel grad_kernels[ROW_TAPS + 1][2][2] = {
    [3] = GRADS(3),
    [5] = GRADS(5),
    [7] = GRADS(7),
};

static bool in_table(int64_t kernel, int64_t dilation, int64_t stride)
{
    return kernel >= 1 && kernel <= ROW_TAPS && dilation >= 1 &&
           dilation <= 2 && stride >= 1 && stride <= 2;
}

row_kernel WSR_NAME(wsr__row_kernel)(int64_t kernel, int64_t dilation,
                                     int64_t stride)
{
    return in_table(kernel, dilation, stride)
               ? row_kernels[kernel][dilation - 1][stride - 1]
               : NULL;
}

grad_kernel WSR_NAME(wsr__grad_kernel)(int64_t kernel, int64_t dilation,
                                       int64_t stride)
{
    return in_table(kernel, dilation, stride)
               ? grad_kernels[kernel][dilation - 1][stride - 1]
               : NULL;
}

typedef struct sum_call {
    float *out;
    const float *parts;
    int64_t n;
    int64_t size;
} sum_call;

// Work items are blocks of eight numbers: each is summed over all parts.
static void sum_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const sum_call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        double sum[WSR__BLOCK] = {0};
        for (int64_t k = 0; k < c->n; k++) {
            add_d8(sum, ldu8(c->parts + k * c->size + i * WSR__BLOCK));
        }
        for (int k = 0; k < WSR__BLOCK; k++) {
            c->out[i * WSR__BLOCK + k] = (float)sum[k];
        }
    }
}

void WSR_NAME(wsr__sum_images)(float *out, const float *parts, int64_t n,
                               int64_t size)
{
    sum_call c = {.out = out, .parts = parts, .n = n, .size = size};
    wsr__parallel(size / WSR__BLOCK, sum_body, &c);
}
