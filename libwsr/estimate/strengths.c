// SPDX-License-Identifier: Apache-2.0
//
// Estimates against PGD at equal norm. At each strength of attack.eps PGD
// attacks the test images; every variant gets the noises of the sources and
// the Euclidean norm of PGD's noise, image by image, and estimates a noise of
// that norm. All strengths are estimated in one call, as a search does.

#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *wsr__estimate_place(const wsr__estimate *b, double eps)
{
    const wsr__floats *const s = &b->config->attack.sources;
    return eps < s->v[0] ? "below" : eps > s->v[s->n - 1] ? "above" : "between";
}

// PGD's noises at all strengths, and their norms (batch, strengths).
static wsr_status attack(wsr__estimate *b, wsr__run *run,
                         const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const wsr__floats *const eps = &b->config->attack.eps;
    WSR_TRY(wsr__estimate_noises(b, run, batch, 0));
    WSR_TRY(wsr__estimate_attacks(b->wanted, b, run, batch, eps));
    for (size_t j = 0; j < eps->n; j++) {
        for (size_t i = 0; i < b->batch; i++) {
            b->norms[i * eps->n + j] = (float)wsr__estimate_norm(
                b->wanted[j] + i * b->pixels, b->pixels);
        }
    }
out:
    return status;
}

static wsr_status estimate(wsr__estimate *b, const wsr_batch *batch, size_t v)
{
    const size_t counts[3] = {b->batch, b->sources, b->config->attack.eps.n};
    return wsr_estimator_run(b->estimate, b->variants[v].estimator,
                             (const float *const *)b->noise,
                             wsr_batch_images(batch), b->norms, counts);
}

// Sums over the images of a batch; a noise of norm zero is not like any other.
static void compare(double *cosine, double *mse, const wsr__estimate *b,
                    size_t j)
{
    const size_t p = b->pixels;
    for (size_t i = 0; i < b->batch; i++) {
        const float *const x = b->wanted[j] + i * p;
        const float *const y = b->estimate[j] + i * p;
        const double xx = wsr__estimate_dot(x, x, p);
        const double yy = wsr__estimate_dot(y, y, p);
        const double xy = wsr__estimate_dot(x, y, p);
        *cosine += xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
        *mse += (xx + yy - 2 * xy) / (double)p;
    }
}

static wsr_status test_variant(wsr__estimate_test *sums, wsr__estimate *b,
                               const wsr_batch *batch, size_t v)
{
    wsr_status status = WSR_OK;
    WSR_TRY(estimate(b, batch, v));
    for (size_t j = 0; j < b->config->attack.eps.n; j++) {
        sums->undefined[v] += wsr__estimate_define(b->estimate[j], b);
        compare(&sums->cosine[v][j], &sums->mse[v][j], b, j);
        WSR_TRY(wsr__estimate_count(&sums->estimated[v][j], b, b->net, batch,
                                    b->estimate[j], !b->quirks.unclamped));
    }
out:
    return status;
}

static wsr_status test_batch(wsr__estimate *b, wsr__run *run,
                             const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    wsr__estimate_test *const sums = &b->test_of[b->net];
    WSR_TRY(attack(b, run, batch));
    sums->seen += (int64_t)b->batch;
    WSR_TRY(wsr__estimate_count(&sums->clean, b, b->net, batch, NULL, false));
    for (size_t j = 0; j < b->config->attack.eps.n; j++) {
        for (size_t i = 0; i < b->batch; i++) {
            sums->norm[j] += (double)b->norms[i * b->config->attack.eps.n + j];
        }
        WSR_TRY(wsr__estimate_count(&sums->real[j], b, b->net, batch,
                                    b->wanted[j], !b->quirks.unclamped));
    }
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(test_variant(sums, b, batch, v));
    }
    b->at++;
out:
    return status;
}

// -------------------------------------------------------------------- times

enum { REPEATS = 5 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *seconds)
{
    qsort(seconds, REPEATS, sizeof(*seconds), ascending);
    return seconds[REPEATS / 2];
}

static wsr_status time_variant(double *out, wsr__estimate *b,
                               const wsr_batch *batch, size_t v)
{
    wsr_status status = WSR_OK;
    double seconds[REPEATS];
    const double n = (double)(b->batch * b->config->attack.eps.n);
    for (size_t i = 0; i < REPEATS; i++) {
        const double begun = wsr__seconds();
        WSR_TRY(estimate(b, batch, v));
        seconds[i] = wsr__seconds() - begun;
    }
    *out = median(seconds) / n;
out:
    return status;
}

