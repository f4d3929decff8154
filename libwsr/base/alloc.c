// SPDX-License-Identifier: Apache-2.0
//
// The only place that asks the system for memory. Everything is aligned to
// a cache line, which is also what the widest vector loads want.

#define _DEFAULT_SOURCE // madvise

#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Large arrays are asked for in huge pages where the system has them: passes
// over a plan's tensors otherwise miss in the table of pages all the time.
//
// The system promises more memory than it has and ends the process that uses
// it. So an array that is a good part of a machine's memory is refused here
// when it is more than there is.
static void *system_allocate(void *user, size_t size, size_t align)
{
    (void)user;
    const size_t huge = (size_t)1 << 21;
    const size_t doubtful = (size_t)1 << 28;
    void *ptr = NULL;
    if (size >= doubtful && (double)size > wsr__memory_free()) {
        return NULL;
    }
    if (posix_memalign(&ptr, size < huge ? align : huge, size) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (size >= huge) {
        (void)madvise(ptr, size, MADV_HUGEPAGE); // a wish
    }
#endif
    return ptr;
}

static void system_release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static const wsr_allocator system_allocator = {
    .allocate = system_allocate,
    .release = system_release,
};

static wsr_allocator current = {
    .allocate = system_allocate,
    .release = system_release,
};

void wsr_set_allocator(const wsr_allocator *allocator)
{
    current = allocator != NULL ? *allocator : system_allocator;
}

void *wsr__alloc_raw(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        (void)WSR_FAIL(WSR_NOMEM,
                       "out of memory: %zu elements of %zu bytes are beyond "
                       "what can be addressed",
                       count, size);
        return NULL;
    }
    size_t bytes = count * size;
    if (bytes == 0) {
        bytes = size != 0 ? size : 1;
    }
    void *const ptr = current.allocate(current.user, bytes, WSR__ALIGN);
    if (ptr == NULL) {
        (void)WSR_FAIL(WSR_NOMEM, "out of memory: %zu bytes could not be had",
                       bytes);
    }
    return ptr;
}

void *wsr__alloc(size_t count, size_t size)
{
    void *const ptr = wsr__alloc_raw(count, size);
    if (ptr != NULL) {
        memset(ptr, 0, count == 0 ? size : count * size);
    }
    return ptr;
}

void wsr__free(void *ptr)
{
    if (ptr != NULL) {
        current.release(current.user, ptr);
    }
}

wsr_status wsr__reserve(void **array, size_t *capacity, size_t need,
                        size_t size)
{
    if (need <= *capacity) {
        return WSR_OK;
    }
    // Half as much again keeps appending linear and wastes little.
    size_t grown = *capacity + *capacity / 2;
    if (grown < need) {
        grown = need;
    }
    if (grown < 8) {
        grown = 8;
    }
    void *const fresh = wsr__alloc(grown, size);
    if (fresh == NULL) {
        return WSR_NOMEM;
    }
    if (*array != NULL) {
        memcpy(fresh, *array, *capacity * size);
        wsr__free(*array);
    }
    *array = fresh;
    *capacity = grown;
    return WSR_OK;
}

char *wsr__strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *const copy = wsr__alloc_raw(size, 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}
