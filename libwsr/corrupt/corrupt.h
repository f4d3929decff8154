// SPDX-License-Identifier: Apache-2.0
//
// Common corruptions of images (Hendrycks and Dietterich 2019,
// arXiv:1903.12261): noise, blur, weather and digital artefacts at five
// severities. A corruption is one file; it changes an image of doubles in
// place. corrupt.c turns the images of floats into these and back, and owns
// memory, threads and random numbers.
//
//   filter.c       smoothing, correlation with a kernel, edges of images
//   motion.c       blur along a line;  zoom.c  zoom into the middle
//   colour.c       grey, and hue, saturation and value
//   liquid.c       contours of drops, for spatter
//   jpeg_block.c   what JPEG compression does to blocks of 8 x 8 numbers
//
// docs/corruptions.md says what equals the published images and what does not.

#ifndef WSR_CORRUPT_CORRUPT_H
#define WSR_CORRUPT_CORRUPT_H

#include "augment/augment.h"
#include "base/registry.h"
#include "tensor/tensor.h"
#include "wsr/corrupt.h"

enum { WSR__SEVERITIES = 5, WSR__SCALES = 2 };

/// An image in the hands of a corruption.
typedef struct wsr__canvas {
    wsr__image shape; // c is 1 or 3
    double *x;        // (c, h, w), bytes / 255 at first
    double *spare;    // as many as the class asks for, not cleared
    wsr__rng rng;     // of this image, corruption and severity
} wsr__canvas;

typedef struct wsr__corruption_class {
    wsr__class super;
    const char *group; // "noise", "blur", "weather" or "digital"
    /// Constants: `width` numbers for each severity, for small images and then
    /// for large ones.
    const double *levels; // (WSR__SCALES, WSR__SEVERITIES, width)
    size_t width;
    /// Doubles of spare memory. NULL: none.
    size_t (*spare)(wsr__image shape);
    /// Change the image. What leaves [0, 1] is cut off afterwards, and 255 x
    /// rounded down to a byte. `level`: the constants of the severity.
    void (*apply)(wsr__canvas *canvas, const double *level);
} wsr__corruption_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "corrupt/corruptions.def"
#undef WSR_REG

extern const wsr__family wsr__corruptions;

/// Which of the published sets of constants is used.
extern const char *const wsr__corrupt_scales[]; // "auto", "cifar", "imagenet"

typedef struct wsr__corruption_params {
    int64_t severity;
    wsr__text scale; // word of wsr__corrupt_scales
    int64_t seed;
} wsr__corruption_params;

/// The defaults of wsr_corruption_new().
void wsr__corruption_params_default(wsr__corruption_params *params);

/// wsr_corruption_new() with a class and decoded options.
wsr_status wsr__corruption_make(wsr_corruption **out,
                                const wsr__corruption_class *cls,
                                const wsr_shape *image,
                                const wsr__corruption_params *params);

/// wsr_corruption_apply() at another severity than the corruption's own, from
/// 1 to WSR__SEVERITIES.
void wsr__corruption_apply_at(float *dst, const wsr_corruption *corruption,
                              const float *src, const size_t *indices, size_t n,
                              size_t severity);

// ------------------------------------------------------------------ filters

/// What lies beyond the edges of an image.
typedef enum wsr__border {
    WSR__BORDER_REPEAT, // aaa|abcd|ddd
    WSR__BORDER_MIRROR, // cba|abcd|dcb
    WSR__BORDER_REFLECT // dcb|abcd|cba
} wsr__border;

/// Index in [0, n) that stands for any index.
int64_t wsr__border_index(int64_t i, int64_t n, wsr__border edge);

/// A Gaussian of standard deviation sigma, cut off at `most` of them.
typedef struct wsr__gauss {
    double sigma; // pixels
    double most;
    wsr__border edge;
} wsr__gauss;

/// Convolve every plane with a Gaussian, as scipy.ndimage.gaussian_filter
/// does. `spare` has a double for each pixel of a plane.
void wsr__smooth(double *x, wsr__image shape, const wsr__gauss *gauss,
                 double *spare);

/// A square kernel with sides of 2 radius + 1.
typedef struct wsr__kernel2d {
    const double *weights;
    int64_t radius;
} wsr__kernel2d;

/// Correlate every plane with a kernel. `spare` as in wsr__smooth().
void wsr__correlate(double *x, wsr__image shape, const wsr__kernel2d *kernel,
                    wsr__border edge, double *spare);

/// A blur along a line to one side, as ImageMagick's motion blur: 2 radius + 1
/// pixels with the weights of half a Gaussian.
typedef struct wsr__motion {
    double radius; // pixels
    double sigma;
    double angle; // degrees
} wsr__motion;

/// Blur every plane and round to bytes / 255. `spare` as in wsr__smooth().
void wsr__motion_blur(double *x, wsr__image shape, const wsr__motion *motion,
                      double *spare);

/// Enlarge the middle of a plane by a factor of at least 1 to the size of the
/// plane, bilinearly, as scipy.ndimage.zoom does and a cut after it.
void wsr__zoom(double *dst, const double *src, wsr__image plane, double factor);

// ------------------------------------------------------------------- colour

/// Red, green and blue planes of (3, h, w) to hue, saturation, value, and back.
void wsr__to_hsv(double *x, int64_t pixels);
void wsr__from_hsv(double *x, int64_t pixels);

/// Lightness 0.299 r + 0.587 g + 0.114 b of a colour.
double wsr__luma(double r, double g, double b);

/// Lightness of every pixel of an image of 1 or 3 channels.
void wsr__grey(double *dst, const double *x, wsr__image shape);

// ------------------------------------------------------------------- liquid

/// Mask of the edges of a layer of bytes, as OpenCV's Canny with thresholds 50
/// and 150: 1 or 0. `spare` has 3 doubles per pixel.
void wsr__contours(double *edges, const double *layer, wsr__image plane,
                   double *spare);

/// Distance of each pixel to the nearest edge of a mask, by a chamfer of 5 x 5
/// as OpenCV has it.
void wsr__distances(double *dst, const double *edges, wsr__image plane);

// --------------------------------------------------------------------- jpeg

/// A sample cut off to [0, 255].
static inline int32_t wsr__jpeg_byte(int32_t x)
{
    return x < 0 ? 0 : x > 255 ? 255 : x;
}

/// Round a plane of samples, whole numbers in [0, 255] whose sides are
/// multiples of 8, through the quantised cosine transform of baseline JPEG, bit
/// by bit as libjpeg's accurate integer method does.
void wsr__jpeg_plane(int32_t *samples, int64_t h, int64_t w,
                     const int32_t table[64]);

/// The quantisation table that the JPEG standard gives as an example, of
/// lightness or of colour, scaled as libjpeg scales it for a quality.
void wsr__jpeg_table(int32_t table[64], bool colour, int quality);

#endif
