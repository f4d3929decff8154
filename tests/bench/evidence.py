# SPDX-License-Identifier: Apache-2.0
#
# evidence.py TABLE.jsonl [--found FOUND.jsonl] [--log NAME=log.jsonl]...
#     [--every EPOCHS] OUT.svg
#
# The numbers and the picture of docs/evidence.md: how far the accuracies of a
# table (wsr-search --preset table-nb201) depend on the cell, where cells that
# searches found and that were trained alike stand among the random ones, and how
# searches rank the cells of the table (the lines "ranking" of their logs).

import argparse
import json
import math
import random

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("--found", default=None)
parser.add_argument("--log", action="append", default=[])
parser.add_argument("--every", type=int, default=1)  # epochs between rankings
parser.add_argument("out")
args = parser.parse_args()


def rows_of(path):
    with open(path) as lines:
        events = [json.loads(line) for line in lines]
    return [e for e in events if e["event"] == "row"]


def tau(a, b):
    """Kendall's tau-b."""
    agree = in_a = in_b = 0
    for i in range(len(a)):
        for j in range(i):
            x = (a[i] > a[j]) - (a[i] < a[j])
            y = (b[i] > b[j]) - (b[i] < b[j])
            agree += x * y
            in_a += x != 0
            in_b += y != 0
    return agree / math.sqrt(in_a * in_b) if in_a and in_b else 0


