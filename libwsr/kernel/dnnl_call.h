// SPDX-License-Identifier: Apache-2.0
//
// How oneDNN is entered: with its engine made, with wsr_threads() threads, and
// with no exception coming out.

#ifndef WSR_KERNEL_DNNL_CALL_H
#define WSR_KERNEL_DNNL_CALL_H

#include "base/base.h"

#include <dnnl.h>

/// oneDNN's own status as ours, with a detail line that names `what`.
wsr_status wsr__dnnl_check(dnnl_status_t status, const char *what);

/// The engine and the stream of all calls, made at the first request.
typedef struct wsr__dnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
} wsr__dnnl;

wsr_status wsr__dnnl_open(wsr__dnnl *out);

/// Return call(ctx), which may call oneDNN. What `call` owns when oneDNN throws
/// must be reachable through `ctx`. NOMEM when memory ran out in oneDNN.
wsr_status wsr__dnnl_call(wsr_status (*call)(void *ctx), void *ctx);

/// The same for calls that make primitives: code is generated in them, for
/// which there must be room.
wsr_status wsr__dnnl_create(wsr_status (*call)(void *ctx), void *ctx);

#endif
