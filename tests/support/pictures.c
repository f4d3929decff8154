// SPDX-License-Identifier: Apache-2.0

#include "support/pictures.h"

#include "base/base.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

unsigned char drawn_pixel(uint32_t seed, int y, int x, int c)
{
    const uint32_t at = (uint32_t)(y * 4099 + x * 7 + c) * 2654435761u + seed;
    const uint32_t noise = (at ^ at >> 15) * 2246822519u >> 26;
    const int slope = y * (3 + c) + x * (5 - c) + (int)(seed % 97);
    return (unsigned char)((slope / 2 + (int)noise) % 256);
}

#if WSR_HAVE_LIBJPEG && WSR_HAVE_LIBPNG

#include <jpeglib.h>
#include <png.h>

void need_pictures(void)
{
}

bytes make_jpeg(const jpeg_kind *kind, uint32_t seed)
{
    static const J_COLOR_SPACE spaces[] = {JCS_UNKNOWN, JCS_GRAYSCALE,
                                           JCS_UNKNOWN, JCS_RGB, JCS_CMYK};
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    const int row_bytes = kind->w * kind->channels;
    unsigned char *const row = wsr__alloc((size_t)row_bytes, 1);
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &size);
    c.image_height = (JDIMENSION)kind->h;
    c.image_width = (JDIMENSION)kind->w;
    c.input_components = kind->channels;
    c.in_color_space = spaces[kind->channels];
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 90, TRUE);
    if (kind->channels == 3) {
        c.comp_info[0].h_samp_factor = kind->across > 0 ? kind->across : 1;
        c.comp_info[0].v_samp_factor = kind->down > 0 ? kind->down : 1;
    }
    if (kind->progressive) {
        jpeg_simple_progression(&c);
    }
    c.restart_interval = (unsigned)kind->restart;
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < kind->h; y++) {
        JSAMPROW rows[] = {row};
        for (int i = 0; i < row_bytes; i++) {
            row[i] =
                drawn_pixel(seed, y, i / kind->channels, i % kind->channels);
        }
        (void)jpeg_write_scanlines(&c, rows, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    bytes out = {NULL, 0};
    bytes_add(&out, data, size);
    free(data);
    wsr__free(row);
    return out;
}

static void add_bytes(png_structp png, png_bytep data, size_t size)
{
    bytes_add(png_get_io_ptr(png), data, size);
}

static void flush(png_structp png)
{
    (void)png;
}

static void set_palette(png_structp png, png_infop info, int depth)
{
    png_color colors[256];
    for (int i = 0; i < 1 << depth; i++) {
        colors[i].red = (png_byte)(i * 7);
        colors[i].green = (png_byte)(i * 11);
        colors[i].blue = (png_byte)(255 - i);
    }
    png_set_PLTE(png, info, colors, 1 << depth);
}

static void set_transparency(png_structp png, png_infop info, int type)
{
    png_byte alpha[2] = {0, 128};
    png_color_16 color = {.red = 3, .green = 4, .blue = 5, .gray = 1};
    png_set_tRNS(png, info, alpha, type == PNG_COLOR_TYPE_PALETTE ? 2 : 0,
                 &color);
}

// A row of samples, packed into bytes.
static void draw_row(unsigned char *row, const png_kind *kind, int channels,
                     uint32_t seed, int y)
{
    for (int i = 0; i < kind->w * channels; i++) {
        const unsigned char v =
            drawn_pixel(seed, y, i / channels, i % channels);
        if (kind->depth == 16) {
            row[2 * i] = v;
            row[2 * i + 1] = (unsigned char)(255 - v);
        } else {
            const int bit = i * kind->depth % 8;
            const int sample = v >> (8 - kind->depth);
            row[i * kind->depth / 8] |=
                (unsigned char)(sample << (8 - kind->depth - bit));
        }
    }
}

bytes make_png(const png_kind *kind, uint32_t seed)
{
    bytes out = {NULL, 0};
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &out, add_bytes, flush);
    png_set_IHDR(png, info, (png_uint_32)kind->w, (png_uint_32)kind->h,
                 kind->depth, kind->type,
                 kind->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (kind->type == PNG_COLOR_TYPE_PALETTE) {
        set_palette(png, info, kind->depth);
    }
    if (kind->transparent) {
        set_transparency(png, info, kind->type);
    }
    png_write_info(png, info);
    const size_t row_bytes = png_get_rowbytes(png, info);
    const int channels = png_get_channels(png, info);
    unsigned char *const all = wsr__alloc((size_t)kind->h, row_bytes);
    png_bytepp rows = wsr__alloc((size_t)kind->h, sizeof(png_bytep));
    for (int y = 0; y < kind->h; y++) {
        rows[y] = all + (size_t)y * row_bytes;
        draw_row(rows[y], kind, channels, seed, y);
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    wsr__free(rows);
    wsr__free(all);
    return out;
}

#else

void need_pictures(void)
{
    skip("this build has no libjpeg-turbo or no libpng");
}

bytes make_jpeg(const jpeg_kind *kind, uint32_t seed)
{
    (void)kind;
    (void)seed;
    return (bytes){NULL, 0};
}

bytes make_png(const png_kind *kind, uint32_t seed)
{
    (void)kind;
    (void)seed;
    return (bytes){NULL, 0};
}

#endif

void put_picture(const char *folder, const char *name, int h, int w,
                 uint32_t seed)
{
    const jpeg_kind kind = {
        .h = h, .w = w, .channels = 3, .across = 2, .down = 2};
    char *const path = wsr__path_join(folder, name);
    char *const slash = strrchr(path, '/');
    *slash = '\0';
    MUST_HOLD(wsr__make_directory(path) == WSR_OK);
    *slash = '/';
    bytes content = make_jpeg(&kind, seed);
    put_file(path, &content);
    bytes_free(&content);
    wsr__free(path);
}
