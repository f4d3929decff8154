// SPDX-License-Identifier: Apache-2.0
//
// Sections of an invented program: one at top level, one nested, and one of a
// family of two variants.

#ifndef WSR_TESTS_CONFIG_SECTIONS_H
#define WSR_TESTS_CONFIG_SECTIONS_H

#include "config/config.h"

typedef struct general_params {
    int64_t seed;
    wsr__text note;
} general_params;

typedef struct search_params {
    int64_t epochs;
    double rate;
    bool amp;
    wsr__text fidelity;
    wsr__floats eps;
    wsr__ints milestones;
} search_params;

typedef struct pgd_params {
    int64_t steps;
    double step_size;
} pgd_params;

typedef struct fgsm_params {
    bool random;
} fgsm_params;

static const char *const fidelities[] = {"intended", "released", NULL};

static const wsr__option general_schema[] = {
    {.key = "seed",
     .kind = WSR__INT,
     .offset = offsetof(general_params, seed),
     .fallback = "1",
     .max = 1e9,
     .help = "seed of all random numbers"},
    {.key = "note",
     .kind = WSR__TEXT,
     .offset = offsetof(general_params, note),
     .fallback = "",
     .help = "copied | to the log"},
    {.key = NULL},
};

static const wsr__option search_schema[] = {
    {.key = "epochs",
     .kind = WSR__INT,
     .offset = offsetof(search_params, epochs),
     .fallback = "50",
     .min = 1,
     .max = 1000,
     .unit = "epochs",
     .help = "passes over the first half of the training images, each of which "
             "ends with the architecture steps"},
    {.key = "rate",
     .kind = WSR__FLOAT,
     .offset = offsetof(search_params, rate),
     .fallback = "8/255",
     .help = "learning rate"},
    {.key = "amp",
     .kind = WSR__BOOL,
     .offset = offsetof(search_params, amp),
     .fallback = "true",
     .help = "amplify"},
    {.key = "fidelity",
     .kind = WSR__WORD,
     .offset = offsetof(search_params, fidelity),
     .fallback = "intended",
     .help = "whose formulas",
     .words = fidelities},
    {.key = "eps",
     .kind = WSR__FLOATS,
     .offset = offsetof(search_params, eps),
     .fallback = "[0.03, 0.06]",
     .max = 1,
     .help = "strengths"},
    {.key = "milestones",
     .kind = WSR__INTS,
     .offset = offsetof(search_params, milestones),
     .fallback = "[]",
     .help = "when the rate falls"},
    {.key = NULL},
};

static const wsr__option pgd_schema[] = {
    {.key = "steps",
     .kind = WSR__INT,
     .offset = offsetof(pgd_params, steps),
     .fallback = "7",
     .min = 1,
     .max = 100,
     .help = "gradient steps"},
    {.key = "step_size",
     .kind = WSR__FLOAT,
     .offset = offsetof(pgd_params, step_size),
     .fallback = "0.01",
     .help = "length of a step"},
    {.key = NULL},
};

static const wsr__option fgsm_schema[] = {
    {.key = "random",
     .kind = WSR__BOOL,
     .offset = offsetof(fgsm_params, random),
     .fallback = "false",
     .help = "start anywhere"},
    {.key = NULL},
};

static const wsr__class pgd = {.name = "pgd",
                               .summary = "projected gradient descent",
                               .reference = "Madry et al. 2018",
                               .schema = pgd_schema,
                               .params_size = sizeof(pgd_params)};
static const wsr__class fgsm = {.name = "fgsm",
                                .summary = "one step",
                                .reference = "",
                                .schema = fgsm_schema,
                                .params_size = sizeof(fgsm_params)};
static const wsr__class noise = {.name = "noise", .summary = "none at all"};
static const wsr__class *const classes[] = {&pgd, &fgsm, &noise, NULL};
static const wsr__family attacks = {"attack", classes};

typedef struct program {
    general_params general;
    search_params search;
    wsr__section sections[3];
} program;

static inline void program_init(program *p)
{
    *p = (program){0};
    p->sections[0] = (wsr__section){
        .prefix = "", .schema = general_schema, .params = &p->general};
    p->sections[1] = (wsr__section){
        .prefix = "search.loop", .schema = search_schema, .params = &p->search};
    p->sections[2] = (wsr__section){
        .prefix = "search.attack", .family = &attacks, .fallback = "pgd"};
}

#endif
