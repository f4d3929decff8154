# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that need MPI: the libraries that libwsr has a plug-in of and
# whose launcher is there, and how to start N ranks with one.

# have_mpi PLUGINS: names of the MPI libraries; ends the test without any.
have_mpi() {
    mpis=""
    for mpi in openmpi mpich; do
        if [ -e "$1/wsr_comm_$mpi.so" ] && command -v mpirun.$mpi >/dev/null
        then
            mpis="$mpis $mpi"
        fi
    done
    if [ -z "$mpis" ]; then
        echo "skipped: no MPI (neither Open MPI nor MPICH with its headers)"
        exit 77
    fi
    echo "MPI:$mpis"
}

# ranks MPI N COMMAND...: Open MPI refuses more ranks than processors and the
# user root unless it is told otherwise, and binds ranks to processors.
ranks() {
    local mpi=$1 n=$2
    shift 2
    if [ "$mpi" = openmpi ]; then
        mpirun.openmpi --allow-run-as-root --oversubscribe --bind-to none \
            --mca btl_vader_single_copy_mechanism none \
            -n "$n" "$@" </dev/null
    else
        mpirun.mpich -n "$n" "$@" </dev/null
    fi
}

# same WHAT A B
same() {
    cmp -s "$2" "$3" || { echo "$1: $2 and $3 differ" >&2; exit 1; }
}

fail() {
    echo "$*" >&2
    exit 1
}
