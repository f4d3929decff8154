// SPDX-License-Identifier: Apache-2.0
//
// Making an evaluation: its attacks, strengths, images and result arrays.
//
// An evaluation is made in two steps. wsr_eval_new() knows attacks and
// options; wsr_eval_open() adds model and data set, which determine the images
// and the size of all arrays. The strengths are fixed from then on.
//
// The results are n_attacks x n_eps cells, each with a row for every evaluated
// image. eval/step.c fills them, eval/stats.c reads them.

#include "eval/eval.h"
#include "data/data.h"

#include <math.h>
#include <string.h>

enum { MOST_ATTACKS = 64, SPEC_SIZE = 1024 };

#define AT(field) offsetof(wsr__eval_settings, field)

const char *const wsr__eval_targets[] = {"none", "least", "second", "random",
                                         NULL};

// Options of evaluations: most are those of every attack, which they set.
static const wsr__option schema[] = {
    WSR__EVAL_OPTIONS(0),
    {"seed", WSR__INT, AT(attack.seed), "0", 0, 9007199254740991.0, "",
     "of all random numbers", NULL},
    {"keep", WSR__INT, AT(keep), "0", 0, 1e9, "images",
     "whose adversarial images are kept", NULL},
    {0},
};

// ---------------------------------------------------------------- lifetime

// Also frees cells that were made in part.
static void free_cells(wsr_eval *s)
{
    for (size_t k = 0; s->cells != NULL && k < s->n_attacks * s->n_eps; k++) {
        wsr__eval_cell *const cell = &s->cells[k];
        wsr__free(cell->robust);
        wsr__free(cell->success);
        for (size_t i = 0; i < 3; i++) {
            wsr__free(cell->norms[i]);
        }
        wsr__free(cell->queries);
        wsr__free(cell->gradients);
        wsr__free(cell->flat);
        wsr__free(cell->outside);
        wsr__free(cell->ends[0]);
        wsr__free(cell->ends[1]);
        wsr__free(cell->member);
        wsr__free(cell->step);
        wsr__free(cell->quantized);
        wsr__free(cell->images);
    }
    for (size_t a = 0; s->smallest != NULL && a < s->n_attacks; a++) {
        wsr__free(s->smallest[a]);
    }
    wsr__free(s->smallest);
    wsr__free(s->cells);
    s->smallest = NULL;
    s->cells = NULL;
}

// Also frees an evaluation that was never opened: its arrays are NULL.
void wsr_eval_free(wsr_eval *eval)
{
    if (eval == NULL) {
        return;
    }
    free_cells(eval);
    wsr__attack_part_free(eval->part);
    wsr__free(eval->passes);
    wsr__free(eval->probe);
    for (size_t a = 0; eval->attacks != NULL && a < eval->n_attacks; a++) {
        wsr_attack_free(eval->attacks[a]);
    }
    wsr__free(eval->attacks);
    wsr__free(eval->eps);
    wsr__free(eval->x);
    wsr__free(eval->logits);
    wsr__free(eval->clean);
    wsr__free(eval->predicted);
    wsr__free(eval->margin);
    wsr__free(eval->crc32);
    wsr__free(eval->index);
    wsr__free(eval->labels);
    wsr__free(eval);
}

// `spec` is not terminated after `length` bytes: it is part of a list.
static wsr_status add_attack(wsr_eval *s, const char *spec, size_t length)
{
    char text[SPEC_SIZE];
    if (s->n_attacks == MOST_ATTACKS) {
        return WSR_FAIL(WSR_CONFIG, "attacks: more than %d", MOST_ATTACKS);
    }
    if (length >= sizeof(text)) {
        return WSR_FAIL(WSR_CONFIG, "attack '%.40s...': longer than %d bytes",
                        spec, SPEC_SIZE - 1);
    }
    memcpy(text, spec, length);
    text[length] = '\0';
    const wsr_status status =
        wsr__attack_make(&s->attacks[s->n_attacks], text, &s->settings.attack);
    s->n_attacks += status == WSR_OK;
    return status;
}

// Splits a list at the commas before which an attack ends; commas before
// "key=" and inside brackets belong to the attack.
static wsr_status add_attacks(wsr_eval *s, const char *specs)
{
    wsr_status status = WSR_OK;
    const char *rest = specs;
    if (*rest == '\0') {
        return WSR_FAIL(WSR_CONFIG, "attacks: there is none");
    }
    for (bool more = true; more;) {
        const size_t length = wsr__spec_length(rest);
        WSR_TRY(add_attack(s, rest, length));
        more = rest[length] == ',';
        rest += length + more;
    }
out:
    return status;
}

