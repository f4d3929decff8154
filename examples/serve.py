#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program as the model: answers batches of images over its standard input
and output (docs/protocol.md), so that wsr-attack can attack it:

    wsr-attack --net "cmd:python3 examples/serve.py" --data synthetic \\
        --attack square --set attack.queries=1000

Put a model of your own into logits_of(): anything that turns an array (n, c,
h, w) of pixels in [0, 1] into logits (n, classes). Standard output belongs to
the protocol; print to standard error."""
import struct
import sys

import numpy as np

CHANNELS, HEIGHT, WIDTH, CLASSES = 3, 32, 32, 10
HEADER = struct.Struct("<4sIQQ")  # type, number, query, payload bytes
rng = np.random.default_rng(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
weights = rng.normal(size=(CHANNELS * HEIGHT * WIDTH, CLASSES)).astype("<f4")


def logits_of(images):
    return (images.reshape(len(images), -1) - 0.5) @ weights


def send(kind, number, query, payload):
    header = HEADER.pack(kind, number, query, len(payload))
    sys.stdout.buffer.write(header + payload)
    sys.stdout.buffer.flush()


def main():
    shape = struct.pack("<4I", CHANNELS, HEIGHT, WIDTH, CLASSES)
    send(b"WSRH", 1, 0, shape + b"linear example")  # version 1 of the protocol
    while True:
        header = sys.stdin.buffer.read(HEADER.size)
        if not header:
            return 0  # the end
        kind, n, query, length = HEADER.unpack(header)
        if kind != b"WSRQ" or length != n * weights.shape[0] * 4:
            send(b"WSRE", 0, query, b"this is no query of version 1")
            return 1
        pixels = np.frombuffer(sys.stdin.buffer.read(length), "<f4")
        images = pixels.reshape(n, CHANNELS, HEIGHT, WIDTH)
        logits = np.asarray(logits_of(images), "<f4")
        send(b"WSRA", n, query, logits.tobytes())


if __name__ == "__main__":
    sys.exit(main())
