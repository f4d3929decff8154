#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# faults.py SCRATCH BIN FAULT MOST [SCENARIO...]
#
# Small runs of the tools in the folder BIN while the system fails them. strace
# makes one call fail that concerns files: of those after the tool's first own
# file, MOST calls, evenly spread; 0: every one. FAULT is
#
#   error      the call fails: EIO, or ENOSPC where it writes
#   interrupt  a signal interrupts it: EINTR
#   kill       the process is killed by SIGKILL instead
#   full       nothing is injected: the folder is on a disk of 4 KiB, 8 KiB, ...
#              (tmpfs), up to one on which the run ends
#   short      all calls that read or write do at most half of what is asked for
#              (BIN/../tests/short_calls), which may change nothing at all
#
# The run must end with exit code 1 and one line on stderr, or with the files of
# a run that nothing befell. No temporary file may stay. Taken up again
# (--resume, or anew when there is nothing to resume) it must end with the same
# files, byte by byte.

import gzip
import os
import re
import shutil
import struct
import subprocess
import sys

SKIPPED = 77
READS = ("openat", "read", "pread64", "newfstatat", "getdents64", "lseek",
         "access", "statfs", "flock")
WRITES = ("write", "pwrite64", "writev", "fsync", "ftruncate", "mkdir", "link",
          "rename", "fallocate")
OTHERS = ("close", "unlink", "rmdir", "fcntl")
CALLS = READS + WRITES + OTHERS
# What a signal interrupts; the others never return EINTR for files.
INTERRUPTED = ("openat", "read", "write", "fsync", "ftruncate")
# A failure of these leaves the temporary file that they were to remove.
REMOVES = ("unlink", "rename", "link")
STRACE = ["strace", "-f", "-qq"]
FASTER = ["--seccomp-bpf"]  # with it strace 6.1 sends no signals

failures = []


def complain(text):
    failures.append(text)
    print("FAILED:", text)


def idx(path, dims, values):
    with gzip.open(path, "wb") as f:
        f.write(struct.pack(">HBB", 0, 8, len(dims)))
        f.write(struct.pack(">%dI" % len(dims), *dims) + bytes(values))


