// SPDX-License-Identifier: Apache-2.0
//
// Random search: every epoch draws an architecture, of which the last one is
// found; nothing is trained or measured. The baseline that a search has to
// beat at equal training of what it found (Li and Talwalkar,
// arXiv:1902.07638).

#include "search/search.h"

static wsr_status steer(wsr__search *s, wsr__run *run)
{
    (void)run;
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, wsr__search_serial(s),
                               WSR__SAMPLE_CONTROL);
    wsr__gumbel_fill(s->alphas, s->arch.rows * s->arch.cols, &rng);
    return WSR_OK;
}

const wsr__searcher_class wsr__searcher_random = {
    .super = {"random", "an architecture drawn at random, nothing is learned",
              "arXiv:1902.07638", NULL, 0},
    .steer = steer,
    .untaught = true,
};
