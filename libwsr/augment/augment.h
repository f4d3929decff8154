// SPDX-License-Identifier: Apache-2.0
//
// Augmentations change a training image between the data set and the batch.
// Each is one file; a pipeline applies a list of them in order. All randomness
// of a sample comes from one stream that the caller keys by (seed, epoch,
// sample), so that neither threads nor prefetching change a result.
//
// An augmentation works on floats of a shape that is known beforehand, or, like
// torchvision's on Pillow images, on bytes, whose rounding is part of the
// result and whose size may differ from image to image.

#ifndef WSR_AUGMENT_AUGMENT_H
#define WSR_AUGMENT_AUGMENT_H

#include "base/registry.h"

/// Most floats of one image anywhere in a pipeline.
#define WSR__IMAGE_FLOATS ((int64_t)1 << 26)

/// Most bytes of one image before its size is made one.
#define WSR__BITMAP_BYTES ((int64_t)1 << 28)

/// Shape of one image; its floats lie in this order.
typedef struct wsr__image {
    int64_t c;
    int64_t h;
    int64_t w;
} wsr__image;

/// An image of bytes. Its buffers only grow; a zeroed one is empty.
typedef struct wsr__bitmap {
    wsr__image shape;
    unsigned char *bytes; // (c, h, w)
    unsigned char *spare; // where the next image is made
    size_t room;          // bytes of `bytes`
    size_t spare_room;    // bytes of `spare`
} wsr__bitmap;

/// Make `spare` large enough for an image of that shape. NOMEM.
wsr_status wsr__bitmap_reserve(wsr__bitmap *bitmap, wsr__image shape);

/// Make `spare` the image, and the image `spare`.
void wsr__bitmap_swap(wsr__bitmap *bitmap, wsr__image shape);

void wsr__bitmap_free(wsr__bitmap *bitmap);

/// A rectangle of an image, in pixels.
typedef struct wsr__window {
    int64_t top;
    int64_t left;
    int64_t h;
    int64_t w;
} wsr__window;

/// Cut a window, which lies inside the image, out of it. NOMEM.
wsr_status wsr__bitmap_crop(wsr__bitmap *bitmap, const wsr__window *window);

/// The window of h x w pixels in the centre of an image; offsets of half a
/// pixel round to even, as in torchvision. CONFIG when it is larger than the
/// image.
wsr_status wsr__window_centre(wsr__window *out, wsr__image in, int64_t h,
                              int64_t w);

/// Of loops over pixels: compiled for wider vectors, too, and chosen when the
/// program starts. Integers and quotients have the same bits with all of them.
/// For static functions.
#if WSR_HAVE_X86_VARIANTS
#define WSR__WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WSR__WIDE
#endif

/// Bytes as floats: byte / 255 in single precision, the bits of
/// torchvision's ToTensor.
void wsr__bytes_to_floats(float *restrict dst,
                          const unsigned char *restrict src, int64_t n);

/// The inverse, exact for floats that were bytes. Others are clamped to [0, 1]
/// and 255 times the value is rounded to the nearest, halves to even.
void wsr__floats_to_bytes(unsigned char *restrict dst,
                          const float *restrict src, int64_t n);

/// How a data set shows its images at one size.
typedef struct wsr__view {
    wsr__image image; // of every image as it is shown
    /// Where the size differs from image to image, the short side becomes
    /// `resize` pixels and the centre of `image` is cut. 0: all have its size.
    int64_t resize;
} wsr__view;

typedef struct wsr__augment_class {
    wsr__class super;
    /// Shape of the result; pure. CONFIG when options and shape do not fit.
    /// h and w are 0 where they differ from image to image.
    wsr_status (*infer)(wsr__image *out, const void *params, wsr__image in);
    /// Fill `dst`, which never overlaps `src`. NULL for one that works on
    /// bytes alone.
    void (*apply)(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *params, wsr__rng *rng);
    /// Change an image of bytes in place, or make the result in `spare` and
    /// swap. NOMEM. With `apply`, both draw the same numbers and give the same
    /// image.
    wsr_status (*apply_bytes)(wsr__bitmap *image, const void *params,
                              wsr__rng *rng);
    /// The part of an image that apply_bytes is given in its place, so that
    /// the rest need not be decoded. NULL: all of it. CONFIG.
    wsr_status (*window)(wsr__window *out, const void *params, wsr__image in,
                         wsr__rng *rng);
    /// Replace options that mean "as the data" by numbers. NULL: it has none.
    void (*bind)(void *params, const wsr__view *view);
} wsr__augment_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "augment/augments.def"
#undef WSR_REG

extern const wsr__family wsr__augments;

static inline int64_t wsr__image_floats(wsr__image image)
{
    return image.c * image.h * image.w;
}

/// Centre an image in a larger one that holds `value` elsewhere. An odd
/// surplus goes to the bottom and the right.
void wsr__image_centre(float *restrict dst, wsr__image out,
                       const float *restrict src, wsr__image in, float value);

