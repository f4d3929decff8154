#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# kill.sh SCRATCH TOOL LINES FILES ARGUMENT...
#
# A run, `TOOL ARGUMENT... --out DIR`, is killed by SIGKILL as soon as its log
# has a line that matches a pattern, once for each pattern of LINES, which has
# one a line. Resumed each time, it must end with the FILES (patterns of names)
# of a run that nobody killed, byte by byte, and with its log but for the times.
set -u

scratch=$1
tool=$2
mapfile -t lines <<<"$3"
read -ra patterns <<<"$4"
shift 4

fail()
{
    echo "FAILED: $*"
    exit 1
}

# The log without times, which differ from run to run.
log()
{
    sed -E 's/"(seconds|time)[a-z_]*":[0-9.e-]+/"seconds":0/g' "$1/log.jsonl"
}

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1
"$tool" "$@" --quiet --out whole >whole.out 2>whole.err ||
    fail "the whole run: $(cat whole.err)"

for line in "${lines[@]}"; do
    if [ -e part ]; then
        "$tool" --resume part --quiet >part.out 2>part.err &
    else
        "$tool" "$@" --quiet --out part >part.out 2>part.err &
    fi
    pid=$!
    until grep -qs -e "$line" part/log.jsonl; do
        kill -0 $pid 2>kill.log || fail "it ended before $line: $(cat part.err)"
        sleep 0.01
    done
    kill -KILL $pid 2>kill.log || fail "it ended at $line"
    wait $pid
    [ $? -eq 137 ] || fail "it was not killed at $line"
    [ -s part/checkpoint.safetensors ] || echo "no checkpoint at $line"
done 2>shell.log # the shell says that its process was killed
"$tool" --resume part --quiet >part.out 2>part.err ||
    fail "it cannot be resumed: $(cat part.err)"

compared=0
for pattern in "${patterns[@]}"; do
    for file in whole/$pattern; do
        cmp "$file" "part/${file#whole/}" || fail "other bytes: $file"
        compared=$((compared + 1))
    done
done
[ $compared -ge ${#patterns[@]} ] || fail "no files to compare"
log whole >whole.log
log part >part.log
cmp whole.log part.log || fail "the logs differ"
echo "killed ${#lines[@]} times, $compared files with the same bytes"
