#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Parts of cmake/site.sh.

site.py pages OUT BUILD     pages for Doxygen in OUT: README, docs, tutorials
                             from the examples, references from the registry
site.py filter HEADER        a public header as Doxygen shall read it
site.py check XML            every public function says what it must"""
import glob
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = ("wsr-attack", "wsr-train", "wsr-search", "wsr-estimate")
GUIDES = ("programs", "coming-from", "attacks", "trainers", "searchers",
          "estimators", "predictors", "augmentations", "corruptions",
          "hessian", "onnx", "protocol", "from-c", "formats", "json", "cluster")
EVIDENCE = ("numbers", "performance", "golden", "robustness", "reproducing",
            "cifar10-training", "fidelity", "memory", "evidence", "fuzzing")
INSIDE = ("architecture", "conventions", "adding-a-variant", "ops", "abi",
          "packages")
EXAMPLES = ("quickstart", "evaluation", "autoattack", "own_model",
            "own_training", "own_search", "tiny_search", "serve")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


# ---------------------------------------------------------------- Markdown

def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def label(page, heading=""):
    """A name that Doxygen takes: letters, digits and underscores."""
    return re.sub(r"\W", "_", f"page_{page}_{heading}".rstrip("_"))


def link(text, page, target, pages):
    """A Markdown link as one inside the site, or its text alone."""
    path, _, anchor = target.partition("#")
    if "://" in target:
        return f"[{text}]({target})"
    name = os.path.splitext(os.path.basename(path))[0] if path else page
    if path == "examples":
        name = "tutorials"
    elif "examples/" in path and name in EXAMPLES and path.endswith(".c"):
        name = f"example_{name}"
    elif path and not path.endswith(".md"):
        return text
    if name not in pages:
        raise SystemExit(f"site: {page}: {target} leads nowhere")
    return f"[{text}](@ref {label(name, anchor)})"


def code_span(span):
    """Doxygen takes a backslash for a command, in code too."""
    if "\\" not in span:
        return span
    text = span[1:-1].replace("&", "&amp;").replace("<", "&lt;").replace(
        "\\", "\\\\").replace('"', "&quot;")
    return f"<code>{text}</code>"


def convert(page, text, pages):
    """Headings get labels, links lead inside the site; code stays."""
    out = []
    first = True
    for block in re.split(r"(^```.*?^```$)", text, flags=re.S | re.M):
        if block.startswith("```"):
            out.append(re.sub(r"^```(\w+)", lambda m: {
                "sh": "```{.sh}", "c": "```{.c}", "py": "```{.py}",
            }.get(m[1], "```{.txt}"), block))
            continue

        def head(m):
            nonlocal first
            name = label(page) if first else label(page, slug(m[2]))
            first = False
            return f"{m[1]} {m[2]} {{#{name}}}"
        block = re.sub(r"^(#+) (.*)$", head, block, flags=re.M)
        # A link may be broken over two lines. Pictures are those of
        # HTML_EXTRA_FILES.
        block = re.sub(r"!\[([^\]]*?)\]\(([^)\s]+)\)", lambda m: '<img src="' +
                       os.path.basename(m[2]) + '" alt="' +
                       m[1].replace("\n", " ") + '"/>', block)
        block = re.sub(r"\[([^\]]*?)\]\(([^)\s]+)\)", lambda m: link(
            m[1].replace("\n", " "), page, m[2], pages), block)
        # "@" and "\" are commands of Doxygen, "<" begins tags.
        parts = re.split(r"(`[^`]*`)", block)
        block = "".join(code_span(p) if p.startswith("`") else
                        re.sub(r"@(?!ref )", "\\\\@", p) for p in parts)
        out.append(block)
    return "".join(out)


# --------------------------------------------------------------- tutorials

def tutorial(name):
    """Comments at the beginning of a line are the text, the rest the code."""
    lines = read(f"{ROOT}/examples/{name}.c").split("\n")[2:]  # licence, "//"
    out = [f"# Tutorial: {name.replace('_', ' ')}", ""]
    code = []

    def flush():
        while code and not code[0].strip():
            code.pop(0)
        while code and not code[-1].strip():
            code.pop()
        if code:
            out.extend(["", "```c", *code, "```", ""])
        code.clear()
    for line in lines:
        rule = re.match(r"// -+ (.*)$", line)
        if rule:
            flush()
            out.extend(["", f"## {rule[1].capitalize()}", ""])
        elif line.startswith("//"):
            flush()
            command = line.startswith("//   ")
            out.append("    " + line[5:] if command else line[3:])
        else:
            code.append(line)
    flush()
    out.append(f"This page is the file `examples/{name}.c`, which the tests "
               "compile and run.")
    return "\n".join(out) + "\n"


# --------------------------------------------------------------- references

def references(build):
    """(page, text): families of the registry, options of the programs."""
    program = f"{build}/tests/reference"
    names = subprocess.run([program], check=True, capture_output=True,
                           text=True).stdout.split("\n")
    for family in filter(None, names):
        if family != "op":  # docs/ops.md
            text = subprocess.run([program, family], check=True,
                                  capture_output=True, text=True).stdout
            yield "reference_" + family.replace(" ", "_"), text
    for tool in TOOLS:
        text = subprocess.run([f"{build}/tools/{tool}", "--help", "all"],
                              check=True, capture_output=True, text=True).stdout
        yield "options_" + tool, \
            f"# Options of {tool}\n\nWhat `{tool} --help all` prints.\n\n" \
            f"```txt\n{text}```\n"


def contents(pages):
    """The first page: what there is, in groups."""
    def group(title, names):
        lines = "".join(f"- [{heading_of(pages[n])}](@ref {label(n)})\n"
                        for n in names)
        return f"## {title}\n\n{lines}\n"
    readme = pages["README"]
    begin = readme.index("\n\n") + 2
    intro = readme[begin:readme.index("## Two commands")]
    refs = sorted(n for n in pages if n.startswith(("reference_", "options_")))
    return convert("index", "# libwsr\n\n" + intro, pages).replace(
        f"{{#{label('index')}}}", "{#mainpage}") + \
        group("Begin", ["README", "tutorials"]) + \
        group("Guides", GUIDES) + group("Evidence", EVIDENCE) + \
        group("Inside", INSIDE) + group("References", refs) + \
        "Every public function, by header: [files](files.html).\n"


def heading_of(text):
    title = re.search(r"^# (.*)$", text, flags=re.M)[1]
    return "README" if title.startswith("libwsr: ") else title


def make_pages(out, build):
    os.makedirs(out, exist_ok=True)
    pages = {"README": read(f"{ROOT}/README.md")}
    for path in sorted(glob.glob(f"{ROOT}/docs/*.md")):
        pages[os.path.basename(path)[:-3]] = read(path)
    for name in EXAMPLES:
        pages[f"example_{name}"] = tutorial(name)
    pages.update(references(build))
    pages["tutorials"] = "# Tutorials\n\nWhole programs, text and code from " \
        "one file each.\n\n" + "".join(
            f"- [{n.replace('_', ' ')}](examples/{n}.c)\n" for n in EXAMPLES)
    listed = set(GUIDES + EVIDENCE + INSIDE) | {"README", "tutorials"}
    for name in pages:
        if name not in listed and not name.startswith(
                ("example_", "reference_", "options_")):
            raise SystemExit(f"site: docs/{name}.md is in no group")
    for name, text in pages.items():
        write(f"{out}/{name}.md", convert(name, text, pages))
    write(f"{out}/index.md", contents(pages))
    print(f"site: {len(pages)} pages")


# ------------------------------------------------------------------ headers

def sources():
    """Where each public function is defined: name -> file."""
    found = {}
    for path in glob.glob(f"{ROOT}/libwsr/*/**/*.c", recursive=True):
        for m in re.finditer(r"^\w[^;{}()=]*?\b(wsr_[a-z0-9_]+)\(", read(path),
                             flags=re.M):
            found.setdefault(m[1], os.path.relpath(path, ROOT))
    return found


def filter_header(path):
    """The comment at the top becomes that of the file; every function names
    the file that defines it."""
    text = read(path)
    head = re.match(r"// SPDX[^\n]*\n//\n((?://[^\n]*\n)+)", text)
    where = sources()
    name = "wsr/" + os.path.basename(path) if "/wsr/" in path else \
        os.path.basename(path)
    about = re.sub(r"^// ?", " * ", head[1], flags=re.M)
    body = text[head.end():]

    def add(m):
        file = where.get(m[3])
        if file is None:
            return m[0]
        doc = re.sub(r"\s*\*/\s*$", "", m[1])
        return f"{doc}\n * @par Source\n * `{file}`\n */\n{m[2]}"
    body = re.sub(r"(/\*\*(?:(?!\*/).)*\*/\n)(WSR_API[^;{]*?\b(wsr_[a-z0-9_]+)"
                  r"\()", add, body, flags=re.S)
    sys.stdout.write(f"/**\n * @file {name}\n{about} */\n{body}")


def texts(node, path):
    return ["".join(n.itertext()) for n in node.iterfind(path)]


def gaps_of(function):
    """What the documentation of a function leaves out."""
    name = function.findtext("name")
    params = [("".join(p.find("type").itertext()), p.findtext("declname"))
              for p in function.findall("param") if p.find("type") is not None]
    known = {n.text for n in function.iter("parametername")}
    returns = ["".join(n.itertext()) for n in function.iter("simplesect")
               if n.get("kind") == "return"]
    pars = ["".join(n.itertext()) for n in function.iter("simplesect")
            if n.get("kind") == "par"]
    result = "".join(function.find("type").itertext())
    about = "".join(function.find("briefdescription").itertext()) + \
        "".join(function.find("detaileddescription").itertext())
    gaps = [] if about.strip() else ["what it does"]
    for kind, param in params:
        noun = kind.replace("const", "").replace("*", "").strip()
        handle = noun.startswith("wsr_") and kind.count("*") == 1 and (
            name.startswith(noun) or len(params) == 1)
        if param and not handle and param not in known and \
                not name.endswith("_free"):
            gaps.append(f"the parameter {param}")
    if "wsr_status" in result and not returns:
        gaps.append("its errors")
    if "*" in result and not any("[" in r for r in returns):
        gaps.append("who owns what it returns")
    if not any(".c" in p for p in pars):
        gaps.append("its source")
    return gaps


def check(folder):
    count = wrong = 0
    for path in sorted(glob.glob(f"{folder}/*_8h.xml")):
        for member in xml.parse(path).getroot().iter("memberdef"):
            if member.get("kind") == "function":
                count += 1
                gaps = gaps_of(member)
                wrong += len(gaps) > 0
                if gaps:
                    print(f"{member.findtext('name')}() does not say: "
                          + ", ".join(gaps))
    print(f"site: {count} functions, {wrong} with gaps")
    return wrong > 0 or count < 300


def main():
    if sys.argv[1] == "pages":
        make_pages(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "filter":
        filter_header(sys.argv[2])
    else:
        sys.exit(check(sys.argv[2]))


main()
