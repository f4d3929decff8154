#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh SECONDS [NAME...]
#
# Builds the preset "fuzz" (clang, libFuzzer) and runs each fuzzer of tests/fuzz,
# or those that are named, for so many seconds, one on each processor at a time.
# The corpora stay in build-fuzz/corpus and grow from run to run; what a fuzzer
# finds is left in build-fuzz/found. Prints a line for each fuzzer: executions, blocks of code
# reached, files in its corpus. docs/fuzzing.md tells the rest.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
build=$top/build-fuzz
seconds=${1:?fuzz.sh SECONDS [NAME...]}
shift

if ! command -v clang >/dev/null; then
    echo "fuzz: clang is missing (Debian: clang libclang-rt-14-dev libomp-14-dev)"
    exit 77
fi
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -- --quiet || exit 1

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        name=${source##*/fuzz_}
        names+=("${name%.c}")
    done
fi

# Short stacks and a small quarantine: several times as many executions.
asan=quarantine_size_mb=16:malloc_context_size=3:max_malloc_fill_size=0

# A folder in memory for the files that targets write.
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$build/found"

run()
{
    local name=$1 corpus=$build/corpus/$1 log=$build/found/$1.log
    local dict=()
    mkdir -p "$corpus" "$scratch/$name"
    [ ! -e "tests/fuzz/$name.dict" ] || dict=("-dict=$top/tests/fuzz/$name.dict")
    (cd "$scratch/$name" &&
        WSR_SCRATCH=$scratch/$name WSR_SHARE=$top/libwsr/share \
            OMP_NUM_THREADS=1 ASAN_OPTIONS=$asan "$build/tests/fuzz_$name" "$corpus" \
            "${dict[@]}" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
            -rss_limit_mb=2048 -error_exitcode=76 -print_final_stats=1 -verbosity=1 \
            -artifact_prefix="$build/found/$name-" >"$log" 2>&1)
    local code=$?
    printf '%-11s %11s executions %6s blocks %5s files%s\n' "$name" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)" \
        "$(find "$corpus" -type f | wc -l)" \
        "$([ $code -eq 0 ] || echo "  FOUND, exit code $code: $log")"
    return $code
}

failures=0
running=0
finish()
{
    wait -n || failures=$((failures + 1))
    running=$((running - 1))
}
for name in "${names[@]}"; do
    [ $running -lt "$(nproc)" ] || finish
    run "$name" &
    running=$((running + 1))
done
while [ $running -gt 0 ]; do
    finish
done
echo "$failures fuzzers found something"
[ $failures -eq 0 ]
