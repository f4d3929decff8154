#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds, and searches a small robust network on
# Fashion-MNIST; two to three minutes on two cores of a Xeon. The report is
# quick-run/report.html.
set -eu
cd "$(dirname "$0")/.."

echo "== set-up"
cmake/setup.sh
echo "== build"
cmake --preset release >/dev/null
cmake --build --preset release --target wsr-search -- --quiet
echo "== search"
exec build/tools/wsr-search --preset quick --out quick-run
