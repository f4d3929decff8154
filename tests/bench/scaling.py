#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds of a training step as a function of the number of processes P, from measured parts:

  t(P) = a + b n / P + m l log2(P) + max(S(g) - c n / P, S(k))
  S(x) = 2 (l log2(P) + (1 - 1/P) x / w)

  a, b   fixed seconds of a step in each process, and seconds of an image (one process, two batches)
  n      images of a batch
  m, l   small messages of a step, and seconds of one between two processes
  g, w   bytes of the gradient, and bytes a second that a process sends and receives
  c      seconds of an image in the backward pass that makes the gradients
  k      bytes of a bucket, or g where that is less

S is the sum of buckets.c: halves out and halves back. It goes on during the backward pass, but for
the last bucket, which is full when that ends. Prints JSON: for P = 1, 2, 4, ... 512 the seconds,
images a second and efficiency, for a fixed batch and for one that grows with P, and `hidden`, the
share of a step without overlap (c = 0) that it saves.

  scaling.py a=0.01 b=0.02 batch=64 gradient=2000000 TREE.json [messages=6] [network=BYTES/S:LATENCY]
             [backward=0.001]

TREE.json is the output of bench_tree on 2 processes, from which l and w are fitted; `network` gives
those of another network.
"""
import json, math, sys

args = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
number = lambda key, fallback=None: float(args.get(key, fallback))
tree = json.load(open(next(a for a in sys.argv[1:] if "=" not in a)))


def fit(tree):
    """Latency of a message and bandwidth of an exchange of halves. Of P processes a sum takes
    2 log2(P) messages and 2 (1 - 1/P) of the array each way; weights make errors relative."""
    p = tree["ranks"]
    rows = [(s["bytes"] * 2 * (1 - 1 / p), s["seconds"]) for s in tree["sums"]]
    w = [1 / t**2 for _, t in rows]
    sw, sx = sum(w), sum(wi * x for wi, (x, _) in zip(w, rows))
    sy = sum(wi * y for wi, (_, y) in zip(w, rows))
    sxx = sum(wi * x * x for wi, (x, _) in zip(w, rows))
    sxy = sum(wi * x * y for wi, (x, y) in zip(w, rows))
    slope = (sw * sxy - sx * sy) / (sw * sxx - sx * sx)
    return (sy - slope * sx) / sw / (2 * math.log2(p)), 1 / slope


latency, bandwidth = fit(tree)
if "network" in args:
    bandwidth, latency = map(float, args["network"].split(":"))
a, b, n, g = number("a", 0), number("b"), number("batch", 64), number("gradient")
messages = number("messages", 6)


bucket = min(2**20, g)
backward = number("backward", 0)


def sums(p, size):
    return 2 * (latency * math.log2(p) + (1 - 1 / p) * size / bandwidth)


def step(p, images, c=backward):
    seen = sums(p, g) if c == 0 else max(sums(p, g) - c * images / p, sums(p, bucket))
    return a + b * images / p + messages * latency * math.log2(p) + seen


def hidden(p, images):
    return round(1 - step(p, images) / step(p, images, 0), 4)


curve = []
for k in range(10):
    p = 2**k
    fixed, grown = step(p, n), step(p, n * p)
    curve.append({"processes": p, "step_seconds": round(fixed, 6),
                  "images_per_second": round(n / fixed, 1),
                  "efficiency": round(step(1, n) / p / fixed, 4),
                  "hidden": hidden(p, n), "grown_hidden": hidden(p, n * p),
                  "grown_step_seconds": round(grown, 6),
                  "grown_images_per_second": round(n * p / grown, 1),
                  "grown_efficiency": round(step(1, n) / grown, 4)})
print(json.dumps({"latency_seconds": latency, "bytes_per_second": bandwidth, "curve": curve}))
