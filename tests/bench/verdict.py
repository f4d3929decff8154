# SPDX-License-Identifier: Apache-2.0
#
# verdict.py --tool wsr-search --table TABLE.jsonl [--methods A,B] [--first N]
#     [--seeds N] FOLDER
#
# The runs of docs/evidence.md, "The verdict" and "What helped": searches over
# NAS-Bench-201 with several seeds and methods at equal cost, and the cells that
# they found, trained alike. Every run has a folder below FOLDER. A run that is complete is left
# alone and one that was stopped goes on, so that the same command goes on where
# it was stopped. Several of these may work in one FOLDER on different methods or seeds.
#
# The rows of the found cells are in FOLDER/found-*/table.jsonl, their names say
# method and seed; evidence.py --found judges them.

import argparse
import json
import os
import shutil
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--tool", default="wsr-search")
parser.add_argument("--table", required=True)
parser.add_argument("--methods",
                    default="wsr_nas,regularized_evolution,naive,random")
parser.add_argument("--first", type=int, default=1)  # search seed
parser.add_argument("--seeds", type=int, default=5)
args = parser.parse_args()

BUDGET = 505000  # forward-backward passes of each method

# To train a cell for one epoch and to attack it on 500 images.
TRIAL = 2000 * 3 + 500 * 4 * 5
TRIALS = ["table.edge_cases=false", "table.seeds=1", "train.epochs=1",
          "eval.count=500"]
# wsr_nas_trained tries the best candidates of the search of wsr_nas_lstm, for
# what that leaves; random tries random cells for all of it.
CANDIDATES = 5
RANDOM_CELLS = BUDGET // TRIAL

# The supernet is trained alike for all, paths drawn fairly, but for wsr_nas.
SUPERNET = ["search.sampling=fair", "search.warm_up=40", "search.val_batches=2",
            f"search.budget={BUDGET}"]
# Of the preset nb201, on fair paths; it also ranks the cells of the table.
WSR_NAS = [f"search.ranking={os.path.abspath(args.table)}",
           "search.ranking_architectures=100", "search.ranking_every=1000",
           "train.epochs=1", "eval.attack="]
METHODS = {
    # The preset: paths of the training of the supernet are drawn at random.
    "wsr_nas": WSR_NAS + ["search.sampling=searcher"],
    "wsr_nas_fair": WSR_NAS,
    # Attacks at two of the four strengths, the others estimated.
    "two_sources": WSR_NAS + [
        "search.sampling=searcher", "search.sources=[0.03,0.09]",
        "search.targets=[0.06,0.12]"],
    # As it was before the predictor of paths.
    "wsr_nas_lstm": WSR_NAS + [
        f"search.budget={BUDGET - CANDIDATES * TRIAL}",
        "search.architectures=100", "predictor.name=lstm"],
    # One thing taken away from wsr_nas_fair at a time. Without warm-up the
    # supernet trains for as many epochs, and as many architectures are evaluated.
    "without_ranks": WSR_NAS + ["predictor.targets=losses"],
    "without_warm_up": WSR_NAS + ["search.warm_up=0",
                                  "search.architectures=7"],
    "running_norms": WSR_NAS + ["search.norms=released"],
    "regularized_evolution": [
        "searcher.name=regularized_evolution", "searcher.population=20",
        "searcher.tournament=5", "search.population=0",
        "search.architectures=20"],
    "naive": ["searcher.name=naive", "search.population=0",
              "search.val_batches=0"],
}
# Other cells of the searches of wsr_nas_fair, by their place in the order of the
# predictor: the genotype of the alphas has 0.
OTHERS = {"derive_alphas": 0, "derive_predicted": 1}


def run(out, options):
    """A run of the tool, from where it is."""
    log = os.path.join(out, "log.jsonl")
    if os.path.exists(log):
        with open(log) as lines:
            if any('"event":"done"' in line for line in lines):
                return
    if os.path.exists(os.path.join(out, "checkpoint.safetensors")):
        command = [args.tool, "--resume", out]
    else:  # stopped before its first checkpoint, or not begun
        shutil.rmtree(out, ignore_errors=True)
        command = [args.tool, "--out", out] + options
    subprocess.run(command + ["--quiet"], check=True)


def options_of(preset, seed, settings):
    return (["--preset", preset, "--seed", str(seed)] +
            [word for s in settings for word in ("--set", s)])


def lines_of(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def write_genotype(path, text):
    with open(path, "w") as file:
        file.write(f'name: found\ncell: "{text}"\n')
    return path


def search(method, seed):
    """The genotype file that a search with this seed found."""
    out = os.path.join(args.folder, f"{method}-{seed}")
    own = METHODS[method]
    preset = "nb201" if own[:1] == WSR_NAS[:1] else "diagnosis"
    run(out, options_of(preset, seed, ["search.ranking="] + SUPERNET + own))
    return os.path.join(out, "genotype.yaml")


def best_trial(out, settings, seed):
    """The best of cells that are trained a little. It is chosen by test images
    that judge it later as well, which is to its advantage."""
    run(out, options_of("table-nb201", seed, TRIALS + settings))
    best = max(lines_of(os.path.join(out, "table.jsonl")),
               key=lambda row: row["mean_robust_accuracy"])
    return write_genotype(os.path.join(out, "genotype.yaml"), best["genotype"])


def try_random(seed):
    return best_trial(os.path.join(args.folder, f"random-{seed}"),
                      [f"table.random={RANDOM_CELLS}", "table.repeated=0"],
                      100 + seed)


def candidates(method, seed):
    """The genotypes that a search measured at its end, best first."""
    search(method, seed)
    log = lines_of(os.path.join(args.folder, f"{method}-{seed}", "log.jsonl"))
    return [line for line in log if line["event"] == "candidate"]


def try_candidates(seed):
    best = candidates("wsr_nas_lstm", seed)[:CANDIDATES]
    files = [write_genotype(f"candidate-{seed}-{line['place']}.yaml",
                            line["genotype"]) for line in best]
    return best_trial(os.path.join(args.folder, f"wsr_nas_trained-{seed}"),
                      ["table.random=0",
                       "table.genotypes=[" + ",".join(files) + "]"], seed)


def other(method, seed):
    text = next(line["genotype"] for line in candidates("wsr_nas_fair", seed)
                if line["predicted_place"] == OTHERS[method])
    return write_genotype(f"{method}-{seed}.yaml", text)


def find(method, seed):
    if method == "random":
        return try_random(seed)
    if method == "wsr_nas_trained":
        return try_candidates(seed)
    if method in OTHERS:
        return other(method, seed)
    return search(method, seed)


def train(name, genotype):
    """The cell as those of the table are trained, with three seeds."""
    run(os.path.join(args.folder, f"found-{name}"),
        options_of("table-nb201", 1, [
            "table.random=0", "table.edge_cases=false",
            f"table.genotypes=[{genotype}]"]))


os.makedirs(args.folder, exist_ok=True)
os.chdir(args.folder)
args.folder = "."
for seed in range(args.first, args.seeds + 1):
    for method in args.methods.split(","):
        train(f"{method}-{seed}", find(method, seed))
