#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/debian13.sh DIR
#
# Builds and tests a copy of the tree on Debian 13, whose oneDNN is version 3,
# in a system of its own in DIR: an empty or a new folder outside the tree, or
# one that this script filled before. Needs root and debootstrap. Reference
# files beside the tree are lent to the tests. What it mounts goes with it.
# Exits with 77 where such a system cannot be had.
set -eu
script=debian13
tree="$(cd "$(dirname "$0")/.." && pwd)"
. "$tree/cmake/debian.sh"

[ $# -eq 1 ] || fail "usage: cmake/debian13.sh DIR"
begin_systems "$1" "$0" "$1"
make_system trixie "$dir"
echo "== copy"
copy_tree "$dir"
enter "$dir" '
    cd /src/libwsr
    echo "== set-up"
    cmake/setup.sh || exit 77
    # For one test, which is skipped otherwise.
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install \
        --no-install-recommends abigail-tools xz-utils >/dev/null ||
        echo "debian13: no abigail-tools, the test of the ABI is skipped"
    echo "== build"
    cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr/local >/dev/null
    cmake --build --preset release -- --quiet
    echo "== test"
    exec ctest --preset release'
