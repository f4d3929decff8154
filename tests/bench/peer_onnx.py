#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of bench_onnx: PGD on a network of torchvision with random weights, in evaluation
mode, asked for the gradient of the input alone. Prints one JSON object.

  peer_onnx.py MODEL [export=FILE] [batch=8] [size=224] [steps=10] [repeat=3] [threads=2]

With export=FILE it writes the network as ONNX and measures nothing.
"""
import json, sys, time
import torch, torchvision
from torch.nn import functional as F

args = dict(a.split("=", 1) for a in sys.argv[2:])
batch, steps, size = (int(args.get(k, v)) for k, v in (("batch", 8), ("steps", 10), ("size", 224)))
torch.set_num_threads(int(args.get("threads", 2)))
torch.manual_seed(0)
net = getattr(torchvision.models, sys.argv[1])(weights=None).eval().requires_grad_(False)

if "export" in args:
    torch.onnx.export(net, torch.rand(1, 3, size, size), args["export"], opset_version=14,
                      input_names=["x"], output_names=["logits"],
                      dynamic_axes={"x": {0: "n"}, "logits": {0: "n"}})
    sys.exit()

images = torch.rand(batch, 3, size, size)
labels = torch.arange(batch) * 7 % 1000


def forward():
    with torch.no_grad():
        net(images)


def attack():
    eps = 0.03
    adv = images.clone()
    for _ in range(steps):
        adv.requires_grad_(True)
        grad, = torch.autograd.grad(F.cross_entropy(net(adv), labels), adv)
        with torch.no_grad():
            adv = adv + 2.5 * eps / steps * grad.sign()
            adv = torch.min(torch.max(adv, images - eps), images + eps).clamp_(0, 1)
    return adv


def best(f):
    times = []
    f()
    for _ in range(int(args.get("repeat", 3))):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


print(json.dumps({f.__name__: round(best(f), 4) for f in (forward, attack)}))
