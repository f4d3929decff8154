#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# command.sh SCRATCH wsr-attack wsr-train SERVER serve.py
#
# A network served by the C example is attacked as a black box: the outcome is
# that of the network's own file, bit for bit, also after an interruption; the
# limit of queries holds; --verify works. serve.py does the same with NumPy,
# where python3 has it. SERVER may be missing.
set -u

scratch=$1
attack=$2
train=$3
server=$4
python=$5
failures=0

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1

fail()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
    tail -3 stderr
}

# run COMMAND...: it must succeed.
run()
{
    timeout -k 2 200 "$@" >stdout 2>stderr || fail "$* ($?)"
}

# same FILE FILE: equal bytes.
same()
{
    cmp -s "$1" "$2" || fail "$1 and $2 differ"
}

run "$train" --quiet --out net --data synthetic:size=16 --genotype cna_r \
    --set data.limit=256 --set data.test_limit=32 --set net.channels=4 \
    --set net.layers=2 --set train.epochs=6 --set train.batch=16 \
    --set train.trainer=natural --set train.eval_every=0 --set eval.attack=
options=(--quiet --data synthetic:size=16 --count 24 --eps 0.01,0.03
    --attack "square,spsa:samples=8,transfer:net=net/net.safetensors,attack=[pgd:steps=3]"
    --set attack.queries=60 --set attack.batch=8)
run "$attack" --net net/net.safetensors --out file "${options[@]}"
# Columns 16 and 17 of the ledger are queries and gradients.
awk -F, 'NR > 1 && ($(NF - 1) > 60 || $(NF - 1) < 1 || $NF > 0) { exit 1 }
    NR > 1 && $10 == 1 && $(NF - 1) == 60 { spent++ }
    END { exit spent == 0 }' file/images.csv || fail "the limit of queries"

if [ -x "$server" ]; then
    program="cmd:$server net/net.safetensors"
    run "$attack" --net "$program" --out program "${options[@]}"
    same file/images.csv program/images.csv
    same file/images.safetensors program/images.safetensors
    grep -q '"net":"cmd:.*images (3, 16, 16), 10 classes"' program/log.jsonl ||
        fail "the log does not name the program"

    # A stop inside, taken up again, ends with the same bytes.
    "$attack" --net "$program" --out stopped "${options[@]}" \
        2>stderr >stdout &
    job=$!
    sleep 0.3
    kill -INT $job 2>/dev/null
    wait $job
    if [ -e stopped/checkpoint.safetensors ]; then
        run "$attack" --resume stopped --quiet
        same file/images.csv stopped/images.csv
    fi

    run "$attack" --net "$program" --verify program/images.safetensors
    "$attack" --net "$program" --data synthetic:size=16 --attack pgd \
        >stdout 2>stderr && fail "pgd without gradients"
    grep -q 'attacks that need none: gn, spsa, square, transfer$' stderr ||
        fail "the attacks that work are not named"
fi

if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    run "$attack" --net "cmd:/usr/bin/python3 $python" --data synthetic \
        --attack square,spsa:samples=4 --count 20 --set attack.queries=30 \
        --out python --quiet
    run "$attack" --net "cmd:/usr/bin/python3 $python" --quiet \
        --verify python/images.safetensors
else
    echo "without numpy: serve.py is not tried"
fi
exit $((failures > 0))
