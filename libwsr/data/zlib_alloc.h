// SPDX-License-Identifier: Apache-2.0
//
// Streams of zlib take their memory from libwsr's allocator.

#ifndef WSR_DATA_ZLIB_ALLOC_H
#define WSR_DATA_ZLIB_ALLOC_H

#define ZLIB_CONST // what is read is not written
#include <zlib.h>

/// Before inflateInit2(). A failed allocation becomes Z_MEM_ERROR, with its
/// detail set.
void wsr__zlib_allocator(z_stream *z);

#endif
