// SPDX-License-Identifier: Apache-2.0
//
// Validation between epochs: accuracy on the first test images, clean and
// under one attack at one strength, with frozen running statistics; and the
// parameters of the best epoch. With keep=last nothing of it influences the
// training, so the test images remain unseen.

#include "train/train.h"

#include <string.h>

// Every eval_every epochs, and always after the last one.
static bool is_due(const wsr__training *t)
{
    const size_t every = (size_t)t->params.eval_every;
    return t->of.test != NULL && every > 0 &&
           ((t->epoch + 1) % every == 0 ||
            t->epoch + 1 == (size_t)t->params.epochs);
}

// Copies the parameters if this epoch is better than all before it; buffers
// are parameters here.
static void remember(wsr__training *t, const wsr__validation *validation)
{
    const wsr_params *const params = wsr_net_params(t->of.net);
    const bool clean = wsr__streq(t->params.keep.s, "best_clean");
    const double value = clean ? validation->clean : validation->robust;
    float *at = t->best;
    if (t->best == NULL || value <= t->best_value) {
        return;
    }
    t->best_value = value;
    t->best_epoch = t->epoch;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        memcpy(at, p->data, (size_t)p->count * sizeof(*at));
        at += p->count;
    }
}

// The model is kept from one validation to the next: its plans read the
// current parameters.
// Processes have a shard each, as far as there are batches for them.
static wsr_status open_eval(wsr_eval **out, wsr__training *t, size_t shards)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    const size_t have = wsr_dataset_count(t->of.test);
    const size_t want = (size_t)t->params.eval_count;
    const float eps = (float)t->params.eval_eps;
    wsr__eval_params params;
    wsr__eval_params_default(&params);
    params.attacks = t->params.eval_attack.s;
    params.eps = &eps;
    params.n_eps = 1;
    params.settings.count = (int64_t)(want < have ? want : have);
    params.settings.attack.seed = (int64_t)t->of.seed;
    (void)snprintf(params.settings.shard.s, sizeof(params.settings.shard.s),
                   "%zu/%zu", shards > 1 ? wsr_comm_rank() + 1 : 1, shards);
    if (t->eval_model == NULL) {
        WSR_TRY(wsr_model_from_net(&t->eval_model, t->of.net,
                                   (size_t)t->params.batch));
    }
    WSR_TRY(wsr__eval_make(out, &params));
    WSR_TRY(wsr_eval_open(*out, t->eval_model, t->of.test));
out:
    return status;
}

// Makes the largest plan before training, and says how much memory it needs.
wsr_status wsr__training_prepare_validation(wsr__training *t)
{
    wsr_status status = WSR_OK;
    wsr_eval *eval = NULL;
    if (t->of.test == NULL || t->params.eval_every == 0) {
        return WSR_OK;
    }
    WSR_TRY(open_eval(&eval, t, 1));
    if (wsr_eval_attacks(eval) != 1) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%.80s: names %zu attacks, a validation has one",
                          t->params.eval_attack.s, wsr_eval_attacks(eval));
        goto out;
    }
    WSR_TRY(wsr__model_reserve(&t->eval_bytes, t->eval_model));
out:
    wsr_eval_free(eval);
    return status == WSR_OK ? status
                            : wsr__fail_at(status, "train.eval_attack");
}

// State of the hook of a running validation.
typedef struct watch {
    wsr__run *run;
    wsr_status status; // what the run's hook says
} watch;

static bool on_pass(const wsr_eval_progress *progress, void *user)
{
    watch *const w = user;
    const wsr_progress told = {.phase = "validate",
                               .step = progress->step,
                               .steps = progress->steps,
                               .done = progress->done,
                               .note = ""};
    w->status = wsr__run_tell(w->run, &told);
    return w->status == WSR_OK;
}

