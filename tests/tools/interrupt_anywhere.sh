#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# interrupt_anywhere.sh SCRATCH wsr-attack LIMIT EXPECTED ARGUMENT...
#
# An evaluation, `wsr-attack ARGUMENT...`, is interrupted by SIGINT at ten
# random moments. Each time it must end within LIMIT milliseconds with exit
# status 130; resumed until it is done it must have the results and the
# adversarial images of one that nobody interrupted, byte by byte. EXPECTED is
# how many of the ten must have met it at work: a fast one may end before.
# SEED=N repeats the moments of a run that printed N.
#
# With the network trained by PGD among the golden files:
#
#   interrupt_anywhere.sh DIR wsr-attack 2000 10 --net FILE --genotype cna_r \
#       --channels 8 --layers 5 --data fashion-mnist --attack autoattack \
#       --count 32
set -um # jobs of their own, which do not ignore SIGINT

scratch=$1
attack=$2
limit=$3
expected=$4
shift 4

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

milliseconds()
{
    local now=${EPOCHREALTIME//[!0-9]/}
    echo $((now / 1000))
}

mkdir -p "$scratch" || exit 1
rm -rf "$scratch"/whole* "$scratch"/parts*
RANDOM=${SEED:=$(($$ % 32768))}
echo "SEED=$SEED"

begin=$(milliseconds)
"$attack" "$@" --out "$scratch/whole" --save "$scratch/whole.safetensors" \
    >"$scratch/whole.log" 2>"$scratch/whole.err" ||
    fail "the whole run: $(tail -n 3 "$scratch/whole.err")"
whole=$(($(milliseconds) - begin))
echo "uninterrupted: $whole ms"

met=0
latencies=
for ((i = 0; i < 10; i++)); do
    if [ -e "$scratch/parts/config.yaml" ]; then
        "$attack" --resume "$scratch/parts" \
            >"$scratch/parts.log" 2>"$scratch/parts.err" &
    else
        rm -rf "$scratch/parts" # it had not begun
        "$attack" "$@" --out "$scratch/parts" \
            --save "$scratch/parts.safetensors" \
            >"$scratch/parts.log" 2>"$scratch/parts.err" &
    fi
    pid=$!
    moment=$((200 + (RANDOM * 32768 + RANDOM) % (whole / 6 + 1)))
    sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
    sent=$(milliseconds)
    kill -INT $pid 2>"$scratch/kill.log"
    wait $pid
    code=$?
    took=$(($(milliseconds) - sent))
    [ $code -eq 0 ] && break
    [ $code -eq 130 ] ||
        fail "exit code $code after $moment ms: $(cat "$scratch/parts.err")"
    [ $took -le "$limit" ] || fail "it ended after $took ms, not $limit"
    met=$((met + 1))
    latencies="$latencies $took"
done
echo "interrupted $met times, ended after (ms):$latencies"
[ $met -ge "$expected" ] || fail "interrupted $met times, not $expected"

if [ $code -ne 0 ]; then
    if [ ! -e "$scratch/parts/config.yaml" ]; then
        fail "it never began: $(cat "$scratch/parts.err")"
    fi
    "$attack" --resume "$scratch/parts" \
        >"$scratch/parts.log" 2>"$scratch/parts.err" ||
        fail "it cannot be resumed: $(cat "$scratch/parts.err")"
fi
results "$scratch/whole" >"$scratch/whole.results"
results "$scratch/parts" >"$scratch/parts.results"
cmp "$scratch/whole.results" "$scratch/parts.results" ||
    fail "the results differ"
cmp "$scratch/whole.safetensors" "$scratch/parts.safetensors" ||
    fail "the adversarial images differ"
echo "the same results and images"
