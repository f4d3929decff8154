#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# pages.sh DIR TOOLS
#
# Writes a page of each kind into folders of DIR, from small runs of the
# programs in TOOLS on synthetic images: train, search, compare (of searchers),
# attack, measures, runs (against each other), estimate.

set -eu
dir=$1
tools=$2
mkdir -p "$dir"

data="--data synthetic:size=16 --set data.limit=64 --set data.test_limit=64"
net="--set net.channels=4 --set net.layers=2"
train="$data $net --set train.epochs=3 --set train.batch=16
    --set train.trainer=madry:eps=0.03,steps=1 --set train.eval_count=8
    --set eval.attack=fgsm --set eval.eps=0.03,0.06 --set eval.count=8"
# shellcheck disable=SC2086
"$tools/wsr-train" --quiet --out "$dir/train" --genotype cna_r $train

search="$train --set supernet.channels=4 --set supernet.layers=2
    --set search.warm_up=1 --set search.population=1 --set search.epochs=2
    --set search.random_baseline=2 --set search.holdout_architectures=3
    --set search.predictor_warm_up=2 --set search.predictor_passes=2
    --set search.batch=16 --set search.steps=1 --set search.architectures=2
    --set search.estimator_batches=1 --set search.val_batches=1
    --set search.augment=flip --set estimator.memory=64
    --set estimator.batch=16 --set estimator.passes=1"
# shellcheck disable=SC2086
"$tools/wsr-search" --quiet --out "$dir/search" $search
# shellcheck disable=SC2086
"$tools/wsr-search" --quiet --out "$dir/compare" $search \
    --set compare=random,rsws

attack="$tools/wsr-attack --quiet --net $dir/train/net.safetensors
    --data synthetic:size=16 --count 24"
# shellcheck disable=SC2086
$attack --out "$dir/attack" --attack fgsm,pgd:steps=2,fab:steps=3 \
    --eps 2/255,8/255,16/255 --set attack.show=12 \
    --set attack.quantize=true > "$dir/attack.txt"
# shellcheck disable=SC2086
$attack --out "$dir/second" --attack fgsm,pgd:steps=3 \
    --eps 2/255,8/255,16/255 > "$dir/second.txt"
# shellcheck disable=SC2086
$attack --out "$dir/measures" --attack "pgd:norm=l2,steps=2" --eps 0.5,1 \
    --corruptions=fog,contrast,gaussian_noise --set corruption.count=8 \
    --set hessian.of=both --set hessian.count=4 --set hessian.iterations=2 \
    --set hessian.probes=2 > "$dir/measures.txt"
"$tools/wsr-attack" --quiet --out "$dir/runs" \
    --compare "$dir/attack" "$dir/second" > "$dir/runs.txt"

# shellcheck disable=SC2086
"$tools/wsr-estimate" --quiet --out "$dir/estimate" $data $net \
    --networks cna_r --variants an,e_plus --set train.epochs=1 \
    --set train.batch=16 --set train.trainer=natural \
    --set train.eval_every=0 --set attack.steps=1 \
    --set attack.eps=0.015,0.045,0.12 --set estimator.epochs=2 \
    --set estimator.batch=8 --set estimator.train_batches=2 \
    --set estimator.val_batches=2 --set estimator.augment=flip \
    > "$dir/estimate.txt"
