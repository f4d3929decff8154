#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# interrupt.sh SCRATCH wsr-train wsr-attack wsr-search [SLOWNESS]
#
# An evaluation that is interrupted shows and keeps its results so far, and
# ends, resumed, with the results of one that was not. What is interrupted has
# to last until then: tools that are several times slower than released ones
# get so many times less to do.
set -u

scratch=$1
train=$2
attack=$3
slowness=${5:-1}

fail()
{
    echo "FAILED: $*"
    exit 1
}

# Results without the seconds, which differ from run to run.
results()
{
    sed -E 's/"seconds":[0-9.e-]+/"seconds":0/' "$1/results.jsonl"
}

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1
"$train" --quiet --out small --data synthetic --genotype cna_r \
    --set data.limit=64 --set data.test_limit=8 --set net.channels=4 \
    --set net.layers=2 --set train.epochs=1 --set train.batch=16 \
    --set train.trainer=natural --set train.eval_every=0 \
    --set eval.attack=fgsm --set eval.eps=0.03 \
    --set eval.count=8 >train.log || fail "no network to attack"

run="$attack --net small/net.safetensors --data synthetic
    --count $((48 / slowness)) --set attack.batch=1 --attack pgd:steps=60,gn --eps 0.001,0.03
    --set attack.stop=false"
# shellcheck disable=SC2086 # the words are meant to be split
timeout -k 5 200 $run --out whole >whole.log 2>&1 || fail "the whole run"

# The configuration is written when the evaluation begins. Programs in the
# background ignore SIGINT, hence the other one.
# shellcheck disable=SC2086
$run --out part >part.log 2>part.err &
pid=$!
for _ in $(seq 600); do
    [ -e part/config.yaml ] && break
    sleep 0.1
done
sleep 0.3
# One process at a time: the second is told which one holds the folder.
"$attack" --resume part >second.log 2>&1
[ $? -eq 1 ] && [ "$(wc -l <second.log)" -eq 1 ] &&
    grep -q "process $pid on .* works in this folder" second.log ||
    fail "a second process: $(cat second.log)"
kill -HUP $pid 2>kill.log || fail "it ended before it was interrupted"
wait $pid
code=$?
[ $code -eq 130 ] || fail "exit code $code: $(cat part.err)"
grep -q "interrupted, go on with: wsr-attack --resume part" part.err ||
    fail "what it says: $(cat part.err)"
[ -s part/checkpoint.safetensors ] || fail "there is no checkpoint"
if grep -q ' images' part.log; then
    [ -s part/report.html ] && [ -s part/results.csv ] ||
        fail "the results so far were not kept"
fi

"$attack" --resume part >resumed.log 2>&1 || fail "it cannot be resumed"
results whole >whole.results
results part >part.results
cmp whole.results part.results || fail "the resumed run ends differently"

# An attack that fails takes nothing from those before it: its estimator is
# lost while the evaluation goes on.
search="$4 --quiet --out estimator --data synthetic:size=16 --seed 1
    --set data.limit=64 --set data.test_limit=16 --set supernet.channels=4
    --set supernet.layers=2 --set search.warm_up=1 --set search.population=1
    --set search.epochs=1 --set search.predictor_warm_up=1
    --set search.predictor_passes=1 --set search.batch=16
    --set search.steps=1 --set search.estimator_batches=1
    --set net.channels=4 --set net.layers=2 --set train.epochs=1
    --set train.batch=16 --set train.trainer=natural --set train.eval_every=0
    --set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=8"
# shellcheck disable=SC2086
timeout -k 5 200 $search >search.log 2>&1 || fail "search: $(cat search.log)"
"$attack" --net estimator/net.safetensors --data synthetic:size=16 --count 16 \
    --set attack.batch=4 --eps 0.03 --out failing --attack \
    "pgd:steps=$((3000 / slowness)),estimator:net=estimator/estimator.safetensors" \
    --set attack.stop=false >failing.log 2>failing.err &
pid=$!
for _ in $(seq 600); do
    [ -e failing/config.yaml ] && break
    sleep 0.02
done
mv estimator/estimator.safetensors moved || fail "no estimator"
wait $pid
[ $? -eq 1 ] || fail "a lost estimator: $(cat failing.log failing.err)"
grep -q estimator.safetensors failing.err || fail "what it says of that"
grep -q '^pgd' failing.log && grep -q '"attack":"pgd"' failing/results.jsonl &&
    [ -s failing/report.html ] || fail "the results of pgd were lost"
mv moved estimator/estimator.safetensors
"$attack" --resume failing >resumed.log 2>&1 || fail "$(cat resumed.log)"
grep -q '"attack":"estimator"' failing/results.jsonl || fail "no results"

# Epochs of a training are printed while it goes on.
"$train" --json --quiet --out long --data synthetic --genotype cna_r \
    --set data.limit=64 --set data.test_limit=8 --set net.channels=4 \
    --set net.layers=2 --set train.epochs=10000 --set train.batch=16 \
    --set train.trainer=natural --set train.eval_every=0 >long.log &
pid=$!
for _ in $(seq 600); do
    grep -q '"event":"epoch","phase":"train","epoch":2,' long.log && break
    sleep 0.1
done
kill -TERM $pid 2>kill.log || fail "training ended too early"
wait $pid
[ $? -eq 130 ] || fail "training was not interrupted"
grep -q '"event":"epoch","phase":"train","epoch":2,' long.log ||
    fail "no epochs are printed while training goes on"
head -n "$(wc -l <long.log)" long/log.jsonl | cmp - long.log ||
    fail "what is printed is not the log"
echo "interrupted and resumed"
