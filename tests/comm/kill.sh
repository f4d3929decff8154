#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# kill.sh PLUGINS SCRATCH WSR-TRAIN MOMENTS: one of three ranks is killed at
# MOMENTS moments of a training. Each time all end within seconds, with a
# failure, and the folder can be resumed; in the end the network has the bytes
# of a run that nobody disturbed.
set -eu
. "$(dirname "$0")/mpi.sh"
have_mpi "$1"
scratch=$2 train=$3 moments=$4
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

run="--quiet --data synthetic:size=16 --seed 3 --threads 1 --genotype cna_r
--set data.limit=96 --set data.test_limit=48 --set net.channels=4
--set net.layers=2 --set train.epochs=$((30 * moments)) --set train.batch=12
--set train.eval_every=5 --set train.eval_count=48 --set train.save_every=3
--set train.trainer=free:eps=0.03 --set eval.attack=
--set train.deterministic=shards:3"

# Seconds since the epoch with fractions.
now() { date +%s%3N; } # milliseconds

for mpi in $mpis; do
    resume=""
    for i in $(seq "$moments"); do
        # Each rank says which process it is.
        ranks $mpi 3 bash -c 'echo $$ >pid-${OMPI_COMM_WORLD_RANK-$PMI_RANK}
            exec "$@"' wsr "$train" ${resume:-$run --out cut-$mpi} \
            ${resume:+--threads 1} >out 2>&1 &
        job=$!
        before=$(stat -c %Y%s cut-$mpi/checkpoint.safetensors 2>/dev/null ||
            echo none)
        # Somewhere after the first new checkpoint, or before the very first.
        [ "$i" = 1 ] || for k in $(seq 200); do
            sleep 0.05
            [ "$(stat -c %Y%s cut-$mpi/checkpoint.safetensors 2>/dev/null ||
                echo none)" = "$before" ] || break
        done
        sleep 0.$((RANDOM % 9))$((RANDOM % 9))
        kill -KILL "$(cat pid-$((i % 3)))" 2>/dev/null || true
        begun=$(now)
        # MPICH 4.2 may call it a success, though it was not done before.
        ! wait $job || ! grep -q '"event":"done"' cut-$mpi/log.jsonl || break
        took=$(($(now) - begun))
        [ "$took" -lt 15000 ] || fail "$mpi: the others went on for $took ms"
        ! ls cut-$mpi 2>/dev/null | grep -q '\.part$' ||
            fail "$mpi: half-written files"
        if [ -e cut-$mpi/config.yaml ]; then
            resume="--quiet --resume cut-$mpi"
        fi
        echo "$mpi: killed rank $((i % 3)), ended after $took ms"
    done
    "$train" --quiet --threads 1 --resume cut-$mpi
    [ -e whole/net.safetensors ] || "$train" $run --out whole
    same "$mpi" whole/net.safetensors cut-$mpi/net.safetensors
done
