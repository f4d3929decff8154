#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/reports.sh [DIR [BUILD]]
#
# Makes a report of each kind with the programs of BUILD (default: build), and
# looks at them in headless Chromium: axe finds nothing, nothing is cut off, all
# files that can be saved are whole (tests/report/look.js). Pictures at three
# widths, light and dark, and PDFs are left in DIR/looks. Exit code 77: no
# Chromium, Node.js or npm here, or no way to the packages of npm.
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
echo "pictures of the reports: $dir/looks"
