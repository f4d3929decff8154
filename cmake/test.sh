#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds and passes all tests: first with
# sanitizers, then as released, with the checks of the tree.
set -eu
cd "$(dirname "$0")/.."

step()
{
    echo "== $*"
}

step "set-up"
cmake/setup.sh

for preset in asan release; do
    step "build ($preset)"
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" -- --quiet
    step "test ($preset)"
    ctest --preset "$preset"
done
