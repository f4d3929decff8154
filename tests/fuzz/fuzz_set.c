// SPDX-License-Identifier: Apache-2.0
//
// Lines of `--set` and what the sections of a search make of them: each line
// of the input is one assignment.

#include "config/config.h"
#include "fuzz/fuzz.h"
#include "search/search.h"

#include <string.h>

static void seeds(void)
{
    fuzz_seed_text("search.epochs=3\ntrain.lr=0.1\neval.eps=[0, 8/255]\n"
                   "eval.attack=fgsm,pgd:steps=20,restarts=5\n");
    fuzz_seed_text("searcher.name=regularized_evolution\n"
                   "searcher.population=16\npredictor.name=gae\n"
                   "estimator.name=an\nestimator.fidelity=released\n"
                   "train.augment=[random_crop:size=32,flip]\n");
    fuzz_seed_text("train.trainer=trades:beta=6,steps=10\n"
                   "train.optimizer=sgd:momentum=0.9\ndata.spec=idx:a,b\n"
                   "net.mean=[0.4,0.4,0.4]\ntrain.schedule=cosine\n");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 3, .rounds = 1500};

static void decode(const wsr_config *config)
{
    wsr__search_config *const c = wsr__alloc(1, sizeof(*c));
    wsr__section sections[WSR__SEARCH_SECTIONS];
    fuzz_demand(c != NULL);
    wsr__search_sections(c, sections);
    for (size_t i = 0; i < WSR__SEARCH_SECTIONS; i++) {
        if (sections[i].schema != NULL) {
            wsr__params_default(sections[i].params, sections[i].schema);
        }
    }
    const wsr_status status =
        wsr__config_decode(config, sections, WSR__SEARCH_SECTIONS);
    fuzz_check(status, status == WSR_OK);
    wsr__sections_free(sections, WSR__SEARCH_SECTIONS);
    wsr__free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_config *config = NULL;
    size_t at = 0;
    fuzz_demand(wsr_config_new(&config) == WSR_OK);
    while (at < size) {
        const uint8_t *const end = memchr(data + at, '\n', size - at);
        const size_t n = end == NULL ? size - at : (size_t)(end - data) - at;
        const char *const line = fuzz_text(data + at, n);
        if (line == NULL) {
            break;
        }
        const wsr_status status = wsr_config_set(config, line);
        fuzz_check(status, status == WSR_OK);
        at += n + 1;
    }
    decode(config);
    wsr_config_free(config);
    return 0;
}
