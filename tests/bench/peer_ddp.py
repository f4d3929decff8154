#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of ranks.py: an adversarial step of a path of the supernet under
DistributedDataParallel with gloo, a thread for each of its processes. Prints one JSON object.

  peer_ddp.py PROGRAM [ranks=2] [channels=16] [layers=8] [batch=64] [steps=7] [repeat=3] [archs=0,1,2]
              [attack=backward|wrapped|images]

PROGRAM is the peer of bench_step, which has the networks. As its attack does by default, that of
`backward` calls loss.backward(), which computes gradients of the weights as well, in no_sync(), so
that gradients are reduced once in a step; `wrapped` leaves out no_sync() and reduces at each step
of the attack, as the same code does without it; `images` asks for the gradient of the images
alone. Seconds are of the slowest process, means over the paths.
"""
import contextlib, json, os, runpy, sys, time
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer_steps import attack_steps, best, pgd_steps

args = dict(a.split("=", 1) for a in sys.argv[2:])
number = lambda key, fallback: int(args.get(key, fallback))
ranks, batch, steps = number("ranks", 2), number("batch", 64), number("steps", 7)
archs = [int(a) for a in args.get("archs", "0,1,2").split(",")]


kind = args.get("attack", "backward")


def attack(net, wrapped, images, labels):
    if kind == "images":
        return attack_steps(net, images, labels, steps)

    def gradient(loss, adv):
        loss.backward()
        return adv.grad

    with wrapped.no_sync() if kind == "backward" else contextlib.nullcontext():
        return pgd_steps(wrapped, images, labels, steps, gradient)


def step_of(net, images, labels):
    wrapped = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(net.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)

    def step():
        adv = attack(net, wrapped, images, labels)
        optimizer.zero_grad()
        F.cross_entropy(wrapped(adv), labels).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimizer.step()

    return step


def work(rank, queue):
    torch.set_num_threads(1)
    torch.manual_seed(rank)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    parts = runpy.run_path(sys.argv[1], run_name="parts")
    seconds = []
    for arch in archs:
        normal, reduce = map(parts["as_steps"], parts["draw"](arch))
        torch.manual_seed(0)
        net = parts["Net"](number("channels", 16), number("layers", 8), normal, reduce, False, True)
        images = torch.rand(batch // ranks, 3, 32, 32)
        labels = torch.randint(0, 10, (batch // ranks,))
        seconds.append(best(step_of(net, images, labels), number("repeat", 3)))
    slowest = torch.tensor(seconds)
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    if rank == 0:
        queue.put(slowest.tolist())
    dist.barrier()


if __name__ == "__main__":
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29517")
    context = mp.get_context("spawn")
    queue = context.SimpleQueue()
    processes = [context.Process(target=work, args=(r, queue)) for r in range(ranks)]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    if any(p.exitcode != 0 for p in processes):
        sys.exit(1)
    seconds = queue.get()
    mean = sum(seconds) / len(seconds)
    print(json.dumps({"torch": torch.__version__, "ranks": ranks, "attack": kind, "step_seconds": [round(s, 3) for s in seconds],
                      "images_per_second": round(batch / mean, 2)}))
