// SPDX-License-Identifier: Apache-2.0
//
// Image files, decoded one at a time: jpeg.c and png.c for image_file.c, which
// tells them apart by their content.

#ifndef WSR_DATA_IMAGE_FILE_H
#define WSR_DATA_IMAGE_FILE_H

#include "augment/augment.h"

/// One image file in memory, open for one thread. Its buffers serve the next
/// file, too.
typedef struct wsr__image_file {
    wsr__encoded super;
    const char *path; // [borrowed] for messages
    unsigned char *bytes;
    size_t size;
    size_t room;
    struct wsr__jpeg *jpeg; // what libjpeg needs, NULL before the first JPEG
} wsr__image_file;

/// Read a file and the header of its image; `file` is zeroed or was used
/// before. The image has three channels. NOTFOUND, IO, FORMAT when it is
/// truncated or corrupt, UNSUPPORTED when it is no JPEG or PNG image or of a
/// kind that is not read. The detail starts with the path.
wsr_status wsr__image_open(wsr__image_file *file, const char *path);

void wsr__image_close(wsr__image_file *file); // zeroed is legal

/// Read the header of a JPEG or PNG image whose bytes are in `file`.
wsr_status wsr__jpeg_open(wsr__image_file *file);
wsr_status wsr__png_open(wsr__image_file *file);

void wsr__jpeg_free(struct wsr__jpeg *jpeg); // NULL is legal

/// FORMAT when an image of so many pixels is too large.
wsr_status wsr__image_check(const wsr__image_file *file, int64_t h, int64_t w);

#endif
