// SPDX-License-Identifier: Apache-2.0
//
// Memory that runs short on purpose: an allocator that counts, and refuses
// the n-th request.

#ifndef WSR_TESTS_OOM_H
#define WSR_TESTS_OOM_H

#include "base/base.h"

/// Install the allocator; the `nth` request from now on fails (0: none).
void oom_begin(size_t nth);

/// Number of requests since oom_begin().
size_t oom_requests(void);

/// Blocks handed out since oom_begin() and not yet released.
size_t oom_live(void);

/// Restore the default allocator.
void oom_end(void);

/// Call `call(ctx)` with the first, second, ... request failing until it needs
/// no more. Each time it must return NOMEM and leave no memory behind; the
/// last time OK. `call` cleans up after itself. Returns the number of
/// requests that were made to fail.
size_t oom_sweep(wsr_status (*call)(void *ctx), void *ctx);

#endif
