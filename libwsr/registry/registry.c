// SPDX-License-Identifier: Apache-2.0
//
// All families in one list, for callers that want to know what the library
// has. This directory is the last in the order: it includes every directory
// with a family, and nothing includes it.
//
// The public types are the internal classes under other names, so no function
// copies anything, and everything is constant.

#include "wsr/registry.h"

#include "attack/attack.h"
#include "augment/augment.h"
#include "cell/cell.h"
#include "config/config.h"
#include "corrupt/corrupt.h"
#include "data/data.h"
#include "estimator/estimator.h"
#include "io/format.h"
#include "net/net.h"
#include "onnx/operator.h"
#include "op/op.h"
#include "optim/optim.h"
#include "predictor/predictor.h"
#include "sched/sched.h"
#include "search/search.h"
#include "space/space.h"
#include "train/train.h"

typedef struct entry {
    const wsr_family *family;
    const char *summary;
} entry;

// In alphabetical order. A new family adds a line here.
static const entry entries[] = {
    {&wsr__attacks, "methods that look for images a model takes for something "
                    "else"},
    {&wsr__augments, "random changes of training images"},
    {&wsr__cells, "operations on an edge of a cell"},
    {&wsr__corruptions, "common corruptions of images"},
    {&wsr__datasets, "sources of labelled images"},
    {&wsr__estimators, "estimators of the noise that an attack finds at other "
                       "strengths"},
    {&wsr__formats, "formats of files that hold named tensors"},
    {&wsr__nets, "kinds of networks"},
    {&wsr__operators,
     "operators of ONNX files that become ops of graphs and back"},
    {&wsr__ops, "operations that graphs are made of"},
    {&wsr__optims, "optimisers"},
    {&wsr__predictors, "predictors of the losses of an architecture"},
    {&wsr__scheds, "schedules of the learning rate"},
    {&wsr__searchers, "methods of architecture search"},
    {&wsr__spaces, "sets of candidate operations that a search chooses from"},
    {&wsr__trainers, "what training does with a batch"},
};

enum { FAMILIES = sizeof(entries) / sizeof(entries[0]) };

// -------------------------------------------------------------- families

size_t wsr_family_count(void)
{
    return FAMILIES;
}

const wsr_family *wsr_family_at(size_t i)
{
    return i < FAMILIES ? entries[i].family : NULL;
}