// --------------------------------------------------------------- pipelines

/// A checked list of augmentations for the images of one data set. Immutable,
/// so that any number of threads may apply it at once, each with a workspace.
///
/// An image is bytes or floats and becomes the other when the next
/// augmentation needs it. Where the size differs from image to image, it is
/// shown as the view says in front of the first augmentation that needs one
/// size, or at the end.
typedef struct wsr__pipeline wsr__pipeline;

/// Make a pipeline from "a,b:k=v,k=v": a comma separates augmentations where
/// a name follows, options where "key=" follows. "" is the empty pipeline.
wsr_status wsr__pipeline_new(wsr__pipeline **out, const char *specs,
                             wsr__image in);

/// The same for images that a view shows.
wsr_status wsr__pipeline_new_view(wsr__pipeline **out, const char *specs,
                                  const wsr__view *view);
void wsr__pipeline_free(wsr__pipeline *pipeline); // NULL is legal

/// Shape of the results.
wsr__image wsr__pipeline_image(const wsr__pipeline *pipeline);

/// Buffers with which one thread applies a pipeline. A zeroed struct is empty.
typedef struct wsr__workspace {
    float *floats; // two images, which take turns
    wsr__bitmap bitmap;
} wsr__workspace;

/// Make a workspace for a pipeline. NOMEM.
wsr_status wsr__workspace_make(wsr__workspace *out,
                               const wsr__pipeline *pipeline);
void wsr__workspace_free(wsr__workspace *workspace);

/// Where an image of floats goes before wsr__pipeline_apply(): part of the
/// workspace, or `dst` itself when the pipeline is empty. Only where all images
/// have one size.
float *wsr__pipeline_input(const wsr__pipeline *pipeline, float *dst,
                           wsr__workspace *workspace);

/// Turn the image that was put into wsr__pipeline_input() into the result.
/// NOMEM, CONFIG when an augmentation does not fit the image.
wsr_status wsr__pipeline_apply(float *dst, const wsr__pipeline *pipeline,
                               wsr__workspace *workspace, wsr__rng *rng);

/// An image that is not decoded yet.
typedef struct wsr__encoded wsr__encoded;

struct wsr__encoded {
    wsr__image shape;
    /// Make a window of it the image of `out`.
    wsr_status (*decode)(wsr__bitmap *out, wsr__encoded *encoded,
                         const wsr__window *window);
};

/// Turn an encoded image into the result. Its status, or as
/// wsr__pipeline_apply().
wsr_status wsr__pipeline_decode(float *dst, const wsr__pipeline *pipeline,
                                wsr__workspace *workspace,
                                wsr__encoded *encoded, wsr__rng *rng);

// --------------------------------------------------------- sizes, resampling

/// An option "size=S" or "size=[H,W]" of an augmentation.
#define WSR__SIZE_OPTION(field, text)                                         \
    {                                                                         \
        .key = "size", .kind = WSR__INTS, .offset = (field), .fallback = "0", \
        .min = 0, .max = 4096, .unit = "pixels", .help = (text)               \
    }

/// Height and width of such an option, bound to the view: S is a square, 0 the
/// size that the data set shows. More than two numbers fail in
/// wsr__size_check().
void wsr__size_bind(wsr__ints *size, const wsr__view *view);

/// CONFIG unless the option has one number or two.
wsr_status wsr__size_check(const wsr__ints *size, const char *name);

typedef enum wsr__filter { WSR__BILINEAR, WSR__BICUBIC } wsr__filter;

/// Words of options that name a filter, in the order of wsr__filter.
extern const char *const wsr__filter_words[];
wsr__filter wsr__filter_of(const wsr__text *word);

/// The option "interpolation" of an augmentation, a wsr__text.
#define WSR__INTERPOLATION_OPTION(field)                              \
    {                                                                 \
        .key = "interpolation", .kind = WSR__WORD, .offset = (field), \
        .fallback = "bilinear", .unit = "",                           \
        .help = "how pixels between "                                 \
                "pixels are computed",                                \
        .words = wsr__filter_words                                    \
    }

/// Resize an image to h x w pixels with antialiasing, to the bit as Pillow
/// does. NOMEM, CONFIG when the image becomes too large.
wsr_status wsr__bitmap_resize(wsr__bitmap *bitmap, int64_t h, int64_t w,
                              wsr__filter filter);

/// Height and width of an image whose short side is given `side` pixels.
void wsr__size_short(int64_t *h, int64_t *w, wsr__image in, int64_t side);

/// Resize an image to a short side of so many pixels; the long side
/// truncates, as in torchvision. NOMEM, CONFIG when it becomes too large.
wsr_status wsr__bitmap_resize_short(wsr__bitmap *bitmap, int64_t side,
                                    wsr__filter filter);

#endif
