#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of bench_onnx: PGD on a network of torchvision with random weights, in evaluation
mode, asked for the gradient of the input alone. Prints one JSON object.

  peer_onnx.py MODEL [export=FILE] [batch=8] [size=224] [steps=10] [repeat=3] [threads=2]

With export=FILE it writes the network as ONNX and measures nothing.
"""
import json, sys
import torch, torchvision
from peer_steps import attack_steps, best

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
    attack_steps(net, images, labels, steps)


repeat = int(args.get("repeat", 3))
print(json.dumps({f.__name__: round(best(f, repeat), 4) for f in (forward, attack)}))
