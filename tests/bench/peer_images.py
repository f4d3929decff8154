#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pillow's and torchvision's side of bench_images: the same files, crops and flips on one thread.
Prints one JSON object.

  peer_images.py list=FILE [size=224] [repeat=3]   lines of bench_images
  peer_images.py make=FOLDER count=N FILE...       N photographs of 500x375, cut out of larger ones
"""
import json, os, random, sys, time
from PIL import Image

args = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)


def make(folder, count, sources):
    random.seed(1)
    for i in range(count):
        image = Image.open(sources[i % len(sources)]).convert("RGB")
        w, h = random.choice([(500, 375), (500, 333), (375, 500), (500, 400)])
        share = random.uniform(0.4, 1.0)
        scale = min(image.width / w, image.height / h) * share
        cw, ch = int(w * scale), int(h * scale)
        x, y = random.randint(0, image.width - cw), random.randint(0, image.height - ch)
        part = image.crop((x, y, x + cw, y + ch)).resize((w, h), Image.BICUBIC)
        os.makedirs(os.path.join(folder, str(i % 4)), exist_ok=True)
        part.save(os.path.join(folder, str(i % 4), "%04d.jpg" % i), quality=92)


def compare(path, size, repeat):
    import torch
    from torchvision.transforms import functional as F

    torch.set_num_threads(1)
    rows = [line.rstrip("\n").split("\t") for line in open(path)]

    def load(row):
        top, left, h, w, flip = (int(v) for v in row[1:6])
        with open(row[0], "rb") as f:
            image = Image.open(f).convert("RGB")
        image = F.resized_crop(image, top, left, h, w, [size, size])
        return F.to_tensor(F.hflip(image) if flip else image)

    best = 0
    for _ in range(repeat):
        start = time.process_time()
        for row in rows:
            load(row)
        best = max(best, len(rows) / (time.process_time() - start))
    different = 0
    for row in rows:
        data = (load(row) * 255).round().to(torch.uint8).numpy().tobytes()
        total = 14695981039346656037
        for byte in data:
            total = (total ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
        different += total != int(row[6])
    print(json.dumps({"images_per_s": best, "different": different}))


if "make" in args:
    make(args["make"], int(args["count"]), [a for a in sys.argv[1:] if "=" not in a])
else:
    compare(args["list"], int(args.get("size", 224)), int(args.get("repeat", 3)))
