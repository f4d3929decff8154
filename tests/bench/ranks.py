#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two ranks of one thread against one rank of two threads, and against PyTorch's
DistributedDataParallel with gloo: adversarial training of the supernet by PGD. Prints JSON.

  ranks.py TOOLS [PROGRAM] [channels=16] [layers=8] [batch=64] [steps=7] [batches=6] [pairs=3]
           [mpi=openmpi|mpich] [rate=1gbit] [attack=backward] [tree=BENCH_TREE]

TOOLS is the folder of wsr-search, PROGRAM the peer of bench_step, whose networks peer_ddp.py
takes, with its `attack`. The first epoch of a search warms up, the second one is timed: its log
says how long it took, and how much of that went into communication, waiting included. Runs
alternate. With tree= the model of scaling.py predicts what two ranks do from bench_tree and from
two searches of one thread with half the batch that run at once and know nothing of each other:
two busy cores share their caches and memory; a step is `backward` (0.13 of its time) in the pass
that makes gradients. With rate=1gbit the two ranks are in network namespaces joined by such a link (two_networks.sh).
"""
import contextlib, json, os, signal, statistics, subprocess, sys, tempfile, time

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


def start(ranks, threads, batch, folder):
    command = (launch if ranks > 1 else []) + [
        tools + "/wsr-search", "--quiet", "--threads", str(threads), "--out", folder + "/run",
        "--data", f"synthetic:size=32,count={4 * batch * batches}"]
    for key, value in {"supernet.channels": number("channels", 16),
                       "supernet.layers": number("layers", 8), "search.batch": batch,
                       "search.steps": number("steps", 7),
                       "search.train_batches": batches, "search.warm_up": 3}.items():
        command += ["--set", f"{key}={value}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def search(ranks, threads, batch=batch, at_once=1):
    """Images a second of an epoch, the share of communication, bytes sent; of the first of some
    searches that run at once."""
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(at_once)]
        runs = [start(ranks, threads, batch, folder) for folder in folders]
        log = folders[0] + "/run/log.jsonl"
        while len(epochs(log)) < 2 and runs[0].poll() is None:
            time.sleep(0.05)
        for run in runs:
            run.send_signal(signal.SIGTERM)
        for run in runs:
            run.wait()
        first, second = epochs(log)[:2]
        share = (second.get("comm_seconds", 0) - first.get("comm_seconds", 0)) / second["seconds"]
        sent = (second.get("comm_bytes", 0) - first.get("comm_bytes", 0)) / batches
        return batch * batches / second["seconds"], share, sent


def peer():
    command = ["/usr/bin/python3", os.path.dirname(os.path.abspath(__file__)) + "/peer_ddp.py",
               os.path.abspath(rest[0]), "ranks=2", f"batch={batch}"]
    command += [f"{k}={args[k]}" for k in ("channels", "layers", "steps", "attack") if k in args]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def predicted(alone, sent):
    """Images a second of two ranks, by the model."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as tree:
        bench = subprocess.run(launch + [os.path.abspath(args["tree"])], capture_output=True, check=True, text=True)
        tree.write(next(l for l in bench.stdout.splitlines() if l.startswith("{")))
        tree.flush()
        b = 1 / alone
        command = [sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/scaling.py", f"b={b}",
                   f"batch={batch}", f"gradient={sent}", f"backward={float(args.get('backward', 0.13)) * b}",
                   tree.name]
        curve = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["curve"]
    return curve[1]["images_per_second"]


pairs = [(search(1, 2), search(2, 1), search(1, 1, batch // 2, 2) if "tree" in args else None) for _ in range(number("pairs", 3))]
median = lambda values: statistics.median(list(values))
out = {"mpi": mpi, "batch": batch,
       "one_rank_images_per_second": round(median(a[0] for a, *_ in pairs), 2),
       "two_ranks_images_per_second": round(median(b[0] for _, b, _ in pairs), 2),
       "ratio": round(median(b[0] / a[0] for a, b, _ in pairs), 4),
       "communication_share": round(median(b[1] for _, b, _ in pairs), 4),
       "bytes_per_step": int(median(b[2] for _, b, _ in pairs))}
if "tree" in args:
    out["one_thread_images_per_second"] = round(median(c[0] for *_, c in pairs), 2)
    out["predicted_images_per_second"] = predicted(out["one_thread_images_per_second"], out["bytes_per_step"])
if rest:
    other = peer()
    out["ddp_attack"] = other["attack"]
    out["ddp_images_per_second"] = other["images_per_second"]
    out["ddp_times_slower"] = round(out["two_ranks_images_per_second"] / other["images_per_second"], 2)
print(json.dumps(out))
