#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""links.py ROOT

Links of README.md and docs/ lead to files and headings that exist, numbers of
the README's comparison stand in docs/performance.md, and docs/numbers.md names
every program of tests/bench that measures something."""
import os
import re
import sys

root = sys.argv[1]
failures = 0


def complain(what):
    global failures
    failures += 1
    print(what)


def read(path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def plain(text):
    """Without code blocks and code, which may look like links."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """Names of headings, as web sites make them."""
    text = re.sub(r"^```.*?^```", "", read(path), flags=re.S | re.M)
    heads = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-")
            for h in heads}


def check_links(page):
    n = 0
    for target in re.findall(r"\]\(([^)\s]+)\)", plain(read(page))):
        path, _, anchor = target.partition("#")
        n += 1
        if "://" in target:
            continue
        full = os.path.normpath(os.path.join(os.path.dirname(page), path)) \
            if path else page
        if not os.path.exists(os.path.join(root, full)):
            complain(f"{page}: {target} leads nowhere")
        elif anchor and anchor not in anchors(full):
            complain(f"{page}: {target}: no such heading")
    return n


def check_comparison():
    readme = read("README.md")
    begin = readme.index("| work | libwsr |")
    rows = readme[begin:readme.index("\n\n", begin)].splitlines()[2:]
    source = read("docs/performance.md")
    for row in rows:
        for number in re.findall(r"\b\d+(?:\.\d+)? ?(?:s|MiB|GiB)\b", row):
            value = number.split()[0]
            if not re.search(rf"\b{re.escape(value)}\b", source):
                complain(f"README.md: {number} is not in docs/performance.md")
    if len(rows) < 5:
        complain("README.md: its comparison is gone")


def check_benches():
    page = read("docs/numbers.md")
    for name in sorted(os.listdir(os.path.join(root, "tests/bench"))):
        known = re.match(r"((?:bench|collect|peer)_\w+)\.(c|py|sh)$", name)
        if known and known[1] not in page and \
                known[1] not in ("bench_model", "peer_steps"):
            complain(f"docs/numbers.md does not name {known[1]}")


pages = ["README.md"] + sorted("docs/" + f for f in os.listdir(
    os.path.join(root, "docs")) if f.endswith(".md"))
count = sum(check_links(p) for p in pages)
check_comparison()
check_benches()
print(f"{count} links of {len(pages)} pages, {failures} failures")
sys.exit(failures > 0 or count < 100)
