# SPDX-License-Identifier: Apache-2.0
#
# pth.py PEER FOLDER: files of torch.save, in both formats and as people save
# them, give the logits of torchvision's ResNet-18, and what is written is read
# by torch.load(weights_only=True) with the same bits; NumPy's files both ways.
# Exits with 77 where torch, torchvision or numpy is absent.

import argparse
import os
import subprocess
import sys

try:
    import numpy as np
    import torch
    import torchvision
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

peer, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def at(name):
    return os.path.join(folder, name)


torch.manual_seed(1)
torch.set_num_threads(1)
net = torchvision.models.resnet18(num_classes=10).eval()
x = torch.rand(2, 3, 64, 64)  # any size: the files are what is tested
with torch.no_grad():
    wanted = net(x).numpy()
state = net.state_dict()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(x).sum().backward()
optimizer.step()
torch.manual_seed(1)  # the step changed the network; make it anew
net = torchvision.models.resnet18(num_classes=10).eval()
state = net.state_dict()
shared = dict(state)
shared["bn1.running_mean"] = shared["bn1.bias"]  # both are zeros
checkpoint = {
    "epoch": 3, "best": np.float64(0.5), "args": argparse.Namespace(lr=0.1),
    "state_dict": state, "optimizer": optimizer.state_dict(),
    "state_dict_ema": {k: v + 1 for k, v in state.items()},
}
channels_last = {
    k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
    for k, v in state.items()
}
files = {
    "plain": state,
    "parallel": {"module." + k: v for k, v in state.items()},
    "checkpoint": checkpoint,
    "model": {"model": {"_orig_mod." + k: v for k, v in state.items()}},
    "channels_last": channels_last,
    "shared": shared,
    "parameters": dict(net.named_parameters()) | dict(net.named_buffers()),
    "double": {k: v.double() if v.is_floating_point() else v
               for k, v in state.items()},
}

np.savez_compressed(at("x.npz"), x=x.numpy())
failed = 0


def compare(name, path, copy, tolerance=1e-4):
    global failed
    run = subprocess.run([peer, path, at("x.npz"), at("logits.npz"), copy],
                         capture_output=True, text=True)
    if run.returncode != 0:
        print(f"{name}: {run.stderr}")
        failed += 1
        return
    logits = np.load(at("logits.npz"))["logits"].reshape(wanted.shape)
    difference = np.abs(logits - wanted).max() / np.abs(wanted).max()
    print(f"{name}: {difference:.2e}")
    failed += not difference < tolerance


for name, content in files.items():
    for zipped in (True, False):
        path = at(f"{name}-{'zip' if zipped else 'old'}.pth")
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        compare(os.path.basename(path), path, at("copy.pth"))

# Averaged weights, which a path asks for: here they are the right ones.
torch.save({"model": {k: v + 1 for k, v in state.items()}, "model_ema": state},
           at("ema.pth"))
compare("ema.pth#ema", at("ema.pth#ema"), at("copy.pth"))

half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
torch.save(half, at("half.pth"))
compare("half.pth", at("half.pth"), at("copy.pth"), 0.02)
bf16 = {k: v.bfloat16() if v.is_floating_point() else v
        for k, v in state.items()}
torch.save(bf16, at("bf16.pth"))
compare("bf16.pth", at("bf16.pth"), at("copy.pth"), 0.1)

# Written files: the same names in the same order, the same bits.
compare("plain-zip.pth", at("plain-zip.pth"), at("copy.pth"))
copy = torch.load(at("copy.pth"), weights_only=True)
if set(copy) != set(state) or not all(
        torch.equal(copy[k], state[k]) for k in state):
    print("copy.pth differs")
    failed += 1
net.load_state_dict(copy)
compare("copy.pth", at("copy.pth"), at("copy.npz"))
arrays = np.load(at("copy.npz"))
if not all(np.array_equal(arrays[k], state[k].numpy()) for k in state):
    print("copy.npz differs")
    failed += 1
np.savez(at("numpy.npz"), **{k: np.array(v.numpy(), order="F")
                             for k, v in state.items()})
compare("numpy.npz", at("numpy.npz"), at("copy.npz"))

# What is refused, in one line that names it.
torch.save(net, at("module.pth"))
run = subprocess.run([peer, at("module.pth"), at("x.npz"), at("logits.npz"),
                      at("copy.pth")], capture_output=True, text=True)
print(run.stderr.strip())
if run.returncode != 1 or run.stderr.count("\n") != 1 or \
        "pickle refers to torchvision.models.resnet.ResNet" not in run.stderr:
    failed += 1
sys.exit(1 if failed else 0)
