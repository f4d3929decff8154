// SPDX-License-Identifier: Apache-2.0
//
// JPEG and PNG files that tests make. Pixels are smooth colours with some
// noise, drawn for a seed.

#ifndef WSR_TESTS_PICTURES_H
#define WSR_TESTS_PICTURES_H

#include "support/files.h"

#include <stdbool.h>

/// A JPEG image: 1, 3 or 4 channels (grey, YCbCr, CMYK), chroma subsampled by
/// `across` x `down` (0: 1). 4 channels are stored as they are drawn.
typedef struct jpeg_kind {
    int h;
    int w;
    int channels;
    int across;
    int down;
    bool progressive;
    int restart; // blocks between marks, 0: none
} jpeg_kind;

/// Byte of pixel (y, x) in channel c.
unsigned char drawn_pixel(uint32_t seed, int y, int x, int c);

bytes make_jpeg(const jpeg_kind *kind, uint32_t seed);

/// A PNG image: libpng's colour type and depth. A palette has 2^depth colours,
/// colour i is (i * 7, i * 11, 255 - i) modulo 256. Samples are the upper bits
/// of drawn_pixel(), of 16 bits the upper eight, with its complement below.
typedef struct png_kind {
    int h;
    int w;
    int type;
    int depth;
    bool interlaced;
    bool transparent; // has a chunk tRNS
} png_kind;

bytes make_png(const png_kind *kind, uint32_t seed);

/// Skip the test where the library lacks JPEG or PNG.
void need_pictures(void);

/// Write a JPEG image of h x w pixels to "folder/name", making its folders.
void put_picture(const char *folder, const char *name, int h, int w,
                 uint32_t seed);

#endif