// Defaults for callers that fill the struct; attacks and strengths remain to
// be set.
void wsr__eval_params_default(wsr__eval_params *params)
{
    *params = (wsr__eval_params){0};
    wsr__params_default(&params->settings.attack, wsr__attack_schema);
    wsr__params_default(&params->settings, schema);
}

// The constructor for callers whose options are already decoded. Settings are
// copied into every attack, so that all have the same.
wsr_status wsr__eval_make(wsr_eval **out, const wsr__eval_params *params)
{
    static const float usual = 8.0f / 255;
    wsr_status status = WSR_OK;
    const float *const eps = params->eps != NULL ? params->eps : &usual;
    wsr__shard shard;
    wsr_eval *s = wsr__alloc(1, sizeof(*s));
    *out = NULL;
    if (s == NULL) {
        return WSR_NOMEM;
    }
    s->attacks = wsr__alloc(MOST_ATTACKS, sizeof(wsr_attack *));
    if (s->attacks == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    s->settings = params->settings;
    if (s->settings.quantize && s->settings.attack.queries > 0) {
        status = WSR_FAIL(WSR_CONFIG, "attack.quantize: asks the model again, "
                                      "which attack.queries excludes");
        goto out;
    }
    WSR_TRY(wsr__shard_parse(&shard, s->settings.shard.s));
    WSR_TRY(add_attacks(s, params->attacks));
    WSR_TRY(wsr_eval_set_strengths(s, eps,
                                   params->eps != NULL ? params->n_eps : 1));
    *out = s;
    s = NULL;
out:
    wsr_eval_free(s);
    return status;
}

// The constructor from text.
wsr_status wsr_eval_new(wsr_eval **out, const char *attacks,
                        const char *options)
{
    wsr_status status = WSR_OK;
    wsr__eval_params params;
    *out = NULL;
    wsr__eval_params_default(&params);
    params.attacks = attacks;
    WSR_TRY(wsr__params_parse(&params.settings, schema, "attack.",
                              options == NULL ? "" : options));
    WSR_TRY(wsr__eval_make(out, &params));
out:
    return status;
}

// All attacks have the same strengths: cells are a rectangle.
wsr_status wsr_eval_set_strengths(wsr_eval *eval, const float *eps, size_t n)
{
    wsr_status status = WSR_OK;
    float *copy = NULL;
    if (eval->model != NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: its strengths are fixed by now");
    }
    for (size_t a = 0; a < eval->n_attacks; a++) {
        WSR_TRY(wsr_attack_set_strengths(eval->attacks[a], eps, n));
    }
    copy = wsr__alloc(n, sizeof(*copy));
    if (copy == NULL) {
        return WSR_NOMEM;
    }
    memcpy(copy, eps, n * sizeof(*eps));
    wsr__free(eval->eps);
    eval->eps = copy;
    eval->n_eps = n;
out:
    return status;
}

// --------------------------------------------------------------- opening it

// The first images of the data set, without those of the class target_class:
// these already have the class that the attack is to reach. `index` maps an
// evaluated image to its number in the data set.
static wsr_status choose_images(wsr_eval *s, const wsr_dataset *dataset)
{
    const int32_t *const labels = wsr_dataset_labels(dataset);
    const size_t have = wsr_dataset_count(dataset);
    const size_t wanted = (size_t)s->settings.count;
    const int64_t target = s->settings.attack.target_class;
    if (target >= wsr_dataset_classes(dataset)) {
        return WSR_FAIL(
            WSR_CONFIG, "attack.target_class: %lld is outside [0, %lld]",
            (long long)target, (long long)wsr_dataset_classes(dataset) - 1);
    }
    wsr__free(s->index); // of an opening that failed
    wsr__free(s->labels);
    s->index = wsr__alloc(have, sizeof(*s->index));
    s->labels = wsr__alloc(have, sizeof(*s->labels));
    if (s->index == NULL || s->labels == NULL) {
        return WSR_NOMEM;
    }
    s->n = 0;
    for (size_t i = 0; i < have && (wanted == 0 || s->n < wanted); i++) {
        if (labels[i] != target) {
            s->index[s->n] = i;
            s->labels[s->n++] = labels[i];
        }
    }
    if (s->n == 0 || s->n < wanted) {
        return WSR_FAIL(WSR_ARG,
                        "count: %zu images are more than the %zu there are%s",
                        wanted, s->n,
                        target < 0 ? "" : " of other classes than the target");
    }
    return WSR_OK;
}

// Of the images that were chosen, those of the shard stay. Their numbers in
// the undivided evaluation go on to seed the attacks.
static wsr_status choose_shard(wsr_eval *s)
{
    wsr_status status = WSR_OK;
    wsr__shard shard;
    wsr__shard_images images;
    WSR_TRY(wsr__shard_parse(&shard, s->settings.shard.s));
    WSR_TRY(wsr__shard_images_of(&images, &shard, s->n, s->batch));
    memmove(s->index, s->index + images.first, images.n * sizeof(*s->index));
    memmove(s->labels, s->labels + images.first, images.n * sizeof(*s->labels));
    s->first = images.first;
    s->n = images.n;
out:
    return status;
}

// The model may have more classes than the data set uses, but not fewer.
static wsr_status check_model(const wsr_eval *s, const wsr_model *model,
                              const wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__dataset_fits(dataset, &model->shape, model->classes,
                              "evaluation", "model"));
    for (size_t a = 0; a < s->n_attacks; a++) {
        WSR_TRY(
            wsr__attack_fits(s->attacks[a]->cls, s->attacks[a]->params, model));
    }
out:
    return status;
}

