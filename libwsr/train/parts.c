// SPDX-License-Identifier: Apache-2.0
//
// The parts of a batch, and the gradient of all.
//
// With train.shards=K a batch is divided into K parts, as K processes of
// PyTorch's DistributedDataParallel do: each part is attacked and normalised by
// itself, has running statistics and a trainer's state of its own, and the
// gradient is the mean over all images. The network keeps the statistics of the
// first part, as the process of rank 0 that saves it does.
//
// Processes of a job have a share of the parts each. The gradients of parts are
// added in a tree that depends on K alone (comm/tree.c), and numbers that are
// logged are added in the order of the parts, so that a training has the same
// bits on any number of processes. All processes then take the same step.
//
// With train.norms=global batch norms see all parts, as PyTorch's SyncBatchNorm
// has it: the parts advance together (lockstep.c), and there is one set of
// running statistics, the network's.

#include "train/train.h"

#include <math.h>
#include <string.h>

// ---------------------------------------------------------------- division

// Images [begin, begin + n) of a batch.
typedef struct part {
    size_t number;
    size_t begin;
    size_t n;
} part;

static size_t parts_of(const wsr__training *t, size_t n)
{
    const size_t shards = (size_t)t->params.shards;
    return shards < n ? shards : n;
}

// Parts of a last batch are of about one size.
static part part_at(const wsr__training *t, size_t n, size_t k)
{
    const size_t parts = parts_of(t, n);
    const size_t begin = n * k / parts;
    return (part){k, begin, n * (k + 1) / parts - begin};
}

// Parts of a batch of n that are this process's.
static wsr__items parts_here(const wsr__training *t, size_t n)
{
    const size_t parts = parts_of(t, n);
    wsr__items s = wsr__comm_share((size_t)t->params.shards, wsr_comm_rank());
    s.begin = s.begin < parts ? s.begin : parts;
    s.end = s.end < parts ? s.end : parts;
    return s;
}

size_t wsr__training_part_images(const wsr__training *t, size_t n)
{
    return part_at(t, n, 0).n;
}

// Whether there is something to add.
static bool is_divided(const wsr__training *t)
{
    return t->reducer != NULL;
}

static size_t image_floats(const wsr__training *t)
{
    return (size_t)wsr_shape_count(&wsr__training_size(t)->image);
}

static size_t room_of(const wsr__training *t, part p)
{
    const size_t parts = (size_t)t->params.shards;
    return t->lockstep != NULL
               ? p.number - wsr__comm_share(parts, wsr_comm_rank()).begin
               : 0;
}

// The step of a part from that of the whole batch.
static wsr_status step_of_part(wsr__train_step *out, wsr__training *t,
                               const wsr__train_step *whole, part p)
{
    wsr_status status = WSR_OK;
    const wsr__plan_pair *pair = NULL;
    const size_t image = image_floats(t);
    const size_t shards = (size_t)t->params.shards;
    WSR_TRY(wsr__training_pair(&pair, t, p.n, room_of(t, p)));
    *out = *whole;
    out->plan = pair->train;
    out->second = pair->second;
    out->attack = &pair->attack;
    out->reducer = t->lockstep == NULL ? t->reducer : NULL;
    out->n = p.n;
    out->x += p.begin * image;
    out->labels += p.begin;
    out->x_adv += p.begin * image;
    out->adv_labels += p.begin;
    out->id += p.begin;
    out->number = whole->number * shards + p.number;
    if (out->logits != NULL) {
        out->logits += p.begin * out->classes;
    }
    if (out->state != NULL) {
        out->state += p.number * (t->states / shards);
    }
    if (out->mixed.others != NULL) {
        out->mixed.others += p.begin;
        out->mixed.shares += p.begin;
    }
    if (out->distill.logits != NULL) {
        out->distill.logits += p.begin * out->classes;
    }
out:
    return status;
}

wsr_status wsr__training_prepare_parts(wsr__training *t,
                                       const wsr__train_step *step,
                                       const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const bool mixes = wsr__training_mixes(t);
    const wsr__items mine = parts_here(t, step->n);
    for (size_t k = mine.begin; k < mine.end && (mixes || t->teacher != NULL);
         k++) {
        wsr__train_step of;
        const part p = part_at(t, step->n, k);
        WSR_TRY(step_of_part(&of, t, step, p));
        if (mixes) {
            wsr__training_mix(t, batch, p.begin, &of);
        }
        if (t->teacher != NULL) {
            WSR_TRY(wsr__training_teach(t, &of));
        }
    }
out:
    return status;
}

// --------------------------------------------------------- running statistics

// Running statistics of part k; those of the first are the network's.
static void put_stats(const wsr__training *t, size_t k)
{
    if (t->stats != NULL) {
        wsr__stats_put(wsr_net_params(t->of.net), t->stats + k * t->buffers);
    }
}

