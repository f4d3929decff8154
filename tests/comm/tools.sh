#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tools.sh PLUGINS SCRATCH WSR-TRAIN WSR-ATTACK WSR-ESTIMATE: a training of fixed shards has
# the same bytes on 1, 2 and 4 ranks, also when 4 ranks are interrupted or
# killed and 1 goes on; without them the same number of ranks has the same bytes
# from run to run; an evaluation has the same rows on any number of ranks, and
# in shards, also on corrupted images; so has a comparison of estimators; an error
# is one line.
set -eu
. "$(dirname "$0")/mpi.sh"
have_mpi "$1"
scratch=$2 train=$3 attack=$4 estimate=$5
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

run="--quiet --data synthetic:size=16 --seed 3 --threads 1 --genotype cna_r
--set data.limit=72 --set data.test_limit=48 --set net.channels=4
--set net.layers=2 --set train.epochs=4 --set train.batch=16
--set train.eval_count=48 --set train.keep=best_robust
--set eval.attack=pgd:steps=2 --set eval.eps=0.03 --set eval.batch=8"
free="--set train.trainer=free:eps=0.03 --set train.ema=0.9"
global="--set train.trainer=madry:steps=2 --set train.norms=global"
awp="--set train.trainer=trades:steps=2 --set train.awp=0.01 --set train.mixup=0"

# What a training leaves, but for times.
expect_same() {
    for file in net.safetensors checkpoint.safetensors; do
        same "$1" "$2/$file" "$3/$file"
    done
    rows "$2" >rows.a
    rows "$3" >rows.b
    same "$1" rows.a rows.b
}

rows() {
    sed -n 's/,"\(seconds\|ranks\)":.*//
        /"event":"\(epoch\|eval\)"/p' "$1/log.jsonl"
}

