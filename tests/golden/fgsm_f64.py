#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signs of the gradient of 64 images of Fashion-MNIST by PyTorch in float64, for
test_golden_attacks.c, and how many of the pixels of FGSM differ from them by PyTorch in float32.

  fgsm_f64.py NETWORKS NET.safetensors GENOTYPE OUT.safetensors

NETWORKS is the peer of bench_step, NET the trained network of the golden data. Bit i of `positive`
says whether the derivative of the loss by pixel i is above 0.
"""
import importlib.util, json, os, struct, sys
import numpy as np
import torch

IMAGES, EPS = 64, 0.06


def module(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


networks = module(sys.argv[1])
data = module(os.path.dirname(os.path.abspath(__file__)) + "/../bench/peer_autoattack.py")
halves = [networks.parse_half(half) for half in sys.argv[3].split("|")]
images, labels = data.images(IMAGES)


def signs(dtype):
    net = networks.Net(8, 5, *halves, True, False)
    net.load_state_dict(data.tensors(sys.argv[2]))
    x = images.to(dtype).requires_grad_(True)
    logits = net.to(dtype).eval()(x)
    loss = torch.nn.functional.cross_entropy(logits[0] if isinstance(logits, tuple) else logits, labels)
    return torch.autograd.grad(loss, x)[0].sign().to(torch.float64)


def fgsm(sign):
    return (images.to(torch.float64) + EPS * sign).clamp(0, 1)


exact, rounded = signs(torch.float64), signs(torch.float32)
differ = int((fgsm(exact) - fgsm(rounded)).abs().gt(1e-5).sum())
bits = np.packbits((exact > 0).numpy().reshape(-1), bitorder="little")
print(f"{differ} of {exact.numel()} pixels differ, {int((exact == 0).sum())} derivatives are 0")
header = json.dumps({"__metadata__": {"differ_f32": str(differ), "eps": str(EPS), "torch": torch.__version__},
                     "positive": {"dtype": "U8", "shape": [len(bits)], "data_offsets": [0, len(bits)]}}).encode()
header += b" " * (-len(header) % 8)
with open(sys.argv[4], "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header + bits.tobytes())
