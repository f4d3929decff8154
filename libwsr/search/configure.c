// SPDX-License-Identifier: Apache-2.0
//
// The configuration of a search: its sections, and the search that they
// describe. Three sections choose a member of a family (searcher, estimator,
// predictor), whose options they then hold.

#include "search/search.h"

#include <stdio.h>
#include <string.h>

static const wsr__option fidelity_schema[] = {
    {"fidelity", WSR__WORD, offsetof(wsr__search_top, fidelity), "intended", 0,
     0, "",
     "of every section that does not say its own: as the released research "
     "code or as the paper says",
     wsr__fidelity_words},
    {"compare", WSR__TEXT, offsetof(wsr__search_top, compare), "", 0, 0, "",
     "searchers to run one after the other, each in a folder of its name, and "
     "to compare: wsr_nas,random; empty: searcher.name alone",
     NULL},
    {0},
};

void wsr__search_sections(wsr__search_config *c, wsr__section *out)
{
    const wsr__section all[WSR__SEARCH_SECTIONS] = {
        [WSR__SECTION_TOP] = {.prefix = "",
                              .schema = fidelity_schema,
                              .params = &c->top},
        [WSR__SECTION_DATA] = {.prefix = "data",
                               .schema = wsr__source_schema,
                               .params = &c->source},
        [WSR__SECTION_SUPERNET] = {.prefix = "supernet",
                                   .schema = wsr__net_supernet.super.schema,
                                   .params = &c->supernet},
        [WSR__SECTION_SEARCH] = {.prefix = "search",
                                 .schema = wsr__search_schema,
                                 .params = &c->search},
        [WSR__SECTION_SEARCHER] = {.prefix = "searcher",
                                   .family = &wsr__searchers,
                                   .fallback = "wsr_nas"},
        [WSR__SECTION_ESTIMATOR] = {.prefix = "estimator",
                                    .family = &wsr__estimators,
                                    .fallback = "an"},
        [WSR__SECTION_PREDICTOR] = {.prefix = "predictor",
                                    .family = &wsr__predictors,
                                    .fallback = "lstm"},
        [WSR__SECTION_NET] = {.prefix = "net",
                              .schema =
                                  wsr__net_schema_for_data(&wsr__net_network),
                              .params = &c->net},
        [WSR__SECTION_TRAIN] = {.prefix = "train",
                                .schema = wsr__train_schema,
                                .params = &c->train},
        [WSR__SECTION_EVAL] = {.prefix = "eval",
                               .schema = wsr__eval_stage_schema,
                               .params = &c->eval},
        [WSR__SECTION_TABLE] = {.prefix = "table",
                                .schema = wsr__table_schema,
                                .params = &c->table}};
    memcpy(out, all, sizeof(all));
    c->sections = out;
}

// Sections without a fidelity of their own take the one at the top
// (docs/fidelity.md).
static void spread_fidelity(wsr__search_config *c, const wsr_config *config)
{
    for (size_t i = WSR__SECTION_TOP + 1; i < WSR__SEARCH_SECTIONS; i++) {
        const wsr__section *const section = &c->sections[i];
        const wsr__option *const option = wsr__schema_find(
            section->selected != NULL ? section->selected->schema
                                      : section->schema,
            "fidelity");
        char key[64];
        (void)snprintf(key, sizeof(key), "%s.fidelity", section->prefix);
        if (option != NULL && wsr_config_text(config, key) == NULL) {
            memcpy((char *)section->params + option->offset, &c->top.fidelity,
                   sizeof(c->top.fidelity));
        }
    }
}

// The supernet normalises images like the final network, unless it has its own
// mean and std.
static void spread_normalization(wsr__search_config *c)
{
    if (!wsr__normalize_given(&c->supernet.super.normalize)) {
        c->supernet.super.normalize = c->net.super.normalize;
    }
}

// Called when all sections are decoded: some defaults depend on other
// sections.
void wsr__search_decoded(wsr__search_config *c, const wsr_config *config)
{
    spread_fidelity(c, config);
    spread_normalization(c);
}

// The sections of families hold a class and its options.
wsr_status wsr__search_configured(wsr_search **out, const wsr__search_config *c,
                                  const wsr_dataset *data, uint64_t seed,
                                  bool resumed)
{
    const wsr__section *const sections = c->sections;
    const wsr__section *const estimator = &sections[WSR__SECTION_ESTIMATOR];
    const wsr__section *const predictor = &sections[WSR__SECTION_PREDICTOR];
    const void *const classes[] = {sections[WSR__SECTION_SEARCHER].selected,
                                   estimator->selected, predictor->selected};
    const wsr__search_of of = {
        .data = data,
        .supernet = &c->supernet,
        .estimator = classes[1],
        .estimator_params = estimator->params,
        .predictor = classes[2],
        .predictor_params = predictor->params,
        .searcher_params = sections[WSR__SECTION_SEARCHER].params,
        .seed = seed,
        .resumed = resumed};
    return wsr__search_make(out, classes[0], &of, &c->search);
}