// `kept` is the number of floats of the adversarial images that are kept.
static wsr_status make_cell(wsr__eval_cell *cell, const wsr_eval *s,
                            size_t kept)
{
    const size_t n = s->n;
    cell->robust = wsr__alloc(n, sizeof(*cell->robust));
    cell->success = wsr__alloc(n, sizeof(*cell->success));
    cell->queries = wsr__alloc(n, sizeof(*cell->queries));
    cell->gradients = wsr__alloc(n, sizeof(*cell->gradients));
    cell->flat = wsr__alloc(n, sizeof(*cell->flat));
    cell->outside = wsr__alloc(n, sizeof(*cell->outside));
    cell->member = wsr__alloc(n, sizeof(*cell->member));
    cell->step = wsr__alloc(n, sizeof(*cell->step));
    bool made = cell->robust != NULL && cell->success != NULL &&
                cell->queries != NULL && cell->gradients != NULL &&
                cell->flat != NULL && cell->outside != NULL &&
                cell->member != NULL && cell->step != NULL;
    for (size_t i = 0; i < 3; i++) {
        cell->norms[i] = wsr__alloc(n, sizeof(*cell->norms[i]));
        made = made && cell->norms[i] != NULL;
    }
    for (size_t i = 0; i < 2; i++) {
        cell->ends[i] = wsr__alloc(n, sizeof(*cell->ends[i]));
        made = made && cell->ends[i] != NULL;
    }
    if (s->settings.quantize) {
        cell->quantized = wsr__alloc(n, sizeof(*cell->quantized));
        made = made && cell->quantized != NULL;
    }
    if (kept > 0) {
        cell->images = wsr__alloc(kept, sizeof(*cell->images));
        made = made && cell->images != NULL;
    }
    return made ? WSR_OK : WSR_NOMEM;
}

// Rows that do not depend on the attack, and the norms of min-norm attacks.
static wsr_status make_rows(wsr_eval *s)
{
    s->clean = wsr__alloc(s->n, sizeof(*s->clean));
    s->predicted = wsr__alloc(s->n, sizeof(*s->predicted));
    s->margin = wsr__alloc(s->n, sizeof(*s->margin));
    s->crc32 = wsr__alloc(s->n, sizeof(*s->crc32));
    s->smallest = wsr__alloc(s->n_attacks, sizeof(*s->smallest));
    bool made = s->clean != NULL && s->predicted != NULL && s->margin != NULL &&
                s->crc32 != NULL && s->smallest != NULL;
    for (size_t a = 0; made && a < s->n_attacks; a++) {
        if (s->attacks[a]->cls->min_norm) {
            s->smallest[a] = wsr__alloc(s->n, sizeof(**s->smallest));
            made = s->smallest[a] != NULL;
        }
    }
    return made ? WSR_OK : WSR_NOMEM;
}