def interval(values, of, draws=1000):
    """95 % percentile bootstrap."""
    rng = random.Random(1)
    drawn = sorted(of([rng.choice(values) for _ in values])
                   for _ in range(draws))
    return drawn[draws // 40], drawn[-1 - draws // 40]


def mean(values):
    return sum(values) / len(values)


rows = rows_of(args.table)
cells = {}
for row in rows:
    cells.setdefault(row["cell"], {})[row["seed"]] = row
seeds = sorted({row["seed"] for row in rows})
repeated = [c for c in cells if len(cells[c]) == len(seeds)]
drawn = [c for c in cells if c.startswith("random_")]
print(f"{len(rows)} networks, {len(cells)} cells, {len(repeated)} of them with "
      f"{len(seeds)} seeds; {mean([r['processor_seconds'] for r in rows]):.1f} s "
      "of a processor each")

# Two-way analysis of variance, as table.md of the run.
measures = [("clean", lambda r: r["clean_accuracy"]),
            ("mean robust", lambda r: r["mean_robust_accuracy"])]
measures += [(f"{eps:g}", lambda r, i=i: r["robust_accuracy"][i])
             for i, eps in enumerate(rows[0]["eps"])]
k, s = len(repeated), len(seeds)
print("| accuracy | mean | cells | seeds | rest | ratio | tau of seeds |")
for name, of in measures:
    x = [[of(cells[c][seed]) for seed in seeds] for c in repeated]
    total = mean([mean(r) for r in x])
    by_cell = [mean(r) for r in x]
    by_seed = [mean([r[j] for r in x]) for j in range(s)]
    ms_cell = s * sum((v - total) ** 2 for v in by_cell) / (k - 1)
    ms_seed = k * sum((v - total) ** 2 for v in by_seed) / (s - 1)
    rest = sum((x[i][j] - by_cell[i] - by_seed[j] + total) ** 2
               for i in range(k) for j in range(s)) / (k - 1) / (s - 1)
    between = max(0, (ms_cell - rest) / s)
    ranks = [tau([r[i] for r in x], [r[j] for r in x])
             for i in range(s) for j in range(i)]
    print(f"| {name} | {total:.3f} | {math.sqrt(between):.4f} | "
          f"{math.sqrt(max(0, (ms_seed - rest) / k)):.4f} | "
          f"{math.sqrt(rest):.4f} | {between / rest:.1f} | "
          f"{mean(ranks):.2f} |")

# Found cells among random ones, with the first seed, which all have.
alone = sorted(cells[c][seeds[0]]["mean_robust_accuracy"] for c in drawn)
found = rows_of(args.found) if args.found else []
for row in found:
    value = row["mean_robust_accuracy"]
    below = sum(v < value for v in alone) + 0.5 * sum(v == value for v in alone)
    print(f"{row['cell']}, seed {row['seed']}: {value:.4f}, percentile "
          f"{100 * below / len(alone):.0f} of {len(alone)}")

# How searches rank the cells.
logs = {}
for spec in args.log:
    name, path = spec.split("=", 1)
    with open(path) as lines:
        logs[name] = [e for e in map(json.loads, lines)
                      if e["event"] == "ranking"]
    for line in logs[name]:
        print(name, line["phase"], line["epoch"],
              {key: round(line[key], 2) for key in line
               if key.endswith(("_tau", "_low", "_high", "_objective"))})

# ------------------------------------------------------------------ picture

INK, GREY = "#333", "#999"
COLOURS = ["#2a6fb0", "#c0562c", "#3a8a52", "#8457a8"]
svg = []


def panel(left, title, x_label, y_label, x_range, y_range):
    """Axes of a panel; returns the functions that place values."""
    def px(v):
        return left + 50 + 230 * (v - x_range[0]) / (x_range[1] - x_range[0])

    def py(v):
        return 250 - 200 * (v - y_range[0]) / (y_range[1] - y_range[0])

    svg.append(f'<text x="{left + 165}" y="22" class="t">{title}</text>')
    svg.append(f'<path d="M{left + 50} 50V250H{left + 280}" class="a"/>')
    for i in range(5):
        x = x_range[0] + (x_range[1] - x_range[0]) * i / 4
        y = y_range[0] + (y_range[1] - y_range[0]) * i / 4
        svg.append(f'<text x="{px(x):.1f}" y="266" class="x">{x:.3g}</text>')
        svg.append(f'<text x="{left + 44}" y="{py(y) + 4:.1f}" class="y">'
                   f'{y:.2g}</text>')
    svg.append(f'<text x="{left + 165}" y="286" class="x">{x_label}</text>')
    svg.append(f'<text x="{left + 50}" y="42" class="l">{y_label}</text>')
    return px, py


values = [of(cells[c][seed]) for of in [measures[1][1]] for c in repeated
          for seed in seeds]
low, high = min(values) - 0.01, max(values) + 0.01
px, py = panel(0, "Three seeds of a cell", "mean robust accuracy, seed 1",
               "seeds 2 and 3", (low, high), (low, high))
svg.append(f'<path d="M{px(low):.1f} {py(low):.1f}L{px(high):.1f} '
           f'{py(high):.1f}" class="a"/>')
for c in repeated:
    one = measures[1][1](cells[c][seeds[0]])
    for j, seed in enumerate(seeds[1:]):
        svg.append(f'<circle cx="{px(one):.1f}" '
                   f'cy="{py(measures[1][1](cells[c][seed])):.1f}" r="4" '
                   f'fill="{COLOURS[j]}" fill-opacity="0.8"/>')

px, py = panel(300, "Random cells, trained alone", "mean robust accuracy",
               "share of the cells below", (min(alone) - 0.01,
                                            max(alone) + 0.01), (0, 1))
svg.append('<path d="M' + "L".join(
    f"{px(v):.1f} {py((i + 0.5) / len(alone)):.1f}"
    for i, v in enumerate(alone)) + f'" fill="none" stroke="{COLOURS[0]}" '
    'stroke-width="2"/>')
for row in found:
    v = min(max(row["mean_robust_accuracy"], alone[0]), alone[-1])
    svg.append(f'<path d="M{px(v):.1f} 250v-200" stroke="{COLOURS[1]}" '
               'stroke-opacity="0.6"/>')

if logs:
    last = max(len(lines) for lines in logs.values())
    px, py = panel(600, "Shared weights rank cells",
                   "epochs of the supernet", "Kendall's tau",
                   (0, (last + 0.5) * args.every), (-1, 1))
    svg.append(f'<path d="M650 {py(0):.1f}h230" class="a" '
               'stroke-dasharray="2"/>')
    for i, (name, lines) in enumerate(logs.items()):
        for j, what in enumerate(("shared", "running")):
            dash = ' stroke-dasharray="5 3"' if j else ""
            points = [(px((n + 1) * args.every), py(line[f"{what}_objective_tau"]))
                      for n, line in enumerate(lines)]
            svg.append('<path d="M' + "L".join(
                f"{x:.1f} {y:.1f}" for x, y in points) + f'" fill="none" '
                f'stroke="{COLOURS[i]}" stroke-width="2"{dash}/>')
            if not j:
                for n, line in enumerate(lines):
                    svg.append(f'<path d="M{px((n + 1) * args.every):.1f} '
                               f'{py(line["shared_low"]):.1f}V'
                               f'{py(line["shared_high"]):.1f}" '
                               f'stroke="{COLOURS[i]}" stroke-opacity="0.4"/>')
        svg.append(f'<text x="780" y="{196 + 16 * i}" class="l" '
                   f'fill="{COLOURS[i]}">{name}</text>')
    svg.append('<text x="780" y="244" class="l">dashed: running</text>')

width = 900 if logs else 600
with open(args.out, "w") as out:
    out.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 300">\n'
        "<style>text{font:12px sans-serif}.t{font-weight:bold;"
        "text-anchor:middle}.x{text-anchor:middle}.y{text-anchor:end}"
        f".a{{stroke:{GREY};fill:none}}</style>\n"
        f'<rect width="{width}" height="300" fill="#fff"/>\n'
        + "\n".join(svg) + "\n</svg>\n")
