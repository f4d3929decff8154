#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""coming_from.py PAGE TOOLS INCLUDE CC SCRATCH

Checks each row of docs/coming-from.md. On the left: names of functions and
parameters exist, as recorded below or as PyTorch itself says where it is
installed. On the right: the command runs on a small network, the C expression
compiles. Numbers on both sides are the same."""
import ast
import inspect
import os
import re
import shlex
import subprocess
import sys
import time

# torchattacks 3.5.1, fra31/auto-attack (autoattack/autoattack.py).
SIGNATURES = """
FGSM(model, eps=0)
BIM(model, eps=0, alpha=0, steps=0)
PGD(model, eps=0, alpha=0, steps=0, random_start=0)
PGDL2(model, eps=0, alpha=0, steps=0, random_start=0, eps_for_division=0)
EOTPGD(model, eps=0, alpha=0, steps=0, eot_iter=0, random_start=0)
TPGD(model, eps=0, alpha=0, steps=0)
FFGSM(model, eps=0, alpha=0)
MIFGSM(model, eps=0, alpha=0, steps=0, decay=0)
NIFGSM(model, eps=0, alpha=0, steps=0, decay=0)
SINIFGSM(model, eps=0, alpha=0, steps=0, decay=0, m=0)
VMIFGSM(model, eps=0, alpha=0, steps=0, decay=0, N=0, beta=0)
VNIFGSM(model, eps=0, alpha=0, steps=0, decay=0, N=0, beta=0)
DIFGSM(model, eps=0, alpha=0, steps=0, decay=0, resize_rate=0, \
diversity_prob=0, random_start=0)
TIFGSM(model, eps=0, alpha=0, steps=0, decay=0, kernel_name=0, len_kernel=0, \
nsig=0, resize_rate=0, diversity_prob=0, random_start=0)
GN(model, std=0)
SPSA(model, eps=0, delta=0, lr=0, nb_iter=0, nb_sample=0, max_batch_size=0)
CW(model, c=0, kappa=0, steps=0, lr=0)
DeepFool(model, steps=0, overshoot=0)
EADL1(model, kappa=0, lr=0, binary_search_steps=0, max_iterations=0, \
abort_early=0, initial_const=0, beta=0)
FAB(model, norm=0, eps=0, steps=0, n_restarts=0, alpha_max=0, eta=0, beta=0, \
verbose=0, seed=0, multi_targeted=0, n_classes=0)
Square(model, norm=0, eps=0, n_queries=0, n_restarts=0, p_init=0, loss=0, \
resc_schedule=0, seed=0, verbose=0)
APGD(model, norm=0, eps=0, steps=0, n_restarts=0, seed=0, loss=0, eot_iter=0, \
rho=0, verbose=0)
APGDT(model, norm=0, eps=0, steps=0, n_restarts=0, seed=0, eot_iter=0, rho=0, \
verbose=0, n_classes=0)
AutoAttack(model, norm=0, eps=0, seed=0, verbose=0, attacks_to_run=0, \
version=0, is_tf_model=0, device=0, log_path=0)
set_mode_targeted_least_likely(kth_min=0, quiet=0)
set_mode_targeted_random(quiet=0)
set_mode_targeted_by_label(quiet=0)
set_normalization_used(mean, std)
run_standard_evaluation(x_orig, y_orig, bs=0, return_labels=0)
run_standard_evaluation_individual(x_orig, y_orig, bs=0, return_labels=0)
"""
# quark0/darts, cnn/train_search.py and cnn/train.py.
DARTS = set("""--init_channels --layers --batch_size --epochs --learning_rate
--learning_rate_min --momentum --weight_decay --train_portion --grad_clip --seed
--arch --auxiliary --auxiliary_weight --drop_path_prob --cutout --cutout_length
""".split())
# Parameters that have another name here; None: compared by hand below.
OURS = {"eot_iter": ("samples", "eot"), "m": ("scales",), "N": ("samples",),
        "resize_rate": ("rate",), "diversity_prob": ("prob",),
        "kernel_name": ("kernel",), "len_kernel": ("length",),
        "nsig": ("sigmas",), "std": ("sigma",), "nb_iter": ("steps",),
        "nb_sample": ("samples",), "binary_search_steps": ("search",),
        "max_iterations": ("steps",), "initial_const": ("c",),
        "n_restarts": ("restarts",), "alpha_max": ("alpha",),
        "n_queries": ("queries",), "p_init": ("p",),
        "resc_schedule": ("rescale",)}
SAME_NAMES = {"multi_targeted", "attacks_to_run"}  # they choose the attack

failures = 0
ran = 0


def complain(row, what):
    global failures
    failures += 1
    print(f"{row}\n    {what}")


def rows_of(page):
    """(section, left, right): the code of the first two cells of each row."""
    section = ""
    for line in page.splitlines():
        section = line[3:] if line.startswith("## ") else section
        cells = re.match(r"\| `([^`]+)`[^|]*\| `([^`]+)`[^|]*\|$", line)
        if cells:
            yield section, cells[1], cells[2]


def recorded():
    known = {}
    for line in SIGNATURES.strip().splitlines():
        f = ast.parse(f"def {line}: pass").body[0]
        known[f.name] = [a.arg for a in f.args.args]
    return known


def call_of(text):
    node = ast.parse(text).body[-1].value
    name = node.func.attr if isinstance(node.func, ast.Attribute) else \
        node.func.id
    return name, node


def value(text):
    """A number where it is one, 2/255 too; else the word."""
    text = str(text).strip("'\"").lower()
    try:
        return float(eval(text, {"__builtins__": {}}))
    except (NameError, SyntaxError, TypeError):
        return text


def options_of(command):
    """Options of the attack, of --set and the plain ones, as one dict."""
    words = shlex.split(command)
    found = {}
    for i, word in enumerate(words):
        after = words[i + 1] if i + 1 < len(words) else ""
        if word == "--attack" and ":" in after and "[" not in after:
            found.update(p.split("=", 1)
                         for p in after.split(":", 1)[1].split(","))
        elif word == "--set":
            key, text = after.split("=", 1)
            found[key.split(".")[-1]] = text
        elif word.startswith("--"):
            found[word[2:]] = after
    return found


def compare(row, key, theirs, right, whole):
    """A parameter on the left has its value on the right."""
    names = OURS.get(key, (key,))
    mine = next((right[n] for n in names if n in right), None)
    if key in SAME_NAMES or (key == "loss" and "apgd" in whole) or \
            (key in ("norm", "version") and "chain" in whole):
        return
    if key == "alpha" and "ffgsm" in whole:  # ours is in strengths
        theirs, mine = value(theirs) / (8 / 255), mine
    if mine is None or value(mine) != value(theirs):
        complain(row, f"{key}={theirs} is {mine} on the right")


def check_call(row, left, command):
    name, node = call_of(left)
    known = recorded().get(name)
    if known is None:
        return complain(row, f"{name} is not known")
    if len(node.args) > len(known):
        complain(row, f"{name} has {len(known)} parameters")
    right = options_of(command)
    for k in node.keywords:
        if k.arg not in known:
            complain(row, f"{name} has no parameter {k.arg}")
        if k.arg == "bs":
            compare(row, "batch", ast.unparse(k.value), right, command)
        elif k.arg in ("mean", "std") and name.startswith("set_"):
            if ast.literal_eval(k.value) != ast.literal_eval(right[k.arg]):
                complain(row, f"{k.arg} differs")
        else:
            compare(row, k.arg, ast.unparse(k.value), right, command)


def check_darts(row, left, command):
    words = left.split()
    right = [value(v) for v in options_of(command).values()]
    for i, word in enumerate(words):
        if word.startswith("--") and word not in DARTS:
            complain(row, f"DARTS has no {word}")
        elif not word.startswith("--") and i > 0 and \
                value(word) not in right and word not in command:
            complain(row, f"{word} is not on the right")


def check_torch(row, left):
    """PyTorch's own signature takes the arguments."""
    try:
        import torch
        import torch.utils.data  # noqa: F401
    except ImportError:
        return False
    node = ast.parse(left).body[-1].value
    if not left.startswith("torch."):
        return True
    path = ast.unparse(node.func).split(".")[1:]
    thing = torch
    for part in path:
        thing = getattr(thing, part)
    try:
        inspect.signature(thing).bind(
            *[None for _ in node.args], **{k.arg: None for k in node.keywords})
    except TypeError as e:
        complain(row, f"PyTorch: {e}")
    except ValueError:
        pass  # a builtin without a signature
    return True


