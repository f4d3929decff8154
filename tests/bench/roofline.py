#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the convolutions of dumped plans under the limits of the machine: multiply-adds a second over
multiply-adds per byte that must move (bounds.py counts them), a panel for each instruction set.

  bench_step arch=1 only=attack dump=1 isa=avx2 2> plan.txt
  roofline.py TITLE:plan.txt:GFLOPS:GBYTES_PER_S... > roofline.svg    # as bench_roofline gives them
"""
import math, sys
from bounds import moved, steps

WIDTH, HEIGHT, LEFT, TOP = 420, 300, 56, 34
XS, YS = (0.1, 30.0), (1.0, 400.0)  # multiply-adds per byte, billions a second
COLOURS = {"sep_conv2d": "#0b6fa4", "conv2d": "#b5541c"}
NAMES = {"sep_conv2d": "depthwise and pointwise", "conv2d": "pointwise"}


def at(x, y):
    across = math.log(x / XS[0]) / math.log(XS[1] / XS[0])
    up = math.log(y / YS[0]) / math.log(YS[1] / YS[0])
    return LEFT + across * (WIDTH - LEFT - 12), HEIGHT - 44 - up * (HEIGHT - TOP - 44)


def line(points, style):
    return '<polyline points="%s" fill="none" %s/>' % (" ".join("%.1f,%.1f" % at(*p) for p in points), style)


def text(x, y, words, style=""):
    return '<text x="%.1f" y="%.1f" %s>%s</text>' % (x, y, style, words)


def axes():
    for value in (0.1, 0.3, 1, 3, 10, 30):
        x, y = at(value, YS[0])
        yield line(((value, YS[0]), (value, YS[1])), 'stroke="#e4e4e4"')
        yield text(x, y + 16, "%g" % value, 'text-anchor="middle"')
    for value in (1, 3, 10, 30, 100, 300):
        x, y = at(XS[0], value)
        yield line(((XS[0], value), (XS[1], value)), 'stroke="#e4e4e4"')
        yield text(x - 6, y + 4, "%g" % value, 'text-anchor="end"')


def panel(title, path, gflops, gbytes):
    peak = float(gflops) / 2
    slope = float(gbytes)
    yield text(LEFT, 20, "%s: %.0f billion multiply-adds, %.0f GB a second" % (title, peak, slope),
               'font-weight="600"')
    yield from axes()
    knee = peak / slope
    yield line(((XS[0], XS[0] * slope), (knee, peak), (XS[1], peak)), 'stroke="#222" stroke-width="1.6"')
    for kind, ms, madds, mbytes, dst in steps(path):
        name = kind.split()[0]
        if madds and ms:
            x, y = at(min(max(2 * madds / moved(kind, mbytes, dst), XS[0]), XS[1]), max(2 * madds / ms, YS[0]))
            yield '<circle cx="%.1f" cy="%.1f" r="3" fill="%s" fill-opacity="0.65"/>' % (
                x, y, COLOURS.get(name, "#777"))
    yield text(WIDTH / 2 + 20, HEIGHT - 8, "multiply-adds per byte", 'text-anchor="middle"')


def main():
    panels = [arg.rsplit(":", 3) for arg in sys.argv[1:]]
    width = WIDTH * len(panels)
    print('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">'
          % (width, HEIGHT + 26))
    print("<title>Convolutions under the limits of the machine</title>")
    print('<rect width="100%" height="100%" fill="#fff"/>')
    for i, of in enumerate(panels):
        print('<g transform="translate(%d 0)">' % (i * WIDTH))
        print("\n".join(panel(*of)))
        print("</g>")
    for i, (kind, name) in enumerate(NAMES.items()):
        print('<circle cx="%d" cy="%d" r="4" fill="%s"/>' % (LEFT + 180 * i, HEIGHT + 14, COLOURS[kind]))
        print(text(LEFT + 8 + 180 * i, HEIGHT + 18, name))
    print("</svg>")


if __name__ == "__main__":
    main()
