#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a PyTorch program with a function pgd(net, ...) so that its attacks see the statistics of the
clean batch, as bench_step mode=frozen does: a forward pass in train mode, then the attack in
evaluation mode.  The running statistics, which follow by momentum, stand for those of the batch;
what is done is the same.

  peer_frozen.py PROGRAM [ARGUMENT...]
"""
import importlib.util, sys
import torch

del sys.argv[0]
spec = importlib.util.spec_from_file_location("peer", sys.argv[0])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)
pgd = peer.pgd


def frozen(net, x, *rest):
    with torch.no_grad():
        net(x)
    net.eval()
    out = pgd(net, x, *rest)
    net.train()
    return out


peer.pgd = frozen
peer.main()
