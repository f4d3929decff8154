// SPDX-License-Identifier: Apache-2.0
//
// Entering oneDNN. It throws C++ exceptions, starts OpenMP threads, keeps a
// cache and does not always check its memory; every call of it goes through a
// function of this file that takes care of all four.

#define _DEFAULT_SOURCE // MAP_ANONYMOUS

#include "kernel/dnnl_call.h"

#include "kernel/dnnl.h"
#include "kernel/dnnl_guard.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

wsr_status wsr__dnnl_check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) {
        return WSR_OK;
    }
    if (status == dnnl_out_of_memory) {
        return WSR_FAIL(WSR_NOMEM, "out of memory: oneDNN %s", what);
    }
    return WSR_FAIL(WSR_BACKEND, "oneDNN %s: status %d", what, (int)status);
}

// The thread's own OpenMP settings are put back whatever happens.
wsr_status wsr__dnnl_call(wsr_status (*call)(void *ctx), void *ctx)
{
    char what[WSR__WHAT] = "";
    const size_t before = wsr__threads_enter();
    wsr_status status = wsr__dnnl_guard(call, ctx, what);
    wsr__threads_leave(before);
    if (what[0] != '\0') {
        status = WSR_FAIL(status, "%soneDNN: %s",
                          status == WSR_NOMEM ? "out of memory: " : "", what);
    }
    return status;
}

// ----------------------------------------------------------------- creation

// The code generator of oneDNN 2.6 does not look whether it got memory to write
// to: a quarter of a MiB per kernel, of which there are sixty at the most.
static wsr_status need_room(void)
{
    const size_t room = (size_t)32 << 20;
    void *const ptr = mmap(NULL, room, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ptr == MAP_FAILED) {
        return WSR_FAIL(WSR_NOMEM,
                        "out of memory: %zu bytes for oneDNN's code could not "
                        "be had",
                        room);
    }
    (void)munmap(ptr, room);
    return WSR_OK;
}

// Setting the capacity to 0 empties the cache; the old one is put back.
static wsr_status empty_cache(void *ctx)
{
    int capacity = 0;
    (void)ctx;
    if (dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success &&
        dnnl_set_primitive_cache_capacity(0) == dnnl_success) {
        (void)dnnl_set_primitive_cache_capacity(capacity);
    }
    return WSR_OK;
}

wsr_status wsr__dnnl_create(wsr_status (*call)(void *ctx), void *ctx)
{
    wsr_status status = need_room();
    char what[WSR__WHAT] = "";
    if (status == WSR_OK) {
        status = wsr__dnnl_call(call, ctx);
        if (status != WSR_OK) {
            // A primitive whose making was broken off stays in oneDNN's cache
            // as one that is still being made: it could never be had again.
            (void)wsr__dnnl_guard(empty_cache, NULL, what);
        }
    }
    return status;
}

// ------------------------------------------------------------------- engine

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wsr__dnnl shared;

// The CPU has one engine; a stream runs primitives in order.
static wsr_status make_engine(void *ctx)
{
    wsr__dnnl *const made = ctx;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__dnnl_check(dnnl_engine_create(&made->engine, dnnl_cpu, 0),
                            "engine"));
    WSR_TRY(wsr__dnnl_check(dnnl_stream_create(&made->stream, made->engine,
                                               dnnl_stream_default_flags),
                            "stream"));
out:
    return status;
}

// oneDNN's handles may be NULL here: a failure can come between the two.
static void forget(const wsr__dnnl *made)
{
    if (made->stream != NULL) {
        (void)dnnl_stream_destroy(made->stream);
    }
    if (made->engine != NULL) {
        (void)dnnl_engine_destroy(made->engine);
    }
}

// The first product of its kind has kernels generated for all of that kind, be
// it inside a convolution. oneDNN has three: for vectors, for what is copied
// into blocks, and (AVX-512) for what is not.
static wsr_status first_products(void *ctx)
{
    static const float one[2] = {1, 1};
    float c[4];
    (void)ctx;
    dnnl_status_t failed =
        dnnl_sgemm('N', 'N', 1, 1, 1, 1, one, 1, one, 1, 0, c, 1);
    if (failed == dnnl_success) {
        failed = dnnl_sgemm('N', 'N', 2, 2, 1, 1, one, 1, one, 2, 0, c, 2);
    }
    if (failed == dnnl_success) {
        failed = dnnl_sgemm('N', 'T', 2, 1, 1, 1, one, 1, one, 1, 0, c, 1);
    }
    return wsr__dnnl_check(failed, "sgemm");
}

// Made at the first request, by one thread, and kept to the end of the process.
// A failure leaves nothing behind, so a later request may succeed.
wsr_status wsr__dnnl_open(wsr__dnnl *out)
{
    wsr_status status = WSR_OK;
    (void)pthread_mutex_lock(&lock);
    if (shared.stream == NULL) {
        wsr__dnnl made = {NULL, NULL};
        status = wsr__dnnl_create(make_engine, &made);
        if (status == WSR_OK) {
            status = wsr__dnnl_create(first_products, NULL);
        }
        if (status == WSR_OK) {
            shared = made;
        } else {
            forget(&made);
        }
    }
    *out = shared;
    (void)pthread_mutex_unlock(&lock);
    return status;
}

const char *wsr__dnnl_version(void)
{
    static _Thread_local char text[32];
    const dnnl_version_t *const v = dnnl_version();
    snprintf(text, sizeof(text), "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}
