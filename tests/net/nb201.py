# SPDX-License-Identifier: Apache-2.0
#
# nb201.py PEER FOLDER: networks of NAS-Bench-201 in files of torch.save give the
# logits that PyTorch computes. The network is written down here from the paper
# (Dong and Yang 2020, arXiv:2001.00326); names of parameters are those of the
# benchmark's weights. Exits with 77 where torch or numpy is absent.

import os
import subprocess
import sys

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

peer, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
torch.manual_seed(1)
torch.set_num_threads(1)


def conv(ci, co, k, stride=1):
    """ReLU, convolution, norm, below "op."."""
    block = nn.Module()
    block.op = nn.Sequential(
        nn.ReLU(), nn.Conv2d(ci, co, k, stride, k // 2, bias=False),
        nn.BatchNorm2d(co))
    block.forward = lambda x: block.op(x)
    return block


def operation(name, c):
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return {"nor_conv_1x1": lambda: conv(c, c, 1),
            "nor_conv_3x3": lambda: conv(c, c, 3),
            "avg_pool_3x3": lambda: pool}.get(name, nn.Identity)()


class Cell(nn.Module):
    def __init__(self, text, c):
        super().__init__()
        self.nodes = [[edge.split("~") for edge in node.strip("|").split("|")]
                      for node in text.split("+")]
        self.layers = nn.ModuleList(
            operation(op, c) for node in self.nodes for op, _ in node)

    def forward(self, x):
        states = [x]
        layers = iter(self.layers)
        for node in self.nodes:
            terms = [layer(states[int(j)]) * (op != "none")
                     for (op, j), layer in zip(node, layers)]
            states.append(sum(terms))
        return states[-1]


class Reduction(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_a = conv(c, 2 * c, 3, 2)
        self.conv_b = conv(2 * c, 2 * c, 3)
        self.downsample = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(c, 2 * c, 1, bias=False))

    def forward(self, x):
        return self.downsample(x) + self.conv_b(self.conv_a(x))


class Network(nn.Module):
    def __init__(self, text, c, n):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, 1, 1, bias=False),
                                  nn.BatchNorm2d(c))
        cells = []
        for stage in range(3):
            if stage > 0:
                cells.append(Reduction(c))
                c *= 2
            cells += [Cell(text, c) for _ in range(n)]
        self.cells = nn.Sequential(*cells)
        self.lastact = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        self.classifier = nn.Linear(c, 10)

    def forward(self, x):
        x = self.lastact(self.cells(self.stem(x)))
        return self.classifier(x.mean((2, 3)))


def check(number, text, c, n, parameters):
    def at(name):
        return os.path.join(folder, f"{number}-{name}")

    net = Network(text, c, n)
    count = sum(p.numel() for p in net.parameters())
    assert count == parameters, (text, count)
    x = torch.rand(2, 3, 32, 32)
    for _ in range(3):  # running statistics that are not 0 and 1
        net(torch.rand(8, 3, 32, 32))
    net.eval()
    with torch.no_grad():
        wanted = net(x).numpy()
    torch.save(net.state_dict(), at("net.pth"))
    np.savez(at("x.npz"), x=x.numpy())
    with open(at("cell.txt"), "w") as file:
        file.write(text + "\n")
    subprocess.run(
        [peer, at("net.pth"), at("x.npz"), at("logits.npz"), at("copy.pth"),
         f"genotype={at('cell.txt')}"], check=True)
    logits = np.load(at("logits.npz"))["logits"].reshape(wanted.shape)
    difference = np.abs(logits - wanted).max() / np.abs(wanted).max()
    assert difference < 1e-5, (text, difference)
    copy = torch.load(at("copy.pth"))
    copy = copy.get("state_dict", copy)
    for name, tensor in net.state_dict().items():
        assert torch.equal(copy[name], tensor), name
    print(f"{text}: {count} parameters, {difference:.1e}")


# The numbers of parameters are those that the benchmark has for these cells.
check(0, "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
      "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", 16, 5, 1531546)
check(1, "|skip_connect~0|+|skip_connect~0|none~1|+"
      "|skip_connect~0|none~1|avg_pool_3x3~2|", 16, 5, 73306)
# Of this one with 8 channels and two cells a stage, what the layers have.
check(2, "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+"
      "|skip_connect~0|none~1|nor_conv_3x3~2|", 8, 2,
      sum(2 * (19 * c * c + 6 * c) for c in (8, 16, 32)) +
      sum(56 * c * c + 8 * c for c in (8, 16)) + 232 + 64 + 330)
