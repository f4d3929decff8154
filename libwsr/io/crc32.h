// SPDX-License-Identifier: Apache-2.0
//
// Checksums, for callers outside of io, which alone sees zlib.

#ifndef WSR_IO_CRC32_H
#define WSR_IO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32 of some bytes, as zip and PNG have it.
uint32_t wsr__crc32(const void *data, size_t size);

#endif
