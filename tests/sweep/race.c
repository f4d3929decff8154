// SPDX-License-Identifier: Apache-2.0
//
// race planted|ordered: shows that ThreadSanitizer sees what parallel loops do.
// `planted`: all threads add to one number without being ordered, which it must
// report. `ordered`: a second loop reads what the threads of a first one wrote,
// which it must not.

#include "base/base.h"

#include <stdio.h>
#include <string.h>

enum { N = 10000 };

typedef struct work {
    int64_t numbers[N];
    int64_t sums[N];
    int64_t shared;
} work;

static void add(void *ctx, int64_t begin, int64_t end, size_t part)
{
    work *const w = ctx;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        w->shared++;
    }
}

static void fill(void *ctx, int64_t begin, int64_t end, size_t part)
{
    work *const w = ctx;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        w->numbers[i] = i;
    }
}

// Of numbers that another thread wrote.
static void mirror(void *ctx, int64_t begin, int64_t end, size_t part)
{
    work *const w = ctx;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        w->sums[i] = w->numbers[i] + w->numbers[N - 1 - i];
    }
}

int main(int argc, char **argv)
{
    static work w;
    wsr_set_threads(4);
    if (argc > 1 && strcmp(argv[1], "planted") == 0) {
        wsr__parallel(N, add, &w);
        printf("%lld\n", (long long)w.shared);
        return 0;
    }
    wsr__parallel(N, fill, &w);
    wsr__parallel(N, mirror, &w);
    return w.sums[0] == N - 1 && w.sums[N / 2] == N - 1 ? 0 : 1;
}
