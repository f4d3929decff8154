// SPDX-License-Identifier: Apache-2.0
//
// An evaluator that looks accuracies up. The loss of an architecture at a
// strength is its error there, 1 - accuracy; with the strengths of the search
// being strengths of the table.
//
// In a single space, cells that the benchmark counts as the same have the
// accuracies of one of them. Where an architecture is in no row, a table of a
// whole space is damaged; a sample can answer with the mean over its nearest
// rows, those that differ on the fewest edges.

#include "search/lookup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------ filling

static wsr_status unique_of(char **out, const wsr_genotype *genotype)
{
    wsr__str text = {0};
    wsr__nb201_unique(&text, genotype);
    return wsr__str_give(out, &text);
}

// Choices of the path of a genotype, whose operations must be candidates.
static wsr_status take_genotype(wsr__lookup_entry *entry,
                                const wsr__lookup *lookup,
                                const wsr_genotype *genotype)
{
    wsr_status status = WSR_OK;
    float weights[WSR__EDGES * WSR__CANDIDATES];
    float top[WSR__EDGES];
    wsr__pairs pairs;
    wsr__path path = {weights, top, entry->choices};
    const wsr__space_class *const space = lookup->space;
    status = wsr__pairs_take(&pairs, space, genotype);
    if (status != WSR_OK) {
        return wsr__fail_at(status, "%s, see supernet.space", lookup->path);
    }
    wsr__pairs_path(&path, &pairs, space);
    if (space->single) {
        WSR_TRY(unique_of(&entry->unique, genotype));
    }
out:
    return status;
}

wsr_status wsr__lookup_add(wsr__lookup *lookup, const char *genotype,
                           const double *accuracies)
{
    wsr_status status = WSR_OK;
    wsr_genotype *parsed = NULL;
    wsr__lookup_entry entry = {.clean = accuracies[0]};
    void *list = lookup->list;
    for (size_t i = 0; i <= lookup->n_eps; i++) {
        if (!(accuracies[i] >= 0 && accuracies[i] <= 1)) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: accuracy %g of %.100s is outside [0, 1]",
                            lookup->path, accuracies[i], genotype);
        }
    }
    memcpy(entry.robust, accuracies + 1, lookup->n_eps * sizeof(double));
    WSR_TRY(wsr_genotype_parse(&parsed, genotype, lookup->path));
    WSR_TRY(take_genotype(&entry, lookup, parsed));
    WSR_TRY(
        wsr__reserve(&list, &lookup->capacity, lookup->n + 1, sizeof(entry)));
    lookup->list = list;
    lookup->list[lookup->n++] = entry;
    entry.unique = NULL;
out:
    wsr__free(entry.unique);
    wsr_genotype_free(parsed);
    return status;
}

static int by_unique(const void *a, const void *b)
{
    return strcmp(((const wsr__lookup_entry *)a)->unique,
                  ((const wsr__lookup_entry *)b)->unique);
}

void wsr__lookup_free(wsr__lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    for (size_t i = 0; i < lookup->n; i++) {
        wsr__free(lookup->list[i].unique);
    }
    wsr__free(lookup->list);
    wsr__free(lookup->path);
    wsr__free(lookup);
}

// ------------------------------------------------------------- for a search

// The strength of the table that one of the search is, n_eps: none.
static size_t strength_of(const wsr__lookup *lookup, double eps)
{
    size_t i = 0;
    while (i < lookup->n_eps && fabs(lookup->eps[i] - eps) > 1e-4) {
        i++;
    }
    return i;
}

static wsr_status check_strengths(const wsr__lookup *lookup,
                                  const wsr_search *s)
{
    wsr_status status = WSR_OK;
    wsr__str list = {0};
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        const double eps = wsr__search_slot_eps(s, i);
        if (strength_of(lookup, eps) < lookup->n_eps) {
            continue;
        }
        for (size_t k = 0; k < lookup->n_eps; k++) {
            wsr__str_addf(&list, "%s%.4g", k == 0 ? "" : ", ", lookup->eps[k]);
        }
        WSR_TRY(wsr__str_status(&list));
        status = WSR_FAIL(WSR_CONFIG,
                          "search.sources, search.targets: %g is no strength "
                          "of %s in %s, such are %s",
                          eps, lookup->attack, lookup->path, list.s);
        goto out;
    }
