// SPDX-License-Identifier: Apache-2.0
//
// Parallel loops over OpenMP, which oneDNN uses as well: one pool of threads
// serves both. No other file knows OpenMP.

#include "base/base.h"

#include <omp.h>
#include <stdatomic.h>

enum { MOST = 1024, PIECES = 64 };

static atomic_size_t chosen; // 0: nothing chosen, OpenMP's own default

void wsr_set_threads(size_t threads)
{
    size_t n = threads;
    if (n == 0) {
        n = (size_t)omp_get_num_procs();
    }
    n = n < MOST ? n : MOST;
    atomic_store(&chosen, n);
    wsr__threads_adopt();
}

size_t wsr_threads(void)
{
    const size_t n = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (n != 0) {
        return n;
    }
    const size_t most = (size_t)omp_get_max_threads();
    return most < MOST ? most : MOST;
}

// OpenMP keeps its thread count per calling thread, so that a choice made in
// one thread is unknown to those that the caller starts afterwards.
void wsr__threads_adopt(void)
{
    static _Thread_local size_t adopted;
    const size_t n = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (n != adopted) {
        omp_set_num_threads((int)n);
        adopted = n;
    }
}

// A share is cut into pieces. Its thread runs most of them at one go and then
// ever fewer; threads whose share is done take from the ends of the others'.

/// Pieces of a share that nobody has taken: the first in the upper half, the
/// end in the lower. Each in a cache line of its own.
typedef struct share {
    _Alignas(64) _Atomic uint64_t left;
} share;

typedef struct loop {
    wsr__body body;
    void *ctx;
    int64_t n;
    int64_t pieces;
    int64_t parts;
    share shares[MOST];
} loop;

static int64_t share_begin(const loop *l, int64_t part)
{
    return part * l->pieces / l->parts;
}

/// What a share's own thread runs first.
static int64_t first_end(const loop *l, int64_t part)
{
    const int64_t begin = share_begin(l, part);
    return begin + (share_begin(l, part + 1) - begin) * 3 / 4;
}

static void run_pieces(const loop *l, int64_t begin, int64_t end, int64_t part)
{
    if (begin < end) {
        l->body(l->ctx, begin * l->n / l->pieces, end * l->n / l->pieces,
                (size_t)part);
    }
}

/// Take half of what a share has left, from its front or its end, and run it
/// as `part`. False when there was nothing.
static bool run_half(loop *l, share *from, bool front, int64_t part)
{
    uint64_t old = atomic_load(&from->left);
    uint64_t begin, end, half;
    do {
        begin = old >> 32;
        end = old & UINT32_MAX;
        if (begin >= end) {
            return false;
        }
        half = (end - begin + 1) / 2;
    } while (!atomic_compare_exchange_weak(&from->left, &old,
                                           front ? (begin + half) << 32 | end
                                                 : begin << 32 | (end - half)));
    run_pieces(l, (int64_t)(front ? begin : end - half),
               (int64_t)(front ? begin + half : end), part);
    return true;
}

static void run_share(loop *l, int64_t part)
{
    run_pieces(l, share_begin(l, part), first_end(l, part), part);
    while (run_half(l, &l->shares[part], true, part)) {
    }
}

static void run_others(loop *l, int64_t part)
{
    for (int64_t k = 1; k < l->parts; k++) {
        share *const other = &l->shares[(part + k) % l->parts];
        while (run_half(l, other, false, part)) {
        }
    }
}

void wsr__parallel(int64_t n, wsr__body body, void *ctx)
{
    wsr__parallel_among(n, MOST, body, ctx);
}

void wsr__parallel_among(int64_t n, int64_t most, wsr__body body, void *ctx)
{
    if (n <= 0) {
        return;
    }
    int64_t parts = (int64_t)wsr_threads();
    parts = parts < most ? parts : most;
    parts = parts < n ? parts : n;
    if (parts <= 1 || omp_in_parallel()) {
        body(ctx, 0, n, 0);
        return;
    }
    loop l;
    l.body = body;
    l.ctx = ctx;
    l.n = n;
    l.parts = parts;
    l.pieces = n < parts * PIECES ? n : parts * PIECES;
    for (int64_t p = 0; p < parts; p++) {
        atomic_init(&l.shares[p].left, (uint64_t)first_end(&l, p) << 32 |
                                           (uint64_t)share_begin(&l, p + 1));
    }
    // All shares are run, even if OpenMP grants fewer threads.
#pragma omp parallel num_threads((int)parts)
    {
        const int64_t me = omp_get_thread_num();
        for (int64_t p = me; p < parts; p += omp_get_num_threads()) {
            run_share(&l, p);
        }
        run_others(&l, me);
    }
}
