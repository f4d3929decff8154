// SPDX-License-Identifier: Apache-2.0
//
// Training as a part of a run: steps and epochs with lines in the log,
// progress and checkpoints.

#include "train/train.h"

#include <math.h>

// Numbers of the epoch so far. Only some trainers know the accuracy on clean
// images.
static void put_sums(wsr__json *line, const wsr__training *t)
{
    const wsr__epoch epoch = wsr__training_epoch(t);
    wsr__json_float(line, "lr", (float)epoch.lr);
    wsr__json_float(line, "loss", (float)epoch.loss);
    wsr__json_float(line, "train_accuracy", (float)epoch.accuracy);
    if (!isnan(epoch.clean_accuracy)) {
        wsr__json_float(line, "train_clean_accuracy",
                        (float)epoch.clean_accuracy);
    }
}

// Sums of the epoch so far, not of the step alone.
static wsr_status log_step(wsr__training *t, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    const size_t every = (size_t)t->params.log_every;
    if (every == 0 || t->batch % every != 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_log_begin(&line, run->log, "step"));
    wsr__json_text(line, "phase", t->phase);
    wsr__json_integer(line, "epoch", (int64_t)t->epoch + 1);
    wsr__json_integer(line, "step", (int64_t)t->batch);
    put_sums(line, t);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// The last batch of an epoch needs no checkpoint: the epoch's follows.
static wsr_status run_step(wsr__training *t, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t every = (size_t)t->params.save_every;
    WSR_TRY(wsr__training_step(t));
    WSR_TRY(wsr__comm_agree(log_step(t, run)));
    WSR_TRY(wsr__training_report(t, run));
    if (every > 0 && t->batch % every == 0 && t->batch < t->batches) {
        WSR_TRY(wsr__run_checkpoint(run));
    }
out:
    return status;
}

// Of several processes: who was how long at work.
static void put_ranks(wsr__json *line, const wsr__rank_times *times)
{
    if (times->ranks > 1) {
        wsr__json_integer(line, "ranks", (int64_t)times->ranks);
        wsr__json_number(line, "least_seconds", times->least);
        wsr__json_number(line, "median_seconds", times->median);
        wsr__json_number(line, "most_seconds", times->most);
        wsr__json_integer(line, "slowest", (int64_t)times->slowest);
        wsr__json_text(line, "slowest_host", times->host);
        wsr__json_number(line, "comm_seconds", times->comm.seconds);
        wsr__json_number(line, "comm_bytes", times->comm.bytes);
    }
}

static wsr_status log_epoch(wsr__training *t, wsr__run *run,
                            const wsr__validation *validation, double seconds)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    wsr__rank_times times;
    WSR_TRY(wsr__training_time_ranks(&times, t));
    WSR_TRY(wsr__run_log_begin(&line, run->log, "epoch"));
    wsr__json_text(line, "phase", t->phase);
    wsr__json_integer(line, "epoch", (int64_t)t->epoch + 1);
    put_sums(line, t);
    if (validation->clean >= 0) {
        wsr__json_float(line, "clean_accuracy", (float)validation->clean);
        wsr__json_float(line, "robust_accuracy", (float)validation->robust);
        wsr__json_float(line, "eps", (float)t->params.eval_eps);
    }
    wsr__json_float(line, "seconds", (float)seconds);
    put_ranks(line, &times);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// The line comes before the position moves on, the checkpoint after: a resumed
// run does not write the line again.
static wsr_status end_epoch(wsr__training *t, wsr__run *run, double seconds)
{
    wsr_status status = WSR_OK;
    wsr__validation validation = {-1, -1};
    WSR_TRY(wsr__training_validate(&validation, t, run));
    WSR_TRY(wsr__comm_agree(log_epoch(t, run, &validation, seconds)));
    WSR_TRY(wsr__training_next_epoch(t));
    WSR_TRY(wsr__run_checkpoint(run));
out:
    return status;
}
// A run that is stopped writes a checkpoint before it ends; other failures
// leave the last one.
wsr_status wsr__training_run(wsr__training *training, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = training;
    while (t->epoch < (size_t)t->params.epochs) {
        const double begun = wsr__seconds();
        while (t->batch < t->batches) {
            WSR_TRY(run_step(t, run));
        }
        WSR_TRY(end_epoch(t, run, wsr__seconds() - begun));
    }
    WSR_TRY(wsr__training_share_stats(t)); // a network is the same in all
out:
    if (status == WSR_CANCELED) {
        const wsr_status saved = wsr__run_checkpoint(run);
        status = saved == WSR_OK ? status : saved;
    }
    return status;
}
