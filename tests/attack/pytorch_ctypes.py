# SPDX-License-Identifier: Apache-2.0
"""pytorch_ctypes.py EXAMPLE SCRATCH: the example of that name, and an attack
through its callbacks on PyTorch's copy of a network beside the same attack on
libwsr's own. WSR_LIBRARY names the shared library. Exit status 77 without
PyTorch."""
import ctypes as c
import importlib.util
import os
import subprocess
import sys

try:
    import torch
except ImportError:
    print("skipped: there is no PyTorch")
    sys.exit(77)

torch.set_num_threads(1)
EPS, N = 0.01, 48


class SmallCNN(torch.nn.Module):
    """The network of TRADES for MNIST, as libwsr's kind small_cnn."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.feature_extractor = nn.ModuleDict({
            "conv1": nn.Conv2d(1, 32, 3), "conv2": nn.Conv2d(32, 32, 3),
            "conv3": nn.Conv2d(32, 64, 3), "conv4": nn.Conv2d(64, 64, 3)})
        self.classifier = nn.ModuleDict({
            "fc1": nn.Linear(64, 200), "fc2": nn.Linear(200, 200),
            "fc3": nn.Linear(200, 10)})

    def forward(self, x):
        f, g, relu = self.feature_extractor, self.classifier, torch.relu
        x = torch.max_pool2d(relu(f["conv2"](relu(f["conv1"](x)))), 2)
        x = torch.max_pool2d(relu(f["conv4"](relu(f["conv3"](x)))), 2)
        x = relu(g["fc2"](relu(g["fc1"](x.flatten(1)))))
        return g["fc3"](x)


def native(wsr, check, path, spec, images, labels):
    """Which images stand on libwsr's own network."""
    net, model, method, result = (c.c_void_p() for _ in range(4))
    check(wsr.wsr_net_load(c.byref(net), path.encode(), None))
    check(wsr.wsr_model_from_net(c.byref(model), net, c.c_size_t(0)))
    check(wsr.wsr_attack_new(c.byref(method), spec.encode(), None))
    check(wsr.wsr_attack_set_strengths(method, c.byref(c.c_float(EPS)),
                                       c.c_size_t(1)))
    check(wsr.wsr_attack_run(c.byref(result), method, model,
                             c.c_void_p(images.data_ptr()),
                             c.c_void_p(labels.data_ptr()), c.c_size_t(N)))
    robust = wsr.wsr_attack_result_robust(result, c.c_size_t(0))
    stands = list((c.c_uint8 * N).from_address(robust))
    wsr.wsr_attack_result_free(result)
    wsr.wsr_attack_free(method)
    wsr.wsr_model_free(model)
    wsr.wsr_net_free(net)
    return stands


def main():
    example, scratch = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    shown = subprocess.run([sys.executable, example], check=True,
                           capture_output=True, text=True).stdout
    print(shown)
    shares = [float(line.split()[-2]) for line in shown.splitlines()]
    assert len(shares) == 2 and shares[1] <= shares[0] < 100, shown

    module = importlib.util.spec_from_file_location("example", example)
    of = importlib.util.module_from_spec(module)
    module.loader.exec_module(of)
    torch.manual_seed(5)
    net = SmallCNN().eval()
    with torch.no_grad():
        net.classifier["fc3"].weight.mul_(20)
        images = torch.rand(N, 1, 16, 16)
        net.classifier["fc3"].bias.sub_(net(images).mean(0))
        labels = net(images).argmax(1).int()
    path = os.path.join(scratch, "net.pth")
    torch.save(net.state_dict(), path)
    for spec in "pgd:steps=7", "pgd:steps=5,norm=l2", "apgd_ce:steps=8":
        _, robust = of.attack(net, spec, images, labels, EPS)
        have = robust.tolist()
        want = native(of.wsr, of.check, path, spec, images, labels)
        print(f"{spec}: {sum(have)} of {N} stand, natively {sum(want)}")
        assert 0 < sum(want) < N or "l2" in spec, spec
        assert [bool(w) for w in want] == have, spec
    try:
        of.attack(net, "pdg", images, labels, EPS)
    except RuntimeError as error:
        assert "did you mean 'pgd'" in str(error), error
    else:
        sys.exit("a mistake went unnoticed")


main()
