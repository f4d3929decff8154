#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Prints tests/augment/pillow_results.def: what Pillow makes of pictures that
# bitmap_support.h describes. Needs python3-pil and python3-numpy (the results
# in the tree are of Pillow 9.4.0, Debian 12).
#
#   python3 tests/augment/pillow_results.py > tests/augment/pillow_results.def

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

MASK = (1 << 64) - 1
KINDS = ["NOISE", "NARROW", "RAMPS"]
SIZES = [(1, 1, 1), (3, 1, 9), (3, 2, 2), (1, 8, 5), (3, 33, 31), (3, 40, 56),
         (3, 24, 24)]
FILL = (124, 116, 104)
SAMPLINGS = [Image.NEAREST, Image.BILINEAR, Image.BICUBIC]


def picture(kind, shape):
    c, y, x = np.indices(shape).astype(np.uint64)
    z = (c * np.uint64(1000003) + y * np.uint64(1009) + x + np.uint64(1)) \
        * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    noise = z >> np.uint64(56)
    ramp = np.uint64(3) * x + np.uint64(2) * y + np.uint64(50) * c
    return [noise, 20 + noise // np.uint64(4) * np.uint64(3), ramp][kind].astype(np.uint8)


def to_pillow(planes):
    if len(planes) == 1:
        return Image.fromarray(planes[0])
    return Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))


def hash_of(image):
    a = np.asarray(image)
    planes = a[None] if a.ndim == 2 else a.transpose(2, 0, 1)
    h = 14695981039346656037
    for b in planes.tobytes():
        h = (h ^ b) * 1099511628211 & MASK
    return h


def turn_hue(image, turn):
    if image.mode == "L":
        return image
    h, s, v = image.convert("HSV").split()
    shifted = (np.array(h).astype(int) + int(turn * 255)) % 256
    h = Image.fromarray(shifted.astype(np.uint8))
    return Image.merge("HSV", (h, s, v)).convert("RGB")


def solarize_add(image, add):
    table = [min(255, i + add) if i < 128 else i for i in range(256)]
    return image.point(table * len(image.getbands()))


def move(make):
    def apply(image, argument, sampling):
        fill = FILL if image.mode == "RGB" else 117  # the luma of FILL
        return image.transform(image.size, Image.AFFINE, make(argument, image),
                               sampling, fillcolor=fill)
    return apply


def rotate(image, argument, sampling):
    fill = FILL if image.mode == "RGB" else 117
    return image.rotate(argument, sampling, fillcolor=fill)


def enhance(method):
    return lambda image, argument: method(image).enhance(argument)


STILL = [
    ("autocontrast", lambda i, a: ImageOps.autocontrast(i), [0]),
    ("equalize", lambda i, a: ImageOps.equalize(i), [0]),
    ("invert", lambda i, a: ImageOps.invert(i), [0]),
    ("posterize", lambda i, a: ImageOps.posterize(i, int(a)), [0, 1, 4, 8]),
    ("solarize", lambda i, a: ImageOps.solarize(i, a), [0, 128, 256, 77.5]),
    ("solarize_add", lambda i, a: solarize_add(i, int(a)), [0, 99, 110]),
    ("brightness", enhance(ImageEnhance.Brightness), [0, 0.73, 1, 1.72, -0.5]),
    ("contrast", enhance(ImageEnhance.Contrast), [0, 0.73, 1, 1.72, 3]),
    ("color", enhance(ImageEnhance.Color), [0, 0.73, 1, 1.72, -1]),
    ("sharpness", enhance(ImageEnhance.Sharpness), [0, 0.73, 1, 1.72]),
    ("grayscale", lambda i, a: i.convert("L").convert(i.mode), [0]),
    ("hue", turn_hue, [0, 0.083, -0.162, 0.5]),
    ("blur", lambda i, a: i.filter(ImageFilter.GaussianBlur(a)),
     [0, 0.1, 0.75, 2, 30]),
]
MOVING = [
    ("rotate", rotate, [0, 27, -10.5, 45, 90, 180, 270, 360.25]),
    ("shear_x", move(lambda a, i: (1, a, 0, 0, 1, 0)), [0.27, -0.105]),
    ("shear_y", move(lambda a, i: (1, 0, 0, a, 1, 0)), [0.27, -0.105]),
    ("translate_x", move(lambda a, i: (1, 0, a, 0, 1, 0)), [3, -2.5]),
    ("translate_y", move(lambda a, i: (1, 0, 0, 0, 1, a)), [3, -2.5]),
    ("translate_x_rel", move(lambda a, i: (1, 0, a * i.width, 0, 1, 0)),
     [0.405, -0.1575]),
    ("translate_y_rel", move(lambda a, i: (1, 0, 0, 0, 1, a * i.height)),
     [0.405, -0.1575]),
]


def row(name, argument, sampling, shape, kind, image):
    dims = ", ".join(str(n) for n in shape)
    print(f"PILLOW({name}, {argument}, {sampling}, {dims}, {KINDS[kind]}, "
          f"0x{hash_of(image):016x})")


def main():
    print("// SPDX-License-Identifier: Apache-2.0\n//")
    print("// Made by pillow_results.py with Pillow " + PIL.__version__ + ".")
    print("// PILLOW(operation, argument, sampling, c, h, w, picture, hash)\n")
    k = 0
    for name, apply, arguments in STILL:
        for argument in arguments:
            for step in range(3):
                shape = SIZES[(k + step * 3) % len(SIZES)]
                image = to_pillow(picture(k % 3, shape))
                row(name, argument, 0, shape, k % 3, apply(image, argument))
                k += 1
    for name, apply, arguments in MOVING:
        for argument in arguments:
            for s, sampling in enumerate(SAMPLINGS):
                shape = SIZES[k % len(SIZES)]
                image = to_pillow(picture(k % 2 * 2, shape))
                row(name, argument, s, shape, k % 2 * 2,
                    apply(image, argument, sampling))
                k += 1
    # At 45 degrees the last digit of the cosine decides about a pixel.
    for shape in [(3, 3, 3), (3, 80, 96), (1, 33, 31)]:
        for s, sampling in enumerate(SAMPLINGS):
            image = to_pillow(picture(0, shape))
            row("rotate", 45, s, shape, 0, rotate(image, 45, sampling))


main()
