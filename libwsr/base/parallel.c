// SPDX-License-Identifier: Apache-2.0
//
// Parallel loops over OpenMP, which oneDNN uses as well: one pool of threads
// serves both. No other file knows OpenMP.

#include "base/base.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MOST = 1024, PIECES = 64 };

static atomic_size_t chosen; // 0: nothing chosen, OpenMP's own default

void wsr_set_threads(size_t threads)
{
    size_t n = threads;
    if (n == 0) {
        n = (size_t)omp_get_num_procs();
    }
    atomic_store(&chosen, n < MOST ? n : MOST);
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

// OpenMP keeps its thread count per calling thread, so that what one thread
// sets is unknown to all others. Callers get theirs back: their own loops are
// none of the library's business.
size_t wsr__threads_enter(void)
{
    const size_t before = (size_t)omp_get_max_threads();
    const size_t n = wsr_threads();
    if (n != before) {
        omp_set_num_threads((int)n);
    }
    return before;
}

void wsr__threads_leave(size_t before)
{
    if ((size_t)omp_get_max_threads() != before) {
        omp_set_num_threads((int)before);
    }
}

// ---------------------------------------------------------------- starting

typedef struct trial {
    pthread_t thread[MOST];
    pthread_mutex_t lock;
} trial;

static void *wait_for_all(void *ctx)
{
    pthread_mutex_t *const lock = ctx;
    (void)pthread_mutex_lock(lock);
    (void)pthread_mutex_unlock(lock);
    return NULL;
}

// Whether `n` more threads can be had at the same time. What the system gave
// to them it keeps for those that follow.
static int try_threads(size_t n)
{
    trial t;
    size_t started = 0;
    int failed = pthread_mutex_init(&t.lock, NULL);
    if (failed != 0) {
        return failed;
    }
    (void)pthread_mutex_lock(&t.lock);
    while (started < n && failed == 0) {
        failed =
            pthread_create(&t.thread[started], NULL, wait_for_all, &t.lock);
        started += failed == 0;
    }
    (void)pthread_mutex_unlock(&t.lock);
    while (started > 0) {
        (void)pthread_join(t.thread[--started], NULL);
    }
    (void)pthread_mutex_destroy(&t.lock);
    return failed;
}

wsr_status wsr__threads_start(void)
{
    static _Thread_local size_t started = 1;
    const size_t n = wsr_threads();
    if (n == started || omp_in_parallel()) {
        return WSR_OK;
    }
    const int failed = try_threads(n - 1);
    if (failed != 0) {
        (void)wsr__fail_errno("pthread_create", failed);
        return wsr__fail_at(WSR_NOMEM, "out of memory for %zu threads", n);
    }
#pragma omp parallel num_threads((int)n)
    {
    }
    started = n;
    return WSR_OK;
}

// ------------------------------------------------------------------- loops

// A share is cut into pieces. Its thread runs most of them at one go and then
// ever fewer; threads whose share is done take from the ends of the others'.

// Pieces of a share that nobody has taken: the first in the upper half, the
// end in the lower. Each in a cache line of its own.
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

// What a share's own thread runs first.
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

// Take half of what a share has left, from its front or its end, and run it
// as `part`. False when there was nothing.
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
    const int64_t threads = (int64_t)wsr_threads();
    int64_t parts = threads;
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
    // The same number of threads each time, those without a share too: OpenMP
    // ends and starts threads when the number changes. All shares are run even
    // if it grants fewer.
#pragma omp parallel num_threads((int)threads)
    {
        const int64_t me = omp_get_thread_num();
        for (int64_t p = me; p < parts; p += omp_get_num_threads()) {
            run_share(&l, p);
        }
        if (me < parts) {
            run_others(&l, me);
        }
    }
}
