#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tsan.sh
#
# Builds the preset "tsan" (clang, ThreadSanitizer) and looks for races: in the
# tests of threads, and in a small training, evaluation, search and bench of
# estimators with four threads. Parallel loops run in LLVM's OpenMP, whose tool
# archer tells ThreadSanitizer of its barriers; oneDNN's loops run there, too.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
build=$top/build-tsan

archer=$(find /usr/lib/llvm-*/lib -name libarcher.so 2>/dev/null | head -1)
if [ -z "$archer" ] || ! command -v clang >/dev/null; then
    echo "tsan: clang or archer is missing (Debian: clang libomp-14-dev)"
    exit 77
fi
cmake --preset tsan >/dev/null && cmake --build --preset tsan -- --quiet || exit 1

export OMP_TOOL_LIBRARIES=$archer OMP_NUM_THREADS=4
export WSR_SHARE=$top/libwsr/share WSR_SHARED=$top/../shared
export TSAN_OPTIONS="exitcode=66 suppressions=$top/tests/sweep/tsan.supp"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0

# check NAME CODES COMMAND...: no report, and one of these exit codes.
check()
{
    local name=$1 codes=$2
    shift 2
    WSR_SCRATCH=$scratch/$name "$@" >"$name.log" 2>&1
    local code=$?
    local races
    races=$(grep -c "^WARNING: ThreadSanitizer" "$name.log")
    echo "$name: exit code $code, $races reports"
    if [ "$races" -ne 0 ] || ! grep -qw $code <<<"$codes"; then
        failures=$((failures + 1))
        cp "$name.log" "$build/"
    fi
}

# It must see a race in a loop, and the order of two loops.
"$build/tests/race" planted >planted.log 2>&1
if [ $? -ne 66 ] || ! grep -q "data race" planted.log; then
    echo "a race that was planted is not seen"
    exit 1
fi
check ordered 0 "$build/tests/race" ordered

# graph_threads counts the threads of GCC's OpenMP, of which LLVM's has another
# number.
check graph_threads "0 1" "$build/tests/test_graph_threads"
for test in base_parallel base_log op_threads_sweep data_loader \
    data_loader_workers eval_verify; do
    check $test 0 "$build/tests/test_$test"
done

small=(--quiet --threads 4 --data synthetic:size=16 --set data.limit=32
    --set data.test_limit=8 --set net.channels=4 --set net.layers=2
    --set train.epochs=1 --set train.batch=8 --set train.eval_every=0
    --set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=4)
check train 0 "$build/tools/wsr-train" "${small[@]}" --genotype cna_r --out net \
    --set train.trainer=madry:eps=0.03,steps=2
check attack 0 "$build/tools/wsr-attack" --quiet --threads 4 --count 4 \
    --net net/net.safetensors --data synthetic:size=16 --out attack \
    --attack "pgd:steps=2,square:queries=8,fab:steps=2" --eps 0.03
check search 0 "$build/tools/wsr-search" "${small[@]}" --out search \
    --set supernet.channels=4 --set supernet.layers=2 --set search.warm_up=1 \
    --set search.population=1 --set search.epochs=1 --set search.batch=8 \
    --set search.predictor_warm_up=1 --set search.predictor_passes=1 \
    --set search.steps=1 --set search.architectures=2 \
    --set search.estimator_batches=1 --set search.val_batches=1
check estimate 0 "$build/tools/wsr-estimate" --quiet --threads 4 --out bench \
    --networks net/net.safetensors --data synthetic:size=16 \
    --set data.limit=16 --set data.test_limit=4 --set attack.steps=1 \
    --set attack.eps=0.045 --set estimator.batch=4 --set estimator.epochs=1 \
    --set estimator.train_batches=1 --set estimator.augment=flip
echo "$failures with reports or failures; their logs are in $build"
[ $failures -eq 0 ]
