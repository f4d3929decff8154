// SPDX-License-Identifier: Apache-2.0
//
// Arrays as NumPy stores them: a header in Python's words, then the elements.
// Files of them, .npy with one array and .npz with several, are formats of
// wsr__st_open() and wsr__st_write() (io/io.h):
//
//     wsr__st_open(&st, "images.npz");
//     const wsr__st_tensor *t = wsr__st_find(st, "images");
//
// These functions are what both formats share.

#ifndef WSR_IO_NPZ_H
#define WSR_IO_NPZ_H

#include "io/format.h"

/// Append the array in the bytes of a .npy file or member to `st`. `name` is
/// owned by the file. Read are versions 1 to 3 of the format, both orders of
/// axes and of bytes, f2, f4, f8, i4, i8, u1 and b1. UNSUPPORTED for other
/// elements, FORMAT for what is corrupt.
wsr_status wsr__npy_append(wsr__st *st, const char *name,
                           const unsigned char *bytes, size_t size);

/// Append the header of a tensor, padded to a multiple of 64 bytes.
/// UNSUPPORTED for BF16, which NumPy does not have.
wsr_status wsr__npy_header(wsr__str *out, const wsr__st_tensor *t);

#endif