def make_data():
    for name, n in (("train", 32), ("test", 8)):
        pixels = [(i * i * 7 + i * 31 + (i // 64) % 3 * 50) % 256
                  for i in range(n * 64)]
        idx(name + "-images", (n, 8, 8), pixels)
        idx(name + "-labels", (n,), [i % 3 for i in range(n)])


DATA = ["--data", "idx:train-images,train-labels,test-images,test-labels",
        "--threads", "1", "--quiet"]
NET = ["--set", "net.channels=2", "--set", "net.layers=1",
       "--set", "train.epochs=2", "--set", "train.batch=16",
       "--set", "train.eval_every=0", "--set", "train.trainer=natural",
       "--set", "eval.attack=fgsm", "--set", "eval.eps=0.03",
       "--set", "eval.count=4", "--seed", "3"]
SEARCH = ["--set", "supernet.channels=4", "--set", "supernet.layers=2",
          "--set", "search.warm_up=1", "--set", "search.population=1",
          "--set", "search.epochs=1", "--set", "search.predictor_warm_up=1",
          "--set", "search.predictor_passes=1", "--set", "search.batch=8",
          "--set", "search.steps=1", "--set", "search.estimator_batches=1",
          "--set", "search.val_batches=1", "--set", "search.architectures=2",
          "--set", "data.size=16"]
ESTIMATE = ["--networks", "cna_r,net/net.safetensors", "--variants", "an",
            "--set", "attack.steps=1", "--set", "attack.eps=[0.02,0.05,0.1]",
            "--set", "estimator.epochs=1", "--set", "estimator.batch=4",
            "--set", "estimator.train_batches=1",
            "--set", "estimator.augment=flip"]
ATTACK = ["--net", "net/net.safetensors", "--count", "4", "--attack",
          "fgsm,pgd:steps=2", "--eps", "0.02,0.05",
          "--set", "attack.batch=2"]

# name: tool, arguments, files that must be the same
SCENARIOS = {
    "train": ("wsr-train", DATA + NET + ["--genotype", "cna_r"],
              ["net.safetensors", "checkpoint.safetensors", "config.yaml"]),
    "attack": ("wsr-attack", DATA + ATTACK, ["images.csv", "config.yaml"]),
    "search": ("wsr-search", DATA + NET + SEARCH,
               ["genotype.yaml", "net.safetensors", "estimator.safetensors",
                "checkpoint.safetensors"]),
    "estimate": ("wsr-estimate", DATA + NET[:8] + ESTIMATE,
                 ["results.csv", "estimator-an.safetensors"]),
    "export": ("wsr-attack", ["--net", "net/net.safetensors", "--export",
                              "out.onnx", "--quiet"], ["out.onnx"]),
    "compare": ("wsr-attack", ["--compare", "a", "b", "--quiet"],
                ["differences.csv", "report.html"]),
}


class Scenario:
    def __init__(self, name, bin_folder):
        tool, self.arguments, self.files = SCENARIOS[name]
        self.name = name
        self.tool = os.path.join(bin_folder, tool)
        self.out = None if name == "export" else "out"

    def command(self, resumed=False):
        if resumed:
            return [self.tool, "--resume", self.out, "--quiet"]
        place = [] if self.out is None else ["--out", self.out]
        return [self.tool] + self.arguments + place

    def clear(self):
        shutil.rmtree("out", ignore_errors=True)
        if os.path.exists("out.onnx"):
            os.remove("out.onnx")

    def content(self):
        found = {}
        for name in self.files:
            path = name if self.out is None else os.path.join(self.out, name)
            if os.path.exists(path):
                with open(path, "rb") as f:
                    found[name] = f.read()
        return found


def run(command, wrapper=()):
    ran = subprocess.run(list(wrapper) + command, capture_output=True,
                         timeout=600, check=False)
    return ran.returncode, ran.stderr.decode(errors="replace")


def spread(items, most):
    if most == 0 or len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]


# Calls of a run as (name, number among the calls of this name, text), those
# before the first file of the tool's own left out: the program loader's.
def calls_of(scenario):
    log = "calls"
    code, error = run(scenario.command(), STRACE + FASTER + [
        "-o", log, "-e", "trace=" + ",".join("?" + c for c in CALLS)])
    if code != 0:
        complain("%s: the run itself: %s" % (scenario.name, error))
        return []
    numbers = {}
    calls = []
    own = False
    main = None
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            match = re.match(r"(\d+)\s+(\w+)\((.*)", line)
            if match is None:
                continue
            process, name, text = match.groups()
            main = main or process
            if process != main:
                continue
            numbers[name] = numbers.get(name, 0) + 1
            # Its own are told by names without a folder at the root, and
            # what the library ships.
            own = own or re.match(r'(AT_FDCWD, )?"([^/"]|/[^"]*/share/)',
                                  text) is not None and not \
                re.match(r'[^,]*, "[^"]*(\.so|hwcaps)', text)
            if own and not re.search(r'"/(proc|sys|dev|etc|usr/lib)/', text):
                calls.append((name, numbers[name], text.strip()[:60]))
    return calls


def leftovers():
    found = []
    for folder, _, names in os.walk("out"):
        found += [n for n in names if n.endswith(".tmp")]
    return found


def recover(scenario, whole, where):
    resumed = scenario.out is not None and scenario.name != "compare" and \
        os.path.exists(os.path.join("out", "config.yaml"))
    if scenario.name == "compare":
        scenario.clear() # has nothing to resume
    code, error = run(scenario.command(resumed))
    if code != 0:
        complain("%s: taken up again: exit code %d: %s" % (where, code, error))
    elif scenario.content() != whole:
        other = [n for n, b in whole.items() if scenario.content().get(n) != b]
        complain("%s: taken up again: other bytes in %s" % (where, other))


def sweep(scenario, fault, most):
    scenario.clear()
    calls = calls_of(scenario)
    whole = scenario.content()
    if len(whole) != len(scenario.files):
        complain("%s: the run made %s only" % (scenario.name, list(whole)))
        return
    kinds = {"error": CALLS, "kill": CALLS, "interrupt": INTERRUPTED}[fault]
    points = spread([c for c in calls if c[0] in kinds], most)
    ended = 0
    for name, number, text in points:
        where = "%s, %s %d (%s)" % (scenario.name, name, number, text)
        error = "ENOSPC" if name in ("write", "pwrite64") else "EIO"
        inject = {"error": "error=%s:when=%d" % (error, number),
                  "interrupt": "error=EINTR:when=%d" % number,
                  "kill": "signal=KILL:when=%d" % number}[fault]
        scenario.clear()
        try:
            faster = [] if fault == "kill" else FASTER
            code, error = run(scenario.command(), STRACE + faster + [
                "-o", "/dev/null", "-e", "trace=" + name, "-e",
                "inject=%s:%s" % (name, inject)])
        except subprocess.TimeoutExpired:
            complain(where + ": it hangs")
            continue
        same = code == 0 and scenario.content() == whole
        lines = error.count("\n")
        if fault == "kill":
            if code not in (-9, 137):
                complain("%s: exit code %d" % (where, code))
        elif not same and (code != 1 or lines != 1):
            complain("%s: exit code %d, %d lines: %s" %
                     (where, code, lines, error))
        if fault not in ("kill",) and name not in REMOVES and leftovers():
            complain("%s: leaves %s" % (where, leftovers()))
        if not same:
            ended += 1
            try:
                recover(scenario, whole, where)
            except subprocess.TimeoutExpired:
                complain(where + ": taken up again: it hangs")
    print("%s: %d calls, of which %d %s; %d ended the run, and it was taken "
          "up again" % (scenario.name, len(calls), len(points),
                        {"error": "failed", "interrupt": "were interrupted",
                         "kill": "killed it"}[fault], ended))


def mount(size, remount=False):
    os.makedirs("disk", exist_ok=True)
    option = "remount,size=%dk" if remount else "size=%dk"
    return subprocess.run(["mount", "-t", "tmpfs", "-o", option % size, "tmpfs",
                           "disk"], capture_output=True, check=False)


def full(scenario, most):
    scenario.clear()
    if run(scenario.command())[0] != 0:
        complain(scenario.name + ": the run itself")
    whole = scenario.content()
    ended = 0
    sizes = 0
    kib = 4
    step = 4 if most == 0 else 12
    while True:
        where = "%s on a disk of %d KiB" % (scenario.name, kib)
        mount(kib)
        os.chdir("disk")
        try:
            for name in ("net", "a", "b", "train-images", "train-labels",
                         "test-images", "test-labels"):
                if os.path.exists("../" + name):
                    os.symlink("../" + name, name)
            code, error = run(scenario.command())
            sizes += 1
            same = code == 0 and scenario.content() == whole
            if not same:
                ended += 1
                if code != 1 or error.count("\n") != 1:
                    complain("%s: exit code %d: %s" % (where, code, error))
                if leftovers():
                    complain("%s: leaves %s" % (where, leftovers()))
                os.chdir("..")
                mount(65536, True)
                os.chdir("disk")
                recover(scenario, whole, where)
        finally:
            os.chdir("..")
            subprocess.run(["umount", "disk"], check=False)
        if same or kib > 4096:
            break
        kib += step
    print("%s: %d sizes of the disk, %d of them too small; the run was taken up "
          "again" % (scenario.name, sizes, ended))


def short(scenario, helper):
    scenario.clear()
    if run(scenario.command())[0] != 0:
        complain(scenario.name + ": the run itself")
    whole = scenario.content()
    scenario.clear()
    code, error = run(scenario.command(), [helper])
    if code == SKIPPED:
        print("skipped:", error)
        sys.exit(SKIPPED)
    if code != 0 or scenario.content() != whole:
        complain("%s: exit code %d: %s" % (scenario.name, code, error))
    else:
        print("%s: the same files with short calls" % scenario.name)


def prepare(bin_folder, names):
    make_data()
    train = Scenario("train", bin_folder)
    train.out = "net"
    code, error = run(train.command())
    if code != 0:
        complain("no network: " + error)
    if "compare" in names:
        for seed, out in ((1, "a"), (2, "b")):
            attack = Scenario("attack", bin_folder)
            attack.out = out
            attack.arguments = attack.arguments + ["--seed", str(seed)]
            code, error = run(attack.command())
            if code != 0:
                complain("no run to compare: " + error)


def works(command):
    return shutil.which(command[0]) is not None and subprocess.run(
        command, capture_output=True, check=False).returncode == 0


# What the fault needs of the system; a disk of one's own needs a name space.
def demand(fault):
    if fault == "full" and os.environ.get("WSR_FAULTS_INSIDE") is None:
        inside = ["unshare", "-rm"]
        if not works(inside + ["mount", "-t", "tmpfs", "tmpfs", "/mnt"]):
            print("skipped: no disk of its own can be made")
            sys.exit(SKIPPED)
        os.environ["WSR_FAULTS_INSIDE"] = "1"
        os.execvp(inside[0], inside + [sys.executable] + sys.argv)
    if fault not in ("full", "short") and not works(
            STRACE + ["-o", "/dev/null", "true"]):
        print("skipped: strace is missing or may not trace")
        sys.exit(SKIPPED)


def main():
    scratch, bin_folder, fault, most = sys.argv[1:5]
    names = sys.argv[5:] or list(SCENARIOS)
    # A sanitizer cannot look for leaks in a process that is traced.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    os.environ["OMP_WAIT_POLICY"] = "passive"  # no second start
    demand(fault)
    bin_folder = os.path.abspath(bin_folder)
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    os.chdir(scratch)
    prepare(bin_folder, names)
    for name in names:
        scenario = Scenario(name, bin_folder)
        if fault == "short":
            short(scenario, os.path.join(bin_folder, "../tests/short_calls"))
        elif fault == "full":
            full(scenario, int(most))
        else:
            sweep(scenario, fault, int(most))
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
