#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a PyTorch program whose networks would train in evaluation mode instead: what an evaluation
of a finished network costs.

  peer_eval.py PROGRAM [ARGUMENT...]
"""
import runpy, sys
from torch import nn

switch = nn.Module.train
nn.Module.train = lambda self, mode=True: switch(self, False)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