static void keep_stats(const wsr__training *t, size_t k)
{
    if (t->stats != NULL) {
        (void)wsr__stats_copy(t->stats + k * t->buffers,
                              wsr_net_params(t->of.net));
    }
}

void wsr__training_begin_stats(const wsr__training *t)
{
    for (size_t k = 0; k < (size_t)t->params.shards; k++) {
        keep_stats(t, k);
    }
}

wsr_status wsr__training_share_stats(const wsr__training *t)
{
    if (t->stats == NULL || !wsr__comm_many()) {
        return WSR_OK;
    }
    const wsr_status status =
        wsr__comm_broadcast(t->stats, t->buffers * sizeof(*t->stats), 0);
    put_stats(t, 0);
    return status;
}

wsr_status wsr__training_gather_parts(const wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t shards = (size_t)t->params.shards;
    if (!wsr__comm_many()) {
        return WSR_OK;
    }
    if (t->stats != NULL) {
        WSR_TRY(wsr__comm_gather_shares(
            t->stats, t->buffers * sizeof(*t->stats), shards));
    }
    if (t->state != NULL) {
        WSR_TRY(wsr__comm_gather_shares(
            t->state, t->states / shards * sizeof(*t->state), shards));
    }
out:
    return status;
}

// ----------------------------------------------------------------- results

// What a part says of itself, the same on all processes.
typedef struct result {
    double loss;
    uint64_t correct;
    uint64_t clean;
    uint32_t n;
    uint8_t clean_known;
    uint8_t skip;
    uint8_t failed;
    uint8_t unused;
} result;

// Sums over the images of parts, and a mean loss.
static void add_results(wsr__train_step *sum, const result *of, size_t n)
{
    sum->loss += (double)of->n / (double)n * of->loss;
    sum->correct += of->correct;
    sum->clean += of->clean;
    sum->clean_known = sum->clean_known && of->clean_known != 0;
    sum->skip = sum->skip && of->skip != 0;
}

// An update without a loss of its own leaves the results of the one before.
static void put_results(wsr__train_step *step, const wsr__train_step *sum)
{
    step->skip = sum->skip;
    if (!isnan(sum->loss)) {
        step->loss = sum->loss;
        step->correct = sum->correct;
        step->clean = sum->clean;
        step->clean_known = sum->clean_known;
    }
}

// Room for the results of one process: each has as many.
static size_t results_each(const wsr__training *t)
{
    const size_t size = wsr_comm_size();
    return ((size_t)t->params.shards + size - 1) / size + 1;
}

size_t wsr__training_results_bytes(const wsr__training *t)
{
    return results_each(t) * wsr_comm_size() * sizeof(result);
}

// The last result of a process says whether it failed.
static result *results_of(const wsr__training *t, size_t rank)
{
    return (result *)t->results + rank * results_each(t);
}

// Failures first: a process that failed has no gradient to add.
static wsr_status share_results(void *training, wsr_status own)
{
    wsr_status status = WSR_OK;
    const wsr__training *const t = training;
    const size_t each = results_each(t);
    bool failed = own != WSR_OK;
    if (!wsr__comm_many()) {
        return own;
    }
    results_of(t, wsr_comm_rank())[each - 1].failed = failed;
    WSR_TRY(wsr__comm_all_gather(t->results, each * sizeof(result)));
    for (size_t r = 0; r < wsr_comm_size(); r++) {
        failed = failed || results_of(t, r)[each - 1].failed != 0;
    }
    status = failed ? wsr__comm_agree(own) : WSR_OK;
out:
    return status;
}

static void sum_results(wsr__train_step *sum, const wsr__training *t, size_t n)
{
    const size_t shards = (size_t)t->params.shards;
    *sum = (wsr__train_step){.clean_known = true, .skip = true};
    for (size_t k = 0; k < parts_of(t, n); k++) {
        const size_t rank = wsr__comm_owner(shards, k);
        const size_t at = k - wsr__comm_share(shards, rank).begin;
        add_results(sum, &results_of(t, rank)[at], n);
    }
}

// --------------------------------------------------------------- gradients

static wsr_status work_on(result *out, wsr__training *t,
                          const wsr__train_step *step, part p)
{
    wsr_status status = WSR_OK;
    wsr__train_step of;
    put_stats(t, p.number);
    WSR_TRY(step_of_part(&of, t, step, p));
    of.skip = false;
    of.loss = nan("");
    WSR_TRY(t->trainer->batch(&of, t->options));
    keep_stats(t, p.number);
    *out = (result){.loss = of.loss,
                    .correct = of.correct,
                    .clean = of.clean,
                    .n = (uint32_t)p.n,
                    .clean_known = of.clean_known,
                    .skip = of.skip};
out:
    return status;
}

