// SPDX-License-Identifier: Apache-2.0
//
// Leave-one-out on test images: each noise of an image is estimated from the
// others, and the network is asked about the image with the noise and with the
// estimate. The closer the two accuracies, the better the estimator. Test
// images and their random strengths are the same in every epoch.

#include "estimate/estimate.h"

#include <string.h>

// Numbers of random strengths: those of training batches begin at 1.
static const uint64_t first_serial = UINT64_C(1) << 40;

static wsr_status validate_block(wsr__estimate_validation *sums,
                                 wsr__estimate *b, const wsr_batch *batch,
                                 size_t v, size_t k)
{
    wsr_status status = WSR_OK;
    const size_t floats = b->batch * b->pixels;
    float *const dst = b->estimate[0];
    WSR_TRY(wsr__estimate_infer(dst, b, v, b->samples + k * b->batch));
    sums->undefined[v] += wsr__estimate_define(dst, b);
    WSR_TRY(wsr__estimate_count(&sums->estimated[v][k], b, b->net, batch, dst,
                                !b->quirks.unclamped));
    for (size_t i = 0; i < floats; i++) {
        const double diff = (double)dst[i] - (double)b->noise[k][i];
        sums->mse[v][k] += diff * diff / (double)b->pixels;
    }
out:
    return status;
}

// Everything that changes does so after the attacks, in which the run may be
// stopped.
static wsr_status validate_batch(wsr__estimate *b, wsr__run *run,
                                 const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    wsr__estimate_validation *const sums = &b->validation[b->net];
    WSR_TRY(wsr__estimate_noises(b, run, batch, first_serial + b->at));
    wsr__estimate_samples(b, batch);
    sums->seen += (int64_t)b->batch;
    WSR_TRY(wsr__estimate_count(&sums->clean, b, b->net, batch, NULL, false));
    for (size_t k = 0; k <= b->sources; k++) {
        WSR_TRY(wsr__estimate_count(&sums->real[k], b, b->net, batch,
                                    b->noise[k], !b->quirks.unclamped));
    }
    for (size_t v = 0; v < b->n_variants; v++) {
        for (size_t k = 0; k <= b->sources; k++) {
            WSR_TRY(validate_block(sums, b, batch, v, k));
        }
    }
    b->at++;
out:
    return status;
}

static void put_shares(wsr__json *line, const char *key, const int64_t *counts,
                       size_t n, int64_t of)
{
    double shares[WSR__ESTIMATE_NOISES];
    for (size_t k = 0; k < n; k++) {
        shares[k] = (double)counts[k] / (double)of;
    }
    wsr__json_numbers(line, key, shares, n);
}

// A line for each variant; lists are over the noises, the last of which has a
// random strength.
static wsr_status log_net(const wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_validation *const sums = &b->validation[b->net];
    const size_t n = b->sources + 1;
    for (size_t v = 0; v < b->n_variants; v++) {
        wsr__json *line = NULL;
        double mse = 0;
        for (size_t k = 0; k < n; k++) {
            mse += sums->mse[v][k] / (double)(n * (size_t)sums->seen);
        }
        WSR_TRY(wsr__run_log_begin(&line, run->log, "leave_one_out"));
        wsr__json_integer(line, "epoch", (int64_t)b->epoch);
        wsr__json_text(line, "net", b->nets[b->net].label);
        wsr__json_bool(line, "seen", wsr__estimate_is_seen(b, b->net));
        wsr__json_text(line, "variant", b->variants[v].label);
        wsr__json_number(line, "clean_accuracy",
                         (double)sums->clean / (double)sums->seen);
        put_shares(line, "true_accuracy", sums->real, n, sums->seen);
        put_shares(line, "estimated_accuracy", sums->estimated[v], n,
                   sums->seen);
        wsr__json_number(line, "mse", mse);
        wsr__json_integer(line, "undefined", sums->undefined[v]);
        wsr__json_integer(line, "count", sums->seen);
        WSR_TRY(wsr__run_log_end(run->log));
    }
out:
    return status;
}

static wsr_status validate_net(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr_loader_seek(b->test_loader, 0, b->at));
    if (b->at == 0) {
        memset(&b->validation[b->net], 0, sizeof(b->validation[b->net]));
    }
    while (b->at < b->val_batches) {
        const wsr_batch *batch = NULL;
        WSR_TRY(wsr_loader_next(&batch, b->test_loader));
        WSR_TRY(validate_batch(b, run, batch));
        WSR_TRY(wsr__estimate_batch_done(b, run));
    }
    WSR_TRY(log_net(b, run));
out:
    return status;
}

wsr_status wsr__estimate_validate(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    while (b->net < b->n_nets) {
        WSR_TRY(validate_net(b, run));
        b->net++;
        b->at = 0;
    }
out:
    return status;
}