out:
    wsr__str_free(&list);
    return status;
}

// Paths of searchers that do not evaluate genotypes are architectures of single
// spaces only.
static wsr_status check_searcher(const wsr_search *s)
{
    const wsr__searcher_class *const cls = s->cls;
    const bool whole = cls->pairs || wsr__search_space(s)->single;
    if (cls->network != NULL ||
        (!cls->untrained && !cls->pairs && !cls->estimates)) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.table: %s descends the losses of images, of "
                        "which a table has none",
                        cls->super.name);
    }
    return whole || cls->untrained
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG,
                          "search.table: %s evaluates every edge of the space "
                          "%s, a table has genotypes; rsws and "
                          "regularized_evolution evaluate these",
                          cls->super.name, wsr__search_space(s)->super.name);
}

wsr_status wsr__lookup_open(wsr__lookup **out, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const char *const path = s->params.table.s;
    wsr__lookup *lookup = wsr__alloc(1, sizeof(*lookup));
    *out = NULL;
    if (lookup == NULL) {
        return WSR_NOMEM;
    }
    lookup->space = wsr__search_space(s);
    lookup->path = wsr__strdup(path);
    lookup->attack = s->params.table_attack.s;
    lookup->nearest = wsr__streq(s->params.table_missing.s, "nearest");
    WSR_TRY(lookup->path == NULL ? WSR_NOMEM : check_searcher(s));
    WSR_TRY(wsr__lookup_read(lookup, path));
    if (lookup->n == 0) {
        status = WSR_FAIL(WSR_FORMAT, "%s: has no architectures", path);
        goto out;
    }
    WSR_TRY(check_strengths(lookup, s));
    if (lookup->space->single) {
        qsort(lookup->list, lookup->n, sizeof(*lookup->list), by_unique);
    }
    *out = lookup;
    lookup = NULL;
out:
    wsr__lookup_free(lookup);
    return status == WSR_OK || status == WSR_NOMEM
               ? status
               : wsr__fail_at(status, "search.table");
}

// ---------------------------------------------------------------- answering

static size_t distance(const wsr__lookup *lookup, const unsigned char *a,
                       const unsigned char *b)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr__space_rows(lookup->space); i++) {
        n += a[i] != b[i];
    }
    return n;
}

static void add(wsr__lookup_entry *sum, const wsr__lookup_entry *entry,
                size_t n_eps)
{
    sum->clean += entry->clean;
    for (size_t i = 0; i < n_eps; i++) {
        sum->robust[i] += entry->robust[i];
    }
}

// Adds the rows that a text of a single space finds. Returns their number.
static size_t add_equal(wsr__lookup_entry *sum, const wsr__lookup *lookup,
                        char *unique)
{
    const wsr__lookup_entry key = {.unique = unique};
    const wsr__lookup_entry *const list = lookup->list;
    const wsr__lookup_entry *const any =
        bsearch(&key, list, lookup->n, sizeof(key), by_unique);
    size_t n = 0;
    if (any == NULL) {
        return 0;
    }
    const wsr__lookup_entry *at = any;
    while (at > list && by_unique(at - 1, &key) == 0) {
        at--;
    }
    for (; at < list + lookup->n && by_unique(at, &key) == 0; at++, n++) {
        add(sum, at, lookup->n_eps);
    }
    return n;
}

// Adds the rows at the smallest distance. Returns their number.
static size_t add_nearest(wsr__lookup_entry *sum, size_t *least,
                          const wsr__lookup *lookup,
                          const unsigned char *choices)
{
    size_t n = 0;
    *least = SIZE_MAX;
    for (size_t i = 0; i < lookup->n; i++) {
        const size_t d = distance(lookup, lookup->list[i].choices, choices);
        *least = d < *least ? d : *least;
    }
    for (size_t i = 0; i < lookup->n; i++) {
        const wsr__lookup_entry *const entry = &lookup->list[i];
        if (distance(lookup, entry->choices, choices) == *least) {
            add(sum, entry, lookup->n_eps);
            n++;
        }
    }
    return n;
}

