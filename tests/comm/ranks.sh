#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ranks.sh PLUGINS PROGRAM: sums in the tree have the same bits on 1 to 4 ranks
# of each MPI, also in several buckets that begin one by one, and where parts advance together; a failure of one rank or part is
# that of all, in one line; a rank that is killed ends all within seconds.
set -eu
. "$(dirname "$0")/mpi.sh"
have_mpi "$1"
program=$2

for parts in "4 4" "8 8" "8 5" "7 7"; do
    for floats in 1 1000 9000 700001; do
        want=$("$program" $parts $floats)
        for mpi in $mpis; do
            for n in 2 3 4; do
                # Before it, an MPI may say what it thinks of the machine.
                got=$(ranks "$mpi" $n "$program" $parts $floats) ||
                    fail "$mpi, $n ranks, $parts: failed"
                got=${got##*$'\n'}
                [ "$got" = "$want" ] ||
                    fail "$mpi, $n ranks, $parts x $floats: $got, not $want"
            done
        done
    done
    [ "$parts" != "4 4" ] || other=$want
done
[ "$want" != "$other" ] || fail "all sums are the same"

# Parts that advance together: the same bits, and one failure for all.
for parts in 4 7; do
    want=$("$program" $parts together 99 0)
    for mpi in $mpis; do
        for n in 2 3 4; do
            got=$(ranks "$mpi" $n "$program" $parts together 99 0)
            [ "${got##*$'\n'}" = "$want" ] ||
                fail "$mpi, $n ranks, $parts parts together: $got, not $want"
            for round in 0 2; do
                got=$(ranks "$mpi" $n "$program" $parts together 3 $round \
                    2>/dev/null || true)
                [ "${got/part 3 is not finite/}" != "$got" ] ||
                    fail "$mpi, $n ranks: '$got' does not name part 3"
            done
            got=$(ranks "$mpi" $n "$program" $parts together 3 early \
                2>/dev/null || true)
            [ "${got/1 of $parts parts are done/}" != "$got" ] ||
                fail "$mpi, $n ranks: '$got' is no mismatch"
        done
    done
done

for mpi in $mpis; do
    got=$(ranks "$mpi" 3 "$program" fail 1 2>/dev/null || true)
    got=${got##*$'\n'}
    [ "$got" = "rank 1: not finite" ] || fail "$mpi: '$got' is no one line"
    begun=$(date +%s)
    # MPICH 4.2 may call this a success: the program's words count.
    got=$(ranks "$mpi" 3 "$program" die 1 2>/dev/null) &&
        [ "$mpi" != mpich ] && fail "$mpi: a killed rank is no success"
    case $got in
        *agreed*) fail "$mpi: the others agreed: $got" ;;
        *begun*) ;;
        *) fail "$mpi: '$got', the job did not begin" ;;
    esac
    [ $(($(date +%s) - begun)) -le 20 ] || fail "$mpi: the others went on"
    # What is not known to all ends all.
done

# Started by a launcher, but without its plug-in.
got=$(OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 WSR_MPI=none \
    "$program" 1 1 1 2>&1) && fail "no plug-in is no failure"
case $got in
    *wsr_comm_none.so*) ;;
    *) fail "'$got' does not name the plug-in" ;;
esac
