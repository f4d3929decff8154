#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of bench_step for residual networks: the same passes, attack and step on a network
of the same layers, the attack asked for the gradient of the input alone. Prints one JSON object.

  peer_resnet.py resnet18|wrnDEPTH-WIDTH [batch=64] [steps=7] [threads=2] [mode=train|eval]
                 [only=fwd|fwdbwd|attack|at_step] [repeat=3] [layout=channels_last|contiguous]
"""
import json, resource, sys
import torch
from peer_steps import attack_steps, best
from torch import nn
from torch.nn import functional as F

args = dict(a.split("=", 1) for a in sys.argv[2:])
batch, steps = int(args.get("batch", 64)), int(args.get("steps", 7))
torch.set_num_threads(int(args.get("threads", 2)))
torch.manual_seed(0)


def conv(ci, co, k, s=1):
    return nn.Conv2d(ci, co, k, s, k // 2, bias=False)


class After(nn.Module):
    """A block of a residual network after activation."""

    def __init__(self, ci, co, s):
        super().__init__()
        self.conv1, self.bn1 = conv(ci, co, 3, s), nn.BatchNorm2d(co)
        self.conv2, self.bn2 = conv(co, co, 3), nn.BatchNorm2d(co)
        self.short = nn.Sequential()
        if s != 1 or ci != co:
            self.short = nn.Sequential(conv(ci, co, 1, s), nn.BatchNorm2d(co))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.short(x))


class Before(nn.Module):
    """A block of a wide residual network, before activation."""

    def __init__(self, ci, co, s):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(ci), conv(ci, co, 3, s)
        self.bn2, self.conv2 = nn.BatchNorm2d(co), conv(co, co, 3)
        self.short = conv(ci, co, 1, s) if ci != co else None

    def forward(self, x):
        r = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(r))))
        return y + (x if self.short is None else self.short(r))


def groups(block, widths, blocks, ci):
    out = []
    for g, co in enumerate(widths):
        for i in range(blocks):
            out.append(block(ci, co, 2 if g > 0 and i == 0 else 1))
            ci = co
    return out


def network(name):
    if name == "resnet18":
        body = [conv(3, 64, 3), nn.BatchNorm2d(64), nn.ReLU()]
        body += groups(After, (64, 128, 256, 512), 2, 64)
        last = 512
    else:
        depth, width = (int(n) for n in name[3:].split("-"))
        body = [conv(3, 16, 3)]
        body += groups(Before, [16 * width << g for g in range(3)], (depth - 4) // 6, 16)
        last = 64 * width
        body += [nn.BatchNorm2d(last), nn.ReLU()]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, 10))


layout = torch.channels_last if args.get("layout") != "contiguous" else torch.contiguous_format
net = network(sys.argv[1]).to(memory_format=layout)
net.train(args.get("mode", "train") != "eval")
images = torch.rand(batch, 3, 32, 32).contiguous(memory_format=layout)
labels = torch.arange(batch) * 7 % 10
sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=3e-4)


def fwd():
    with torch.no_grad():
        net(images)


def fwdbwd(x=images):
    sgd.zero_grad()
    F.cross_entropy(net(x), labels).backward()


def attack():
    for p in net.parameters():
        p.requires_grad_(False)
    adv = attack_steps(net, images, labels, steps)
    for p in net.parameters():
        p.requires_grad_(True)
    return adv


def at_step():
    fwdbwd(attack())
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5)
    sgd.step()


repeat = int(args.get("repeat", 3))
out = {f.__name__: round(best(f, repeat), 4) for f in (fwd, fwdbwd, attack, at_step)
       if args.get("only", f.__name__) == f.__name__}
out["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(out))
