#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public AutoAttack on a network of Fashion-MNIST, for bench_autoattack: seconds, and logits and
gradients per image.  Prints one JSON object.

  peer_autoattack.py NETWORKS AUTOATTACK net=FILE.safetensors genotype='NORMAL|REDUCE' [key=value...]

NETWORKS is the program with the class Net, AUTOATTACK a checkout of github.com/fra31/auto-attack.
"""
import gzip, importlib.util, json, struct, sys, time
import numpy as np
import torch

DATA = "/usr/share/datasets/fashion-mnist/t10k-"


def idx(name, offset):
    with gzip.open(DATA + name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(n):
    grey = torch.tensor(idx("images-idx3-ubyte.gz", 16)[:n * 784].reshape(n, 1, 28, 28) / np.float32(255))
    return torch.nn.functional.pad(grey, (2, 2, 2, 2)).repeat(1, 3, 1, 1), torch.tensor(
        idx("labels-idx1-ubyte.gz", 8)[:n].astype(np.int64))


def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    kinds = {"F32": np.float32, "I64": np.int64}
    short = lambda name: name.replace("preprocess", "pre").replace("_ops", "ops").replace(".op.", ".")
    return {short(name): torch.tensor(np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], kinds[t["dtype"]])
                               .reshape(t["shape"])) for name, t in header.items() if name != "__metadata__"}


class Counted(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net, self.queries, self.gradients = net, 0, 0

    def forward(self, x):
        self.queries += len(x)
        if x.requires_grad:
            self.gradients += len(x)
        return self.net(x)


def main():
    options = dict(arg.split("=", 1) for arg in sys.argv[3:])
    number = lambda key, value: type(value)(options.get(key, value))
    spec = importlib.util.spec_from_file_location("networks", sys.argv[1])
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    sys.path.insert(0, sys.argv[2])
    from autoattack import AutoAttack
    torch.set_num_threads(number("threads", 2))
    halves = [networks.parse_half(half) for half in options["genotype"].split("|")]
    net = networks.Net(number("channels", 8), number("layers", 5), *halves, True, False)
    net.load_state_dict(tensors(options["net"]))
    model = Counted(net.eval())
    x, y = images(number("images", 64))
    attack = AutoAttack(model, norm="Linf", eps=number("eps", 0.1), version="standard", device="cpu",
                        verbose=False, seed=number("seed", 0))
    attack.square.n_queries = number("queries", 5000)
    wall, cpu = time.time(), time.process_time()
    found = attack.run_standard_evaluation(x, y, bs=number("batch", 64))
    wall, cpu = time.time() - wall, time.process_time() - cpu
    counts = {"queries": model.queries / len(x), "gradients": model.gradients / len(x)}
    with torch.no_grad():
        standing = int((net(found).argmax(1) == y).sum())
    print(json.dumps({"seconds": wall, "cpu_seconds": cpu, "standing": standing, **counts}))


if __name__ == "__main__":
    main()
