#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# two_networks.sh RATE PROGRAM [argument...]: the program as two processes of
# Open MPI in network namespaces of their own, joined by a link of RATE (1gbit)
# each way. Needs root, iproute2 and Open MPI. Exits with 77 where namespaces
# cannot be had.
set -eu
rate=$1
program="$(realpath "$2")"
shift 2
names="wsr-a wsr-b"
agent="$(mktemp)"
job=
stop()
{
    [ -z "$job" ] || kill "$job" 2>/dev/null || true
    for name in $names; do
        ip netns del $name 2>/dev/null || true
    done
    rm -f "$agent"
}
trap stop EXIT
trap 'kill "$job"' TERM
for name in $names; do
    ip netns add $name 2>/dev/null || { echo "no namespaces here" >&2; exit 77; }
    ip -n $name link set lo up
done
ip link add wsr-va netns wsr-a type veth peer name wsr-vb netns wsr-b
ip -n wsr-a addr add 10.77.0.1/24 dev wsr-va
ip -n wsr-b addr add 10.77.0.2/24 dev wsr-vb
for side in a b; do
    ip -n wsr-$side link set wsr-v$side up
    ip netns exec wsr-$side tc qdisc add dev wsr-v$side root tbf rate "$rate" \
        burst 1mb latency 100ms
done
# In place of ssh: HOST is an address, behind which a namespace is.
cat >"$agent" <<'END'
#!/bin/bash
shift
exec ip netns exec wsr-b bash -c "$*"
END
chmod +x "$agent"
ip netns exec wsr-a mpirun.openmpi --allow-run-as-root --bind-to none \
    --host 10.77.0.1,10.77.0.2 -n 2 --mca plm_rsh_agent "$agent" \
    --mca btl self,tcp --mca pml ob1 --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 --mca orte_keep_fqdn_hostnames 1 \
    "$program" "$@" &
job=$!
code=0
wait "$job" || code=$?
wait "$job" 2>/dev/null || true # a signal ended the first wait
exit "$code"
