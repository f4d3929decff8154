// SPDX-License-Identifier: Apache-2.0
//
// Computes CRC-32 (ISO 3309), the checksum of zip, gzip and PNG.

#include "io/crc32.h"

#include <zlib.h>

uint32_t wsr__crc32(const void *data, size_t size)
{
    return (uint32_t)crc32_z(0, data, size);
}
