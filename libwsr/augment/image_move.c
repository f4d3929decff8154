// SPDX-License-Identifier: Apache-2.0
//
// Rotation, shear and translation as Pillow's Image.transform with an affine
// map: the centre of each pixel of the result is mapped into the image, and
//
//   nearest   the pixel there counts, with coordinates in 1/65536 of a pixel;
//   bilinear  the four around it, truncated to a byte;
//   bicubic   the sixteen around it (Keys' a = -1), clipped and truncated.
//
// What lies outside the image is the fill. Inside, places beyond the outermost
// centres repeat the border. Coordinates are computed from the row and the
// column, and not by adding, in the order of Pillow, since one bit decides
// which pixel is meant.

#include "augment/image_ops.h"

#include <math.h>
#include <string.h>

// (x, y) of the result comes from (m[0] x + m[1] y + m[2], m[3] x + m[4] y +
// m[5]) of the image.
typedef struct affine {
    double m[6];
} affine;

// The grey that a colour becomes in an image of one channel.
static unsigned char fill_of(const wsr__border *border, int64_t c, int64_t n)
{
    const unsigned char *const f = border->fill;
    return n == 1 ? (unsigned char)wsr__image_luma(f[0], f[1], f[2]) : f[c];
}

static void fill_all(unsigned char *dst, wsr__image shape,
                     const wsr__border *border)
{
    const int64_t n = shape.h * shape.w;
    for (int64_t c = 0; c < shape.c; c++) {
        memset(dst + c * n, fill_of(border, c, shape.c), (size_t)n);
    }
}

// ------------------------------------------------------------------- nearest

static int64_t fixed(double value)
{
    return (int64_t)floor(value * 65536.0 + 0.5);
}

static void nearest(unsigned char *restrict dst,
                    const unsigned char *restrict src, wsr__image shape,
                    const affine *a)
{
    const double *const m = a->m;
    const int64_t n = shape.h * shape.w;
    const int64_t dx = fixed(m[0]);
    const int64_t dy = fixed(m[3]);
    for (int64_t y = 0; y < shape.h; y++) {
        int64_t at_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5) + y * fixed(m[1]);
        int64_t at_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5) + y * fixed(m[4]);
        for (int64_t x = 0; x < shape.w; x++) {
            const int64_t sx = at_x >> 16;
            const int64_t sy = at_y >> 16;
            at_x += dx;
            at_y += dy;
            if (sx < 0 || sx >= shape.w || sy < 0 || sy >= shape.h) {
                continue;
            }
            for (int64_t c = 0; c < shape.c; c++) {
                dst[c * n + y * shape.w + x] = src[c * n + sy * shape.w + sx];
            }
        }
    }
}

// -------------------------------------------------------------- interpolation

// A place between pixels: the columns and rows around it, of which those beyond
// the border are the outermost, and the distance from the second of each.
typedef struct place {
    int64_t column[4];
    int64_t row[4]; // times the width
    double dx;
    double dy;
} place;

typedef unsigned char (*sample)(const unsigned char *plane, const place *p);

