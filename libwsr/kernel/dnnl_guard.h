// SPDX-License-Identifier: Apache-2.0
//
// oneDNN is written in C++, and its C interface lets exceptions through. One
// that reaches a C function ends the process, and C cannot catch it.

#ifndef WSR_KERNEL_DNNL_GUARD_H
#define WSR_KERNEL_DNNL_GUARD_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WSR__WHAT = 64 };

/// Return call(ctx). Where an exception comes out of it instead, `what` holds
/// its text, cut to fit, and the result is NOMEM for std::bad_alloc, else
/// BACKEND. `call` and what it calls are left at once: whatever they own must
/// be known to the caller through `ctx`.
wsr_status wsr__dnnl_guard(wsr_status (*call)(void *ctx), void *ctx,
                           char what[WSR__WHAT]);

#ifdef __cplusplus
}
#endif

#endif
