// SPDX-License-Identifier: Apache-2.0
//
// The genotype by prediction (search.derive=predicted): of the genotype of the
// alphas and of random ones the one whose predicted objective is lowest. The
// alphas are the product of a distribution for each edge; what is good together
// they do not tell. The random genotypes are the same in every epoch, so that
// the choice follows from the predictor, which checkpoints hold.
//
// A prediction is less than a measurement: with search.derive=measured the last
// epoch evaluates those predicted to be best with the shared weights, and that
// of the alphas, and takes the best of these. Checkpoints hold what it took.

#include "search/search.h"

#include <stdlib.h>

enum { AT_ONCE = 64 }; // genotypes that are predicted

static bool derives(const wsr_search *s, const char *word)
{
    return wsr__streq(s->params.derive.s, word);
}

// Genotype `number`; 0 is that of the alphas.
static wsr_status draw(wsr__pairs *pairs, const wsr_search *s, size_t number)
{
    const wsr__space_class *const space = wsr__search_space(s);
    wsr__rng rng =
        wsr__rng_at(s->seed, WSR__RNG_GUMBEL, number, WSR__SAMPLE_DERIVE);
    if (number == 0) {
        return wsr__pairs_derive(pairs, space, s->alphas);
    }
    wsr__pairs_random(pairs, space, &rng);
    return WSR_OK;
}

// ------------------------------------------------------------ by prediction

// The genotypes of the lowest objectives so far, ascending.
typedef struct shortlist {
    size_t most;
    size_t n;
    size_t *numbers;
    double *objectives;
} shortlist;

// The first of equal ones stands before the others.
static void enter(shortlist *list, size_t number, double objective)
{
    size_t at = list->n;
    if (at == list->most) {
        at--; // the last one makes room, or stays
        if (!(objective < list->objectives[at])) {
            return;
        }
    } else {
        list->n++;
    }
    for (; at > 0 && objective < list->objectives[at - 1]; at--) {
        list->numbers[at] = list->numbers[at - 1];
        list->objectives[at] = list->objectives[at - 1];
    }
    list->numbers[at] = number;
    list->objectives[at] = objective;
}

// Genotypes number `first` and up; the predictor takes AT_ONCE.
static wsr_status predict(shortlist *list, const wsr_search *s, float *tables,
                          size_t first, size_t n)
{
    wsr_status status = WSR_OK;
    const size_t heads = 1 + wsr__search_slots(s);
    double losses[AT_ONCE * WSR__SLOTS];
    for (size_t i = 0; i < n; i++) {
        wsr__pairs pairs;
        WSR_TRY(draw(&pairs, s, first + i));
        wsr__pairs_table(tables + i * s->arch.rows * s->arch.cols, &pairs,
                         wsr__search_space(s));
    }
    WSR_TRY(wsr_predictor_run(losses, s->predictor, tables, AT_ONCE));
    for (size_t i = 0; i < n; i++) {
        enter(list, first + i, wsr_search_objective(s, losses + i * heads));
    }
out:
    return status;
}

// The best of genotypes number `first` and up.
static wsr_status shorten(shortlist *list, const wsr_search *s, size_t first)
{
    wsr_status status = WSR_OK;
    const size_t end = 1 + (size_t)s->params.derive_samples;
    float *const tables =
        wsr__alloc(AT_ONCE * s->arch.rows * s->arch.cols, sizeof(*tables));
    WSR_TRY(tables == NULL ? WSR_NOMEM : WSR_OK);
    for (size_t at = first; at < end; at += AT_ONCE) {
        const size_t n = end - at < AT_ONCE ? end - at : AT_ONCE;
        WSR_TRY(predict(list, s, tables, at, n));
    }
out:
    wsr__free(tables);
    return status;
}

static wsr_status take(wsr_search *s, size_t number)
{
    wsr_status status = WSR_OK;
    wsr__pairs pairs;
    WSR_TRY(draw(&pairs, s, number));
    wsr__pairs_table(s->best_room, &pairs, wsr__search_space(s));
    s->best = s->best_room;
out:
    return status;
}

wsr_status wsr__search_choose_best(wsr_search *s)
{
    wsr_status status = WSR_OK;
    size_t number = 0;
    double objective = 0;
    shortlist one = {1, 0, &number, &objective};
    if (s->best_room == NULL) {
        return WSR_OK;
    }
    WSR_TRY(shorten(&one, s, 0));
    WSR_TRY(take(s, number));
out:
    return status;
}

// ----------------------------------------------------------- by measurement

