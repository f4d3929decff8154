#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Pillow, version 9.4.0 (Debian 12): ImageOps.equalize leaves an image as it is
# when fewer than 255 of its pixels lie below its largest value, since it divides
# whole numbers by 255, and so every image of less than 256 pixels. One of 16x16
# may change, one of 15x17 never does. A histogram equalisation by a formula,
# with the same cumulative sums in floating point, changes both.
# Exits with 1 when it behaves differently.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download python3-pil=9.4.0-1.1+deb12u1 libimagequant0 libraqm0 \
    libtiff6 libwebpdemux2 libwebpmux3 libwebp7 libopenjp2-7 liblcms2-2 \
    libfribidi0 libxcb1 libjpeg62-turbo libfreetype6 libharfbuzz0b \
    >download.log 2>&1
for package in *.deb; do
    dpkg -x "$package" root
done
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name 'libimagequant.so.0')")
export PYTHONPATH LD_LIBRARY_PATH
/usr/bin/python3 - <<'END'
import sys
import PIL
from PIL import Image, ImageOps

print("Pillow", PIL.__version__)


def changed(w, h):
    image = Image.new("L", (w, h))
    image.putdata([100 + i % 7 for i in range(w * h - 1)] + [200])
    other = ImageOps.equalize(image)
    print(f"{w}x{h}: values {sorted(set(image.getdata()))} become "
          f"{sorted(set(other.getdata()))}")
    return image.tobytes() != other.tobytes()


small = changed(15, 17)
large = changed(16, 16)
sys.exit(0 if not small and large else 1)
END
