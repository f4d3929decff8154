// SPDX-License-Identifier: Apache-2.0
//
// zlib allocates through two functions, here those of base/alloc.c.

#include "data/zlib_alloc.h"

#include "base/base.h"

static voidpf allocate(voidpf user, uInt count, uInt size)
{
    (void)user;
    return wsr__alloc_raw(count, size);
}

static void release(voidpf user, voidpf ptr)
{
    (void)user;
    wsr__free(ptr);
}

void wsr__zlib_allocator(z_stream *z)
{
    z->zalloc = allocate;
    z->zfree = release;
    z->opaque = NULL;
}