static inline int64_t inside(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

// floor() of a number that is at least -1; the function itself is a call on
// processors without SSE 4.1.
static inline int64_t floor_of(double value)
{
    return value < 0 ? -1 : (int64_t)value;
}

// False outside the image.
static inline bool find_place(place *p, double x, double y, wsr__image shape)
{
    if (!(x >= 0 && x < (double)shape.w && y >= 0 && y < (double)shape.h)) {
        return false;
    }
    const int64_t left = floor_of(x - 0.5);
    const int64_t top = floor_of(y - 0.5);
    p->dx = x - 0.5 - (double)left;
    p->dy = y - 0.5 - (double)top;
    for (int64_t k = 0; k < 4; k++) {
        p->column[k] = inside(left - 1 + k, shape.w);
        p->row[k] = inside(top - 1 + k, shape.h) * shape.w;
    }
    return true;
}

static inline double between(double a, double b, double d)
{
    return a + (b - a) * d;
}

static inline unsigned char bilinear(const unsigned char *plane, const place *p)
{
    const unsigned char *const upper = plane + p->row[1];
    const unsigned char *const lower = plane + p->row[2];
    const int64_t left = p->column[1];
    const int64_t right = p->column[2];
    const double a = between(upper[left], upper[right], p->dx);
    const double b = between(lower[left], lower[right], p->dx);
    return (unsigned char)between(a, b, p->dy);
}

static inline double cubic(double v0, double v1, double v2, double v3, double d)
{
    const double p2 = -v0 + v2;
    const double p3 = 2 * (v0 - v1) + v2 - v3;
    const double p4 = -v0 + v1 - v2 + v3;
    return v1 + d * (p2 + d * (p3 + d * p4));
}

static inline unsigned char bicubic(const unsigned char *plane, const place *p)
{
    const int64_t *const x = p->column;
    double v[4];
    for (size_t k = 0; k < 4; k++) {
        const unsigned char *const row = plane + p->row[k];
        v[k] = cubic(row[x[0]], row[x[1]], row[x[2]], row[x[3]], p->dx);
    }
    const double value = cubic(v[0], v[1], v[2], v[3], p->dy);
    return (unsigned char)(value <= 0 ? 0 : value >= 255 ? 255 : value);
}

// Inline, so that `at` is, too.
static inline void interpolate(unsigned char *restrict dst,
                               const unsigned char *restrict src,
                               wsr__image shape, const affine *a, sample at)
{
    const double *const m = a->m;
    const int64_t n = shape.h * shape.w;
    for (int64_t y = 0; y < shape.h; y++) {
        for (int64_t x = 0; x < shape.w; x++) {
            const double cx = (double)x + 0.5;
            const double cy = (double)y + 0.5;
            place p;
            if (!find_place(&p, m[0] * cx + m[1] * cy + m[2],
                            m[3] * cx + m[4] * cy + m[5], shape)) {
                continue;
            }
            for (int64_t c = 0; c < shape.c; c++) {
                dst[c * n + y * shape.w + x] = at(src + c * n, &p);
            }
        }
    }
}

static void bilinear_all(unsigned char *restrict dst,
                         const unsigned char *restrict src, wsr__image shape,
                         const affine *a)
{
    interpolate(dst, src, shape, a, bilinear);
}

static void bicubic_all(unsigned char *restrict dst,
                        const unsigned char *restrict src, wsr__image shape,
                        const affine *a)
{
    interpolate(dst, src, shape, a, bicubic);
}

static wsr_status transform(wsr__bitmap *image, const affine *a,
                            const wsr__border *border)
{
    static void (*const samplings[])(
        unsigned char *restrict, const unsigned char *restrict, wsr__image,
        const affine *) = {[WSR__SAMPLE_NEAREST] = nearest,
                           [WSR__SAMPLE_BILINEAR] = bilinear_all,
                           [WSR__SAMPLE_BICUBIC] = bicubic_all};
    wsr_status status = WSR_OK;
    const wsr__image shape = image->shape;
    WSR_TRY(wsr__bitmap_reserve(image, shape));
    fill_all(image->spare, shape, border);
    samplings[border->sampling](image->spare, image->bytes, shape, a);
    wsr__bitmap_swap(image, shape);
out:
    return status;
}

// --------------------------------------------------------------------- moves

// Pillow turns by multiples of a quarter turn without interpolation, by a
// quarter only where the image is a square.
static bool turn_exactly(affine *a, double degrees, wsr__image shape)
{
    static const double quarters[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    const double quarter = degrees / 90;
    if (quarter != floor(quarter)) {
        return false;
    }
    const int k = (int)quarter & 3;
    if (k % 2 != 0 && shape.h != shape.w) {
        return false;
    }
    const double cosine = quarters[k][0];
    const double sine = quarters[k][1];
    *a = (affine){{cosine, -sine, 0, sine, cosine, 0}};
    return true;
}

// To the 15 digits that Pillow keeps: 1e15 times the value, rounded to the
// nearest whole number. The error of the product decides near halves, where
// cos(45 degrees) is.
static double to_digits(double value)
{
    const double product = value * 1e15;
    const double error = fma(value, 1e15, -product);
    double digits = nearbyint(product);
    const double rest = product - digits + error;
    digits += rest > 0.5 ? 1 : rest < -0.5 ? -1 : 0;
    return digits / 1e15;
}

// About the centre: the centre maps to itself.
static void about_centre(affine *a, wsr__image shape)
{
    const double cx = (double)shape.w / 2.0;
    const double cy = (double)shape.h / 2.0;
    a->m[2] = a->m[0] * -cx + a->m[1] * -cy + a->m[2] + cx;
    a->m[5] = a->m[3] * -cx + a->m[4] * -cy + a->m[5] + cy;
}

wsr_status wsr__image_rotate(wsr__bitmap *image, double argument,
                             const wsr__border *border)
{
    const double pi = 3.141592653589793;
    const double degrees = argument - 360.0 * floor(argument / 360.0);
    const double angle = -(degrees * (pi / 180.0));
    const double cosine = to_digits(cos(angle));
    const double sine = to_digits(sin(angle));
    wsr__border exact = *border;
    affine a = {{cosine, sine, 0, -sine, cosine, 0}};
    if (turn_exactly(&a, degrees, image->shape)) {
        exact.sampling = WSR__SAMPLE_NEAREST;
    }
    about_centre(&a, image->shape);
    return transform(image, &a, &exact);
}

wsr_status wsr__image_shear_x(wsr__bitmap *image, double argument,
                              const wsr__border *border)
{
    const affine a = {{1, argument, 0, 0, 1, 0}};
    return transform(image, &a, border);
}

wsr_status wsr__image_shear_y(wsr__bitmap *image, double argument,
                              const wsr__border *border)
{
    const affine a = {{1, 0, 0, argument, 1, 0}};
    return transform(image, &a, border);
}

wsr_status wsr__image_translate_x(wsr__bitmap *image, double argument,
                                  const wsr__border *border)
{
    const affine a = {{1, 0, argument, 0, 1, 0}};
    return transform(image, &a, border);
}

wsr_status wsr__image_translate_y(wsr__bitmap *image, double argument,
                                  const wsr__border *border)
{
    const affine a = {{1, 0, 0, 0, 1, argument}};
    return transform(image, &a, border);
}

wsr_status wsr__image_translate_x_rel(wsr__bitmap *image, double argument,
                                      const wsr__border *border)
{
    return wsr__image_translate_x(image, argument * (double)image->shape.w,
                                  border);
}

wsr_status wsr__image_translate_y_rel(wsr__bitmap *image, double argument,
                                      const wsr__border *border)
{
    return wsr__image_translate_y(image, argument * (double)image->shape.h,
                                  border);
}
