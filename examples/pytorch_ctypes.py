#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on a PyTorch model with libwsr, by ctypes alone: tensors go to the
library without a copy, and two callbacks give it logits and gradients.
WSR_LIBRARY=build/libwsr/libwsr.so python3 examples/pytorch_ctypes.py"""
import ctypes as c
import os

import torch

wsr = c.CDLL(os.environ.get("WSR_LIBRARY", "libwsr.so.0"))
wsr.wsr_error_detail.restype = c.c_char_p
wsr.wsr_attack_result_images.restype = c.c_void_p
wsr.wsr_attack_result_robust.restype = c.c_void_p
Callback = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_size_t, c.c_void_p)


class Shape(c.Structure):  # wsr_shape
    _fields_ = [("ndims", c.c_int), ("dims", c.c_int64 * 6)]


def check(status):
    if status != 0:
        raise RuntimeError(wsr.wsr_error_detail().decode())


def view(address, *shape):
    """Floats of the library as a tensor, without a copy."""
    floats = (c.c_float * torch.Size(shape).numel()).from_address(address)
    return torch.frombuffer(floats, dtype=torch.float32).view(shape)


def attack(net, spec, images, labels, eps):
    """Adversarial images, and which images are robust. `net` is in eval mode;
    images (n, c, h, w) are float32 in [0, 1], labels int32, both contiguous."""
    image, classes, last = images.shape[1:], net(images[:1]).shape[1], []

    def logits(out, x, n, _):
        leaf = view(x, n, *image).requires_grad_()
        last[:] = leaf, net(leaf)
        view(out, n, classes).copy_(last[1].detach())
        return 0

    def backward(dx, dz, n, _):
        leaf, z = last
        grad = torch.autograd.grad(z, leaf, view(dz, n, classes))
        view(dx, n, *image).copy_(*grad)
        return 0

    model, method, result = c.c_void_p(), c.c_void_p(), c.c_void_p()
    calls = Callback(logits), Callback(backward)  # as long as the model lives
    n, one, shape = c.c_size_t(len(images)), c.c_size_t(1), Shape(3, tuple(image))
    try:
        check(wsr.wsr_model_new(c.byref(model), c.byref(shape), c.c_size_t(classes),
                                *calls, None))
        check(wsr.wsr_attack_new(c.byref(method), spec.encode(), None))
        check(wsr.wsr_attack_set_strengths(method, c.byref(c.c_float(eps)), one))
        x, y = (c.c_void_p(t.data_ptr()) for t in (images, labels))
        check(wsr.wsr_attack_run(c.byref(result), method, model, x, y, n))
        found = wsr.wsr_attack_result_images(result, c.c_size_t(0))
        robust = wsr.wsr_attack_result_robust(result, c.c_size_t(0))
        robust = list((c.c_bool * len(images)).from_address(robust))
        return view(found, *images.shape).clone(), torch.tensor(robust)
    finally:
        wsr.wsr_attack_result_free(result)
        wsr.wsr_attack_free(method)
        wsr.wsr_model_free(model)


if __name__ == "__main__":
    torch.manual_seed(1)
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 5))
    images, eps = torch.rand(32, 3, 16, 16), 4 / 255
    labels = net(images).argmax(1).int()
    for spec in "pgd:steps=10", "autoattack:steps=10,queries=100":
        found, robust = attack(net, spec, images, labels, eps)
        assert (found.double() - images.double()).abs().max() <= c.c_float(eps).value
        print(f"{spec}: robust accuracy {100 * robust.float().mean():.1f} %")
