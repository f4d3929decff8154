#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/setup.sh [build]
#
# Installs what is missing to build and test libwsr on Debian 12 or 13, as
# root or through sudo; with "build" what only tests need is left out. Where
# nothing is missing it needs neither.
set -eu

packages="gcc g++ cmake ninja-build pkg-config libdnnl-dev libyaml-dev
zlib1g-dev libjansson-dev librandom123-dev libarchive-dev libjpeg62-turbo-dev
libpng-dev libmatio-dev libprotobuf-c-dev protobuf-c-compiler"
if [ "${1:-}" != build ]; then
    packages="$packages check dataset-fashion-mnist clang-format clang-tidy
strace python3 libopenmpi-dev openmpi-bin libmpich-dev mpich"
fi

if ! command -v dpkg-query >/dev/null; then
    echo "setup: not Debian; please install the like of:" $packages >&2
    exit 0
fi

missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
        state=""
    [ "$state" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "setup: nothing is missing"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: missing, and neither root nor sudo:$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "setup: installing$missing"
$as_root apt-get -qq update
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
    $missing >/dev/null
