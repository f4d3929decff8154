#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# search.sh PLUGINS SCRATCH WSR-SEARCH: a search of fixed shards has the same
# bytes on 1, 2 and 4 ranks: the network, the genotype, estimator and checkpoint,
# and all that the log says but times.
set -eu
. "$(dirname "$0")/mpi.sh"
have_mpi "$1"
scratch=$2 search=$3
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

run="--quiet --data synthetic:size=16 --seed 3 --threads 1 --set data.limit=64
--set data.test_limit=32 --set net.channels=4 --set net.layers=2
--set train.epochs=2 --set train.batch=16 --set train.eval_every=0
--set supernet.channels=4 --set supernet.layers=2 --set search.warm_up=1
--set search.population=1 --set search.epochs=2
--set search.predictor_warm_up=1 --set search.predictor_passes=1
--set search.batch=8 --set search.steps=1 --set search.estimator_batches=3
--set search.random_baseline=2 --set train.trainer=natural
--set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=8
--set search.deterministic=shards:4 --set train.deterministic=shards:4"

# The log without times and machines.
timeless() {
    sed -e '/"event":"\(start\|done\)"/d' -e 's/,"ranks":.*/}/' \
        -e 's/,"\(seconds\|time_[a-z]*\)":[^,}]*//g' "$1/log.jsonl"
}

# compare NAME RANKS OPTIONS...: on 1 rank and on so many.
compare() {
    name=$1 counts=$2
    shift 2
    "$search" $run "$@" --out $name
    timeless $name >$name.log
    for mpi in $mpis; do
        for n in $counts; do
            ranks $mpi $n "$search" $run "$@" --out $name-$mpi-$n
            for file in net.safetensors genotype.yaml estimator.safetensors \
                checkpoint.safetensors; do
                same "$n ranks of $mpi" $name/$file $name-$mpi-$n/$file
            done
            timeless $name-$mpi-$n >$name-$mpi-$n.log
            same "$n ranks of $mpi" $name.log $name-$mpi-$n.log
        done
    done
}

compare one "2 4"
[ "$(grep -c random_baseline one.log)" -gt 2 ] || fail "there is no baseline"
compare together "2 3" --set search.train_norms=global
if cmp -s one/estimator.safetensors together/estimator.safetensors; then
    fail "norms over all parts make no difference"
fi