// Medians on the first batch, per image and strength. The attacks of the
// sources, which an estimate needs once for all its strengths, do not count.
static wsr_status measure_times(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__estimate_test *const sums = &b->test_of[b->net];
    const wsr__floats *const eps = &b->config->attack.eps;
    const wsr_batch *batch = NULL;
    double seconds[REPEATS];
    WSR_TRY(wsr_loader_seek(b->test_loader, 0, 0));
    WSR_TRY(wsr_loader_next(&batch, b->test_loader));
    WSR_TRY(attack(b, run, batch));
    for (size_t i = 0; i < REPEATS; i++) {
        const double begun = wsr__seconds();
        WSR_TRY(wsr__estimate_pgd(b->wanted[0], b, b->net, batch, eps->v[0]));
        seconds[i] = wsr__seconds() - begun;
    }
    sums->pgd_seconds = median(seconds) / (double)b->batch;
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(time_variant(&sums->seconds[v], b, batch, v));
    }
out:
    return status;
}

// ---------------------------------------------------------------------- log

static wsr_status log_times(const wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_test *const sums = &b->test_of[b->net];
    for (size_t v = 0; v < b->n_variants; v++) {
        wsr__json *line = NULL;
        WSR_TRY(wsr__run_log_begin(&line, run->log, "estimate_time"));
        wsr__json_text(line, "net", b->nets[b->net].label);
        wsr__json_text(line, "variant", b->variants[v].label);
        wsr__json_number(line, "seconds_pgd", sums->pgd_seconds);
        wsr__json_number(line, "seconds_estimate", sums->seconds[v]);
        WSR_TRY(wsr__run_log_end(run->log));
    }
out:
    return status;
}

// A share with its 95 % interval, under three keys.
static void put_share(wsr__json *line, const char *const keys[3], int64_t count,
                      int64_t of)
{
    double low = 0;
    double high = 0;
    const double share = (double)count / (double)of;
    wsr__wilson(&low, &high, share, (double)of);
    wsr__json_number(line, keys[0], share);
    wsr__json_number(line, keys[1], low);
    wsr__json_number(line, keys[2], high);
}

static wsr_status log_strength(const wsr__estimate *b, wsr__run *run, size_t v,
                               size_t j)
{
    static const char *const pgd[] = {"pgd_accuracy", "pgd_low", "pgd_high"};
    static const char *const own[] = {"estimated_accuracy", "low", "high"};
    wsr_status status = WSR_OK;
    const wsr__estimate_test *const sums = &b->test_of[b->net];
    const double eps = b->config->attack.eps.v[j];
    const double n = (double)sums->seen;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, run->log, "estimate"));
    wsr__json_text(line, "net", b->nets[b->net].label);
    wsr__json_bool(line, "seen", wsr__estimate_is_seen(b, b->net));
    wsr__json_text(line, "variant", b->variants[v].label);
    wsr__json_float(line, "eps", (float)eps);
    wsr__json_text(line, "place", wsr__estimate_place(b, eps));
    wsr__json_number(line, "norm", sums->norm[j] / n);
    wsr__json_number(line, "clean_accuracy", (double)sums->clean / n);
    put_share(line, pgd, sums->real[j], sums->seen);
    put_share(line, own, sums->estimated[v][j], sums->seen);
    wsr__json_number(line, "cosine", sums->cosine[v][j] / n);
    wsr__json_number(line, "mse", sums->mse[v][j] / n);
    wsr__json_integer(line, "undefined", sums->undefined[v]);
    wsr__json_integer(line, "count", sums->seen);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

static wsr_status log_net(const wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(log_times(b, run));
    for (size_t v = 0; v < b->n_variants; v++) {
        for (size_t j = 0; j < b->config->attack.eps.n; j++) {
            WSR_TRY(log_strength(b, run, v, j));
        }
    }
out:
    return status;
}

static wsr_status test_net(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr_loader_seek(b->test_loader, 0, b->at));
    while (b->at < b->val_batches) {
        const wsr_batch *batch = NULL;
        WSR_TRY(wsr_loader_next(&batch, b->test_loader));
        WSR_TRY(test_batch(b, run, batch));
        WSR_TRY(wsr__estimate_batch_done(b, run));
    }
    WSR_TRY(measure_times(b, run));
    WSR_TRY(log_net(b, run));
out:
    return status;
}

wsr_status wsr__estimate_strengths(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    while (b->net < b->n_nets) {
        WSR_TRY(test_net(b, run));
        b->net++;
        b->at = 0;
        WSR_TRY(wsr__run_checkpoint(run));
    }
out:
    return status;
}
