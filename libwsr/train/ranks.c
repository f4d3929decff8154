// SPDX-License-Identifier: Apache-2.0
//
// Which process the others wait for. At the end of an epoch each says how long
// it worked on its own parts of the batches, without waiting for others.

#include "train/train.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct rank_time {
    double seconds;
    char host[WSR__HOST];
} rank_time;

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const rank_time *)a)->seconds;
    const double y = ((const rank_time *)b)->seconds;
    return (x > y) - (x < y);
}

// [owned] NULL for want of memory.
static rank_time *sorted(const rank_time *times, size_t n)
{
    rank_time *const copy = wsr__alloc(n, sizeof(*copy));
    for (size_t i = 0; copy != NULL && i < n; i++) {
        copy[i] = times[i];
    }
    if (copy != NULL) {
        qsort(copy, n, sizeof(*copy), by_seconds);
    }
    return copy;
}

static size_t slowest_of(const rank_time *times, size_t n)
{
    size_t most = 0;
    for (size_t r = 1; r < n; r++) {
        most = times[r].seconds > times[most].seconds ? r : most;
    }
    return most;
}

// A process whose time exceeds the median by so much holds up all others.
static const double straggles = 1.2;
static const double least = 1; // second of an epoch

static wsr_status sum_up(wsr__rank_times *out, const rank_time *times)
{
    const size_t n = wsr_comm_size();
    const size_t slowest = slowest_of(times, n);
    rank_time *const order = sorted(times, n);
    if (order == NULL) {
        return WSR_NOMEM;
    }
    *out = (wsr__rank_times){.ranks = n,
                             .slowest = slowest,
                             .least = order[0].seconds,
                             .median = order[(n - 1) / 2].seconds,
                             .most = times[slowest].seconds};
    (void)snprintf(out->host, sizeof(out->host), "%s", times[slowest].host);
    wsr__free(order);
    const double late = out->most - out->median;
    if (wsr_comm_rank() == 0 && late > least &&
        out->most > straggles * out->median) {
        wsr__log(WSR_LOG_WARNING,
                 "rank %zu on %s takes %.2f times as long as the median: the "
                 "others wait for it",
                 slowest, out->host, out->most / out->median);
    }
    return WSR_OK;
}

wsr_status wsr__training_time_ranks(wsr__rank_times *out, wsr__training *t)
{
    wsr_status status = WSR_OK;
    rank_time *times = NULL;
    const size_t rank = wsr_comm_rank();
    *out = (wsr__rank_times){.ranks = 1};
    if (!wsr__comm_many()) {
        return WSR_OK;
    }
    times = wsr__alloc(wsr_comm_size(), sizeof(*times));
    if (times == NULL) {
        return WSR_NOMEM;
    }
    times[rank].seconds = t->seconds;
    t->seconds = 0;
    (void)gethostname(times[rank].host, WSR__HOST - 1);
    WSR_TRY(wsr__comm_all_gather(times, sizeof(*times)));
    WSR_TRY(sum_up(out, times));
    out->comm = wsr__comm_spent();
out:
    wsr__free(times);
    return status;
}
