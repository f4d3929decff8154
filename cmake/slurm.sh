#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/slurm.sh BUILD DIR
#
# Runs the scripts of examples/slurm in a SLURM of this machine alone, with
# daemons of its own in DIR, a new folder, and the tools of the folder BUILD:
# trainings of several tasks, interrupted before their time limit and requeued;
# an array of shards that is merged. Needs root and Debian's slurm-wlm, munge and
# an MPI. Exits with 77 where that cannot be had.
set -eu
tree="$(cd "$(dirname "$0")/.." && pwd)"

fail()
{
    echo "slurm: $*" >&2
    exit 1
}

cannot()
{
    echo "slurm: $*" >&2
    exit 77
}

[ $# -eq 2 ] || fail "usage: slurm.sh BUILD DIR"
build="$(cd "$1" && pwd)"
[ "$(id -u)" -eq 0 ] || cannot "needs root"
for program in slurmctld slurmd munged srun sbatch; do
    command -v $program >/dev/null || PATH="$PATH:/usr/sbin"
    command -v $program >/dev/null || cannot "$program is missing"
done
ls "$build"/plugins/wsr_comm_*.so >/dev/null 2>&1 || cannot "no MPI plug-in"
mkdir -p "$2"
[ -z "$(ls -A "$2")" ] || fail "$2 is not empty"
dir="$(cd "$2" && pwd)"

# ------------------------------------------------------------------- daemons

pids=""
stop()
{
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 1' INT TERM

mkdir "$dir/state" "$dir/spool" "$dir/munge" "$dir/tmp"
chmod 700 "$dir/munge"
head -c 1024 /dev/urandom >"$dir/munge/key"
chmod 400 "$dir/munge/key"
munged --force --foreground --key-file="$dir/munge/key" \
    --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" \
    >"$dir/munge/out" 2>&1 &
pids="$pids $!"
host="$(hostname -s)"
cat >"$dir/slurm.conf" <<END
ClusterName=wsr
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge/socket
SlurmctldPort=46817
SlurmdPort=46818
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
TmpFS=$dir/tmp
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=100000,sched_interval=1
MpiDefault=none
ReturnToService=2
KillWait=15
MinJobAge=600
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$dir/slurm.conf"
sleep 1
slurmctld -D -f "$SLURM_CONF" >"$dir/ctld.out" 2>&1 &
pids="$pids $!"
sleep 1
slurmd -D -f "$SLURM_CONF" -N "$host" >"$dir/slurmd.out" 2>&1 &
pids="$pids $!"
for i in $(seq 60); do
    [ "$(sinfo -h -o %T 2>/dev/null)" != idle ] || break
    [ "$i" -lt 60 ] || cannot "the daemons do not start: $(tail -n 3 \
        "$dir/slurmctld.log" "$dir/slurmd.log" 2>&1)"
    sleep 0.5
done
echo "slurm: $(sinfo -V), $(srun --mpi=list 2>&1 | tr '\n' ' ')"

# ---------------------------------------------------------------------- jobs

export PATH="$build/tools:$PATH"
export WSR_SHARE="$tree/libwsr/share"
# Open MPI refuses root unless told.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# More tasks than processors: who waits is not to keep others from working.
export OMPI_MCA_mpi_yield_when_idle=1
cd "$dir"

# Waits for a job to end: finished JOB STATE.
finished()
{
    for i in $(seq 1200); do
        state="$(scontrol -o show job "$1" |
            sed -n 's/.*JobState=\([A-Z]*\).*/\1/p' | sort -u | tr '\n' ' ')"
        case $state in
            *PENDING* | *RUNNING* | *COMPLETING* | *REQUEUED*) sleep 0.25 ;;
            "$2 ") return ;;
            *) fail "job $1: $state$(tail -n 5 slurm-$1*.out)" ;;
        esac
    done
    fail "job $1 does not end"
}

train="--quiet --data synthetic:size=16 --seed 3 --genotype cna_r
--set data.limit=96 --set data.test_limit=48 --set net.channels=4
--set net.layers=2 --set train.epochs=40 --set train.batch=16
--set train.eval_every=0 --set train.trainer=free:eps=0.03
--set eval.attack= --set train.deterministic=shards:4"
sizes="--ntasks=4 --cpus-per-task=1"
wsr-train $train --threads 1 --out whole

mpis=""
[ ! -e "$build/plugins/wsr_comm_openmpi.so" ] || mpis="$mpis pmix"
[ ! -e "$build/plugins/wsr_comm_mpich.so" ] || mpis="$mpis pmi2"
for mpi in $mpis; do
    srun --mpi=list 2>&1 | grep -qw $mpi || continue
    export WSR_SRUN_MPI=$mpi
    job="$(sbatch --parsable $sizes "$tree/examples/slurm/train.sbatch" \
        train-$mpi $train)"
    for i in $(seq 1200); do
        ! grep -q '"epoch":3,' train-$mpi/log.jsonl 2>/dev/null || break
        [ "$i" -lt 1200 ] || fail "$mpi: does not train: $(cat slurm-$job.out)"
        sleep 0.1
    done
    # What SLURM does before the time limit.
    scancel --signal=TERM "$job"
    for i in $(seq 300); do
        [ "$(scontrol -o show job "$job" |
            sed -n 's/.*Restarts=\([0-9]*\).*/\1/p')" != 1 ] || break
        [ "$i" -lt 300 ] || fail "$mpi: was not requeued"
        sleep 0.2
    done
    # SLURM waits for two minutes before it starts a job again; what the step
    # leaves is gone sooner.
    sleep 6
    scontrol update JobId="$job" StartTime=now
    finished "$job" COMPLETED
    grep -q 'interrupted, go on with' "slurm-$job.out" ||
        fail "$mpi: was not interrupted: $(cat "slurm-$job.out")"
    cmp whole/net.safetensors train-$mpi/net.safetensors ||
        fail "$mpi: the network differs"
    echo "slurm: $mpi: 4 tasks, interrupted, requeued: the same bytes"

    eval="--quiet --net whole/net.safetensors --data synthetic:size=16 --count 44
    --attack pgd:steps=3 --eps 0.03 --set attack.batch=4"
    job="$(sbatch --parsable $sizes "$tree/examples/slurm/evaluate.sbatch" \
        eval-$mpi $eval)"
    finished "$job" COMPLETED
done
[ -n "${eval-}" ] || cannot "srun starts neither Open MPI nor MPICH"

job="$(sbatch --parsable --array=1-4 --cpus-per-task=1 \
    "$tree/examples/slurm/evaluate-array.sbatch" array $eval)"
merge="$(sbatch --parsable --dependency=afterok:"$job" --wrap \
    "wsr-attack --quiet --merge array/shard-* --out array/whole")"
finished "$job" COMPLETED
finished "$merge" COMPLETED
for mpi in $mpis; do
    [ ! -e eval-$mpi ] || cmp array/whole/images.csv eval-$mpi/images.csv ||
        fail "$mpi: the evaluation differs"
done
echo "slurm: an array of 4 shards, merged: the same rows"