def run(row, words):
    global ran
    start = time.time()
    done = subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    ran += 1
    if os.environ.get("TIMES"):
        print(f"{time.time() - start:.2f} s: {row[:100]}")
    if done.returncode != 0:
        complain(row, done.stdout.strip())


def small(tools, words, net):
    """The command on synthetic images and a small network."""
    tool = os.path.join(tools, words[0])
    words = [net if w == "NET" else w for w in words]
    words = [w.replace("=NET", "=" + net) for w in words]
    if words[0] == "wsr-attack":
        return [tool, "--quiet", "--net", net, "--data", "synthetic:size=16",
                "--count", "1", "--threads", "1",
                *words[1:]]
    size = "" if "net.auxiliary=true" in words else ":size=16"
    sizes = ["--data", "synthetic" + size, "--dry-run", "--quiet",
             "--out", net + ".unused"]
    for key in ("net.channels=4", "net.layers=2", "data.limit=64",
                "data.test_limit=64"):
        sizes += ["--set", key]
    if words[0] == "wsr-search":
        for key in ("supernet.channels=4", "supernet.layers=2",
                    "search.batch=16"):
            sizes += ["--set", key]
    if "train.init=" + net in words:
        sizes += ["--set", "train.epochs=1"]
    return [tool, *words[1:], *sizes]


