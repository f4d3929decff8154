// SPDX-License-Identifier: Apache-2.0
//
// Operations on an image of bytes, equal to Pillow's to the bit: what it
// rounds, truncates and clips is part of the result. Augmentations and policies
// name them as data, so all have one signature.

#ifndef WSR_AUGMENT_IMAGE_OPS_H
#define WSR_AUGMENT_IMAGE_OPS_H

#include "augment/augment.h"

/// How an operation that moves pixels reads between them.
typedef enum wsr__sampling {
    WSR__SAMPLE_NEAREST,
    WSR__SAMPLE_BILINEAR,
    WSR__SAMPLE_BICUBIC
} wsr__sampling;

/// How an operation that moves pixels makes new ones.
typedef struct wsr__border {
    wsr__sampling sampling;
    unsigned char fill[3]; // RGB of what lies outside the image
} wsr__border;

/// Change an image of one (grey) or three (RGB) channels, which has at least
/// one pixel. Operations that do not move pixels ignore `border`, and may be
/// given NULL. NOMEM.
typedef wsr_status (*wsr__image_op)(wsr__bitmap *image, double argument,
                                    const wsr__border *border);

#define WSR__IMAGE_OP(name)                                           \
    wsr_status wsr__image_##name(wsr__bitmap *image, double argument, \
                                 const wsr__border *border)

// Pixel by pixel. ImageOps of Pillow, and solarize_add of AutoAugment.
WSR__IMAGE_OP(autocontrast); // stretch each channel to [0, 255]
WSR__IMAGE_OP(equalize);     // flatten the histogram of each channel
WSR__IMAGE_OP(invert);
WSR__IMAGE_OP(posterize);    // keep the upper `argument` bits
WSR__IMAGE_OP(solarize);     // invert values from `argument` on
WSR__IMAGE_OP(solarize_add); // add `argument` to values below 128

// Blends with factor `argument`: 1 leaves the image, 0 gives the other one.
// ImageEnhance of Pillow.
WSR__IMAGE_OP(brightness); // the other one is black
WSR__IMAGE_OP(contrast);   // its mean luma
WSR__IMAGE_OP(color);      // its luma; torchvision's saturation
WSR__IMAGE_OP(sharpness);  // it, smoothed

WSR__IMAGE_OP(grayscale); // all channels become the luma
WSR__IMAGE_OP(hue);       // turn by `argument` of a full turn, in [-0.5, 0.5]
WSR__IMAGE_OP(blur);      // GaussianBlur of Pillow: `argument` is sigma

// Moves. The result holds at (x, y) what the image has at a place that the
// argument shifts: `argument` pixels, or as a share of the side (_rel).
WSR__IMAGE_OP(rotate);          // degrees, counterclockwise, about the centre
WSR__IMAGE_OP(shear_x);         // x + argument * y
WSR__IMAGE_OP(shear_y);         // y + argument * x
WSR__IMAGE_OP(translate_x);     // x + argument
WSR__IMAGE_OP(translate_y);     // y + argument
WSR__IMAGE_OP(translate_x_rel); // x + argument * width
WSR__IMAGE_OP(translate_y_rel); // y + argument * height

#undef WSR__IMAGE_OP

/// a + alpha (b - a), in single precision, clipped and truncated to a byte as
/// Image.blend of Pillow does.
static inline unsigned char wsr__image_blend(int a, int b, float alpha)
{
    const float value = (float)a + alpha * (float)(b - a);
    return (unsigned char)(value <= 0 ? 0 : value >= 255 ? 255 : value);
}

/// ITU-R 601-2 luma of a colour, as Pillow's conversion to "L".
static inline int wsr__image_luma(int r, int g, int b)
{
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

/// infer() of an augmentation that keeps the size and takes images of one or
/// three channels. CONFIG, naming the augmentation, for others.
wsr_status wsr__image_infer(wsr__image *out, wsr__image in, const char *name);

#endif
