#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# MPICH, version 4.2.1 (Debian 13): a program that calls MPI_Finalize in a
# handler of atexit() which it registered before MPI_Init ends with 0 in every
# rank, but mpirun takes some of them for lost, kills the others and returns 9:
# in 50 to 80 of 100 jobs where this was written. Registered after MPI_Init, the
# same handler is fine. MPICH 4.0.2 and Open MPI take both.
#
# Needs root and debootstrap.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase trixie "$folder/root" >"$folder/log"
chroot "$folder/root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install \
    --no-install-recommends gcc libc6-dev libmpich-dev mpich \
    >"$folder/log" 2>&1
chroot "$folder/root" dpkg-query -W -f '${Package} ${Version}\n' mpich |
    tee "$folder/version"
grep -q ' 4\.3\.0+really4\.2\.1-1' "$folder/version"

cat >"$folder/root/leave.c" <<'END'
#include <mpi.h>
#include <stdlib.h>

static void leave(void)
{
    MPI_Finalize();
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        atexit(leave);
    }
    MPI_Init(NULL, NULL);
    if (argc == 1) {
        atexit(leave);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return 0;
}
END
unshare --mount bash -eu -s "$folder/root" <<'END'
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
chroot "$1" mpicc.mpich /leave.c -o /leave
chroot "$1" bash -eu -c '
for handler in "" before; do
    failed=0
    for i in $(seq 100); do
        mpirun.mpich -n 4 /leave $handler >/out 2>&1 </dev/null ||
            failed=$((failed + 1))
    done
    echo "handler registered ${handler:-after} MPI_Init: $failed of 100 fail"
    if [ -z "$handler" ]; then [ "$failed" = 0 ]; else [ "$failed" -gt 0 ]; fi
done'
END
