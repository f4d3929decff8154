# SPDX-License-Identifier: Apache-2.0
"""What the peers of networks share: the steps of PGD and the best of some runs."""
import time
import torch
from torch.nn import functional as F


def pgd_steps(net, images, labels, steps, gradient, eps=0.03):
    """PGD; gradient(loss, adv) says how the gradient is asked for."""
    adv = images.clone()
    for _ in range(steps):
        adv = adv.detach().requires_grad_(True)
        grad = gradient(F.cross_entropy(net(adv), labels), adv)
        with torch.no_grad():
            adv = adv + 2.5 * eps / steps * grad.sign()
            adv = torch.min(torch.max(adv, images - eps), images + eps).clamp_(0, 1)
    return adv


def attack_steps(net, images, labels, steps):
    """PGD asked for the gradient of the input alone."""
    return pgd_steps(net, images, labels, steps, lambda loss, adv: torch.autograd.grad(loss, adv)[0])


def best(f, repeat):
    """Seconds of the fastest of `repeat` runs, after one that warms up."""
    times = []
    f()
    for _ in range(repeat):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)