// Random genotypes that are measured; that of the alphas comes to these.
static size_t listed(const wsr_search *s)
{
    const int64_t wanted = s->params.derive_measured;
    const int64_t drawn = s->params.derive_samples;
    return (size_t)(wanted < drawn ? wanted : drawn);
}

size_t wsr__search_measured(const wsr_search *s)
{
    return derives(s, "measured") ? 1 + listed(s) : 0;
}

// A genotype with its measured objective.
typedef struct candidate {
    size_t number;
    size_t place; // by prediction, from 1; 0: that of the alphas
    double objective;
} candidate;

// As epochs evaluate architectures, on the images of this one.
static wsr_status measure(candidate *c, wsr_search *s)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    wsr__pairs pairs;
    wsr__path path = {0};
    WSR_TRY(wsr__path_new(&path, &s->arch));
    WSR_TRY(draw(&pairs, s, c->number));
    wsr__pairs_path(&path, &pairs, wsr__search_space(s));
    WSR_TRY(s->evaluator(losses, s, &path, WSR__EVALUATE_FIXED_STATS));
    c->objective = wsr_search_objective(s, losses);
out:
    wsr__path_free(&path);
    return status;
}

// Of equal objectives the one that was predicted to be better comes first.
static int by_objective(const void *a, const void *b)
{
    const candidate *const x = a;
    const candidate *const y = b;
    const int order = (x->objective > y->objective) -
                      (x->objective < y->objective);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static wsr_status log_candidate(const wsr_search *s, wsr__run *run,
                                const candidate *c, size_t place)
{
    wsr_status status = WSR_OK;
    wsr__pairs pairs;
    wsr_genotype *genotype = NULL;
    wsr__str text = {0};
    wsr__json *line = NULL;
    WSR_TRY(draw(&pairs, s, c->number));
    WSR_TRY(wsr__pairs_genotype(&genotype, &pairs, wsr__search_space(s),
                                "candidate"));
    wsr__genotype_print_line(&text, genotype);
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__run_log_begin(&line, run->log, "candidate"));
    wsr__json_integer(line, "place", (int64_t)place);
    wsr__json_integer(line, "predicted_place", (int64_t)c->place);
    wsr__json_number(line, "objective", c->objective);
    wsr__json_text(line, "genotype", text.s);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    wsr__str_free(&text);
    wsr_genotype_free(genotype);
    return status;
}

// The best one is taken; the log has all of them, for those who train a few.
static wsr_status measure_all(wsr_search *s, candidate *list, size_t n,
                              wsr__run *run)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < n; i++) {
        WSR_TRY(measure(&list[i], s));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], i + 1, n,
                                  "measuring genotypes"));
    }
    qsort(list, n, sizeof(*list), by_objective);
    WSR_TRY(take(s, list[0].number));
    s->best_measured = true;
    for (size_t i = 0; run->log != NULL && i < n; i++) {
        WSR_TRY(log_candidate(s, run, &list[i], i + 1));
    }
out:
    return status;
}

wsr_status wsr__search_measure_best(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr__search_measured(s);
    shortlist list = {.most = listed(s)};
    candidate *candidates = NULL;
    if (n == 0 || s->epoch + 1 < wsr__phase_epochs(s, WSR_PHASE_SEARCH)) {
        return WSR_OK;
    }
    list.numbers = wsr__alloc(list.most, sizeof(*list.numbers));
    list.objectives = wsr__alloc(list.most, sizeof(*list.objectives));
    candidates = wsr__alloc(n, sizeof(*candidates)); // the alphas' first
    if (list.numbers == NULL || list.objectives == NULL || candidates == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(shorten(&list, s, 1));
    for (size_t i = 0; i < list.n; i++) {
        candidates[1 + i] = (candidate){list.numbers[i], 1 + i, 0};
    }
    WSR_TRY(measure_all(s, candidates, n, run));
out:
    wsr__free(candidates);
    wsr__free(list.numbers);
    wsr__free(list.objectives);
    return status;
}

// Searchers without a predictor have nothing to choose by, and those that keep
// the best of what they have evaluated derive from that.
wsr_status wsr__search_prepare_best(wsr_search *s)
{
    if (derives(s, "alphas")) {
        return WSR_OK;
    }
    if (!s->cls->estimates || s->cls->table != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.derive: %s does not derive from alphas with a "
                        "predictor, wsr_nas and evolution do",
                        s->cls->super.name);
    }
    s->best_room =
        wsr__alloc(s->arch.rows * s->arch.cols, sizeof(*s->best_room));
    return s->best_room == NULL ? WSR_NOMEM : WSR_OK;
}
