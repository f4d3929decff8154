// SPDX-License-Identifier: Apache-2.0
//
// Parallel loops over OpenMP, which oneDNN uses as well: one pool of threads
// serves both. No other file knows OpenMP.

#include "base/base.h"

#include <omp.h>
#include <stdatomic.h>

static atomic_size_t chosen; // 0: nothing chosen, OpenMP's own default

void wsr_set_threads(size_t threads)
{
    size_t n = threads;
    if (n == 0) {
        n = (size_t)omp_get_num_procs();
    }
    if (n > 1024) {
        n = 1024;
    }
    atomic_store(&chosen, n);
    wsr__threads_adopt();
}

size_t wsr_threads(void)
{
    const size_t n = atomic_load_explicit(&chosen, memory_order_relaxed);
    return n != 0 ? n : (size_t)omp_get_max_threads();
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

void wsr__parallel(int64_t n, wsr__body body, void *ctx)
{
    if (n <= 0) {
        return;
    }
    int64_t parts = (int64_t)wsr_threads();
    if (parts > n) {
        parts = n;
    }
    if (parts == 1 || omp_in_parallel()) {
        body(ctx, 0, n, 0);
        return;
    }
    // The first `longer` shares have one element more. The shares are those
    // asked for, even if OpenMP grants fewer threads.
    const int64_t share = n / parts;
    const int64_t longer = n % parts;
#pragma omp parallel num_threads((int)parts)
    {
        const int64_t step = omp_get_num_threads();
        for (int64_t p = omp_get_thread_num(); p < parts; p += step) {
            const int64_t begin = p * share + (p < longer ? p : longer);
            const int64_t end = begin + share + (p < longer ? 1 : 0);
            body(ctx, begin, end, (size_t)p);
        }
    }
}
