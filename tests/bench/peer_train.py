#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of bench_train: a step of Fast-AT or TRADES on a network of cells, whose parts are
those of PROGRAM, the peer of bench_step. Prints one JSON object.

  peer_train.py PROGRAM fast|trades [stem=cifar|imagenet] [genotype='NORMAL|REDUCE'] [channels=16]
                [layers=8] [batch=64] [size=32] [classes=10] [steps=10] [threads=2] [repeat=3]
                [input_grad_only=0] [layout=contiguous|channels_last]

The attack's backward pass also computes gradients of the weights, as `loss.backward()` does, unless
input_grad_only=1 is given. The default genotype is cna_r.
"""
import json, resource, runpy, sys, time
import torch
from torch import nn
from torch.nn import functional as F

parts = runpy.run_path(sys.argv[1], run_name="parts")
args = dict(a.split("=", 1) for a in sys.argv[3:])
number = lambda key, fallback: int(args.get(key, fallback))
torch.manual_seed(0)
torch.set_num_threads(number("threads", 2))

CNA_R = ("dil_conv_3x3:0 dil_conv_3x3:1 dil_conv_5x5:0 avg_pool_3x3:1 dil_conv_5x5:2 dil_conv_3x3:3 "
         "avg_pool_3x3:1 sep_conv_5x5:0|"
         "sep_conv_3x3:1 dil_conv_5x5:0 avg_pool_3x3:2 max_pool_3x3:1 sep_conv_3x3:1 dil_conv_5x5:2 "
         "sep_conv_3x3:4 avg_pool_3x3:2")


class ImageNetNet(nn.Module):
    """Three strided convolutions, cells, a 7x7 pool."""

    def __init__(self, c, layers, normal, reduce, classes):
        super().__init__()
        conv = lambda ci, co: nn.Conv2d(ci, co, 3, 2, 1, bias=False)
        self.stem0 = nn.Sequential(conv(3, c // 2), nn.BatchNorm2d(c // 2), nn.ReLU(),
                                   conv(c // 2, c), nn.BatchNorm2d(c))
        self.stem1 = nn.Sequential(nn.ReLU(), conv(c, c), nn.BatchNorm2d(c))
        cpp, cp, cc, prev = c, c, c, True
        self.cells = nn.ModuleList()
        for i in range(layers):
            red = i in (layers // 3, 2 * layers // 3)
            cc *= 2 if red else 1
            self.cells.append(parts["Cell"](reduce if red else normal, cpp, cp, cc, red, prev, True, False))
            prev, cpp, cp = red, cp, 4 * cc
        self.classifier = nn.Linear(cp, classes)

    def forward(self, x):
        s0 = self.stem0(x)
        s1 = self.stem1(s0)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.classifier(F.avg_pool2d(s1, 7).flatten(1))


batch, size, classes = number("batch", 64), number("size", 32), number("classes", 10)
normal, reduce = (parts["parse_half"](h) for h in args.get("genotype", CNA_R).split("|"))
shape = number("channels", 16), number("layers", 8), normal, reduce
if args.get("stem", "cifar") == "imagenet":
    net = ImageNetNet(*shape, classes)
else:
    net = parts["Net"](*shape, True, False, classes)
net.train()
x, y = torch.rand(batch, 3, size, size), torch.arange(batch) * 7 % classes
if args.get("layout") == "channels_last":
    net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
sgd = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
only_input = number("input_grad_only", 0)


def input_grad(loss, adv):
    if only_input:
        return torch.autograd.grad(loss, adv)[0]
    loss.backward()
    return adv.grad


def fast():
    """Wong et al. 2020 with eps 4/255."""
    eps = 4 / 255
    delta = torch.empty_like(x).uniform_(-eps, eps)
    adv = (x + delta).clamp(0, 1).requires_grad_(True)
    grad = input_grad(F.cross_entropy(net(adv), y), adv)
    adv = (x + (delta + 1.25 * eps * grad.sign()).clamp(-eps, eps)).clamp(0, 1)
    sgd.zero_grad()
    F.cross_entropy(net(adv), y).backward()


def trades():
    """Zhang et al. 2019, beta 6, eps 0.031, steps of 0.007."""
    net.eval()
    clean = F.softmax(net(x), 1).detach()
    adv = x + 0.001 * torch.randn_like(x)
    for _ in range(number("steps", 10)):
        adv = adv.detach().requires_grad_(True)
        grad = input_grad(F.kl_div(F.log_softmax(net(adv), 1), clean, reduction="sum"), adv)
        adv = adv.detach() + 0.007 * grad.sign()
        adv = torch.min(torch.max(adv, x - 0.031), x + 0.031).clamp(0, 1)
    net.train()
    sgd.zero_grad()
    z = net(x)
    kl = F.kl_div(F.log_softmax(net(adv), 1), F.softmax(z, 1), reduction="batchmean")
    (F.cross_entropy(z, y) + 6 * kl).backward()


def step():
    sgd.zero_grad()
    {"fast": fast, "trades": trades}[sys.argv[2]]()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    sgd.step()


step()
times = []
for _ in range(number("repeat", 3)):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
print(json.dumps({"step": round(min(times), 4), "parameters": sum(p.numel() for p in net.parameters()),
                  "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
