// SPDX-License-Identifier: Apache-2.0
//
// Row kernels of depthwise convolutions, see native_row.h.
//
// A tile of P neighbouring results stays in registers while all kernel rows
// pass over it. Each source pixel is loaded once per kernel row and multiplied
// with all taps that meet it, so that loads are a fraction of the
// multiply-adds. The gradient of the weights is the mirror image: the taps'
// sums stay in registers while pixels pass by.

#include "kernel/native_plane.h"

// Longest tile: what fits into the registers beside the taps of a row.
#if WSR_AVX512
enum { TILE = 16 };
#elif WSR_AVX2
enum { TILE = 8 };
#else
enum { TILE = 4 };
#endif

WSR_INLINE void gate_tile(v8 *acc, const float *gate, int64_t step,
                          const finish *f, const int P)
{
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        acc[p] = gate_apply(acc[p], ld8(gate + p * step), f);
    }
}

// Sums are kept in registers here: in *f, each would wait for the one before
// to be stored and loaded again.
WSR_INLINE void sums_tile(const v8 *acc, const float *gate, int64_t step,
                          finish *f, const int P)
{
    v8 sum = f->sum;
    v8 product = f->product;
    const v8 mean = f->mean;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        sum = add8(sum, acc[p]);
        product = fma8(acc[p], sub8(ld8(gate + p * step), mean), product);
    }
    f->sum = sum;
    f->product = product;
}

WSR_INLINE void finish_tile(float *out, int64_t step, v8 *acc, int64_t x,
                            finish *f, const int P)
{
    if (f->gated) {
        gate_tile(acc, f->gate + x * step, step, f, P);
        if (f->summed) {
            sums_tile(acc, f->gate + x * step, step, f, P);
        }
    }
    if (f->accumulate) {
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            acc[p] = add8(ld8(out + (x + p) * step), acc[p]);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        st8(out + (x + p) * step, acc[p]);
    }
}

WSR_INLINE void conv_tile(float *out, int64_t step, const taps *t, int64_t x,
                          finish *f, const int K, const int D, const int S,
                          const int P)
{
    v8 acc[TILE];
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        acc[p] = f->bias;
    }
    for (int r = 0; r < t->count; r++) {
        const float *const row = opaque(t->row[r] + x * S * WSR__BLOCK);
        v8 tap[ROW_TAPS];
        WSR_UNROLL
        for (int k = 0; k < K; k++) {
            tap[k] = ld8(t->weight[r] + k * WSR__BLOCK);
        }
        WSR_UNROLL
        for (int j = 0; j <= (P - 1) * S + (K - 1) * D; j++) {
            const v8 v = ld8(row + j * WSR__BLOCK);
            WSR_UNROLL
            for (int k = 0; k < K; k++) {
                const int q = j - k * D;
                if (q >= 0 && q % S == 0 && q / S < P) {
                    acc[q / S] = fma8(tap[k], v, acc[q / S]);
                }
            }
        }
    }
    if (f->plain) {
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            st8(out + (x + p) * step, acc[p]);
        }
    } else {
        finish_tile(out, step, acc, x, f, P);
    }
}

WSR_INLINE void conv_row(float *out, const int64_t step, const taps *t,
                         int64_t n, finish *f, const int K, const int D,
                         const int S)
{
    int64_t x = 0;
    for (; x + TILE <= n; x += TILE) {
        conv_tile(out, step, t, x, f, K, D, S, TILE);
    }
    if (TILE > 8 && x + 8 <= n) {
        conv_tile(out, step, t, x, f, K, D, S, 8);
        x += 8;
    }
    if (TILE > 4 && x + 4 <= n) {
        conv_tile(out, step, t, x, f, K, D, S, 4);
        x += 4;
    }
    for (; x < n; x++) {
        conv_tile(out, step, t, x, f, K, D, S, 1);
    }
}

WSR_INLINE void grad_tile(v8 *acc, const float *const *row, const float *diff,
                          int64_t x, const int K, const int D, const int S,
                          const int R, const int P)
{
    v8 g[8];
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        g[p] = ld8(diff + (x + p) * WSR__BLOCK);
    }
    WSR_UNROLL
    for (int r = 0; r < R; r++) {
        const float *const src = opaque(row[r] + x * S * WSR__BLOCK);
        WSR_UNROLL
        for (int j = 0; j <= (P - 1) * S + (K - 1) * D; j++) {
            const v8 v = ld8(src + j * WSR__BLOCK);
            WSR_UNROLL
            for (int k = 0; k < K; k++) {
                const int q = j - k * D;
                if (q >= 0 && q % S == 0 && q / S < P) {
                    acc[r * K + k] = fma8(v, g[q / S], acc[r * K + k]);
                }
            }
        }
    }
}

WSR_INLINE void grad_rows(const grad_taps *t, int first, const float *diff,
                          int64_t n, const int K, const int D, const int S,
                          const int R, const int P)
{
    v8 acc[ROW_TAPS * ROW_TAPS];
    WSR_UNROLL
    for (int i = 0; i < R * K; i++) {
        acc[i] = splat8(0.0f);
    }
    const float *const *const row = t->row + first;
    int64_t x = 0;
    for (; x + P <= n; x += P) {
        grad_tile(acc, row, diff, x, K, D, S, R, P);
    }
    for (; x < n; x++) {
        grad_tile(acc, row, diff, x, K, D, S, R, 1);
    }
    WSR_UNROLL
    for (int i = 0; i < R * K; i++) {
        float *const sum = t->sum[first + i / K] + i % K * WSR__BLOCK;
        st8(sum, add8(ld8(sum), acc[i]));
    }
}

// R kernel rows at a time, P pixels of diff_dst in registers: R * K sums keep
// the multiply-add units busy, and all must fit into the registers.
WSR_INLINE void grad_row(const grad_taps *t, const float *diff, int64_t n,
                         const int K, const int D, const int S)
{
#if WSR_AVX512
    const int R = K == 3 ? 3 : K == 5 ? 5 : 3;
    const int P = K == 5 ? 4 : 8;
#else
    const int R = K == 3 ? 3 : K == 5 ? 2 : 1;
    const int P = K == 7 ? 6 : 4;
#endif
    int r = 0;
    for (; r + R <= t->count; r += R) {
        grad_rows(t, r, diff, n, K, D, S, R, P);
    }
    for (; r < t->count; r++) {
        grad_rows(t, r, diff, n, K, D, S, 1, P);
    }
}

// Results lie side by side, except those of a column phase of a strided
// backward pass, which always has stride and dilation 1.
#define ROW(K, D, S)                                                         \
    static void row_##K##_##D##_##S(float *out, int64_t step, const taps *t, \
                                    int64_t n, finish *f)                    \
    {                                                                        \
        if (D * S == 1 && step != WSR__BLOCK) {                              \
            conv_row(out, 2 * WSR__BLOCK, t, n, f, K, D, S);                 \
        } else {                                                             \
            conv_row(out, WSR__BLOCK, t, n, f, K, D, S);                     \
        }                                                                    \
    }
#define GRAD(K, D, S)                                                       \
    static void grad_##K##_##D##_##S(const grad_taps *t, const float *diff, \
                                     int64_t n)                             \
    {                                                                       \
        grad_row(t, diff, n, K, D, S);                                      \
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