def make_net(tools, scratch):
    folder = os.path.join(scratch, "net")
    subprocess.run([os.path.join(tools, "wsr-train"), "--quiet", "--out",
                    folder, "--genotype", "cna_r", "--data",
                    "synthetic:size=16"] +
                   [w for s in ("net.channels=4", "net.layers=2",
                                "data.limit=256", "data.test_limit=8",
                                "train.epochs=3", "train.batch=16",
                                "train.trainer=natural", "train.eval_every=0",
                                "eval.attack=") for w in ("--set", s)],
                   check=True)
    return os.path.join(folder, "net.safetensors")


def compile_c(expressions, include, cc, scratch):
    """Each is an expression of a type that the library returns."""
    path = os.path.join(scratch, "page.c")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#include <wsr.h>\n"
                "void page(float *logits, wsr_model *model, wsr_net *net,\n"
                "          wsr_optim *optim, const float *images,\n"
                "          const int32_t *labels, const char *path);\n"
                "void page(float *logits, wsr_model *model, wsr_net *net,\n"
                "          wsr_optim *optim, const float *images,\n"
                "          const int32_t *labels, const char *path)\n{\n"
                "    size_t n = 1;\n    double lr = 0.1;\n    double norm;\n"
                "    wsr_attack *attack = NULL;\n"
                "    wsr_attack_result *result = NULL;\n")
        for e in expressions:
            returns = "wsr_params_zero_grad" not in e and \
                "set_statistics" not in e
            f.write(f"    {'if (' if returns else ''}{e}"
                    f"{') { n++; }' if returns else ';'}\n")
        f.write("}\n")
    run("C", [cc, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
              "-I", include, path])


def main():
    page, tools, include, cc, scratch = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    os.chdir(scratch)
    subprocess.run(["rm", "-rf", os.path.join(scratch, "net")], check=True)
    net = make_net(tools, scratch)
    expressions = []
    together = {}  # commands of a section, as one
    torch = True
    with open(page, encoding="utf-8") as f:
        rows = list(rows_of(f.read()))
    for section, left, right in rows:
        row = f"| {left} | {right} |"
        if right.startswith("wsr_"):
            expressions.append(right)
            if left.startswith("torch.nn"):
                torch &= check_torch(row, left)
            continue
        if section in ("torchattacks", "AutoAttack"):
            check_call(row, left, right)
            right = "wsr-attack " + right
        elif section == "DARTS":
            check_darts(row, left, right)
        else:
            torch &= check_torch(row, left)
        words = shlex.split(right)
        if words[0] == "wsr-attack" or "train.init=NET" in words:
            run(row, small(tools, words, net))
        else:  # runs of minutes by themselves; keys of a section differ
            together.setdefault((section, words[0]), [words[0]]).extend(
                words[1:])
    for (section, tool), words in together.items():
        run(f"{section}: {tool}", small(tools, words, net))
    compile_c(expressions, include, cc, scratch)
    if not torch:
        print("PyTorch is absent: its signatures were not asked")
    print(f"{len(rows)} rows, {ran} runs, {failures} failures")
    sys.exit(failures > 0 or len(rows) < 50)


main()