first=${mpis# }
first=${first%% *}
for kind in free awp global; do
    options="$run ${!kind} --set train.deterministic=shards:4"
    "$train" $options --out $kind-1
    [ "$(rows $kind-1 | wc -l)" -gt 4 ] || fail "the log has too few rows"
    for mpi in $mpis; do
        for n in 2 3 4; do
            ranks $mpi $n "$train" $options --out $kind-$mpi-$n
            expect_same "$kind, $n ranks of $mpi" $kind-1 $kind-$mpi-$n
        done
    done
done

# Without fixed shards: each rank is one, and a checkpoint says how many.
for n in 2 3; do
    ranks $first $n "$train" $run $free --set train.batch=12 --out own-$n-1
    ranks $first $n "$train" $run $free --set train.batch=12 --out own-$n-2
    expect_same "$n ranks again" own-$n-1 own-$n-2
done
! cmp -s own-2-1/net.safetensors own-3-1/net.safetensors ||
    fail "2 and 3 parts are the same"

# Interrupted on 4 ranks, and gone on with on 1 and on 3, which the 4 parts do
# not divide evenly among.
options="$run $free --set train.deterministic=shards:4 --set train.save_every=2"
for n in 1 3; do
    (ranks $first 4 bash -c 'echo $$ >$0-pid-${OMPI_COMM_WORLD_RANK-$PMI_RANK}
        exec "$@"' cut-$n "$train" $options --set train.epochs=60 --out cut-$n \
        >cut-$n.out 2>&1 || echo $? >cut-$n.rc) &
    until grep -q '"epoch":3,' cut-$n/log.jsonl 2>/dev/null; do
        sleep 0.05
    done
    kill -TERM $(cat cut-$n-pid-2) # one of them is enough
    wait
    grep -q 'go on with: .*--resume' cut-$n.out ||
        fail "SIGTERM: $(cat cut-$n.out)"
done
[ "$(cat cut-1.rc)" = 130 ] || fail "SIGTERM: exit code $(cat cut-1.rc)"
"$train" --quiet --threads 1 --resume cut-1
ranks $first 3 "$train" --quiet --threads 1 --resume cut-3
"$train" $options --set train.epochs=60 --out whole
expect_same "4 ranks, then 1" whole cut-1
expect_same "4 ranks, then 3" whole cut-3

! cmp -s global-1/net.safetensors free-1/net.safetensors ||
    fail "norms make no difference"

# One line, whoever is wrong.
for wrong in "--set train.shards=1 --set train.deterministic=shards:3 --set
    train.norms=global --set train.batch=15 --set data.limit=62" \
    "--set train.batch=0" "--set train.batch=15" "--data nowhere"; do
    ! ranks $first 2 "$train" $run $options $wrong --out wrong >out 2>&1 ||
        fail "$wrong is no mistake"
    [ "$(grep -c '^wsr-train:' out)" = 1 ] || fail "$wrong: $(cat out)"
done

net=free-1/net.safetensors
eval="--quiet --net $net --data synthetic:size=16 --count 44 --threads 1
--attack pgd:steps=3,autoattack:steps=3,queries=20,deepfool:steps=3
--eps 0.01,0.03 --set attack.batch=4"
"$attack" $eval --out whole-eval
for mpi in $mpis; do
    for n in 2 4; do
        ranks $mpi $n "$attack" $eval --out eval-$mpi-$n
    done
done
for i in 1 2 3; do
    "$attack" $eval --shard $i/3 --out shard-$i
done
"$attack" --quiet --merge shard-3 shard-1 shard-2 --out eval-merged
# Six batches in each cell, so that 4 ranks have a step with two.
corrupted="--quiet --net $net --data synthetic:size=16 --count 8 --threads 1
--attack fgsm --eps 0.03 --set corruption.list=fog,gaussian_noise
--set corruption.severities=[2,5] --set corruption.count=44
--set corruption.batch=8"
of_corruptions() {
    sed -n 's/,"seconds":.*//; /"event":"corrupt/p' "$1/log.jsonl" >"$1.rows"
}
"$attack" $corrupted --out corrupted
of_corruptions corrupted
[ "$(wc -l <corrupted.rows)" -ge 4 ] || fail "the log has no corruptions"
for n in 2 4; do
    ranks $first $n "$attack" $corrupted --out corrupted-$n
    of_corruptions corrupted-$n
    same "corruptions, $n ranks" corrupted.rows corrupted-$n.rows
done

# The noises of 3 sources, a random strength and 3 strengths.
estimates="--quiet --data synthetic:size=16 --seed 3 --threads 1
--set data.limit=64 --set data.test_limit=32 --set net.channels=4
--set net.layers=2 --set train.epochs=1 --set train.batch=16
--set train.deterministic=shards:2 --set train.eval_every=0
--networks cna_r --variants an,e_plus --set train.trainer=natural
--set attack.steps=2 --set attack.eps=[0.015,0.045,0.12]
--set estimator.epochs=1 --set estimator.batch=8
--set estimator.train_batches=2 --set estimator.val_batches=2"
of_estimates() {
    sed -e 's/,"[a-z_]*\(seconds\|speed\)[a-z_]*":[^,}]*//g' \
        -e 's/\(,"ranks":.*\)*}$//' \
        -e '/"event":"\(leave_one_out\|estimate\|epoch\)"/!d' \
        "$1/log.jsonl" >"$1.rows"
}
"$estimate" $estimates --out estimates
of_estimates estimates
for n in 2 3; do
    ranks $first $n "$estimate" $estimates --out estimates-$n
    of_estimates estimates-$n
    same "estimates, $n ranks" estimates.rows estimates-$n.rows
    for file in estimates/estimator-*.safetensors; do
        same "estimates, $n ranks" $file estimates-$n/${file##*/}
    done
done

for dir in eval-*; do
    for file in images.csv images.jsonl images.safetensors curves.csv; do
        same "$dir" whole-eval/$file $dir/$file
    done
done
