// SPDX-License-Identifier: Apache-2.0
//
// The job that this process belongs to. MPI is one for a process, so this is,
// too: the only state of the library beside the hooks for memory and log.

#include "comm/comm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DETAIL = 512 };

static struct {
    const wsr__comm_calls *calls; // NULL: one process
    size_t rank;
    size_t size;
    unsigned char *flags; // one of each process
    bool agreed;          // there was a failure that is known to all
    wsr__comm_cost spent;
} job = {.size = 1};

size_t wsr_comm_rank(void)
{
    return job.rank;
}

size_t wsr_comm_size(void)
{
    return job.size;
}

bool wsr_comm_agreed(void)
{
    return job.agreed;
}

bool wsr__comm_many(void)
{
    return job.size > 1;
}

wsr__comm_cost wsr__comm_spent(void)
{
    return job.spent;
}

// ------------------------------------------------------------------ passing

// Whether a call of the library worked, and what it cost.
static wsr_status passed(bool worked, double begun, size_t bytes)
{
    job.spent.seconds += wsr__seconds() - begun;
    job.spent.bytes += (double)bytes;
    return worked ? WSR_OK
                  : WSR_FAIL(WSR_BACKEND,
                             "rank %zu: MPI could not pass a "
                             "message",
                             job.rank);
}

wsr_status wsr__comm_send(const void *data, size_t bytes, size_t to, int tag)
{
    const double begun = wsr__seconds();
    return passed(job.calls->send(data, bytes, (int)to, tag), begun, bytes);
}

wsr_status wsr__comm_receive(void *data, size_t bytes, size_t from, int tag)
{
    const double begun = wsr__seconds();
    return passed(job.calls->receive(data, bytes, (int)from, tag), begun, 0);
}

wsr_status wsr__comm_exchange(const void *out, size_t out_bytes, void *in,
                              size_t in_bytes, size_t with)
{
    const double begun = wsr__seconds();
    return passed(job.calls->exchange(out, out_bytes, in, in_bytes, (int)with),
                  begun, out_bytes);
}

wsr_status wsr__comm_start(int *number, const wsr__exchange *what)
{
    const double begun = wsr__seconds();
    return passed(job.calls->start(what, number), begun, what->out_bytes);
}

wsr_status wsr__comm_finish(bool *done, int number, bool wait)
{
    const double begun = wsr__seconds();
    return passed(job.calls->finish(number, wait, done), begun, 0);
}

wsr_status wsr__comm_probe(bool *there, size_t *from, size_t *bytes, int tag)
{
    const double begun = wsr__seconds();
    int source = -1;
    const wsr_status status =
        passed(job.calls->probe(&source, bytes, tag), begun, 0);
    *there = source >= 0;
    *from = source < 0 ? 0 : (size_t)source;
    return status;
}

// -------------------------------------------------------------- collectives

wsr_status wsr__comm_broadcast(void *data, size_t bytes, size_t root)
{
    const double begun = wsr__seconds();
    return !wsr__comm_many()
               ? WSR_OK
               : passed(job.calls->broadcast(data, bytes, (int)root), begun,
                        job.rank == root ? bytes : 0);
}

wsr_status wsr__comm_all_gather(void *data, size_t bytes)
{
    const double begun = wsr__seconds();
    return !wsr__comm_many()
               ? WSR_OK
               : passed(job.calls->all_gather(data, bytes), begun, bytes);
}

wsr__items wsr__comm_share(size_t items, size_t rank)
{
    const size_t up = job.size - 1; // rounded up: rank 0 has item 0
    return (wsr__items){(items * rank + up) / job.size,
                        (items * (rank + 1) + up) / job.size};
}

size_t wsr__comm_owner(size_t items, size_t item)
{
    return item * job.size / items;
}

// Small items in one message: each process has room for the largest share.
static wsr_status gather_small(char *data, size_t bytes, size_t items)
{
    wsr_status status = WSR_OK;
    const size_t each = (items + job.size - 1) / job.size * bytes;
    const wsr__items mine = wsr__comm_share(items, job.rank);
    char *const room = wsr__alloc(job.size, each);
    if (room == NULL) {
        return WSR_NOMEM;
    }
    memcpy(room + job.rank * each, data + mine.begin * bytes,
           (mine.end - mine.begin) * bytes);
    WSR_TRY(wsr__comm_all_gather(room, each));
    for (size_t r = 0; r < job.size; r++) {
        const wsr__items s = wsr__comm_share(items, r);
        memcpy(data + s.begin * bytes, room + r * each,
               (s.end - s.begin) * bytes);
    }
out:
    wsr__free(room);
    return status;
}

wsr_status wsr__comm_gather_shares(void *data, size_t bytes, size_t items)
{
    enum { SMALL = 1 << 20 };
    wsr_status status = WSR_OK;
    if (!wsr__comm_many()) {
        return WSR_OK;
    }
    if (bytes * items <= SMALL) {
        return gather_small(data, bytes, items);
    }
    for (size_t r = 0; r < job.size; r++) {
        const wsr__items s = wsr__comm_share(items, r);
        if (s.end > s.begin) {
            WSR_TRY(wsr__comm_broadcast((char *)data + s.begin * bytes,
                                        (s.end - s.begin) * bytes, r));
        }
    }
out:
    return status;
}

