// SPDX-License-Identifier: Apache-2.0
//
// The work of a search in passes of images through paths of the supernet, the
// unit in which searchers are compared. The numbers follow from the
// configuration, so that they are known before the start and do not depend on
// interruptions. A test compares them with what the plans run.
//
// Not counted: training and inference of estimator, predictor and controller,
// and architectures without a path from the images to the logits, which need
// no gradient.

#include "search/search.h"

bool wsr__search_has_stage(const wsr_search *s, wsr_phase phase,
                           wsr__search_stage stage)
{
    switch (stage) {
    case WSR__STAGE_TRAIN:
        return !s->cls->untrained && s->lookup == NULL;
    case WSR__STAGE_EVALUATE:
        return phase != WSR_PHASE_WARM_UP && s->cls->evaluate != NULL;
    default:
        return phase != WSR_PHASE_WARM_UP;
    }
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

// Every slot needs a forward pass, and so do the clean images, and those of
// each batch that is attacked with their statistics. Sources are
// attacked, and targets where nothing estimates them. Stored noises are those
// of the sources and of a random strength.
wsr__passes wsr__evaluation_passes(const wsr_search *s, double paths,
                                   double stored)
{
    const double batch = (double)s->params.batch;
    const double images = batch * (double)wsr__search_batches(s);
    const double slots = (double)wsr__search_slots(s);
    const double sources = (double)s->params.sources.n;
    const double attacked = s->cls->estimates ? sources : slots;
    const double frozen = wsr__search_frozen(&s->params) ? 1 : 0;
    const double batches = least((double)s->params.estimator_batches,
                                 (double)wsr_loader_batches(s->train_loader));
    if (s->lookup != NULL) {
        return (wsr__passes){0, 0};
    }
    return (wsr__passes){
        .gradient = (double)s->params.attack_steps *
                    (paths * images * attacked +
                     stored * batch * batches * (sources + 1)),
        .forward = paths * images * (1 + slots) +
                   frozen * (paths * images + stored * batch * batches)};
}

wsr__passes wsr__stage_passes(const wsr_search *s, wsr_phase phase,
                              wsr__search_stage stage)
{
    if (!wsr__search_has_stage(s, phase, stage)) {
        return (wsr__passes){0, 0};
    }
    if (stage == WSR__STAGE_TRAIN && s->cls->train == NULL) {
        const double images = (double)s->params.batch *
                              (double)wsr__search_train_batches(s);
        return (wsr__passes){images * ((double)s->params.attack_steps + 1),
                             wsr__search_frozen(&s->params) ? images : 0};
    }
    return s->cls->passes == NULL ? (wsr__passes){0, 0}
                                  : s->cls->passes(s, phase, stage);
}

static wsr__passes epoch_passes(const wsr_search *s, wsr_phase phase)
{
    wsr__passes sum = {0, 0};
    for (int i = 0; i <= (int)WSR__STAGE_UPDATE; i++) {
        const wsr__passes stage =
            wsr__stage_passes(s, phase, (wsr__search_stage)i);
        sum.gradient += stage.gradient;
        sum.forward += stage.forward;
    }
    return sum;
}

// Genotypes that are measured in the last epoch (search.derive=measured).
static wsr__passes choice_passes(const wsr_search *s)
{
    const size_t n = wsr__search_measured(s);
    return n == 0 ? (wsr__passes){0, 0}
                  : wsr__evaluation_passes(s, (double)n, 0);
}

wsr__passes wsr__search_passes_until(const wsr_search *s, size_t epochs)
{
    wsr__passes sum = {0, 0};
    for (int p = 0; p <= (int)s->phase && p < (int)WSR_PHASE_DONE; p++) {
        const wsr__passes epoch = epoch_passes(s, (wsr_phase)p);
        const double n = p < (int)s->phase
                             ? (double)wsr__phase_epochs(s, (wsr_phase)p)
                             : (double)epochs;
        sum.gradient += n * epoch.gradient;
        sum.forward += n * epoch.forward;
    }
    if (s->phase == WSR_PHASE_DONE ||
        (s->phase == WSR_PHASE_SEARCH &&
         epochs == wsr__phase_epochs(s, s->phase))) {
        const wsr__passes choice = choice_passes(s);
        sum.gradient += choice.gradient;
        sum.forward += choice.forward;
    }
    return sum;
}

// Architectures for the log alone are no passes of the searcher, but take their
// time: those held out for the predictor, and the random baseline, which the
// last stage evaluates.
double wsr__stage_work(const wsr_search *s, wsr_phase phase,
                       wsr__search_stage stage)
{
    const wsr__passes passes = wsr__stage_passes(s, phase, stage);
    double work = passes.gradient + passes.forward;
    if (stage == WSR__STAGE_EVALUATE && s->cls->estimates &&
        wsr__search_has_stage(s, phase, stage)) {
        const wsr__passes more = wsr__evaluation_passes(
            s, (double)s->params.holdout_architectures, 0);
        work += more.gradient + more.forward;
    }
    if (stage == WSR__STAGE_UPDATE && !s->cls->untrained &&
        phase != WSR_PHASE_WARM_UP) {
        const wsr__passes more =
            wsr__evaluation_passes(s, (double)s->params.random_baseline, 0);
        work += more.gradient + more.forward;
    }
    return work;
}

double wsr__search_work(const wsr_search *s)
{
    const wsr__passes choice = choice_passes(s);
    double sum = choice.gradient + choice.forward;
    for (int p = 0; p < (int)WSR_PHASE_DONE; p++) {
        const double epochs = (double)wsr__phase_epochs(s, (wsr_phase)p);
        for (int i = 0; i <= (int)WSR__STAGE_UPDATE; i++) {
            sum += epochs *
                   wsr__stage_work(s, (wsr_phase)p, (wsr__search_stage)i);
        }
    }
    return sum;
}

// A searcher that makes no passes keeps its epochs.
wsr_status wsr__search_spend(wsr_search *s)
{
    const double budget = (double)s->params.budget;
    const double each = epoch_passes(s, WSR_PHASE_SEARCH).gradient;
    double before = choice_passes(s).gradient;
    if (budget <= 0 || each <= 0) {
        return WSR_OK;
    }
    for (int p = 0; p < (int)WSR_PHASE_SEARCH; p++) {
        before += (double)wsr__phase_epochs(s, (wsr_phase)p) *
                  epoch_passes(s, (wsr_phase)p).gradient;
    }
    if (before + each > budget) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.budget: %.0f passes are fewer than the %.0f "
                        "of warm-up, population, one epoch and choice of %s",
                        budget, before + each, s->cls->super.name);
    }
    s->params.epochs = (int64_t)((budget - before) / each);
    return WSR_OK;
}
