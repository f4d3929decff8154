// SPDX-License-Identifier: Apache-2.0
//
// Random search: every epoch samples an architecture uniformly, and the last
// one is the result. Nothing is trained or evaluated. A search has to beat this
// baseline at equal training of the results (Li and Talwalkar,
// arXiv:1902.07638).

#include "search/search.h"

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    (void)run;
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, wsr__search_serial(s),
                               WSR__SAMPLE_BASELINE);
    wsr__gumbel_fill(s->alphas, s->arch.rows * s->arch.cols, &rng);
    return WSR_OK;
}

const wsr__searcher_class wsr__searcher_random = {
    .super = {"random", "an architecture sampled at random, nothing is trained",
              "arXiv:1902.07638", NULL, 0},
    .update_alphas = update_alphas,
    .untrained = true,
};
