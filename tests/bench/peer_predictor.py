#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The predictor's training in PyTorch: passes over a memory of 100 entries in batches of 64 and 36,
input noise, mean squared errors of seven heads, Adam.  Prints one JSON object.

  peer_predictor.py [PASSES] [THREADS]
"""
import json, resource, sys, time
import torch
from torch import nn


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(16, 1) for _ in range(7))

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return [2 * torch.sigmoid(head(h[0])).flatten() for head in self.heads]


def main():
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    torch.manual_seed(0)
    net = Predictor()
    optim = torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.999), weight_decay=1e-3)
    x, y = torch.softmax(torch.randn(100, 28, 8) * 5, 2), torch.rand(100, 7) * 2

    def one_pass():
        for batch in torch.randperm(100).split(64):
            src = x[batch] + 0.01 * torch.randn(len(batch), 28, 8)
            loss = sum(nn.functional.mse_loss(out, y[batch, k]) for k, out in enumerate(net(src)))
            optim.zero_grad()
            loss.backward()
            optim.step()

    one_pass()
    start = time.perf_counter()
    for _ in range(passes):
        one_pass()
    print(json.dumps({"seconds": time.perf_counter() - start,
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
