#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# manual.sh SCRATCH PAGES TOOLS
#
# The manual pages in the folder PAGES name every option and key of the
# programs in the folder TOOLS, mandoc and man find nothing wrong with them,
# they fit 80 columns, and their examples run as they stand there, with small
# settings behind them.
set -u
scratch=$1
pages=$2
tools=$3
failures=0

fail()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
}

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1

# What the reader sees, and plain text where "-" is escaped.
plain()
{
    sed -e 's/\\-/-/g' -e 's/\\(ti/~/g' -e 's/\\e/\\/g' "$1"
}

for page in "$pages"/*.1; do
    tool=$(basename "$page" .1)
    plain "$page" >plain
    "$tools/$tool" --help >help || fail "$tool --help"
    "$tools/$tool" --help all >all || fail "$tool --help all"
    grep -oE -- '--[a-z]+(-[a-z]+)*' help | sort -u | while read -r option; do
        grep -qE "^\.B $option( |\$)" plain || echo "$page: no $option"
    done >missing
    grep -oE '^  [a-z0-9_.]+\.[a-z0-9_]+=' all | sort -u | tr -d ' =' |
        while read -r key; do
            grep -qF ".BR $key= " plain || echo "$page: no $key"
        done >>missing
    [ ! -s missing ] || fail "$(cat missing)"
    [ "$(grep -c '^\.BR ' plain)" -gt 30 ] || fail "$page: few keys"
done

# ---------------------------------------------------------------- appearance

check_pages()
{
    for page in "$pages"/*.[17]; do
        "$@" "$page"
    done
}

with_mandoc()
{
    mandoc -T lint "$1" >said 2>&1 || fail "mandoc: $(head -3 said)"
}

with_man()
{
    MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$1" >text 2>said ||
        fail "man: $1"
    [ ! -s said ] || fail "man: $(head -3 said)"
    awk 'length($0) > 80 { print FILENAME ": " $0 }' text >wide
    [ ! -s wide ] || fail "$1 is wider than 80: $(head -3 wide)"
}

for program in mandoc man; do
    if command -v "$program" >/dev/null; then
        check_pages "with_$program"
    else
        echo "not checked: there is no $program"
    fi
done

# ------------------------------------------------------------------ examples

# What keeps a call short, for each program.
common="--threads 1 --set data.limit=64"
network="--set data.test_limit=16 --set net.channels=4 --set net.layers=2
    --set train.epochs=1 --set train.batch=16 --set train.eval_every=0"
evaluation="--set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=8"
small_of()
{
    case $1 in
    wsr-train) echo $common $network $evaluation ;;
    wsr-attack) echo $common --count 4 ;;
    wsr-search) echo $common $network $evaluation --set supernet.channels=4 \
        --set supernet.layers=2 --set search.epochs=1 --set search.warm_up=1 \
        --set search.population=1 --set search.predictor_warm_up=1 \
        --set search.predictor_passes=1 --set search.batch=16 \
        --set search.steps=1 --set search.estimator_batches=1 \
        --set search.val_batches=1 --set search.train_batches=1 \
        --set search.architectures=1 ;;
    wsr-estimate) echo $common $network --set attack.steps=1 \
        --set estimator.epochs=1 --set estimator.batch=8 \
        --set estimator.train_batches=1 ;;
    esac
}

# Those of one page in their order, each on one line.
examples()
{
    plain "$1" | sed -n '/^\.EX$/,/^\.EE$/p' | grep -v '^\.E[XE]$' |
        sed -e ':a' -e '/\\$/N; s/ *\\\n */ /; ta'
}

export PATH="$tools:$PATH"
count=0
for tool in wsr-train wsr-attack wsr-search wsr-estimate; do
    examples "$pages/$tool.1" >calls
    [ -s calls ] || fail "$tool: no examples"
    while read -r call; do
        count=$((count + 1))
        small=$(small_of "$tool")
        case $call in
        *" --verify "* | *" --export "*) small= ;;
        "$tool "*) ;;
        *) fail "$tool: the example $call" ;;
        esac
        if ! eval "$call $small" >said 2>&1 </dev/null; then
            fail "$call"
            tail -n 3 said
        fi
    done <calls
done

[ "$failures" -eq 0 ] || exit 1
echo "$count examples ran"
