// SPDX-License-Identifier: Apache-2.0
//
// What a search can promise to its user. Shared weights are a guess at how good
// an architecture becomes when it is trained alone, and a run that was not
// asked to compare the two (search.ranking) does not know how good a guess. The
// log, the report and the end of a run say which of these it is.

#include "search/search.h"

#include <math.h>

static const char page[] = "docs/evidence.md";

static void describe_ranked(wsr__str *out, const wsr__ranked_taus *r)
{
    wsr__str_addf(out,
                  "shared weights rank %.0f architectures that were trained "
                  "alone with Kendall's tau %.2f [%.2f, %.2f]",
                  r->architectures, r->shared[0], r->shared[1], r->shared[2]);
    if (isfinite(r->predictor[0])) {
        wsr__str_addf(out, ", the predictor with %.2f [%.2f, %.2f]",
                      r->predictor[0], r->predictor[1], r->predictor[2]);
    }
    wsr__str_addf(out, " (0: chance, 1: the same order); see %s", page);
}

void wsr__search_evidence(wsr__str *out, const wsr_search *s)
{
    const wsr__ranked_taus *const r = wsr__ranking_last(s->ranking);
    wsr__str_add(out, "evidence: ");
    if (r != NULL) {
        describe_ranked(out, r);
    } else if (s->lookup != NULL) {
        wsr__str_add(out, "accuracies are those of search.table, nothing was "
                          "estimated with shared weights");
    } else if (s->cls->untrained) {
        wsr__str_add(out, "the architecture was drawn at random, nothing was "
                          "compared");
    } else {
        wsr__str_addf(out,
                      "shared weights were not compared with networks that are "
                      "trained alone (search.ranking), so that nothing shows "
                      "that this architecture is better than a random one; see "
                      "%s",
                      page);
    }
}

wsr_status wsr__search_log_evidence(const wsr_search *s, wsr__run *run)
{
    static const char *const ends[] = {"tau", "low", "high"};
    wsr_status status = WSR_OK;
    const wsr__ranked_taus *const r = wsr__ranking_last(s->ranking);
    wsr__json *line = NULL;
    wsr__str text = {0};
    wsr__search_evidence(&text, s);
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__run_log_begin(&line, run->log, "evidence"));
    wsr__json_text(line, "text", text.s);
    wsr__json_integer(line, "architectures",
                      r == NULL ? 0 : (int64_t)r->architectures);
    for (size_t i = 0; r != NULL && i < 3; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "shared_%s", ends[i]);
        wsr__json_number(line, key, r->shared[i]);
        (void)snprintf(key, sizeof(key), "predictor_%s", ends[i]);
        if (isfinite(r->predictor[0])) {
            wsr__json_number(line, key, r->predictor[i]);
        }
    }
    WSR_TRY(wsr__run_log_end(run->log));
out:
    wsr__str_free(&text);
    return status;
}
