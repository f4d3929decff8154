# SPDX-License-Identifier: Apache-2.0
"""What the peers of networks share: the steps of PGD and the best of some runs."""
import time
import torch
from torch.nn import functional as F


def attack_steps(net, images, labels, steps, eps=0.03):
    """PGD asked for the gradient of the input alone."""
    adv = images.clone()
    for _ in range(steps):
        adv.requires_grad_(True)
        grad, = torch.autograd.grad(F.cross_entropy(net(adv), labels), adv)
        with torch.no_grad():
            adv = adv + 2.5 * eps / steps * grad.sign()
            adv = torch.min(torch.max(adv, images - eps), images + eps).clamp_(0, 1)
    return adv


def best(f, repeat):
    """Seconds of the fastest of `repeat` runs, after one that warms up."""
    times = []
    f()
    for _ in range(repeat):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)
