#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training of the graph auto-encoder in PyTorch: passes over a memory of 100 entries in batches of 64
and 36, reconstruction of both cells and mean squared errors of seven heads, Adam.  The graphs are made
beforehand, which libwsr does in every step.  Prints one JSON object.

  peer_gae.py [PASSES] [THREADS]
"""
import json, resource, sys, time
import torch
from torch import nn
from torch.nn import functional as F

NODES, KINDS, HEADS = 17, 11, 7


class Layer(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.inner, self.outer = nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)

    def forward(self, x):
        return torch.relu(self.outer(self.second(torch.relu(self.inner(self.first(x))))))


class Gae(nn.Module):
    def __init__(self, hidden=128, latent=16, layers=4):
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(layers))
        self.layers = nn.ModuleList(Layer(hidden if i else KINDS, hidden) for i in range(layers))
        self.fc, self.ops = nn.Linear(hidden, latent), nn.Linear(latent, KINDS)
        self.linear_1, self.linear_2 = nn.Linear(2 * latent, 128), nn.Linear(128, HEADS)

    def encode(self, x, adjacency):
        for i, layer in enumerate(self.layers):
            x = (1 + self.eps[i]) * x + torch.matmul(adjacency, x)
            x = layer(x.view(-1, x.shape[2])).view(-1, NODES, self.fc.in_features)
        return self.fc(x)

    def forward(self, cells):
        loss, codes = 0, []
        for kinds, directed, both in cells:
            z = self.encode(kinds, both)
            dropped = F.dropout(z, 0.3)
            loss = loss + F.binary_cross_entropy(torch.softmax(self.ops(dropped), -1), kinds)
            loss = loss + F.mse_loss(torch.sigmoid(dropped @ dropped.transpose(1, 2)), directed)
            codes.append(z)
        z = torch.relu(self.linear_1(torch.relu(torch.cat(codes, -1)))).mean(1)
        return 2 * torch.sigmoid(self.linear_2(z)), loss


def make_cell(n):
    kinds = torch.eye(KINDS)[torch.randint(0, KINDS, (n, NODES))]
    directed = torch.triu((torch.rand(n, NODES, NODES) < 0.25).float(), 1) * torch.rand(n, NODES, NODES)
    return kinds, directed, directed + directed.transpose(1, 2)


def main():
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    torch.manual_seed(0)
    net = Gae()
    optim = torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.999), weight_decay=1e-3)
    cells, y = [make_cell(100), make_cell(100)], torch.rand(100, HEADS) * 2

    def one_pass():
        for batch in torch.randperm(100).split(64):
            out, loss = net([[t[batch] for t in cell] for cell in cells])
            loss = 0.8 * loss + sum(F.mse_loss(out[:, k], y[batch, k]) for k in range(HEADS))
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
