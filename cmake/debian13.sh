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
suite=trixie
tree="$(cd "$(dirname "$0")/.." && pwd)"

fail()
{
    echo "debian13: $*" >&2
    exit 1
}

cannot()
{
    echo "debian13: $*" >&2
    exit 77
}

lend()
{
    mount "$@" || cannot "mounts are not allowed here"
}

# The first mirror of Debian that apt uses here, else the usual one.
mirror()
{
    local found
    found="$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' \
        2>/dev/null | head -n 1)" || found=""
    echo "${found:-http://deb.debian.org/debian}"
}

[ $# -eq 1 ] || fail "usage: cmake/debian13.sh DIR"
[ "$(id -u)" -eq 0 ] || cannot "a system of its own takes root"
command -v debootstrap >/dev/null || cannot "please install debootstrap"
mkdir -p "$1"
root="$(cd "$1" && pwd)"
case "$root/" in
"$tree"/*) fail "$root lies in the tree" ;;
esac

# Mounts that nobody else sees end with the last process that does.
if [ "${WSR_UNSHARED:-}" != yes ]; then
    unshare --mount true || cannot "mounts are not allowed here"
    WSR_UNSHARED=yes exec unshare --mount "$0" "$root"
fi

# A folder without the mark is not ours, or was left half made.
made="$root/etc/wsr-made"
if [ ! -e "$made" ]; then
    [ -z "$(ls -A "$root")" ] || fail "$root is neither empty nor finished"
    echo "== Debian 13"
    debootstrap --variant=minbase "$suite" "$root" "$(mirror)" >"$root.log" ||
        cannot "debootstrap failed: $root.log"
    rm "$root.log"
    touch "$made"
fi

# The build folder in the copy is kept: the next run builds what changed.
echo "== copy"
copy="$root/src/libwsr"
mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -r {} +
tar -C "$tree" --exclude='./build*' --exclude=./.git -c . | tar -C "$copy" -x
if [ -d "$tree/../shared" ]; then
    mkdir -p "$root/src/shared"
    lend --bind "$(realpath "$tree/../shared")" "$root/src/shared"
fi
lend -t proc proc "$root/proc"
lend --rbind /dev "$root/dev"

exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -eu -c '
        cd /src/libwsr
        echo "== set-up"
        cmake/setup.sh || exit 77
        echo "== build"
        cmake --preset release >/dev/null
        cmake --build --preset release -- --quiet
        echo "== test"
        exec ctest --preset release'
