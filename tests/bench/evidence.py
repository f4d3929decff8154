# SPDX-License-Identifier: Apache-2.0
#
# evidence.py TABLE.jsonl [--found FOUND.jsonl] [--verdict FOLDER]
#     [--log NAME=log.jsonl]... [--every EPOCHS] [--data DATA.jsonl]
#     [--autoattack TABLE.jsonl] OUT.svg
#
# The numbers and the picture of docs/evidence.md: how far the accuracies of a
# table (wsr-search --preset table-nb201) depend on the cell, where cells that
# searches found and that were trained alike stand among the random ones, how
# methods compare that found cells with the same seeds (verdict.py), and how
# searches rank the cells of the table (the lines "ranking" of their logs). --data
# takes the rows and rankings of --verdict, or gives them where that is not given.
# --autoattack is a table of the same cells and seeds with eval.attack=[pgd:...,
# autoattack]: whether AutoAttack has the same order of cells.

import argparse
import glob
import itertools
import json
import math
import os
import random

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("--found", default=None)
parser.add_argument("--verdict", default=None)
parser.add_argument("--data", default=None)
parser.add_argument("--autoattack", default=None)
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

# The same networks under AutoAttack, fewer images and strengths.


def report_tau(what, pairs):
    of = lambda some: tau([p[0] for p in some], [p[1] for p in some])
    low, high = interval(pairs, of)
    print(f"{what}: {of(pairs):.2f} [{low:.2f}, {high:.2f}] over {len(pairs)}")


def deviation(values):
    return math.sqrt(sum((v - mean(values)) ** 2 for v in values) /
                     (len(values) - 1))


# A row may have one strength or several.
attacked = {}  # strength -> cell -> accuracies by PGD and AutoAttack
images = 0
for row in rows_of(args.autoattack) if args.autoattack else []:
    for i, eps in enumerate(row["eps"]):
        images = row["images"]
        attacked.setdefault(eps, {})[row["cell"]] = (
            row["pgd_accuracy"][i], row["autoattack_accuracy"][i])
first = {c: cells[c][seeds[0]] for c in drawn}  # the networks that they are of
for eps, by_cell in sorted(attacked.items()):
    pgd, strong = zip(*by_cell.values())
    p = mean(strong)
    print(f"{eps:g}, {images} images, {len(strong)} cells: AutoAttack {p:.3f}, "
          f"deviation {deviation(strong):.4f}, PGD {mean(pgd):.3f}, deviation "
          f"{deviation(pgd):.4f}; binomial deviation of AutoAttack "
          f"{math.sqrt(p * (1 - p) / images):.4f}; of the difference "
          f"{deviation([x - y for x, y in by_cell.values()]):.4f}")
    report_tau("  PGD of the table, mean, and AutoAttack",
               [(first[c]["mean_robust_accuracy"], by_cell[c][1])
                for c in by_cell])
    report_tau("  PGD of the table at this strength, and AutoAttack",
               [(first[c]["pgd_accuracy"][first[c]["eps"].index(eps)],
                 by_cell[c][1]) for c in by_cell])
    report_tau("  PGD and AutoAttack, the same images", list(by_cell.values()))
    report_tau("  PGD of the table, mean, and PGD, these images",
               [(first[c]["mean_robust_accuracy"], by_cell[c][0])
                for c in by_cell])
both = [c for c in drawn if attacked and all(c in v for v in attacked.values())]
if both:
    report_tau("PGD of the table, mean, and AutoAttack, mean",
               [(first[c]["mean_robust_accuracy"],
                 mean([v[c][1] for v in attacked.values()])) for c in both])

# Found cells among random ones, with the first seed, which all have.
alone = sorted(cells[c][seeds[0]]["mean_robust_accuracy"] for c in drawn)
found = rows_of(args.found) if args.found else []
for row in found:
    value = row["mean_robust_accuracy"]
    below = sum(v < value for v in alone) + 0.5 * sum(v == value for v in alone)
    print(f"{row['cell']}, seed {row['seed']}: {value:.4f}, percentile "
          f"{100 * below / len(alone):.0f} of {len(alone)}")

# The verdict: rows of cells that methods found, and rankings of their searches.


def read_verdict(folder):
    for path in sorted(glob.glob(os.path.join(folder, "found-*/table.jsonl"))):
        name, search_seed = os.path.basename(
            os.path.dirname(path))[len("found-"):].rsplit("-", 1)
        for row in rows_of(path):
            yield {**row, "cell": f"{name}-{search_seed}", "method": name,
                   "search_seed": int(search_seed)}
    for path in sorted(glob.glob(os.path.join(folder, "*/log.jsonl"))):
        name, search_seed = os.path.basename(
            os.path.dirname(path)).rsplit("-", 1)
        with open(path) as lines:
            for event in map(json.loads, lines):
                if event["event"] in ("ranking", "found"):
                    yield {**event, "method": name,
                           "search_seed": int(search_seed)}


verdict = []
if args.verdict:
    verdict = list(read_verdict(args.verdict))
    if args.data:
        with open(args.data, "w") as file:
            for event in verdict:
                file.write(json.dumps(event) + "\n")
elif args.data:
    with open(args.data) as lines:
        verdict = [json.loads(line) for line in lines]


