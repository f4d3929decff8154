# SPDX-License-Identifier: Apache-2.0
#
# Systems of Debian in folders, for the scripts that read this file. They set
# `script`, their name, and `tree`, the folder of this project. Needs root and
# debootstrap. A script exits with 77 where such a system cannot be had.

fail()
{
    echo "$script: $*" >&2
    exit 1
}

cannot()
{
    echo "$script: $*" >&2
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

# begin_systems DIR COMMAND...: checks that systems can be made in DIR, and
# sets `dir` to its path. The command is the script's own: it starts once more
# with mounts that nobody else sees, which end with the last process that does.
begin_systems()
{
    [ "$(id -u)" -eq 0 ] || cannot "a system of its own takes root"
    command -v debootstrap >/dev/null || cannot "please install debootstrap"
    mkdir -p "$1"
    dir="$(cd "$1" && pwd)"
    case "$dir/" in
    "$tree"/*) fail "$dir lies in the tree" ;;
    esac
    shift
    if [ "${WSR_UNSHARED:-}" != yes ]; then
        unshare --mount true || cannot "mounts are not allowed here"
        WSR_UNSHARED=yes exec unshare --mount "$@"
    fi
}

# make_system SUITE ROOT: a minimal system in an empty or a new folder, or one
# that was made before. A folder without the mark is not ours, or was left half
# made.
make_system()
{
    mkdir -p "$2"
    [ ! -e "$2/etc/wsr-made" ] || return 0
    [ -z "$(ls -A "$2")" ] || fail "$2 is neither empty nor finished"
    echo "== system ($1)"
    debootstrap --variant=minbase "$1" "$2" "$(mirror)" >"$2.log" ||
        cannot "debootstrap failed: $2.log"
    rm "$2.log"
    touch "$2/etc/wsr-made"
}

# copy_tree ROOT: the tree in /src/libwsr of a system, where build folders are
# kept: the next run builds what changed. Reference files beside the tree are
# lent to it.
copy_tree()
{
    local copy="$1/src/libwsr"
    mkdir -p "$copy"
    find "$copy" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -r {} +
    tar -C "$tree" --exclude='./build*' --exclude=./.git -c . |
        tar -C "$copy" -x
    if [ -d "$tree/../shared" ]; then
        mkdir -p "$1/src/shared"
        lend --bind "$(realpath "$tree/../shared")" "$1/src/shared"
    fi
}

# enter ROOT SCRIPT [ARGUMENT...]: runs a script of bash in a system.
enter()
{
    local root=$1
    shift
    mountpoint -q "$root/proc" || lend -t proc proc "$root/proc"
    mountpoint -q "$root/sys" || lend --rbind /sys "$root/sys"
    mountpoint -q "$root/dev" || lend --rbind /dev "$root/dev"
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -eu -c "$@"
}
