#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/packages.sh DIR [bookworm] [trixie]
#
# Makes the packages of Debian and tries them, on Debian 12 (bookworm) and 13
# (trixie), each in systems of its own under DIR, an empty or a new folder
# outside the tree, or one that this script filled before:
#
#   1. the archive of sources is made, unpacked and built without a network;
#   2. the packages are made from that build, and lintian must accept them;
#   3. they are installed in a minimal system, where a search on images runs,
#      programs in C and C++ find the library, and manual pages and completion
#      are there; then they are removed, and leave nothing.
#
# The packages are in DIR/SUITE/src/packages then. Needs root and debootstrap.
# Exits with 77 where such systems cannot be had.
set -eu
script=packages
tree="$(cd "$(dirname "$0")/.." && pwd)"
. "$tree/cmake/debian.sh"

[ $# -ge 1 ] || fail "usage: cmake/packages.sh DIR [bookworm] [trixie]"
begin_systems "$1" "$0" "$@"
shift
[ $# -gt 0 ] || set -- bookworm trixie

# copy_system FROM TO: nothing is mounted there yet.
copy_system()
{
    rm -rf --one-file-system "$2"
    cp -a "$1" "$2"
}

make_packages='
    cd /src/libwsr
    export DEBIAN_FRONTEND=noninteractive
    cmake/setup.sh build || exit 77
    apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
        dpkg-dev file lintian >/dev/null || exit 77

    echo "== sources"
    rm -rf build-sources ../packages
    mkdir ../packages
    cmake --preset package -B build-sources >/dev/null
    (cd build-sources &&
        cpack -G TGZ --config CPackSourceConfig.cmake -B /src/packages) \
        >/dev/null
    rm -rf ../packages/_CPack_Packages build-sources
    mkdir -p ../unpacked
    find ../unpacked -mindepth 2 -maxdepth 2 ! -name "build*" \
        -exec rm -r {} +
    tar -C ../unpacked -xf ../packages/libwsr-*.tar.gz

    echo "== build"
    cd ../unpacked/libwsr-*
    export DEB_BUILD_MAINT_OPTIONS=hardening=+bindnow DEB_CFLAGS_STRIP=-g \
        DEB_CXXFLAGS_STRIP=-g
    eval "$(dpkg-buildflags --export=sh)"
    unshare --net bash -eu -c "
        cmake --preset package >/dev/null
        cmake --build --preset package -- --quiet
        cpack --preset package -B /src/packages >/dev/null"
    rm -rf /src/packages/_CPack_Packages
    echo "== lintian"
    cd /src/packages
    lintian --allow-root --fail-on error,warning *.deb
    ls -sh *.deb *.tar.gz'

try_packages='
    export DEBIAN_FRONTEND=noninteractive
    install="apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends"
    cd /packages
    echo "== install"
    apt-get -qq update || exit 77
    $install ./wsr-tools_*.deb ./libwsr0_*.deb ./wsr-data_*.deb >/dev/null
    ldconfig -p | grep -q libwsr.so.0
    wsr-search --version

    # Small, so that it ends within a minute. The images are another package.
    echo "== search"
    $install dataset-fashion-mnist >/dev/null || exit 77
    cd /root
    wsr-search --preset quick --out run --quiet --set data.limit=600 \
        --set data.test_limit=64 --set supernet.channels=4 \
        --set net.channels=4 --set search.epochs=2 --set search.warm_up=1 \
        --set train.epochs=2 --set eval.count=32
    grep -q "</html>" run/report.html
    wsr-attack --net run/net.safetensors --data fashion-mnist --count 16 \
        --attack fgsm --eps 0.03 --out attacked >/dev/null
    grep -q fgsm attacked/results.csv

    echo "== manual pages, completion"
    $install man-db bash-completion zsh >/dev/null || exit 77
    for page in wsr-search wsr-train wsr-attack wsr-estimate wsr-specs; do
        man "$page" | grep -q "^NAME"
    done
    bash -c "
        . /usr/share/bash-completion/bash_completion
        load=\$(complete -p -D | sed \"s/.*-F \\([^ ]*\\).*/\\1/\")
        \$load wsr-train || true
        COMP_LINE=\"wsr-train --gen\" COMP_POINT=15
        _wsr wsr-train
        [ \"\${COMPREPLY[*]}\" = --genotype ]"
    zsh -f -c "
        autoload -Uz compinit && compinit -u -D
        [[ -n \$_comps[wsr-search] && -n \$_comps[wsr-attack] ]]"

    echo "== programs of others"
    $install /packages/libwsr-dev_*.deb /packages/wsr-doc_*.deb gcc g++ make \
        cmake pkg-config >/dev/null || exit 77
    cp -r /consumer . && cd consumer && cp consumer.c consumer.cpp
    cmake -S . -B build >/dev/null
    cmake --build build >/dev/null
    for language in c cxx; do
        build/$language
    done
    gcc -o c consumer.c $(pkg-config --cflags --libs wsr)
    g++ -o cxx consumer.cpp $(pkg-config --cflags --libs wsr)
    ./c && ./cxx
    cc -o quickstart /usr/share/doc/wsr/examples/quickstart.c \
        $(pkg-config --cflags --libs wsr) -lm

    echo "== removal"
    apt-get -qq -y -o Dpkg::Use-Pty=0 purge libwsr0 libwsr-dev wsr-data \
        wsr-tools wsr-doc >/dev/null
    left=$(find /usr /etc -iname "*wsr*" ! -name wsr-made)
    [ -z "$left" ] || { echo "left behind: $left"; exit 1; }'

for suite; do
    minimal="$dir/$suite-minimal"
    make_system "$suite" "$minimal"
    [ -e "$dir/$suite/etc/wsr-made" ] || copy_system "$minimal" "$dir/$suite"
    copy_system "$minimal" "$dir/$suite-clean"
    echo "== $suite"
    copy_tree "$dir/$suite"
    enter "$dir/$suite" "$make_packages"
    mkdir -p "$dir/$suite-clean/packages" "$dir/$suite-clean/consumer"
    cp "$dir/$suite"/src/packages/*.deb "$dir/$suite-clean/packages"
    cp "$tree/tests/consumer/consumer.c" "$dir/$suite-clean/consumer"
    cat >"$dir/$suite-clean/consumer/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer C CXX)
find_package(wsr REQUIRED)
add_executable(c consumer.c)
add_executable(cxx consumer.cpp)
target_link_libraries(c PRIVATE wsr::wsr)
target_link_libraries(cxx PRIVATE wsr::wsr)
END
    enter "$dir/$suite-clean" "$try_packages"
done
echo "packages: made and tried on $*"
