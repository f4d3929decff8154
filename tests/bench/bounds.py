#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sets the steps of a dumped plan beside what bounds them, kind by kind.

  bench_step arch=1 only=attack dump=1 2> plan.txt
  bounds.py plan.txt GFLOPS GBYTES_PER_S            # as bench_roofline gives them

For each step the larger of two times: its multiply-adds, forward and to the source, and its bytes.
Of those each tensor counts once where it is read and twice where it is written, since lines are
fetched before they are overwritten.  Forward reads the sources and writes the result.  Backward reads
gradient and result, then reads the source and writes its gradient; behind a sum it reads the
gradient and all summands, for the norms before it.  Norms that are part of other steps cost only
what they reduce, which is not bounded here.
"""
import collections, re, sys


def steps(path):
    for line in open(path):
        step = re.match(r"%\d+\s+= (\S+)\s+(\S+)\s+\((\d+(?:, \d+)*)\).*  fwd ([\d.]+) ms  bwd ([\d.]+) ms", line)
        if step:
            madds, mbytes = (re.search(r"  ([\d.]+) " + unit, line) for unit in ("Mmadd", "MB"))
            dst = 4e-6
            for size in step[3].split(", "):
                dst *= int(size)
            yield (step[1] + " " + step[2], float(step[4]) + float(step[5]), float(madds[1]) if madds else 0.0,
                   float(mbytes[1]) if mbytes else 0.0, dst)


def moved(kind, mbytes, dst):
    if kind.startswith("batch_norm"):
        return 0.0
    if kind.startswith("add"):
        return 2 * mbytes + dst
    return (mbytes + dst) + (2 * dst + 3 * (mbytes - dst))


def main():
    path, gflops, gbytes = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    kinds = collections.defaultdict(lambda: [0, 0.0, 0.0, 0.0, 0.0])
    for kind, ms, madds, mbytes, dst in steps(path):
        bounds = 2 * 2 * madds / gflops, moved(kind, mbytes, dst) / gbytes
        for total in kinds[kind], kinds["all"]:
            for i, more in enumerate((1, ms, max(bounds), *bounds)):
                total[i] += more
    print("%-24s %5s %9s %9s %12s %9s" % ("kind", "steps", "ms", "bound", "multiply-add", "bytes"))
    for kind, total in sorted(kinds.items(), key=lambda item: -item[1][1]):
        print("%-24s %5d %9.1f %9.1f %12.1f %9.1f" % (kind, *total))


if __name__ == "__main__":
    main()
