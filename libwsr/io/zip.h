// SPDX-License-Identifier: Apache-2.0
//
// Zip archives, as PyTorch and NumPy write them: members that are stored or
// deflated, with or without the 64-bit extension.

#ifndef WSR_IO_ZIP_H
#define WSR_IO_ZIP_H

#include "base/base.h"

// ------------------------------------------------------------------ reading

typedef struct wsr__zip_member {
    const char *name; // "archive/data/0"
    size_t size;      // bytes of the content
    // Of the archive:
    size_t packed;             // bytes that hold the content
    const unsigned char *data; // these bytes
    unsigned method;           // 0 stored, 8 deflated
    unsigned flags;
    uint32_t crc;
    unsigned char *content; // inflated; NULL until it is read
    bool checked;           // the checksum is right
} wsr__zip_member;

/// An archive in memory.
typedef struct wsr__zip wsr__zip;

/// Read the central directory of an archive. `path` is for messages. FORMAT
/// when it is no archive, is truncated, or its members overlap or leave the
/// file. [borrowed] The bytes must outlive the archive. [out, owned] `*out` is
/// NULL on failure.
wsr_status wsr__zip_open(wsr__zip **out, const unsigned char *bytes,
                         size_t size, const char *path);

void wsr__zip_free(wsr__zip *zip); // NULL is legal

/// Member `i` in the order of the directory, NULL behind the last.
const wsr__zip_member *wsr__zip_at(const wsr__zip *zip, size_t i);

/// Member of a name, NULL when there is none.
const wsr__zip_member *wsr__zip_find(const wsr__zip *zip, const char *name);

/// The content of a member of this archive, whose checksum is verified. A
/// stored member is not copied; an inflated one is kept by the archive.
/// UNSUPPORTED for encryption and for methods other than stored and deflated,
/// FORMAT for what is corrupt. [borrowed] until the archive is freed
wsr_status wsr__zip_read(const unsigned char **data, wsr__zip *zip,
                         const wsr__zip_member *member);

// ------------------------------------------------------------------ writing

/// An archive on its way to a file. All members are stored, their data begin
/// at multiples of 64 bytes, and all times are 1980-01-01, so that the bytes
/// of the file depend on the members alone.
typedef struct wsr__zip_writer wsr__zip_writer;

wsr_status wsr__zip_writer_open(wsr__zip_writer **out, const char *path);

typedef struct wsr__zip_piece {
    const void *data;
    size_t size;
} wsr__zip_piece;

/// Add a member that consists of some pieces, one after the other. ARG for an
/// empty name or one of more than 65535 bytes.
wsr_status wsr__zip_writer_add(wsr__zip_writer *writer, const char *name,
                               const wsr__zip_piece *pieces, size_t n);

/// Write the directory; the file replaces what is at its path as a whole.
wsr_status wsr__zip_writer_commit(wsr__zip_writer *writer);

/// Without a commit no file is left. NULL is legal.
void wsr__zip_writer_free(wsr__zip_writer *writer);

#endif