// A byte of each process, into the room that is there from the beginning: one
// that lacked memory here would leave the others waiting.
static wsr_status gather_bytes(unsigned char own)
{
    job.flags[job.rank] = own;
    return wsr__comm_all_gather(job.flags, 1);
}

wsr_status wsr__comm_any(bool *flag)
{
    wsr_status status = WSR_OK;
    if (!wsr__comm_many()) {
        return WSR_OK;
    }
    WSR_TRY(gather_bytes(*flag ? 1 : 0));
    for (size_t r = 0; r < job.size; r++) {
        *flag = *flag || job.flags[r] != 0;
    }
    job.agreed = job.agreed || *flag;
out:
    return status;
}

// Where all have failed with one status, the processes most likely say the same
// words, of which those of rank 0 are enough.
wsr_status wsr__comm_agree(wsr_status status)
{
    wsr_status passing = WSR_OK;
    char detail[DETAIL] = "";
    size_t first = 0;
    bool same = true;
    if (!wsr__comm_many()) {
        return status;
    }
    if (status != WSR_OK) {
        (void)snprintf(detail, sizeof(detail), "%s", wsr_error_detail());
    }
    passing = gather_bytes((unsigned char)status);
    while (first < job.size && job.flags[first] == WSR_OK) {
        first++;
    }
    if (passing != WSR_OK || first == job.size) {
        return passing;
    }
    for (size_t r = 0; r < job.size; r++) {
        same = same && job.flags[r] == job.flags[0];
    }
    const wsr_status agreed = (wsr_status)job.flags[first];
    passing = wsr__comm_broadcast(detail, sizeof(detail), first);
    if (passing != WSR_OK) {
        return passing;
    }
    job.agreed = true;
    return same ? WSR_FAIL(agreed, "%s", detail)
                : WSR_FAIL(agreed, "rank %zu: %s", first, detail);
}

// ---------------------------------------------------------- joining, leaving

// Processors are divided where all processes of a machine may use all of them;
// a launcher that binds them has divided them already.
static void divide_processors(int local_size)
{
    const size_t mine = wsr_threads();
    const size_t all = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    const size_t processes = (size_t)local_size;
    if (processes > 1 && mine == all) {
        wsr_set_threads(all / processes > 1 ? all / processes : 1);
    }
}

// Parameters stay equal only where each process computes the same from the same
// numbers.
static wsr_status compare_kernels(void)
{
    enum { TEXT = 192 };
    wsr_status status = WSR_OK;
    char *const texts = wsr__alloc(job.size, TEXT);
    if (texts == NULL) {
        return WSR_NOMEM;
    }
    char *const own = texts + job.rank * TEXT;
    (void)snprintf(own, TEXT, "%s", wsr_build_info());
    WSR_TRY(wsr__comm_all_gather(texts, TEXT));
    for (size_t r = 1; r < job.size; r++) {
        if (strcmp(texts, texts + r * TEXT) != 0) {
            status = WSR_FAIL(WSR_BACKEND,
                              "rank %zu has %s, rank 0 has %s: processes must "
                              "compute alike",
                              r, texts + r * TEXT, texts);
            goto out;
        }
    }
out:
    wsr__free(texts);
    return status;
}

wsr_status wsr_comm_open(void)
{
    wsr_status status = WSR_OK;
    const wsr__comm_calls *calls = NULL;
    int rank = 0;
    int size = 1;
    int local_rank = 0;
    int local_size = 1;
    if (job.calls != NULL) {
        return WSR_FAIL(WSR_ARG, "wsr_comm_open: it is open");
    }
    WSR_TRY(wsr__comm_plugin(&calls));
    if (calls == NULL) {
        return WSR_OK;
    }
    if (!calls->open(&rank, &size, &local_rank, &local_size)) {
        return WSR_FAIL(WSR_BACKEND, "MPI did not start");
    }
    job.flags = wsr__alloc((size_t)size, sizeof(*job.flags));
    if (job.flags == NULL) {
        calls->abort(1);
        return WSR_NOMEM;
    }
    job.calls = calls;
    job.rank = (size_t)rank;
    job.size = (size_t)size;
    divide_processors(local_size);
    status = wsr__comm_agree(compare_kernels());
    job.spent = (wsr__comm_cost){0};
out:
    return status;
}

void wsr_comm_close(wsr_status status)
{
    const wsr__comm_calls *const calls = job.calls;
    if (calls == NULL) {
        return;
    }
    if (status != WSR_OK && !job.agreed && wsr__comm_many()) {
        calls->abort(1);
    }
    calls->close();
    wsr__free(job.flags);
    job.calls = NULL;
    job.flags = NULL;
    job.rank = 0;
    job.size = 1;
    job.agreed = false;
}
