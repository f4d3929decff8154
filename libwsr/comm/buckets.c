// SPDX-License-Identifier: Apache-2.0
//
// Sums among processes that go on while the process computes, as in PyTorch's
// DistributedDataParallel (Li et al. 2020, arXiv:2006.15704). Arrays are cut
// into buckets at fixed places. Once all numbers of a bucket are there, it is
// added: at level l each process sends the half of what it has that its partner
// keeps, and adds the partner's numbers to the half that it keeps itself; in
// the end they collect the parts (Rabenseifner 2004, "Optimization of
// collective reduction operations"). So each number is added in a binary tree
// over the processes, and no process passes more than twice the array.
//
// The number of processes is a power of 2. Buckets have one exchange at a time,
// whose messages carry the bucket's number as their tag: processes need not
// fill their buckets in the same order.

#include "comm/buckets.h"

#include "comm/comm.h"

enum { TAG = 1 << 13, ARRAYS = 48, NONE = -1 };

// Few messages, and several of them within a backward pass.
static const size_t bucket_bytes = (size_t)1 << 20;

// Numbers [begin, end).
typedef struct range {
    size_t begin;
    size_t end;
} range;

typedef struct bucket {
    range numbers;
    size_t missing;  // numbers that are not there yet
    int exchange;    // under way, or NONE
    size_t distance; // of the partner: 1, 2, ... and back
    bool collects;
    bool done;
} bucket;

struct wsr__buckets {
    size_t n;
    size_t size; // of a number
    size_t each; // numbers of a bucket
    bucket *list;
    size_t count;
    void *arrays[ARRAYS];
    size_t used;
    void *incoming; // (n)
};

// ---------------------------------------------------------------- lifetime

wsr_status wsr__buckets_new(wsr__buckets **out, size_t n, size_t size,
                            void *incoming)
{
    wsr__buckets *const b = wsr__alloc(1, sizeof(*b));
    *out = NULL;
    if (b == NULL) {
        return WSR_NOMEM;
    }
    const size_t most = (n + WSR__COMM_UNDER_WAY - 1) / WSR__COMM_UNDER_WAY;
    b->n = n;
    b->size = size;
    b->each = bucket_bytes / size > most ? bucket_bytes / size : most;
    b->count = (n + b->each - 1) / b->each;
    b->list = wsr__alloc(b->count, sizeof(*b->list));
    b->incoming = incoming;
    if (b->list == NULL) {
        wsr__buckets_free(b);
        return WSR_NOMEM;
    }
    wsr__buckets_begin(b);
    *out = b;
    return WSR_OK;
}

void wsr__buckets_free(wsr__buckets *buckets)
{
    if (buckets != NULL) {
        wsr__free(buckets->list);
        wsr__free(buckets);
    }
}

void wsr__buckets_begin(wsr__buckets *b)
{
    b->used = 0;
    for (size_t i = 0; i < b->count; i++) {
        const size_t begin = i * b->each;
        const size_t end = begin + b->each < b->n ? begin + b->each : b->n;
        b->list[i] = (bucket){.numbers = {begin, end},
                              .missing = end - begin,
                              .exchange = NONE,
                              .distance = 1};
    }
}

void wsr__buckets_add(wsr__buckets *b, void *array)
{
    b->arrays[b->used++] = array;
}

// ---------------------------------------------------------------- addition

static void add_floats(float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] += b[i];
    }
}

static void add_doubles(double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] += b[i];
    }
}

void wsr__add_numbers(void *a, const void *b, size_t n, size_t size)
{
    if (size == sizeof(double)) {
        add_doubles(a, b, n);
    } else {
        add_floats(a, b, n);
    }
}

static char *number_at(const wsr__buckets *b, void *array, size_t i)
{
    return (char *)array + i * b->size;
}

static void add_own(const wsr__buckets *b, range r)
{
    for (size_t i = b->used; i-- > 1;) {
        wsr__add_numbers(number_at(b, b->arrays[i - 1], r.begin),
                         number_at(b, b->arrays[i], r.begin), r.end - r.begin,
                         b->size);
    }
}

// ------------------------------------------------------------------- halves