static double weight_of(part p, const wsr__train_step *step)
{
    return (double)p.n / (double)step->n;
}

// The parts of this process, each with gradients of its own.
static wsr_status work_in_turn(wsr__training *t, const wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    const wsr__items mine = parts_here(t, step->n);
    result *const results = results_of(t, wsr_comm_rank());
    for (size_t k = mine.begin; k < mine.end; k++) {
        const part p = part_at(t, step->n, k);
        wsr_params_zero_grad(wsr_net_params(t->of.net), true);
        WSR_TRY(wsr__reducer_part(t->reducer, weight_of(p, step)));
        WSR_TRY(work_on(&results[k - mine.begin], t, step, p));
        WSR_TRY(wsr__reducer_take(t->reducer));
    }
out:
    return status;
}

typedef struct together {
    wsr__training *t;
    const wsr__train_step *step;
} together;

static wsr_status work_on_room(void *ctx, size_t room)
{
    const together *const of = ctx;
    wsr__training *const t = of->t;
    const size_t k = parts_here(t, of->step->n).begin + room;
    wsr_params_zero_grad(wsr_net_params(t->of.net), true);
    return work_on(&results_of(t, wsr_comm_rank())[room], t, of->step,
                   part_at(t, of->step->n, k));
}

// All parts of this process at once, from norm to norm.
static wsr_status work_together(wsr__training *t, const wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    together of = {t, step};
    const wsr__items mine = parts_here(t, step->n);
    WSR_TRY(wsr__lockstep_run(t->lockstep, work_on_room, &of));
    for (size_t k = mine.begin; k < mine.end && status == WSR_OK; k++) {
        const part p = part_at(t, step->n, k);
        wsr__training_exchange(t, k - mine.begin);
        status = wsr__reducer_part(t->reducer, weight_of(p, step));
        status = status == WSR_OK ? wsr__reducer_take(t->reducer) : status;
        wsr__training_exchange(t, k - mine.begin);
    }
out:
    return status;
}

static wsr_status work_here(wsr__training *t, const wsr__train_step *step)
{
    const double begun = wsr__seconds();
    const double waited = wsr__comm_spent().seconds;
    const wsr_status status =
        (t->lockstep != NULL ? work_together : work_in_turn)(t, step);
    t->seconds += wsr__seconds() - begun - (wsr__comm_spent().seconds - waited);
    return status;
}

// One part in one process adds to the gradients that are there.
static wsr_status undivided(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    wsr__train_step sum;
    WSR_TRY(work_on(results_of(t, 0), t, step, part_at(t, step->n, 0)));
    sum_results(&sum, t, step->n);
    put_results(step, &sum);
out:
    return status;
}

// Gradients that an earlier update left are what they were, and the sum is
// added to them.
wsr_status wsr__training_gradients(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    const float *gradient = NULL;
    wsr__train_step sum;
    const wsr_params *const params = wsr_net_params(t->of.net);
    const bool more = step->update > 0 && t->earlier != NULL;
    if (!is_divided(t)) {
        return undivided(t, step);
    }
    if (more) {
        wsr__gradients_take(t->earlier, params, 1);
    }
    keep_stats(t, 0);
    wsr__reducer_begin(t->reducer, (size_t)t->params.shards,
                       parts_of(t, step->n));
    WSR_TRY(wsr__reducer_sum(&gradient, t->reducer, work_here(t, step),
                             &(wsr__reducer_agree){share_results, t}));
    WSR_TRY(wsr__gradients_put(params, gradient, more ? t->earlier : NULL));
    sum_results(&sum, t, step->n);
    put_results(step, &sum);
out:
    put_stats(t, 0);
    return status;
}

// ----------------------------------------------------------------- options

wsr_status wsr__divide(int64_t *shards, const char *text, const char *section)
{
    static const char word[] = "shards:";
    int64_t n = 0;
    if (text[0] != '\0') {
        if (strncmp(text, word, sizeof(word) - 1) != 0 ||
            !wsr__parse_int(&n, text + sizeof(word) - 1) || n < 1 ||
            n > WSR__SHARDS_MAX) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s.deterministic: '%.40s' is not shards:N with N "
                            "in [1, %d]",
                            section, text, (int)WSR__SHARDS_MAX);
        }
        if (*shards > 1 && *shards != n) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s.deterministic: %.40s differs from %s.shards: "
                            "%lld",
                            section, text, section, (long long)*shards);
        }
        *shards = n;
    }
    if (*shards == 1) {
        *shards = (int64_t)wsr_comm_size();
    }
    return WSR_OK;
}

wsr_status wsr__train_divide(wsr__train_params *params)
{
    return wsr__divide(&params->shards, params->deterministic.s, "train");
}
