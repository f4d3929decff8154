// SPDX-License-Identifier: Apache-2.0
//
// Compares predictors: those that search.holdout_predictors lists learn from
// what the search's own predictor remembers at its last epoch, each from the
// beginning, with as many passes as the predictor's warm-up has, and rank the
// architectures that were held out in that epoch. One event of the log for
// each, the search's own first. They have no part in the search and leave no
// trace in its state: an epoch that is repeated after a stop trains them again.

#include "search/search.h"

#include <string.h>

enum { MOST = 16 };

typedef struct rival {
    char *spec;
    wsr_predictor *predictor;
} rival;

struct wsr__rivals {
    rival list[MOST];
    size_t n;
};

static wsr_status add(rival *added, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr_predictor *const own = s->predictor;
    const wsr_shape table = wsr__shape2((int64_t)own->rows, (int64_t)own->cols);
    WSR_TRY(wsr_predictor_new(&added->predictor, added->spec, &table,
                              own->heads, s->seed));
    WSR_TRY(wsr__search_fit_predictor(added->predictor, s));
out:
    return status;
}

static wsr_status add_all(wsr__rivals *r, const wsr_search *s, const char *list)
{
    wsr_status status = WSR_OK;
    const char *rest = list;
    if (*rest != '\0' && s->params.holdout_architectures < 2) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.holdout_architectures is %lld, two are needed "
                        "to rank",
                        (long long)s->params.holdout_architectures);
    }
    while (*rest != '\0') {
        if (r->n == MOST) {
            return WSR_FAIL(WSR_CONFIG, "more than %d predictors", MOST);
        }
        rival *const added = &r->list[r->n++];
        WSR_TRY(wsr__spec_next(&added->spec, &rest));
        status = add(added, s);
        if (status != WSR_OK) {
            return wsr__fail_at(status, "predictor %zu", r->n);
        }
    }
out:
    return status;
}

wsr_status wsr__rivals_new(wsr__rivals **out, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    char *list = NULL;
    *out = NULL;
    wsr__rivals *r = wsr__alloc(1, sizeof(*r));
    if (r == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__spec_list(&list, s->params.holdout_predictors.s));
    status = add_all(r, s, list);
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "search.holdout_predictors");
        goto out;
    }
    if (r->n > 0) {
        *out = r;
        r = NULL;
    }
out:
    wsr__free(list);
    wsr__rivals_free(r);
    return status;
}

void wsr__rivals_free(wsr__rivals *r)
{
    for (size_t i = 0; r != NULL && i < r->n; i++) {
        wsr_predictor_free(r->list[i].predictor);
        wsr__free(r->list[i].spec);
    }
    wsr__free(r);
}

// In the order in which the search's predictor got them.
static wsr_status learn(wsr_predictor *to, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr_predictor *const own = s->predictor;
    const size_t room = (size_t)own->common->memory;
    for (size_t i = 0; i < wsr_predictor_remembered(own); i++) {
        const size_t at = ((size_t)own->counters[0] + i) % room;
        WSR_TRY(wsr_predictor_remember(to,
                                       own->tables + at * own->rows * own->cols,
                                       own->losses + at * own->heads));
    }
    WSR_TRY(wsr_predictor_train(NULL, to, (size_t)s->params.predictor_warm_up));
out:
    return status;
}

// As holdout->predicted is, by slot, then by architecture.
static wsr_status predict(double *predicted, wsr_predictor *p,
                          const wsr__holdout *of)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    for (size_t k = 0; k < of->n; k++) {
        WSR_TRY(wsr_predictor_run(losses, p, of->tables + k * p->rows * p->cols,
                                  1));
        for (size_t i = 0; i < p->heads; i++) {
            predicted[i * of->n + k] = losses[i];
        }
    }
out:
    return status;
}

static wsr_status log_ranking(const wsr_search *s, wsr__run *run,
                              const char *name, const double *predicted,
                              const wsr__holdout *of)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    double tau[WSR__SLOTS][3];
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        WSR_TRY(wsr__holdout_tau(tau[i], s, predicted + i * of->n,
                                 of->measured + i * of->n, of->n));
    }
    WSR_TRY(wsr__run_log_begin(&line, run->log, "predictor"));
    wsr__json_text(line, "predictor", name);
    wsr__json_integer(line, "architectures", (int64_t)of->n);
    wsr__json_integer(line, "remembered",
                      (int64_t)wsr_predictor_remembered(s->predictor));
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        wsr__holdout_log(line, s, i, tau[i]);
    }
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

wsr_status wsr__rivals_compare(const wsr_search *s, wsr__run *run,
                               const wsr__holdout *of)
{
    wsr_status status = WSR_OK;
    const bool last = s->phase == WSR_PHASE_SEARCH &&
                      s->epoch + 1 == wsr__phase_epochs(s, s->phase);
    double *predicted = NULL;
    if (run->log == NULL || !last || of->n < 2) {
        return WSR_OK;
    }
    WSR_TRY(
        log_ranking(s, run, s->predictor->cls->super.name, of->predicted, of));
    for (size_t i = 0; s->rivals != NULL && i < s->rivals->n; i++) {
        const rival *const r = &s->rivals->list[i];
        wsr__free(predicted);
        predicted = wsr__alloc(of->n * WSR__SLOTS, sizeof(*predicted));
        if (predicted == NULL) {
            return WSR_NOMEM;
        }
        WSR_TRY(learn(r->predictor, s));
        WSR_TRY(predict(predicted, r->predictor, of));
        WSR_TRY(log_ranking(s, run, r->spec, predicted, of));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], i + 1,
                                  s->rivals->n, "comparing predictors"));
    }
out:
    wsr__free(predicted);
    return status;
}