// A validation has no fraction of the run of its own: its time is part of an
// epoch's.
static wsr_status walk(wsr_eval *eval, const wsr__training *t, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const double part = (double)(t->epoch + 1) / (double)t->params.epochs;
    const size_t steps = wsr_eval_steps(eval);
    watch w = {.run = run};
    wsr__run_span(run, part, part);
    wsr_eval_set_hook(eval, on_pass, &w);
    for (size_t i = 0; i < steps; i++) {
        WSR_TRY(wsr_eval_step(eval));
        WSR_TRY(wsr__run_progress(run, "validate", i + 1, steps, ""));
    }
out:
    wsr__run_span(run, 0, 1);
    return status;
}

// Images that were evaluated, recognised, and recognised under attack.
typedef struct counts {
    uint64_t images;
    uint64_t clean;
    uint64_t robust;
} counts;

// Shards that the images of a validation make, one for each process at most.
static size_t shards_of(const wsr__training *t)
{
    const size_t have = wsr_dataset_count(t->of.test);
    const size_t want = (size_t)t->params.eval_count;
    const size_t n = want > 0 && want < have ? want : have;
    const size_t batch = (size_t)t->params.batch; // of the model
    const size_t batches = (n + batch - 1) / batch;
    return batches < wsr_comm_size() ? batches : wsr_comm_size();
}

// The shard of this process.
static wsr_status measure_here(counts *out, wsr__training *t, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr_eval *eval = NULL;
    const size_t shards = shards_of(t);
    if (wsr_comm_rank() >= shards) {
        return WSR_OK;
    }
    WSR_TRY(open_eval(&eval, t, shards));
    WSR_TRY(walk(eval, t, run));
    const wsr__eval_cell *const cell = wsr__eval_at(eval, 0, 0);
    out->images = eval->n;
    for (size_t i = 0; i < eval->n; i++) {
        out->clean += eval->clean[i];
        out->robust += cell->robust[i];
    }
out:
    wsr_eval_free(eval);
    return status;
}

// The sum over all processes, of whole numbers.
static wsr_status measure(counts *sum, wsr__training *t, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t size = wsr_comm_size();
    counts *const all = wsr__alloc(size, sizeof(*all));
    if (all == NULL) {
        return WSR_NOMEM;
    }
    run->alone = true;
    status = measure_here(&all[wsr_comm_rank()], t, run);
    run->alone = false;
    WSR_TRY(wsr__comm_agree(status));
    WSR_TRY(wsr__comm_all_gather(all, sizeof(*all)));
    *sum = (counts){0};
    for (size_t r = 0; r < size; r++) {
        sum->images += all[r].images;
        sum->clean += all[r].clean;
        sum->robust += all[r].robust;
    }
out:
    wsr__free(all);
    return status;
}

wsr_status wsr__training_validate(wsr__validation *validation, wsr__training *t,
                                  wsr__run *run)
{
    wsr_status status = WSR_OK;
    counts found = {0};
    *validation = (wsr__validation){-1, -1};
    if (!is_due(t)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__training_share_stats(t));
    wsr__training_swap_average(t);
    WSR_TRY(measure(&found, t, run));
    validation->clean = (double)found.clean / (double)found.images;
    validation->robust = (double)found.robust / (double)found.images;
    remember(t, validation);
    WSR_TRY(wsr__comm_agree(
        wsr__training_guard(t, run, validation->robust, (double)found.images)));
out:
    wsr__training_swap_average(t);
    return status;
}

// Plans notice that the parameters have changed (wsr__param_touch). The best
// parameters are those of the average where there is one: validations see it.
void wsr__training_finish(wsr__training *training)
{
    const wsr_params *const params = wsr_net_params(training->of.net);
    const bool best = training->best != NULL && training->best_value >= 0;
    const float *at = best ? training->best : wsr__training_averaged(training);
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        memcpy(p->data, at, (size_t)p->count * sizeof(*at));
        wsr__param_touch(p);
        at += p->count;
    }
}