// `x` and `logits` hold one batch; every other array has a row per image.
static wsr_status make_arrays(wsr_eval *s, wsr_model *model)
{
    wsr_status status = WSR_OK;
    const size_t d = (size_t)model->pixels;
    WSR_TRY(make_rows(s));
    s->x = wsr__alloc(s->batch, d * sizeof(*s->x));
    s->logits = wsr__alloc(s->batch, model->classes * sizeof(*s->logits));
    s->cells = wsr__alloc(s->n_attacks * s->n_eps, sizeof(*s->cells));
    s->passes = wsr__alloc(s->n_attacks, sizeof(*s->passes));
    if (s->passes == NULL || s->x == NULL || s->logits == NULL ||
        s->cells == NULL) {
        return WSR_NOMEM;
    }
    for (size_t k = 0; k < s->n_attacks * s->n_eps; k++) {
        WSR_TRY(make_cell(&s->cells[k], s, s->keep * d));
    }
    for (size_t a = 0; a < s->n_attacks; a++) {
        WSR_TRY(wsr__attack_count_passes(&s->passes[a], s->attacks[a], model));
    }
out:
    return status;
}

// Estimated memory: the result arrays, the kept images, and the plans of the
// model at its largest batch.
wsr_status wsr__eval_needs(wsr__needs *needs, const wsr_eval *eval,
                           wsr_model *model)
{
    wsr_status status = WSR_OK;
    double plans = 0;
    const double pairs = (double)(eval->n_attacks * eval->n_eps);
    const double image = sizeof(float) * (double)model->pixels;
    const double row = 5 * sizeof(float) + 5 * sizeof(uint32_t) + 3;
    const double images = pairs * (double)eval->keep * image;
    const double results = pairs * (double)eval->n * row;
    if (eval->n >= model->batch) {
        WSR_TRY(wsr__model_reserve(&plans, model));
    }
    wsr__needs_memory(needs, "plans of the model", plans);
    wsr__needs_memory(needs, "adversarial images that are kept", images);
    wsr__needs_memory(needs, "results", results);
    needs->disk += 2 * (images + results); // a checkpoint and the one before
out:
    return status;
}

// A shortage of memory is an error here, not hours later.
static wsr_status check_needs(const wsr_eval *s, wsr_model *model)
{
    wsr__needs needs = {0};
    const wsr_status status = wsr__eval_needs(&needs, s, model);
    return status == WSR_OK ? wsr__needs_check(&needs, NULL) : status;
}

// The model is set last: it marks the evaluation as open. An opening that
// fails may be tried again with another model.
wsr_status wsr_eval_open(wsr_eval *eval, wsr_model *model,
                         const wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    const size_t batch = (size_t)eval->settings.attack.batch;
    if (eval->model != NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: was opened before");
    }
    WSR_TRY(check_model(eval, model, dataset));
    eval->batch = batch == 0 || batch > model->batch ? model->batch : batch;
    WSR_TRY(choose_images(eval, dataset));
    WSR_TRY(choose_shard(eval));
    eval->keep = (size_t)eval->settings.keep < eval->n
                     ? (size_t)eval->settings.keep
                     : eval->n;
    eval->loaded = SIZE_MAX;
    WSR_TRY(check_needs(eval, model));
    WSR_TRY(make_arrays(eval, model));
    eval->model = model;
    eval->dataset = dataset;
    wsr__eval_check_strengths(eval);
out:
    return status;
}

// Attacks have one set of options, so the first one tells whether they are
// targeted.
wsr_status wsr_eval_transfer(wsr_eval *eval, wsr_model *source)
{
    wsr_status status = WSR_OK;
    if (eval->model == NULL || eval->position > 0 || eval->part != NULL) {
        return WSR_FAIL(WSR_ARG, "evaluation: must be opened and not begun");
    }
    if (eval->attacks[0]->target != WSR__TARGET_NONE) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.target: %s: attacks on another network than "
                        "the one that is evaluated have no target class",
                        eval->attacks[0]->target == WSR__TARGET_CLASS
                            ? "target_class"
                            : eval->settings.attack.target.s);
    }
    if (eval->settings.attack.queries > 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.queries: attacks on another network than the "
                        "one that is evaluated do not ask that one; the attack "
                        "transfer counts what it asks");
    }
    WSR_TRY(check_model(eval, source, eval->dataset));
    eval->source = source;
out:
    return status;
}
