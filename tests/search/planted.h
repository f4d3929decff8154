// SPDX-License-Identifier: Apache-2.0
//
// A search whose optimum is known: the loss of an architecture counts the
// edges that do not have one certain operation. The supernet trains as ever,
// but its losses are not asked for.

#ifndef WSR_TESTS_SEARCH_PLANTED_H
#define WSR_TESTS_SEARCH_PLANTED_H

#include "search/runs.h"
#include "search/search.h"

enum { PLANTED = 5 }; // sep_conv_5x5

static inline wsr_status planted_losses(double *losses, wsr_search *search,
                                        const wsr__path *path,
                                        wsr__evaluation how)
{
    double other = 0;
    (void)how;
    for (size_t i = 0; i < search->arch.rows; i++) {
        other += path->choices[i] == PLANTED ? 0 : 1;
    }
    for (size_t i = 0; i <= wsr__search_slots(search); i++) {
        losses[i] = (1 + 0.1 * (double)i) * other / (double)search->arch.rows;
    }
    search->clean_accuracy = 1 - losses[0];
    return WSR_OK;
}

/// Edges of the genotype that have the operation.
static inline size_t planted_edges(const wsr_search *search)
{
    wsr_genotype *genotype = NULL;
    size_t n = 0;
    ck_assert_ok(wsr_search_genotype(&genotype, search, "found"));
    for (int cell = 0; cell < 2; cell++) {
        for (size_t e = 0; e < 8; e++) {
            n += strcmp(wsr_genotype_op(genotype, (wsr_genotype_cell)cell, e),
                        "sep_conv_5x5") == 0;
        }
    }
    wsr_genotype_free(genotype);
    return n;
}

/// Run a search with these further settings, up to 8 of them; returns how many
/// of the 16 edges have the operation in the end. At random two or three have.
static inline size_t find_planted(const char *const *settings)
{
    static const char *const usual[] = {
        "search.train_batches=1",       "search.warm_up=0",
        "search.population=2",          "search.architectures=8",
        "search.predictor_warm_up=100", "search.predictor_passes=20"};
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    wsr_config *const config = make_config(NULL);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        ck_assert_ok(wsr_config_set(config, usual[i]));
    }
    for (size_t i = 0; settings[i] != NULL; i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&search, data, config));
    search->evaluator = planted_losses;
    while (wsr_search_phase(search) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(search));
    }
    const size_t n = planted_edges(search);
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
    return n;
}

#endif
