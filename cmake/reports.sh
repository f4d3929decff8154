#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/reports.sh [DIR [BUILD]]
#
# Makes a report of each kind with the programs of BUILD (default: build), and
# looks at them in headless Chromium: axe finds nothing, nothing is cut off, all
# files that can be saved are whole (tests/report/look.js), LaTeX compiles their
# tables where it is installed (Debian: texlive-latex-recommended). Pictures at
# three widths, light and dark, PDFs and the saved files are left in DIR/looks.
# Exit code 77: no Chromium, Node.js or npm here, or no way to the packages of
# npm.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-$(mktemp -d)}
build=${2:-build}

skip()
{
    echo "reports: not looked at: $1"
    exit 77
}

for program in chromium node npm; do
    command -v "$program" >/dev/null || skip "there is no $program"
done
mkdir -p "$dir/npm"
dir=$(cd "$dir" && pwd)
npm install --silent --no-audit --no-fund --prefix "$dir/npm" \
    puppeteer-core@24.43.1 axe-core@4.14.1 >"$dir/npm.txt" 2>&1 ||
    skip "npm cannot install puppeteer-core and axe-core"

rm -rf "$dir/runs"
sh tests/report/pages.sh "$dir/runs" "$build/tools"
NODE_PATH="$dir/npm/node_modules" CHROMIUM=$(command -v chromium) \
    node tests/report/look.js "$dir/looks" "$dir"/runs/[!s]*/report.html \
        "$dir/runs/search/report.html"

if command -v pdflatex >/dev/null && kpsewhich booktabs.sty >/dev/null; then
    cd "$dir/looks"
    tables=0
    for table in *.tex; do
        printf '%s\n' '\documentclass{article}' '\usepackage{booktabs}' \
            '\begin{document}' "\\input{$table}" '\end{document}' >table
        pdflatex -interaction=batchmode -halt-on-error \
            -jobname="${table%.tex}" table >/dev/null || {
            echo "reports: LaTeX does not take $table" >&2
            grep -A 3 '^!' "${table%.tex}.log" >&2
            exit 1
        }
        tables=$((tables + 1))
    done
    rm -f table ./*.aux ./*.log
    [ "$tables" -gt 0 ] || { echo "reports: no table for LaTeX" >&2; exit 1; }
    echo "LaTeX took $tables tables"
else
    echo "reports: no LaTeX here, tables are not compiled"
fi
echo "pictures of the reports: $dir/looks"
