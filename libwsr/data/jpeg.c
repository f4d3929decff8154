// SPDX-License-Identifier: Apache-2.0
//
// JPEG images through libjpeg-turbo, with the pixels that Pillow's
// convert("RGB") gives: the default inverse DCT and chroma upsampling, a grey
// channel repeated, CMYK as Adobe's programs write it (inverted) and converted
// as Pillow does. Marks of orientation are ignored, as there.
//
// Of the image only the rows and columns of a window are transformed, with a
// margin: upsampling looks at neighbours. The pixels are those of the whole
// image.
//
// libjpeg decodes damaged files and warns. Where the damage is to pixels, the
// file is refused here; bytes between markers and odd versions are not damage.

#include "data/image_file.h"

#if WSR_HAVE_LIBJPEG

#include <setjmp.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// Units of whole blocks on each side of a window. libjpeg treats the edges of a
// part as those of the image, which shows in one pixel.
enum { MARGIN = 1 };

struct wsr__jpeg {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    bool damaged;
    char text[JMSG_LENGTH_MAX]; // of the error or the first damage
};

// --------------------------------------------------------------------- errors

static void on_error(j_common_ptr c)
{
    struct wsr__jpeg *const j = c->client_data;
    c->err->format_message(c, j->text);
    longjmp(j->jump, 1);
}

static bool is_damage(int code)
{
    return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER ||
           code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC ||
           code == JWRN_BOGUS_PROGRESSION || code == JWRN_NOT_SEQUENTIAL;
}

static void on_message(j_common_ptr c, int level)
{
    struct wsr__jpeg *const j = c->client_data;
    if (level < 0 && !j->damaged && is_damage(c->err->msg_code)) {
        c->err->format_message(c, j->text);
        j->damaged = true;
    }
}

static void on_output(j_common_ptr c)
{
    (void)c;
}

// All calls of libjpeg go through here, since its errors jump. What it holds
// lies in pools of `c`, so that a jump loses nothing. False: j->text says why.
static bool guarded(struct wsr__jpeg *j,
                    void (*call)(struct wsr__jpeg *, void *), void *ctx)
{
    if (setjmp(j->jump) != 0) {
        return false;
    }
    call(j, ctx);
    return true;
}

static wsr_status failed(const wsr__image_file *file)
{
    const struct wsr__jpeg *const j = file->jpeg;
    if (!j->damaged && j->errors.msg_code == JERR_OUT_OF_MEMORY) {
        return WSR_FAIL(WSR_NOMEM, "%s: libjpeg has no memory", file->path);
    }
    return WSR_FAIL(WSR_FORMAT, "%s: JPEG image is broken (%.120s)", file->path,
                    j->text);
}

// -------------------------------------------------------------------- opening

static void create(struct wsr__jpeg *j, void *ctx)
{
    (void)ctx;
    jpeg_create_decompress(&j->c);
}

// libjpeg clears all of `c` but its error manager and client data.
static wsr_status make(wsr__image_file *file)
{
    struct wsr__jpeg *j;
    if (file->jpeg != NULL) {
        return WSR_OK;
    }
    j = wsr__alloc(1, sizeof(*j));
    if (j == NULL) {
        return WSR_NOMEM;
    }
    file->jpeg = j;
    j->c.err = jpeg_std_error(&j->errors);
    j->c.client_data = j;
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->errors.output_message = on_output;
    if (!guarded(j, create, NULL)) {
        const wsr_status status = failed(file);
        wsr__jpeg_free(j);
        file->jpeg = NULL;
        return status;
    }
    return WSR_OK;
}

static void read_header(struct wsr__jpeg *j, void *ctx)
{
    const wsr__image_file *const file = ctx;
    jpeg_abort_decompress(&j->c);
    jpeg_mem_src(&j->c, file->bytes, (unsigned long)file->size);
    (void)jpeg_read_header(&j->c, TRUE);
}

// A file that was cut off lacks the mark of its end, also where no window that
// is decoded reaches the cut. Inside scans 0xff is always followed by another
// byte.
static bool has_end(const wsr__image_file *file)
{
    const unsigned char *const from = file->jpeg->c.src->next_input_byte;
    const unsigned char *at = file->bytes + file->size;
    for (; at - from >= 2; at--) {
        if (at[-2] == 0xff && at[-1] == JPEG_EOI) {
            return true;
        }
    }
    return false;
}

static J_COLOR_SPACE space_of(const struct jpeg_decompress_struct *c)
{
    switch (c->jpeg_color_space) {
    case JCS_GRAYSCALE:
        return JCS_GRAYSCALE;
    case JCS_YCbCr:
    case JCS_RGB:
        return JCS_RGB;
    case JCS_CMYK:
    case JCS_YCCK:
        return JCS_CMYK;
    default:
        return JCS_UNKNOWN;
    }
}

// --------------------------------------------------------------------- pixels