// A path of a single space is its cell.
static wsr_status genotype_of(wsr_genotype **out, const wsr__lookup *lookup,
                              const unsigned char *choices)
{
    const wsr__space_class *const space = lookup->space;
    wsr__pairs pairs = {0};
    size_t edge = 0;
    for (uint32_t node = 0; node < space->nodes; node++) {
        for (uint32_t state = 0; state <= node; state++, edge++) {
            pairs.states[edge] = state;
            pairs.ops[edge] = choices[edge];
        }
    }
    return wsr__pairs_genotype(out, &pairs, space, "cell");
}

static wsr_status find(wsr__lookup_entry *mean, const wsr__lookup *lookup,
                       const unsigned char *choices)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    char *unique = NULL;
    size_t n = 0;
    size_t least = 0;
    *mean = (wsr__lookup_entry){0};
    if (lookup->space->single) {
        WSR_TRY(genotype_of(&genotype, lookup, choices));
        WSR_TRY(unique_of(&unique, genotype));
        n = add_equal(mean, lookup, unique);
    }
    if (n == 0) {
        n = add_nearest(mean, &least, lookup, choices);
    }
    if (least > 0 && !lookup->nearest) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "search.table: %s has no row of an architecture that "
                          "the search evaluates, and %zu others; "
                          "search.table_missing=nearest takes the nearest",
                          lookup->path, lookup->n);
        goto out;
    }
    mean->clean /= (double)n;
    for (size_t i = 0; i < lookup->n_eps; i++) {
        mean->robust[i] /= (double)n;
    }
out:
    wsr__free(unique);
    wsr_genotype_free(genotype);
    return status;
}

// The whole of a search's evaluator: nothing is estimated or stored.
wsr_status wsr__lookup_evaluate(double *losses, wsr_search *s,
                                const wsr__path *path, wsr__evaluation how)
{
    wsr__lookup_entry mean;
    const wsr_status status = find(&mean, s->lookup, path->choices);
    (void)how;
    losses[0] = 1 - mean.clean;
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        const size_t at = strength_of(s->lookup, wsr__search_slot_eps(s, i));
        losses[1 + i] = 1 - mean.robust[at];
    }
    return status;
}

// Mean over the strengths above 0.
static double mean_of(const wsr__lookup *lookup, const wsr__lookup_entry *e)
{
    double sum = 0;
    double n = 0;
    for (size_t i = 0; i < lookup->n_eps; i++) {
        sum += lookup->eps[i] > 0 ? e->robust[i] : 0;
        n += lookup->eps[i] > 0 ? 1 : 0;
    }
    return sum / n;
}

// Where the genotype that was found stands among the rows: those that are worse
// and half of those that are equal.
wsr_status wsr__lookup_rank(double out[WSR__LOOKUP_RANK], wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr__lookup *const lookup = s->lookup;
    wsr__lookup_entry mean;
    wsr__pairs pairs;
    wsr__path path = {0};
    double best = 0;
    double below = 0;
    WSR_TRY(wsr__path_new(&path, &s->arch));
    WSR_TRY(wsr__pairs_derive(&pairs, lookup->space, wsr__search_table(s)));
    wsr__pairs_path(&path, &pairs, lookup->space);
    WSR_TRY(find(&mean, lookup, path.choices));
    const double found = mean_of(lookup, &mean);
    for (size_t i = 0; i < lookup->n; i++) {
        const double other = mean_of(lookup, &lookup->list[i]);
        below += other < found ? 1 : other == found ? 0.5 : 0;
        best = fmax(best, other);
    }
    out[WSR__LOOKUP_CLEAN] = mean.clean;
    out[WSR__LOOKUP_ROBUST] = found;
    out[WSR__LOOKUP_PERCENTILE] = 100 * below / (double)lookup->n;
    out[WSR__LOOKUP_BEST] = best;
out:
    wsr__path_free(&path);
    return status;
}
