// SPDX-License-Identifier: Apache-2.0

#include "support/oom.h"

#include "support/support.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_size_t requests;
static atomic_size_t live;
static size_t failing;

static void *allocate(void *user, size_t size, size_t align)
{
    (void)user;
    void *ptr = NULL;
    const size_t number = atomic_fetch_add(&requests, 1) + 1;
    if (number == failing || posix_memalign(&ptr, align, size) != 0) {
        return NULL;
    }
    atomic_fetch_add(&live, 1);
    return ptr;
}

static void release(void *user, void *ptr)
{
    (void)user;
    atomic_fetch_sub(&live, 1);
    free(ptr);
}

void oom_begin(size_t nth)
{
    const wsr_allocator allocator = {.allocate = allocate, .release = release};
    atomic_store(&requests, 0);
    atomic_store(&live, 0);
    failing = nth;
    wsr_set_allocator(&allocator);
}

size_t oom_requests(void)
{
    return atomic_load(&requests);
}

size_t oom_live(void)
{
    return atomic_load(&live);
}

void oom_end(void)
{
    wsr_set_allocator(NULL);
}

size_t oom_sweep(wsr_status (*call)(void *ctx), void *ctx)
{
    for (size_t nth = 1;; nth++) {
        oom_begin(nth);
        const wsr_status status = call(ctx);
        const size_t made = oom_requests();
        const size_t left = oom_live();
        oom_end();
        ck_assert_msg(left == 0, "request %zu failing leaves %zu blocks", nth,
                      left);
        if (made < nth) {
            ck_assert_msg(status == WSR_OK, "%s: %s", wsr_status_string(status),
                          wsr_error_detail());
            return nth - 1;
        }
        ck_assert_msg(status == WSR_NOMEM, "request %zu failing yields %s", nth,
                      wsr_status_string(status));
    }
}
