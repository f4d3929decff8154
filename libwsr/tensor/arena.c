// SPDX-License-Identifier: Apache-2.0
//
// Places the buffers of a plan in one block of memory. Buffers that are never
// in use at the same time share space.
//
// Placement is first fit by decreasing size: each buffer goes to the lowest
// offset that is free during its whole interval. Offsets are multiples of 16
// floats, so every buffer starts on a cache line.

#include "tensor/tensor.h"

#include <stdlib.h>

enum { LINE = 16 };

// The old content is lost: every plan binds and runs forward anew.
wsr_status wsr__arena_reserve(wsr__arena *arena, size_t floats)
{
    if (floats <= arena->floats) {
        return WSR_OK;
    }
    float *const base = wsr__alloc_raw(floats, sizeof(*base));
    if (base == NULL) {
        return WSR_NOMEM;
    }
    wsr__free(arena->base);
    arena->base = base;
    arena->floats = floats;
    return WSR_OK;
}

void wsr__arena_free(wsr__arena *arena)
{
    wsr__free(arena->base);
    *arena = (wsr__arena){0};
}

// Equal sizes go by position, so that the order does not depend on qsort().
static int larger_first(const void *a, const void *b)
{
    const wsr__span *const x = *(const wsr__span *const *)a;
    const wsr__span *const y = *(const wsr__span *const *)b;
    if (x->floats != y->floats) {
        return x->floats < y->floats ? 1 : -1;
    }
    return x < y ? -1 : 1;
}

static bool meets(const wsr__span *a, const wsr__span *b)
{
    return a->first <= b->last && b->first <= a->last;
}

// The lowest offset for `span` above the `n` spans placed before it, which
// are kept sorted by offset in `placed`.
static size_t lowest(const wsr__span *span, wsr__span *const *placed, size_t n)
{
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        const wsr__span *const p = placed[i];
        if (!meets(span, p)) {
            continue;
        }
        if (p->offset >= offset + span->floats) {
            break;
        }
        const size_t end = p->offset + p->floats;
        if (end > offset) {
            offset = (end + LINE - 1) / LINE * LINE;
        }
    }
    return offset;
}

wsr_status wsr__arena_place(size_t *total, wsr__span *spans, size_t n)
{
    wsr__span **const order = wsr__alloc(2 * n, sizeof(*order));
    if (order == NULL) {
        return WSR_NOMEM;
    }
    wsr__span **const placed = order + n;
    for (size_t i = 0; i < n; i++) {
        order[i] = &spans[i];
    }
    qsort(order, n, sizeof(*order), larger_first);
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        wsr__span *const span = order[i];
        span->offset = lowest(span, placed, i);
        size_t at = i;
        while (at > 0 && placed[at - 1]->offset > span->offset) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = span;
        if (span->offset + span->floats > *total) {
            *total = span->offset + span->floats;
        }
    }
    wsr__free(order);
    return WSR_OK;
}
