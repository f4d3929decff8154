#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# compare.py PROGRAM [NAME...]: exports networks of torchvision with random
# weights to ONNX, with an open batch and for one image, runs PROGRAM MODEL X V
# N OUT on each, which writes the logits and the gradient of their sum weighted
# by V, and prints how far these are from PyTorch's. Exits with 1 when logits
# differ by more than 1e-4 of the largest or gradients by 1e-3, and with 77
# without torch and torchvision. Where NODE_PATH names a folder with
# onnxruntime-node, the third column is how far the logits are from ONNX
# Runtime's, at most 1e-4 as well.

import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import torch
    import torchvision.models as models
except ImportError as e:
    print("skipped: this needs python3-torch and python3-torchvision:", e)
    sys.exit(77)

warnings.filterwarnings("ignore")
NAMES = [
    "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet",
    "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf",
    "resnet18", "resnet50", "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t",
    "vit_b_16", "wide_resnet50_2",
]
SIDE = 64
RUNTIME = """
const fs = require('fs'), ort = require('onnxruntime-node');
const [model, images, out] = process.argv.slice(1);
const bytes = fs.readFileSync(images);
const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
ort.InferenceSession.create(model, {graphOptimizationLevel: 'basic'})
    .then((s) => s.run({input: new ort.Tensor('float32', x, [2, 3, 64, 64])}))
    .then((y) => fs.writeFileSync(out, Buffer.from(y.logits.data.buffer)));
"""


def network(name):
    torch.manual_seed(1)
    options = {"num_classes": 10}
    if name == "googlenet":
        options.update(aux_logits=False, init_weights=False,
                       transform_input=True)
    if name == "vit_b_16":
        options.update(image_size=SIDE)
    net = getattr(models, name)(weights=None, **options).eval()
    if name == "vit_b_16":  # its head starts at 0
        torch.nn.init.normal_(net.heads.head.weight)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
    return net


def difference(a, b):
    return float(np.abs(a - b).max() / np.abs(b).max())


def runtime(folder):
    """Logits of ONNX Runtime, None where it is not."""
    if "NODE_PATH" not in os.environ:
        return None
    paths = [os.path.join(folder, p) for p in ("m.onnx", "x", "ort")]
    subprocess.run(["node", "-e", RUNTIME, *paths], check=True)
    return np.fromfile(paths[2], "f4")


def check(program, folder, name):
    net = network(name)
    x = torch.rand(2, 3, SIDE, SIDE, requires_grad=True)
    y = net(x)
    v = torch.randn(y.shape)
    (y * v).sum().backward()
    paths = [os.path.join(folder, p) for p in ("m.onnx", "x", "v", "out")]
    x.detach().numpy().tofile(paths[1])
    v.numpy().tofile(paths[2])
    worst = []
    apart = None
    for batch in (2, 1):
        axes = {"input": {0: "n"}, "logits": {0: "n"}} if batch == 2 else None
        torch.onnx.export(net, x[:batch].detach(), paths[0], opset_version=14,
                          input_names=["input"], output_names=["logits"],
                          dynamic_axes=axes)
        subprocess.run([program, *paths[:3], "2", paths[3]], check=True)
        out = np.fromfile(paths[3], "f4")
        got_y = out[:y.numel()].reshape(y.shape)
        got_g = out[y.numel():].reshape(x.shape)
        other = runtime(folder) if batch == 2 else None
        if other is not None:
            apart = difference(got_y, other.reshape(y.shape))
        worst.append((difference(got_y, y.detach().numpy()),
                      difference(got_g, x.grad.numpy())))
    logits, gradients = (max(w[i] for w in worst) for i in (0, 1))
    third = "" if apart is None else f" {apart:.1e} |"
    print(f"| {name} | {logits:.1e} | {gradients:.1e} |{third}", flush=True)
    return logits <= 1e-4 and gradients <= 1e-3 and (apart or 0) <= 1e-4


def main():
    torch.set_num_threads(1)
    print("| network | logits | gradients |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        results = [check(sys.argv[1], folder, name)
                   for name in sys.argv[2:] or NAMES]
    sys.exit(0 if all(results) else 1)


main()