static range half_of(range r, bool upper)
{
    const size_t middle = r.begin + (r.end - r.begin) / 2;
    return upper ? (range){middle, r.end} : (range){r.begin, middle};
}

// What is left of a bucket to this process before it meets its partner at a
// distance.
static range left_at(const bucket *of)
{
    range r = of->numbers;
    for (size_t d = 1; d < of->distance; d *= 2) {
        r = half_of(r, (wsr_comm_rank() & d) != 0);
    }
    return r;
}

// While halves are added, the partner gets what this process does not keep;
// when they are collected, what it has.
static wsr_status start(wsr__buckets *b, bucket *of)
{
    const bool upper = (wsr_comm_rank() & of->distance) != 0;
    const range own = half_of(left_at(of), upper);
    const range other = half_of(left_at(of), !upper);
    const range out = of->collects ? own : other;
    const range in = of->collects ? other : own;
    void *const to = of->collects ? b->arrays[0] : b->incoming;
    return wsr__comm_start(
        &of->exchange,
        &(wsr__exchange){.out = number_at(b, b->arrays[0], out.begin),
                         .out_bytes = (out.end - out.begin) * b->size,
                         .in = number_at(b, to, in.begin),
                         .in_bytes = (in.end - in.begin) * b->size,
                         .with = (int)(wsr_comm_rank() ^ of->distance),
                         .tag = TAG + (int)(of - b->list)});
}

// The next level, or the way back.
static wsr_status go_on(wsr__buckets *b, bucket *of)
{
    of->exchange = NONE;
    if (!of->collects) {
        const bool upper = (wsr_comm_rank() & of->distance) != 0;
        const range own = half_of(left_at(of), upper);
        wsr__add_numbers(number_at(b, b->arrays[0], own.begin),
                         number_at(b, b->incoming, own.begin),
                         own.end - own.begin, b->size);
        of->collects = 2 * of->distance >= wsr_comm_size();
        of->distance *= of->collects ? 1 : 2;
    } else {
        of->distance /= 2;
        of->done = of->distance == 0;
    }
    return of->done ? WSR_OK : start(b, of);
}

// Whether the exchange of a bucket came to its end, so that the next one began.
static wsr_status move(bool *moved, wsr__buckets *b, bucket *of, bool wait)
{
    wsr_status status = WSR_OK;
    *moved = false;
    if (of->exchange == NONE) {
        return WSR_OK;
    }
    WSR_TRY(wsr__comm_finish(moved, of->exchange, wait));
    if (*moved) {
        WSR_TRY(go_on(b, of));
    }
out:
    return status;
}

wsr_status wsr__buckets_poll(wsr__buckets *b)
{
    wsr_status status = WSR_OK;
    for (size_t i = b->count; i-- > 0;) {
        bool moved = true;
        while (moved) {
            WSR_TRY(move(&moved, b, &b->list[i], false));
        }
    }
out:
    return status;
}

static wsr_status fill(wsr__buckets *b, bucket *of, size_t n)
{
    of->missing -= n;
    if (of->missing > 0 || n == 0) {
        return WSR_OK;
    }
    add_own(b, of->numbers);
    return start(b, of);
}

wsr_status wsr__buckets_ready(wsr__buckets *b, size_t begin, size_t n)
{
    wsr_status status = WSR_OK;
    const size_t end = begin + n;
    for (size_t i = begin / b->each; i < b->count && i * b->each < end; i++) {
        bucket *const of = &b->list[i];
        const size_t first = of->numbers.begin > begin ? of->numbers.begin
                                                       : begin;
        const size_t last = of->numbers.end < end ? of->numbers.end : end;
        WSR_TRY(fill(b, of, last - first));
    }
out:
    return status;
}

// All buckets move before one is waited for.
wsr_status wsr__buckets_finish(wsr__buckets *b)
{
    wsr_status status = WSR_OK;
    for (size_t i = b->count; i-- > 0;) {
        WSR_TRY(fill(b, &b->list[i], b->list[i].missing));
    }
    for (size_t i = b->count; i-- > 0;) {
        while (!b->list[i].done) {
            bool moved = false;
            WSR_TRY(wsr__buckets_poll(b));
            WSR_TRY(move(&moved, b, &b->list[i], true));
        }
    }
out:
    return status;
}
