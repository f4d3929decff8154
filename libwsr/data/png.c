// SPDX-License-Identifier: Apache-2.0
//
// PNG images through libpng, with the pixels that Pillow's convert("RGB")
// gives: grey is repeated, palettes are looked up, alpha is dropped, of 16 bits
// per channel the upper eight count. 16-bit grey images, which Pillow clips to
// 255, are refused. Gamma and colour profiles are ignored, as there.

#include "data/image_file.h"

#if WSR_HAVE_LIBPNG

#include <setjmp.h>
#include <string.h>

#include <png.h>

enum {
    SIGNATURE = 8,
    HEADER = SIGNATURE + 8 + 13, // the chunk IHDR up to its checksum
    CHUNKS = 1000,               // with texts and the like
    CHUNK_BYTES = 1 << 23
};

// One call of decode(): the file and where it is read, the part that is wanted,
// and memory.
typedef struct reading {
    const wsr__image_file *file;
    size_t at;
    const wsr__window *window;
    unsigned char *dst;  // (3, window->h, window->w)
    unsigned char *rows; // of 3 w bytes: one, or all of an interlaced image
    png_structp png;
    png_infop info;
    jmp_buf jump;
    bool short_of_memory;
    char text[128];
} reading;

// ------------------------------------------------------------------ callbacks

static void on_error(png_structp png, png_const_charp text)
{
    reading *const r = png_get_error_ptr(png);
    (void)snprintf(r->text, sizeof(r->text), "%s", text);
    longjmp(r->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    reading *const r = png_get_mem_ptr(png);
    void *const memory = wsr__alloc_raw(size, 1);
    r->short_of_memory = r->short_of_memory || memory == NULL;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    wsr__free(memory);
}

static void feed(png_structp png, png_bytep dst, size_t size)
{
    reading *const r = png_get_io_ptr(png);
    if (size > r->file->size - r->at) {
        png_error(png, "the file ends too early");
    }
    memcpy(dst, r->file->bytes + r->at, size);
    r->at += size;
}

// -------------------------------------------------------------------- pixels

static void spread(reading *r, const unsigned char *row, int64_t y)
{
    const wsr__window *const w = r->window;
    const int64_t plane = w->h * w->w;
    unsigned char *const to = r->dst + (y - w->top) * w->w;
    for (int64_t x = 0; x < w->w; x++) {
        for (int64_t c = 0; c < 3; c++) {
            to[c * plane + x] = row[3 * (w->left + x) + c];
        }
    }
}

// To three bytes a pixel.
static void transform(reading *r)
{
    png_set_expand_gray_1_2_4_to_8(r->png);
    png_set_palette_to_rgb(r->png);
    png_set_strip_16(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_strip_alpha(r->png);
}

static void read_rows(reading *r, int64_t h, size_t row)
{
    const int64_t end = r->window->top + r->window->h;
    const int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != row) {
        png_error(r->png, "rows of another length");
    }
    for (int pass = 1; pass < passes; pass++) {
        for (int64_t y = 0; y < h; y++) {
            png_read_row(r->png, r->rows + (size_t)y * row, NULL);
        }
    }
    for (int64_t y = 0; y < end; y++) {
        unsigned char *const at = r->rows + (passes > 1 ? (size_t)y * row : 0);
        png_read_row(r->png, at, NULL);
        if (y >= r->window->top) {
            spread(r, at, y);
        }
    }
}

// An interlaced image comes in seven passes over all rows. Errors of libpng
// jump back to here; no local variable changes on the way.
static bool read_image(reading *r)
{
    const wsr__image shape = r->file->super.shape;
    const size_t row = 3 * (size_t)shape.w;
    if (setjmp(r->jump) != 0) {
        return false;
    }
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error,
                                      on_warning, r, allocate, release);
    r->info = r->png != NULL ? png_create_info_struct(r->png) : NULL;
    if (r->info == NULL) {
        r->short_of_memory = true;
        return false;
    }
    png_set_user_limits(r->png, (png_uint_32)shape.w, (png_uint_32)shape.h);
    png_set_chunk_cache_max(r->png, CHUNKS);
    png_set_chunk_malloc_max(r->png, CHUNK_BYTES);
    png_set_read_fn(r->png, r, feed);
    png_read_info(r->png, r->info);
    transform(r);
    r->rows = wsr__alloc_raw(png_get_interlace_type(r->png, r->info) ==
                                     PNG_INTERLACE_NONE
                                 ? 1
                                 : (size_t)shape.h,
                             row);
    if (r->rows == NULL) {
        r->short_of_memory = true;
        return false;
    }
    read_rows(r, shape.h, row);
    return true;
}

static wsr_status decode(wsr__bitmap *out, wsr__encoded *encoded,
                         const wsr__window *window)
{
    wsr_status status = WSR_OK;
    const wsr__image_file *const file = (wsr__image_file *)(void *)encoded;
    const wsr__image shape = {3, window->h, window->w};
    reading r = {.file = file, .window = window};
    WSR_TRY(wsr__bitmap_reserve(out, shape));
    r.dst = out->spare;
    if (!read_image(&r)) {
        status = r.short_of_memory
                     ? WSR_NOMEM
                     : WSR_FAIL(WSR_FORMAT, "%s: PNG image is broken (%s)",
                                file->path, r.text);
        goto out;
    }
    wsr__bitmap_swap(out, shape);
out:
    if (r.png != NULL) {
        png_destroy_read_struct(&r.png, &r.info, NULL);
    }
    wsr__free(r.rows);
    return status;
}

// -------------------------------------------------------------------- opening

static int64_t big_endian(const unsigned char *p)
{
    return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

// A file that was cut off lacks its last chunk, also where no window that is
// decoded reaches the cut.
static bool has_end(const wsr__image_file *file)
{
    static const unsigned char end[] = {'I', 'E', 'N', 'D'};
    for (size_t at = file->size - sizeof(end); at >= HEADER; at--) {
        if (memcmp(file->bytes + at, end, sizeof(end)) == 0) {
            return true;
        }
    }
    return false;
}

wsr_status wsr__png_open(wsr__image_file *file)
{
    wsr_status status = WSR_OK;
    const unsigned char *const header = file->bytes + SIGNATURE + 8;
    if (file->size <= HEADER || memcmp(header - 4, "IHDR", 4) != 0) {
        return WSR_FAIL(WSR_FORMAT, "%s: PNG image is broken (no header)",
                        file->path);
    }
    const int64_t w = big_endian(header);
    const int64_t h = big_endian(header + 4);
    if (header[8] == 16 && header[9] == PNG_COLOR_TYPE_GRAY) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "%s: is a 16-bit grey PNG image, 8 bits are read",
                        file->path);
    }
    WSR_TRY(wsr__image_check(file, h, w));
    if (!has_end(file)) {
        status = WSR_FAIL(WSR_FORMAT, "%s: PNG image is truncated", file->path);
        goto out;
    }
    file->super.shape = (wsr__image){3, h, w};
    file->super.decode = decode;
out:
    return status;
}

#else

wsr_status wsr__png_open(wsr__image_file *file)
{
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "%s: reading PNG images needs libpng, which this build "
                    "lacks",
                    file->path);
}

#endif
