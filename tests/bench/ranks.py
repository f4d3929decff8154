#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two ranks of one thread against one rank of two threads, and against PyTorch's
DistributedDataParallel with gloo: adversarial training of the supernet by PGD. Prints JSON.

  ranks.py TOOLS [PROGRAM] [channels=16] [layers=8] [batch=64] [steps=7] [batches=6] [pairs=3]
           [mpi=openmpi|mpich] [rate=1gbit] [attack=backward]

TOOLS is the folder of wsr-search, PROGRAM the peer of bench_step, whose networks peer_ddp.py
takes, with its `attack`. The first epoch of a search warms up, the second one is timed: its log
says how long it took, and how much of that went into communication, waiting included. Runs
alternate. With rate=1gbit the two ranks are in network namespaces joined by such a link (two_networks.sh).
"""
import json, os, signal, statistics, subprocess, sys, tempfile, time

tools = os.path.abspath(sys.argv[1])
rest = [a for a in sys.argv[2:] if "=" not in a]
args = dict(a.split("=", 1) for a in sys.argv[2:] if "=" in a)
number = lambda key, fallback: int(args.get(key, fallback))
batch, batches = number("batch", 64), number("batches", 6)
mpi = args.get("mpi", "openmpi")
launch = {"openmpi": "mpirun.openmpi --allow-run-as-root --bind-to core -n",
          "mpich": "mpirun.mpich -bind-to core -n"}[mpi].split() + ["2"]
if "rate" in args:
    launch = [os.path.dirname(os.path.abspath(__file__)) + "/two_networks.sh", args["rate"]]


def epochs(log):
    """The lines of epochs that are complete."""
    try:
        with open(log) as lines:
            whole = [json.loads(l) for l in lines if l.endswith("\n")]
    except FileNotFoundError:
        return []
    return [l for l in whole if l["event"] == "epoch"]


def search(ranks, threads):
    """Images a second of an epoch, and the share of communication."""
    with tempfile.TemporaryDirectory() as folder:
        command = (launch if ranks > 1 else []) + [
            tools + "/wsr-search", "--quiet", "--threads", str(threads), "--out", folder + "/run",
            "--data", f"synthetic:size=32,count={4 * batch * batches}"]
        for key, value in {"supernet.channels": number("channels", 16),
                           "supernet.layers": number("layers", 8), "search.batch": batch,
                           "search.steps": number("steps", 7),
                           "search.train_batches": batches, "search.warm_up": 3}.items():
            command += ["--set", f"{key}={value}"]
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(epochs(folder + "/run/log.jsonl")) < 2 and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        run.wait()
        first, second = epochs(folder + "/run/log.jsonl")[:2]
        share = (second.get("comm_seconds", 0) - first.get("comm_seconds", 0)) / second["seconds"]
        sent = (second.get("comm_bytes", 0) - first.get("comm_bytes", 0)) / batches
        return batch * batches / second["seconds"], share, sent


def peer():
    command = ["/usr/bin/python3", os.path.dirname(os.path.abspath(__file__)) + "/peer_ddp.py",
               os.path.abspath(rest[0]), "ranks=2", f"batch={batch}"]
    command += [f"{k}={args[k]}" for k in ("channels", "layers", "steps", "attack") if k in args]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


pairs = [(search(1, 2), search(2, 1)) for _ in range(number("pairs", 3))]
median = lambda values: statistics.median(list(values))
out = {"mpi": mpi, "batch": batch,
       "one_rank_images_per_second": round(median(a[0] for a, _ in pairs), 2),
       "two_ranks_images_per_second": round(median(b[0] for _, b in pairs), 2),
       "ratio": round(median(b[0] / a[0] for a, b in pairs), 4),
       "communication_share": round(median(b[1] for _, b in pairs), 4),
       "bytes_per_step": int(median(b[2] for _, b in pairs))}
if rest:
    other = peer()
    out["ddp_attack"] = other["attack"]
    out["ddp_images_per_second"] = other["images_per_second"]
    out["ddp_times_slower"] = round(out["two_ranks_images_per_second"] / other["images_per_second"], 2)
print(json.dumps(out))
