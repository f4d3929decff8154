// SPDX-License-Identifier: Apache-2.0
//
// Watches for the collapse of cells to skip connections, to which searches by
// gradients tend: a skip connection trains at once, other candidates slowly.
// P-DARTS (arXiv:1904.12760) permits two skip connections in a cell of eight
// edges, DARTS+ (arXiv:1909.06035) stops a search that reaches two. Here more
// than search.max_skips of them give a warning; of eight edges that are drawn
// at random from seven candidates, one cell in ten has more than two.

#include "search/search.h"

#include <string.h>

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wsr__streq(name, names[i])) {
            return true;
        }
    }
    return false;
}

// The best candidate of a row, "none" included or not.
static const char *best_of(const wsr_search *s, const float *table, size_t row,
                           bool with_none)
{
    const float *const values = table + row * s->arch.cols;
    const char *best = "none";
    float most = 0;
    bool any = false;
    for (size_t k = 0; k < s->arch.cols; k++) {
        const char *const name = wsr_supernet_candidate(s->net, k);
        const bool counts = with_none || !wsr__streq(name, "none");
        if (counts && (!any || values[k] > most)) {
            best = name;
            most = values[k];
            any = true;
        }
    }
    return best;
}

// A table of whole architectures has edges without a choice: they count as
// none, not as the first of equal candidates.
static bool is_open(const wsr_search *s, const float *table, size_t row)
{
    const float *const values = table + row * s->arch.cols;
    for (size_t k = 1; k < s->arch.cols; k++) {
        if (values[k] != values[0]) {
            return false;
        }
    }
    return true;
}

static void count_edges(wsr__skips *skips, const wsr_search *s,
                        const float *table)
{
    static const char *const without[] = {"none", "skip_connect",
                                          "max_pool_3x3", "avg_pool_3x3"};
    const double rows = (double)s->arch.rows;
    for (size_t i = 0; i < s->arch.rows; i++) {
        const bool open = is_open(s, table, i);
        const char *const choice = open ? "none" : best_of(s, table, i, false);
        const char *const any = open ? "none" : best_of(s, table, i, true);
        skips->edges += wsr__streq(choice, "skip_connect") ? 1 / rows : 0;
        skips->parameterless += is_one_of(any, without, 4) ? 1 / rows : 0;
    }
}

wsr_status wsr__search_skips(wsr__skips *skips, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const float *const table = wsr__search_table(s);
    const double edges = (double)wsr__pairs_count(wsr__search_space(s));
    wsr_genotype *genotype = NULL;
    *skips = (wsr__skips){0};
    WSR_TRY(wsr_search_genotype(&genotype, s, "found"));
    for (int i = 0; i < 2; i++) {
        const wsr_genotype_cell cell = (wsr_genotype_cell)i;
        size_t count = 0;
        for (size_t e = 0; e < wsr_genotype_edges(genotype, cell); e++) {
            count +=
                wsr__streq(wsr_genotype_op(genotype, cell, e), "skip_connect");
        }
        skips->most = count > skips->most ? count : skips->most;
        skips->genotype += (double)count / edges;
    }
    count_edges(skips, s, table);
out:
    wsr_genotype_free(genotype);
    return status;
}

// Edges of a cell of a genotype.
static size_t edges_of(const wsr_search *s)
{
    const wsr__space_class *const space = wsr__search_space(s);
    return wsr__pairs_count(space) / (space->single ? 1 : 2);
}

// The same share of edges counts for the genotype and for the supernet.
static double limit_of(const wsr_search *s)
{
    return (double)s->params.max_skips / (double)edges_of(s);
}

bool wsr__skips_collapse(const wsr__skips *skips, const wsr_search *s)
{
    return skips->most > (size_t)s->params.max_skips ||
           skips->edges > limit_of(s);
}

void wsr__skips_describe(wsr__str *out, const wsr__skips *skips,
                         const wsr_search *s)
{
    wsr__str_addf(
        out,
        "%zu of the %zu edges of a cell are skip connections, and "
        "%.0f %% of the supernet's edges prefer one; search.max_skips "
        "permits %lld and %.0f %%",
        skips->most, edges_of(s), 100 * skips->edges,
        (long long)s->params.max_skips, 100 * limit_of(s));
}
