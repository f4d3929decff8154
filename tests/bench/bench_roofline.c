// SPDX-License-Identifier: Apache-2.0
//
// What the machine can do at most, to hold the other numbers against:
// multiply-adds from registers, and reading and writing memory that no cache
// holds, by as many threads as the library uses. Prints one JSON object.
//
// bench_roofline [mib=512] [rounds=20] [isa=avx512|avx2]
//   mib      size of each of two arrays
//   isa      instructions of the multiply-adds; the widest ones by default
//   rounds   each of 2^22 groups of multiply-adds per thread, and each once
//            over the arrays; the best counts

#include "base/base.h"
#include "bench/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { CHAINS = 12, GROUPS = 1 << 22 }; // enough chains to hide the latency

typedef struct measure {
    const char *isa;
    double flops; // of a group
    float (*groups)(float start);
    float *sink; // per part
    float *arrays[2];
    int64_t floats;
    size_t parts;
} measure;

// A body for each width: CHAINS independent multiply-adds a round.
#define GROUPS_OF(name, isa, vector, set1, fma, first)                \
    __attribute__((target(isa))) static float name(float start)       \
    {                                                                 \
        vector sum[CHAINS];                                           \
        const vector a = set1(0.999F);                                \
        for (int k = 0; k < CHAINS; k++) {                            \
            sum[k] = set1(start + (float)k);                          \
        }                                                             \
        for (int i = 0; i < GROUPS; i++) {                            \
            _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) \
            {                                                         \
                sum[k] = fma(sum[k], a, a);                           \
            }                                                         \
        }                                                             \
        for (int k = 1; k < CHAINS; k++) {                            \
            sum[0] = fma(sum[k], a, sum[0]);                          \
        }                                                             \
        return first(sum[0]);                                         \
    }

#ifdef __x86_64__
GROUPS_OF(groups_512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps,
          _mm512_cvtss_f32)
GROUPS_OF(groups_256, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps,
          _mm256_cvtss_f32)
#endif

static float groups_1(float start)
{
    float sum[CHAINS];
    for (int k = 0; k < CHAINS; k++) {
        sum[k] = start + (float)k;
    }
    for (int i = 0; i < GROUPS; i++) {
        for (int k = 0; k < CHAINS; k++) {
            sum[k] = sum[k] * 0.999F + 0.999F;
        }
    }
    for (int k = 1; k < CHAINS; k++) {
        sum[0] += sum[k];
    }
    return sum[0];
}

static void choose(measure *m, const char *isa)
{
    const bool any = strcmp(isa, "") == 0;
    *m = (measure){.isa = "plain C", .flops = 2.0 * CHAINS, .groups = groups_1};
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") &&
        (any || strcmp(isa, "avx512") == 0)) {
        *m = (measure){"avx512f", 2.0 * CHAINS * 16, groups_512, NULL, {0}, 0,
                       0};
    } else if (__builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("fma") &&
               (any || strcmp(isa, "avx2") == 0)) {
        *m = (measure){"avx2", 2.0 * CHAINS * 8, groups_256, NULL, {0}, 0, 0};
    }
#endif
}

static void compute(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const measure *const m = ctx;
    for (int64_t i = begin; i < end; i++) {
        m->sink[part] += m->groups((float)i);
    }
}

static void multiply_add(void *ctx)
{
    const measure *const m = ctx;
    wsr__parallel((int64_t)m->parts, compute, ctx);
}

// dst = 0.999 src: each float is read and written once, and dst's lines are
// fetched before they are written, which is not counted.
static void pass(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const measure *const m = ctx;
    const float *const src = m->arrays[0];
    float *const dst = m->arrays[1];
    for (int64_t i = begin; i < end; i++) {
        dst[i] = 0.999F * src[i];
    }
}

static void move(void *ctx)
{
    const measure *const m = ctx;
    wsr__parallel(m->floats, pass, ctx);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"mib", "rounds", "isa", NULL};
    measure m;
    bench_check(argc, argv, keys);
    const long mib = bench_number(argc, argv, "mib", 512);
    const long rounds = bench_number(argc, argv, "rounds", 20);
    choose(&m, bench_text(argc, argv, "isa", ""));
    m.parts = wsr_threads();
    m.floats = mib * (1 << 18);
    m.sink = calloc(m.parts, sizeof(*m.sink));
    m.arrays[0] = calloc((size_t)m.floats, sizeof(float));
    m.arrays[1] = calloc((size_t)m.floats, sizeof(float));
    if (m.sink == NULL || m.arrays[0] == NULL || m.arrays[1] == NULL) {
        fprintf(stderr, "bench_roofline: no memory\n");
        exit(1);
    }
    move(&m);
    const double seconds = bench_best(multiply_add, &m, rounds);
    const double moving = bench_best(move, &m, rounds);
    printf("{\"threads\": %zu, \"isa\": \"%s\", \"gflops\": %.1f, "
           "\"gbytes_per_s\": %.1f, \"check\": %g}\n",
           m.parts, m.isa, 1e-9 * m.flops * GROUPS * (double)m.parts / seconds,
           1e-9 * 8 * (double)m.floats / moving, (double)m.sink[0]);
    free(m.sink);
    free(m.arrays[0]);
    free(m.arrays[1]);
    return 0;
}
