#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The estimators in PyTorch, as released: one training step (forward, backward, AdamW) on a batch of images of
32x32x3 with three sources and one target, and estimates for three targets.  Prints one JSON object.

  peer_estimator.py NAME [REPEAT] [THREADS] [BATCH]
"""
import json, sys, time
import torch
from torch import nn


def dense(k, m):
    return nn.Sequential(nn.Linear(k, m), nn.ReLU())


def weigh(r, tau):
    """Weights (b, n) of the neighbours below and above the target, and which they are."""
    n = r.shape[1]
    below, above = tau < r[:, 0], tau >= r[:, n - 1]
    inside = (r[:, :-1] <= tau[:, None]) & (tau[:, None] < r[:, 1:])
    i = torch.argmax(inside.int(), 1)
    rows = torch.arange(len(r))
    lower, upper = torch.zeros_like(r), torch.zeros_like(r)
    near, far = (tau - r[rows, i]).abs(), (tau - r[rows, i + 1]).abs()
    both = ~(below | above)
    lower[rows[both], i[both]] = 1
    upper[rows[both], i[both] + 1] = 1
    lower[above, n - 1] = 1
    upper[below, 0] = 1
    w1, w2 = near / (near + far), far / (near + far)
    w1 = torch.where(below, tau / r[:, 0], torch.where(above, torch.zeros(()), w1))
    w2 = torch.where(above, tau / r[:, n - 1], torch.where(below, torch.zeros(()), w2))
    return lower, upper, w1[:, None], w2[:, None]


def mix(coef, values):
    """Sum over n of values (b, n, ...) by coef (b, n)."""
    return torch.einsum("bn,bn...->b...", coef, values)


def to_norm(z, tau):
    return z / z.flatten(1).norm(dim=1)[:, None, None, None] * tau[:, None, None, None]


class Vector(nn.Module):
    def __init__(self, filters, average=False):
        super().__init__()
        self.average = average
        self.noise_preproc = nn.Sequential(
            nn.Conv2d(3, filters or 3, 3, padding=1), nn.ReLU(),
            *([nn.Conv2d(filters, 3, 3, padding=1)] if filters else []))
        for name in ("forward_conv1", "backward_conv1", "input_conv"):
            self.add_module(name, nn.Sequential(nn.Conv2d(3, 10, 5, stride=4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()))
        self.strength_encoder = dense(1, 20)
        self.forward_hidden, self.backward_hidden = dense(200, 90), dense(200, 90)
        for name in ("forward_query", "backward_query", "forward_value", "backward_value"):
            self.add_module(name, dense(90, 90))

    def chain(self, conv, hidden, v, strengths, state):
        states = []
        for n in range(v.shape[1]):
            state = hidden(torch.cat([conv(v[:, n]), strengths[n], state], 1))
            states.append(state)
        return states

    def forward(self, image, noises, r, targets):
        b, n = noises.shape[:2]
        flat = noises.flatten(0, 1)
        v = (flat + self.noise_preproc(flat)).view_as(noises)
        near = [weigh(r, targets[:, t]) for t in range(targets.shape[1])]
        close = [mix(lo * w1 + up * w2, v) for lo, up, w1, w2 in near]
        if self.average:
            return torch.stack(close, 1)
        start = self.input_conv(image)
        strengths = [self.strength_encoder(r[:, i:i + 1]) for i in range(n)]
        f = self.chain(self.forward_conv1, self.forward_hidden, v, strengths, start)
        g = self.chain(self.backward_conv1, self.backward_hidden, v, strengths, start)[::-1]
        keys = torch.stack([torch.cat([self.forward_value(a), self.forward_value(c)], 1) for a, c in zip(f, g)], 1)
        f, g = torch.stack(f, 1), torch.stack(g, 1)
        queries = []
        for t, (lo, up, w1, w2) in enumerate(near):
            strength = self.strength_encoder(targets[:, t:t + 1])
            fi, gj = mix(lo, f), mix(up, g)
            m = w1 * fi + w2 * gj
            a = self.forward_query(self.forward_hidden(torch.cat([m, strength, fi], 1)))
            c = self.backward_query(self.backward_hidden(torch.cat([m, strength, gj], 1)))
            queries.append(torch.cat([self.forward_query(a), self.forward_query(c)], 1))
        scores = keys @ torch.stack(queries, 2)  # (b, n, t)
        mixed = (v.flatten(2).transpose(1, 2) @ scores).reshape(b, len(near), *image.shape[1:])
        return torch.stack([to_norm(mixed[:, t] + close[t], targets[:, t]) for t in range(len(near))], 1)


def plain(k, m, pad=1, pool=False):
    layers = [nn.Conv2d(k, 100, 3, padding=pad), nn.ReLU(), nn.Conv2d(100, m, 3, padding=pad), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.MaxPool2d(16), nn.Flatten()] if pool else []))


def block(k, m, pad=1, pool=False):
    layers = [nn.BatchNorm2d(k), nn.Conv2d(k, 300, 3, padding=pad), nn.ReLU(), nn.Conv2d(300, m, 1, bias=False),
              nn.BatchNorm2d(m), nn.ReLU6(), nn.Conv2d(m, m, 3, padding=pad, groups=m, bias=False), nn.BatchNorm2d(m),
              nn.ReLU6(), nn.Conv2d(m, m, 1, bias=False), nn.BatchNorm2d(m)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(16), nn.Flatten()] if pool else []))


class FeatureMap(nn.Module):
    def __init__(self, net, minus=False):
        super().__init__()
        self.minus = minus
        self.forward_conv, self.backward_conv = net(7, 3), net(7, 3)
        self.q_conv = net(6, 3) if minus else net(9, 50, 0, True)
        self.k_conv = net(6, 200) if minus else net(6, 50, 0, True)
        self.v_conv = net(6, 3)
        self.norm_fm_encoder = dense(1, 1024)
        self.new_fm = nn.Parameter(torch.rand(1, 1, 32, 32))

    def encode(self, r):
        return self.norm_fm_encoder(r[:, None]).view(-1, 1, 32, 32)

    def chain(self, conv, image, noises, r, order):
        states = [None] * len(order)
        for n in order:
            image = conv(torch.cat([image, self.encode(r[:, n]), noises[:, n]], 1))
            states[n] = image
        return torch.stack(states, 1)

    def query_minus(self, f, g, near, r, tau):
        lo, up, w1, w2 = near
        alone = lo.sum(1, keepdim=True) * up.sum(1, keepdim=True) < 0.5
        coef = torch.where(alone, (lo + up) * tau[:, None] / r, lo * w1 + up * w2)
        norm = self.encode(tau)
        fresh = self.new_fm.expand(len(r), 3, -1, -1)
        first = self.forward_conv(torch.cat([mix(lo, f), norm, fresh], 1))
        second = self.forward_conv(torch.cat([mix(up, g), norm, mix(coef, f)], 1))
        return to_norm(self.q_conv(torch.cat([first, second], 1)), tau)

    def forward(self, image, noises, r, targets):
        n, count = noises.shape[1], targets.shape[1]
        f = self.chain(self.forward_conv, image, noises, r, list(range(n)))
        g = self.chain(self.backward_conv, image, noises, r, list(range(n))[::-1])
        near = [weigh(r, targets[:, t]) for t in range(count)]
        if self.minus:
            return torch.stack([self.query_minus(f, g, near[t], r, targets[:, t]) for t in range(count)], 1)
        close = [mix((lo + up) * w1, noises) for lo, up, w1, _ in near]
        queries = [torch.cat([mix(lo, noises), mix(up * w1, noises), close[t]], 1)
                   for t, (lo, up, w1, _) in enumerate(near)]
        q = self.q_conv(torch.cat(queries)).chunk(count)
        none = torch.zeros_like(f[:, :1])
        states = torch.cat([torch.cat([f, none], 1), torch.cat([g, none], 1)], 2)
        flat = states.flatten(0, 1)
        keys = self.k_conv(flat).view(len(r), n + 1, -1)
        values = self.v_conv(flat).view(len(r), n + 1, *image.shape[1:])
        out = []
        for t in range(count):
            weights = torch.softmax((keys @ q[t][:, :, None])[:, :, 0], 1)
            out.append(to_norm(mix(weights, values) + close[t], targets[:, t]))
        return torch.stack(out, 1)


MAKERS = {"an": lambda: Vector(100), "a_ane": lambda: Vector(0), "wa_ane": lambda: Vector(100, True),
          "e_ane": lambda: FeatureMap(plain), "e_ane_minus": lambda: FeatureMap(plain, True),
          "e_plus": lambda: FeatureMap(block)}


def main():
    name = sys.argv[1]
    repeat = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
    batch = int(sys.argv[4]) if len(sys.argv) > 4 else 64
    torch.manual_seed(0)
    net = MAKERS[name]()
    optim = torch.optim.AdamW(net.parameters(), 5e-4, weight_decay=1e-4)
    image = torch.rand(batch, 3, 32, 32)
    sources = torch.stack([0.03 * (k + 1) * (2 * torch.rand(batch, 3, 32, 32) - 1) for k in range(3)], 1)
    label = 0.075 * (2 * torch.rand(batch, 1, 3, 32, 32) - 1)
    targets = 1.5 + torch.arange(3.).expand(batch, 3)

    def estimate(tau):
        r = sources.flatten(2).norm(dim=2)
        return net(image, sources / r[:, :, None, None, None], r, tau)

    def step():
        optim.zero_grad()
        loss = nn.functional.mse_loss(estimate(label.flatten(2).norm(dim=2)), label)
        loss.backward()
        optim.step()

    def infer():
        with torch.no_grad():
            estimate(targets)

    best = {}
    for key, what in (("train", step), ("estimate", infer)):
        what()
        best[key] = float("inf")
        for _ in range(repeat):
            start = time.perf_counter()
            what()
            best[key] = min(best[key], time.perf_counter() - start)
    print(json.dumps(best))


if __name__ == "__main__":
    main()
