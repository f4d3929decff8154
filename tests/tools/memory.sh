#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# memory.sh SCRATCH MODULE ATTACK-RUNS TRAIN-RUNS SEARCH-RUNS ESTIMATE-RUNS
#           wsr-attack wsr-train wsr-search wsr-estimate
#
# The tools when memory is short. Of all requests of a small run (those of
# other libraries included, counted by MODULE, see support/fail_alloc.c) as
# many as there are runs, evenly spread, are refused, one in each run; 0 runs:
# every request. A run must end with exit code 1 and one line that says so, or
# as if nothing had been refused. oneDNN 2.6 does not look at what it gets for
# the objects that generate its code: runs that end there are counted apart.
set -u

scratch=$1
module=$2
attack_runs=$3
train_runs=$4
search_runs=$5
estimate_runs=$6
attack=$7
train=$8
search=$9
estimate=${10}
failures=0

complain()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
}

# What a run leaves, without the seconds, which differ from run to run.
fingerprint()
{
    cat export.onnx 2>/dev/null | cksum
    (cd out 2>/dev/null && cat net.safetensors 2>/dev/null | cksum
        cat estimator-an.safetensors 2>/dev/null | cksum
        cat results.jsonl 2>/dev/null |
            sed -E 's/"seconds":[0-9.e-]+/"seconds":0/')
}

# refuse_each NAME RUNS command...
refuse_each()
{
    local name=$1 runs=$2 total step n code
    local shortages=0 unharmed=0 inside=0
    shift 2
    rm -rf out total export.onnx
    FAIL_ALLOC_COUNT=total LD_PRELOAD=$module "$@" >stdout 2>stderr ||
        complain "$name: the run itself: $(cat stderr)"
    total=$(cat total)
    fingerprint >whole
    step=$((runs > 0 ? total / runs : 1))
    for ((n = 1; n <= total; n += step)); do
        rm -rf out who export.onnx
        timeout -k 5 120 env FAIL_ALLOC_WHO=who FAIL_ALLOC_AT=$n \
            LD_PRELOAD="$module" "$@" >stdout 2>stderr
        code=$?
        if [ $code -eq 1 ] && [ "$(wc -l <stderr)" -eq 1 ] &&
            grep -qi "out of memory" stderr; then
            shortages=$((shortages + 1))
        elif [ $code -eq 0 ] && fingerprint | cmp -s - whole; then
            unharmed=$((unharmed + 1))
        elif [ $code -eq 139 ] && grep -q "^posix_memalign .*libdnnl" who; then
            inside=$((inside + 1))
        else
            complain "$name, request $n: exit code $code, $(cat who stderr)"
        fi
    done 2>shell # that a process was ended by a signal is said by its code
    echo "$name: $total requests; of those refused $shortages ended the run" \
        "with exit code 1 and one line, $unharmed changed nothing," \
        "$inside ended inside oneDNN"
}

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1

small=(--quiet --threads 2 --data synthetic --set data.limit=16
    --set data.test_limit=4 --set net.channels=4 --set net.layers=2
    --set train.epochs=1 --set train.batch=8 --set train.eval_count=4
    --set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=4)

"$train" "${small[@]}" --out small --genotype cna_r >stdout 2>stderr ||
    complain "no network to attack: $(cat stderr)"
refuse_each wsr-attack "$attack_runs" "$attack" --quiet --threads 2 --out out \
    --net small/net.safetensors --data synthetic --count 4 --attack fgsm \
    --eps 0.03
refuse_each wsr-export "$attack_runs" "$attack" --quiet \
    --net small/net.safetensors --export export.onnx
refuse_each wsr-train "$train_runs" "$train" "${small[@]}" --out out \
    --genotype cna_r --set train.trainer=madry:eps=0.03,steps=1
refuse_each wsr-search "$search_runs" "$search" "${small[@]}" --out out \
    --preset quick --set supernet.channels=4 --set supernet.layers=2 \
    --set search.warm_up=1 --set search.population=1 --set search.epochs=1 \
    --set search.predictor_warm_up=1 --set search.predictor_passes=1 \
    --set search.batch=4 --set search.train_batches=1 \
    --set search.architectures=2 --set search.arch_steps=1
refuse_each wsr-estimate "$estimate_runs" "$estimate" --quiet --threads 2 \
    --out out --networks small/net.safetensors --data synthetic \
    --set data.limit=16 --set data.test_limit=4 --set attack.steps=1 \
    --set attack.eps=0.045 --set estimator.batch=4 --set estimator.epochs=1 \
    --set estimator.train_batches=1 --set estimator.augment=flip

# The whole address space, as `ulimit -v` limits it, in KiB. Below 96 MiB the
# program loader gives up.
for ((limit = 131072; limit < 196608; limit += 8192)); do
    rm -rf out
    (ulimit -v $limit && exec "$attack" --quiet --threads 2 --data synthetic \
        --net small/net.safetensors --count 4 --attack fgsm --eps 0.03 \
        >stdout 2>stderr)
    code=$?
    if [ $code -ne 0 ] && { [ $code -ne 1 ] || [ "$(wc -l <stderr)" -ne 1 ] ||
        ! grep -q "out of memory" stderr; }; then
        complain "ulimit -v $limit: exit code $code: $(cat stderr)"
    fi
done 2>shell

echo "$failures failures"
[ $failures -eq 0 ]