// a * b / 255, rounded as Pillow does.
static int product(int a, int b)
{
    const int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

// n pixels of three or four bytes that lie side by side, into planes.
WSR__WIDE static void spread_rgb(unsigned char *restrict dst, int64_t plane,
                                 const unsigned char *restrict src, int64_t n)
{
    unsigned char *restrict const g = dst + plane;
    unsigned char *restrict const b = dst + 2 * plane;
    for (int64_t x = 0; x < n; x++) {
        dst[x] = src[3 * x];
        g[x] = src[3 * x + 1];
        b[x] = src[3 * x + 2];
    }
}

static void spread_cmyk(unsigned char *dst, int64_t plane,
                        const unsigned char *src, int64_t n)
{
    for (int64_t x = 0; x < n; x++) {
        const int light = src[4 * x + 3]; // 255 - black, as it is inverted
        for (int64_t c = 0; c < 3; c++) {
            dst[c * plane + x] =
                (unsigned char)(light - product(255 - src[4 * x + c], light));
        }
    }
}

static void spread(unsigned char *dst, int64_t plane, const unsigned char *src,
                   int64_t n, J_COLOR_SPACE space)
{
    if (space == JCS_RGB) {
        spread_rgb(dst, plane, src, n);
    } else if (space == JCS_CMYK) {
        spread_cmyk(dst, plane, src, n);
    } else {
        for (int64_t c = 0; c < 3; c++) {
            memcpy(dst + c * plane, src, (size_t)n);
        }
    }
}

typedef struct part {
    unsigned char *dst; // (3, window->h, window->w)
    const wsr__window *window;
} part;

// The first column that is decoded; libjpeg moves it left to a whole block.
static int64_t cut_columns(struct jpeg_decompress_struct *c,
                           const wsr__window *window)
{
    const int64_t margin = MARGIN * c->max_h_samp_factor * DCTSIZE;
    const int64_t left = window->left - margin;
    const int64_t right = window->left + window->w + margin;
    const int64_t width = (int64_t)c->output_width;
    JDIMENSION first = left > 0 ? (JDIMENSION)left : 0;
    JDIMENSION n = (JDIMENSION)(right < width ? right : width) - first;
    if (n == c->output_width) {
        return 0;
    }
    jpeg_crop_scanline(c, &first, &n);
    return first;
}

static void read_window(struct wsr__jpeg *j, void *ctx)
{
    struct jpeg_decompress_struct *const c = &j->c;
    const part *const p = ctx;
    const wsr__window *const w = p->window;
    JSAMPARRAY row;
    c->out_color_space = space_of(c);
    (void)jpeg_start_decompress(c);
    const int64_t first = cut_columns(c, w);
    const int64_t block = c->max_v_samp_factor * DCTSIZE;
    const int64_t above = w->top / block - MARGIN;
    const int64_t shift = (w->left - first) * c->output_components;
    row = c->mem->alloc_sarray(
        (j_common_ptr)c, JPOOL_IMAGE,
        c->output_width * (JDIMENSION)c->output_components, 1);
    if (above > 0) {
        (void)jpeg_skip_scanlines(c, (JDIMENSION)(above * block));
    }
    while ((int64_t)c->output_scanline < w->top + w->h) {
        const int64_t y = (int64_t)c->output_scanline - w->top;
        (void)jpeg_read_scanlines(c, row, 1);
        if (y >= 0) {
            spread(p->dst + y * w->w, w->h * w->w, row[0] + shift, w->w,
                   c->out_color_space);
        }
    }
    jpeg_abort_decompress(c);
}

static wsr_status decode(wsr__bitmap *out, wsr__encoded *encoded,
                         const wsr__window *window)
{
    wsr_status status = WSR_OK;
    wsr__image_file *const file = (wsr__image_file *)(void *)encoded;
    const wsr__image shape = {3, window->h, window->w};
    part p = {.window = window};
    WSR_TRY(wsr__bitmap_reserve(out, shape));
    p.dst = out->spare;
    if (!guarded(file->jpeg, read_window, &p) || file->jpeg->damaged) {
        status = failed(file);
        goto out;
    }
    wsr__bitmap_swap(out, shape);
out:
    return status;
}

wsr_status wsr__jpeg_open(wsr__image_file *file)
{
    wsr_status status = WSR_OK;
    struct jpeg_decompress_struct *c;
    WSR_TRY(make(file));
    c = &file->jpeg->c;
    file->jpeg->damaged = false;
    if (!guarded(file->jpeg, read_header, file) || file->jpeg->damaged) {
        status = failed(file);
        goto out;
    }
    if (space_of(c) == JCS_UNKNOWN) {
        status = WSR_FAIL(WSR_UNSUPPORTED,
                          "%s: a JPEG image of %d channels of no known colours",
                          file->path, c->num_components);
        goto out;
    }
    WSR_TRY(wsr__image_check(file, c->image_height, c->image_width));
    if (!has_end(file)) {
        status =
            WSR_FAIL(WSR_FORMAT, "%s: JPEG image is truncated", file->path);
        goto out;
    }
    file->super.shape = (wsr__image){3, c->image_height, c->image_width};
    file->super.decode = decode;
out:
    return status;
}

static void destroy(struct wsr__jpeg *j, void *ctx)
{
    (void)ctx;
    jpeg_destroy_decompress(&j->c);
}

void wsr__jpeg_free(struct wsr__jpeg *jpeg)
{
    if (jpeg != NULL) {
        (void)guarded(jpeg, destroy, NULL);
    }
    wsr__free(jpeg);
}

#else

wsr_status wsr__jpeg_open(wsr__image_file *file)
{
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "%s: reading JPEG images needs libjpeg-turbo, which this "
                    "build lacks",
                    file->path);
}

void wsr__jpeg_free(struct wsr__jpeg *jpeg)
{
    (void)jpeg;
}

#endif
