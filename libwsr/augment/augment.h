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

typedef struct wsr__augment_class {
    wsr__class super;
    /// Shape of the result; pure. CONFIG when options and shape do not fit.
    /// h and w are 0 where they differ from image to image.
    wsr_status (*infer)(wsr__image *out, const void *params, wsr__image in);
    /// Fill `dst`, which never overlaps `src`. NULL for one that works on
    /// bytes.
    void (*apply)(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *params, wsr__rng *rng);
    /// Change an image of bytes in place, or make the result in `spare` and
    /// swap. NOMEM.
    wsr_status (*apply_bytes)(wsr__bitmap *image, const void *params,
                              wsr__rng *rng);
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

/// A checked list of augmentations for images of one shape. Immutable, so
/// that any number of threads may apply it at once.
typedef struct wsr__pipeline wsr__pipeline;

/// Make a pipeline from "a,b:k=v,k=v": a comma separates augmentations where
/// a name follows, options where "key=" follows. "" is the empty pipeline.
wsr_status wsr__pipeline_new(wsr__pipeline **out, const char *specs,
                             wsr__image in);
void wsr__pipeline_free(wsr__pipeline *pipeline); // NULL is legal

/// Shape of the results.
wsr__image wsr__pipeline_image(const wsr__pipeline *pipeline);

/// Floats that wsr__pipeline_apply needs in `scratch`.
size_t wsr__pipeline_scratch(const wsr__pipeline *pipeline);

/// Where the input goes before wsr__pipeline_apply: part of `scratch`, or
/// `dst` itself when the pipeline is empty.
float *wsr__pipeline_input(const wsr__pipeline *pipeline, float *dst,
                           float *scratch);

/// Turn the image that was put into wsr__pipeline_input() into the result.
void wsr__pipeline_apply(float *dst, const wsr__pipeline *pipeline,
                         float *scratch, wsr__rng *rng);

#endif