def percentile(value):
    below = sum(v < value for v in alone) + 0.5 * sum(v == value for v in alone)
    return 100 * below / len(alone)


def sign_flips(differences):
    """Paired permutation test, two-sided: all signs of the differences."""
    seen = abs(sum(differences))
    sums = [abs(sum(s * d for s, d in zip(signs, differences)))
            for signs in itertools.product((1, -1), repeat=len(differences))]
    return sum(v >= seen - 1e-12 for v in sums) / len(sums)


# Of the verdict, in the order of the picture; then what takes something away.
JUDGED = ["wsr_nas", "wsr_nas_fair", "wsr_nas_lstm",
          "regularized_evolution", "naive", "random"]
ORDER = JUDGED + ["wsr_nas_trained", "derive_alphas", "derive_predicted",
                  "without_ranks", "without_warm_up", "running_norms",
                  "two_sources"]
methods = {}  # name -> search seed -> accuracies with the seeds of training
for row in verdict:
    if row["event"] == "row":
        methods.setdefault(row["method"], {}).setdefault(
            row["search_seed"], []).append(row["mean_robust_accuracy"])
methods = {name: methods[name] for name in ORDER if name in methods}
scores = {name: {s: mean([percentile(v) for v in values])
                 for s, values in by_seed.items()}
          for name, by_seed in methods.items()}
if methods:
    print("| method | percentile, search seeds 1 to 5 | mean | interval | "
          "mean robust accuracy |")
for name, by_seed in methods.items():
    own = [scores[name][s] for s in sorted(by_seed)]
    low_end, high_end = interval(own, mean)
    accuracy = mean([mean(v) for v in by_seed.values()])
    networks = sum(len(v) for v in by_seed.values())
    print(f"| {name} | {', '.join(f'{v:.0f}' for v in own)} | "
          f"{mean(own):.0f} | [{low_end:.0f}, {high_end:.0f}] | "
          f"{accuracy:.3f} ({networks} networks) |")
for one, other in itertools.combinations(methods, 2):
    both = sorted(set(methods[one]) & set(methods[other]))
    gains = [mean(methods[one][s]) - mean(methods[other][s]) for s in both]
    print(f"{one} - {other}: {mean(gains):+.4f} over {len(both)} search seeds, "
          f"better in {sum(g > 0 for g in gains)}, p {sign_flips(gains):.2f}")
for name in ORDER:
    for what in ("shared_objective_tau", "running_objective_tau",
                 "predictor_objective_tau", "unseen_objective_tau"):
        taus = [e[what] for e in verdict if e["event"] == "ranking" and
                e["method"] == name and e.get(what) is not None]
        if taus:
            low_end, high_end = interval(taus, mean)
            print(name, what, [round(v, 2) for v in taus],
                  f"mean {mean(taus):.2f} [{low_end:.2f}, {high_end:.2f}]")

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
SHORT = {"wsr_nas": "wsr_nas", "wsr_nas_fair": "fair paths",
         "wsr_nas_lstm": "fair, lstm",
         "regularized_evolution": "evolution", "naive": "naive",
         "random": "random"}
COLOURS = ["#2a6fb0", "#5fa3dd", "#c0562c", "#3a8a52", "#8457a8", "#7a6a20"]
svg = []


def panel(left, title, x_label, y_label, x_range, y_range, numbers=True):
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
        if numbers:
            svg.append(f'<text x="{px(x):.1f}" y="266" class="x">{x:.3g}'
                       '</text>')
        svg.append(f'<text x="{left + 44}" y="{py(y) + 4:.1f}" class="y">'
                   f'{y:.3g}</text>')
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

judged = {name: methods[name] for name in JUDGED if name in methods}
if judged:
    px, py = panel(600, "Cells that were found", "",
                   "percentile among random cells", (0, len(judged)),
                   (0, 100), numbers=False)
    for i, (name, by_seed) in enumerate(judged.items()):
        for s in sorted(by_seed):
            svg.append(f'<circle cx="{px(i + 0.2 + 0.12 * (s - 1)):.1f}" '
                       f'cy="{py(scores[name][s]):.1f}" r="4" '
                       f'fill="{COLOURS[i % 5]}" fill-opacity="0.8"/>')
        svg.append(f'<path d="M{px(i + 0.1):.1f} '
                   f'{py(mean(list(scores[name].values()))):.1f}'
                   f'H{px(i + 0.8):.1f}" stroke="{COLOURS[i % 5]}" '
                   'stroke-width="2"/>')
        svg.append(f'<text x="{px(i + 0.45):.1f}" y="{266 + 12 * (i % 2)}" '
                   f'class="s">{SHORT[name]}</text>')

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

width = 900 if logs or methods else 600
with open(args.out, "w") as out:
    out.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 300">\n'
        "<style>text{font:12px sans-serif}.t{font-weight:bold;"
        "text-anchor:middle}.s{font-size:10px;text-anchor:middle}.x{text-anchor:middle}.y{text-anchor:end}"
        f".a{{stroke:{GREY};fill:none}}</style>\n"
        f'<rect width="{width}" height="300" fill="#fff"/>\n'
        + "\n".join(svg) + "\n</svg>\n")