// The same words as wsr__class_find() has for a variant.
static wsr_status unknown_family(const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str all = {0};
    const char *names[FAMILIES];
    for (size_t i = 0; i < FAMILIES; i++) {
        names[i] = entries[i].family->name;
        wsr__str_addf(&all, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *const near = wsr__suggest(name, names, FAMILIES);
    WSR_TRY(wsr__str_status(&all));
    status = near != NULL
                 ? WSR_FAIL(WSR_NOTFOUND,
                            "family: there is no '%.64s', did you mean '%s'",
                            name, near)
                 : WSR_FAIL(WSR_NOTFOUND,
                            "family: there is no '%.64s', there are %.300s",
                            name, all.s);
out:
    wsr__str_free(&all);
    return status;
}

wsr_status wsr_family_find(const wsr_family **out, const char *name)
{
    *out = NULL;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (wsr__streq(entries[i].family->name, name)) {
            *out = entries[i].family;
            return WSR_OK;
        }
    }
    return unknown_family(name);
}

const char *wsr_family_name(const wsr_family *family)
{
    return family->name;
}

// The summary is in this list, not in the family; the loop ends at the last
// entry for a pointer that is not a family.
const char *wsr_family_summary(const wsr_family *family)
{
    size_t i = 0;
    while (i + 1 < FAMILIES && entries[i].family != family) {
        i++;
    }
    return entries[i].summary;
}

size_t wsr_family_size(const wsr_family *family)
{
    size_t n = 0;
    while (family->classes[n] != NULL) {
        n++;
    }
    return n;
}

const wsr_variant *wsr_family_variant(const wsr_family *family, size_t i)
{
    return i < wsr_family_size(family) ? family->classes[i] : NULL;
}

// -------------------------------------------------------------- variants

wsr_status wsr_variant_find(const wsr_variant **out, const wsr_family *family,
                            const char *name)
{
    return wsr__class_find(out, family, name);
}

const char *wsr_variant_name(const wsr_variant *variant)
{
    return variant->name;
}

// Callers print these texts, so they are never NULL.
static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

const char *wsr_variant_summary(const wsr_variant *variant)
{
    return text_or_empty(variant->summary);
}

const char *wsr_variant_reference(const wsr_variant *variant)
{
    return text_or_empty(variant->reference);
}

// A schema ends with an option without a key; a variant without options may
// have none.
size_t wsr_variant_options(const wsr_variant *variant)
{
    size_t n = 0;
    while (variant->schema != NULL && variant->schema[n].key != NULL) {
        n++;
    }
    return n;
}

const wsr_option *wsr_variant_option(const wsr_variant *variant, size_t i)
{
    return i < wsr_variant_options(variant) ? &variant->schema[i] : NULL;
}

// --------------------------------------------------------------- options

const char *wsr_option_key(const wsr_option *option)
{
    return option->key;
}

// Public numbers are part of the ABI, internal ones are not.
wsr_option_kind wsr_option_type(const wsr_option *option)
{
    static const wsr_option_kind kinds[] = {
        [WSR__BOOL] = WSR_OPTION_BOOL,   [WSR__INT] = WSR_OPTION_INT,
        [WSR__FLOAT] = WSR_OPTION_FLOAT, [WSR__WORD] = WSR_OPTION_WORD,
        [WSR__TEXT] = WSR_OPTION_TEXT,   [WSR__FLOATS] = WSR_OPTION_FLOATS,
        [WSR__INTS] = WSR_OPTION_INTS,
    };
    return kinds[option->kind];
}

const char *wsr_option_default(const wsr_option *option)
{
    return text_or_empty(option->fallback);
}

// A schema without bounds has 0 in both.
bool wsr_option_bounds(double *min, double *max, const wsr_option *option)
{
    *min = option->min;
    *max = option->max;
    return option->min != 0 || option->max != 0;
}

// The list of words ends with NULL.
const char *wsr_option_word(const wsr_option *option, size_t i)
{
    size_t n = 0;
    while (option->words != NULL && option->words[n] != NULL && n < i) {
        n++;
    }
    return option->words != NULL ? option->words[n] : NULL;
}

const char *wsr_option_unit(const wsr_option *option)
{
    return text_or_empty(option->unit);
}

const char *wsr_option_help(const wsr_option *option)
{
    return text_or_empty(option->help);
}

// ------------------------------------------------------------------ help

wsr_status wsr_registry_help(char **out, const char *topic)
{
    const wsr__family *families[FAMILIES];
    for (size_t i = 0; i < FAMILIES; i++) {
        families[i] = entries[i].family;
    }
    const wsr__help help = {NULL, 0, families, FAMILIES, 79};
    return wsr__config_help_text(out, &help, topic);
}

// ------------------------------------------------------------------- ops

// NULL when there is no such op: the list ends with NULL.
static const wsr__op_class *op_named(const char *name)
{
    size_t i = 0;
    while (wsr__ops.classes[i] != NULL &&
           !wsr__streq(wsr__ops.classes[i]->name, name)) {
        i++;
    }
    return (const wsr__op_class *)(const void *)wsr__ops.classes[i];
}

const char *wsr_op_sources(const char *op)
{
    const wsr__op_class *const cls = op_named(op);
    return cls != NULL ? cls->sources : NULL;
}

const char *wsr_op_result(const char *op)
{
    const wsr__op_class *const cls = op_named(op);
    return cls != NULL ? cls->result : NULL;
}
