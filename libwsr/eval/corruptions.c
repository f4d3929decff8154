// SPDX-License-Identifier: Apache-2.0
//
// Accuracy of a model on corrupted images. A step classifies one batch in one
// cell, or with several processes one for each, of the same cell. Cell 0 is the
// clean images; then come the corruptions in their order, each at its
// severities. All batches of a cell are done before the next cell begins, so
// that an interrupted evaluation has whole cells.

#include "eval/corruptions.h"

#include "attack/engine/loss.h"
#include "comm/comm.h"

#include <math.h>
#include <string.h>

enum { SPEC_SIZE = 64 };

#define AT(field) offsetof(wsr__corruptions_params, field)

// clang-format off
#define OPTIONS \
    {"severities", WSR__INTS, AT(severities), "[1,2,3,4,5]", 1, \
     WSR__SEVERITIES, "", "from 1, the weakest, to 5; increasing", NULL}, \
    {"count", WSR__INT, AT(count), "0", 0, 1e9, "images", \
     "that are evaluated, 0: all", NULL}, \
    {"batch", WSR__INT, AT(batch), "0", 0, 65536, "images", \
     "at once at most, 0: as many as the model takes", NULL}, \
    {"scale", WSR__WORD, AT(scale), "auto", 0, 0, "", \
     "constants of CIFAR-10-C or of ImageNet-C; auto: of ImageNet-C from 64 " \
     "pixels on", \
     wsr__corrupt_scales}
// clang-format on

const wsr__option wsr__corruptions_schema[] = {
    {"list", WSR__TEXT, AT(list), "", 0, 0, "",
     "corruptions of the images, fog,snow; all: every one; empty: none", NULL},
    OPTIONS,
    {0},
};

static const wsr__option schema[] = {
    OPTIONS,
    {"seed", WSR__INT, AT(seed), "0", 0, 9007199254740991.0, "",
     "of all random numbers", NULL},
    {0},
};

// ---------------------------------------------------------------- lifetime

// What opening makes, also in part.
static void free_arrays(wsr_corruption_eval *s)
{
    for (size_t i = 0; s->made != NULL && i < s->n; i++) {
        wsr_corruption_free(s->made[i]);
    }
    wsr__free(s->made);
    wsr__free(s->correct);
    wsr__free(s->found);
    wsr__free(s->clean);
    wsr__free(s->x);
    wsr__free(s->logits);
    wsr__free(s->index);
    s->made = NULL;
    s->correct = NULL;
    s->found = NULL;
    s->clean = NULL;
    s->x = NULL;
    s->logits = NULL;
    s->index = NULL;
}

void wsr_corruption_eval_free(wsr_corruption_eval *eval)
{
    if (eval != NULL) {
        free_arrays(eval);
        wsr__free(eval->classes);
        wsr__free(eval);
    }
}

static const wsr__corruption_class *class_at(size_t i)
{
    // The family's classes start with their super.
    return (const wsr__corruption_class *)(const void *)
        wsr__corruptions.classes[i];
}

static size_t class_count(void)
{
    size_t n = 0;
    while (wsr__corruptions.classes[n] != NULL) {
        n++;
    }
    return n;
}

// `name` is not terminated after `length` bytes: it is part of a list.
static wsr_status add_class(wsr_corruption_eval *s, const char *name,
                            size_t length)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    char text[SPEC_SIZE] = "";
    memcpy(text, name, length < SPEC_SIZE ? length : SPEC_SIZE - 1);
    WSR_TRY(wsr__class_find(&cls, &wsr__corruptions, text));
    for (size_t i = 0; i < s->n; i++) {
        if (&s->classes[i]->super == cls) {
            return WSR_FAIL(WSR_CONFIG, "corruption.list: '%s' is there twice",
                            text);
        }
    }
    s->classes[s->n++] = (const wsr__corruption_class *)(const void *)cls;
out:
    return status;
}

// No list is longer than the family, since no name may be there twice.
static wsr_status add_classes(wsr_corruption_eval *s, const char *list)
{
    wsr_status status = WSR_OK;
    const bool all = wsr__streq(list, "all");
    for (size_t i = 0; all && i < class_count(); i++) {
        s->classes[s->n++] = class_at(i);
    }
    for (bool more = !all; more;) {
        const size_t length = strcspn(list, ",");
        WSR_TRY(add_class(s, list, length));
        more = list[length] == ',';
        list += length + more;
    }
out:
    return status;
}

static wsr_status check_severities(const wsr__ints *severities)
{
    if (severities->n == 0) {
        return WSR_FAIL(WSR_CONFIG, "corruption.severities: there is none");
    }
    for (size_t i = 1; i < severities->n; i++) {
        if (severities->v[i] <= severities->v[i - 1]) {
            return WSR_FAIL(WSR_CONFIG,
                            "corruption.severities: %lld does not exceed the "
                            "one before it",
                            (long long)severities->v[i]);
        }
    }
    return WSR_OK;
}

wsr_status wsr__corruption_eval_make(wsr_corruption_eval **out,
                                     const wsr__corruptions_params *params)
{
    wsr_status status = WSR_OK;
    wsr_corruption_eval *s = wsr__alloc(1, sizeof(*s));
    *out = NULL;
    if (s == NULL) {
        return WSR_NOMEM;
    }
    s->params = *params;
    s->classes = wsr__alloc(class_count(), sizeof(wsr__corruption_class *));
    if (s->classes == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(add_classes(s, params->list.s));
    WSR_TRY(check_severities(&params->severities));
    *out = s;
    s = NULL;
out:
    wsr_corruption_eval_free(s);
    return status;
}

wsr_status wsr_corruption_eval_new(wsr_corruption_eval **out, const char *names,
                                   const char *options)
{
    wsr_status status = WSR_OK;
    wsr__corruptions_params params = {0};
    *out = NULL;
    wsr__params_default(&params, schema);
    WSR_TRY(wsr__strcpy(params.list.s, sizeof(params.list.s), names));
    WSR_TRY(wsr__params_parse(&params, schema, "corruption.",
                              options == NULL ? "" : options));
    WSR_TRY(wsr__corruption_eval_make(out, &params));
out:
    return status;
}

// ------------------------------------------------------------- opening it

static wsr_status make_arrays(wsr_corruption_eval *s, const wsr_model *model)
{
    wsr_status status = WSR_OK;
    const size_t floats = (size_t)model->pixels;
    const wsr__corruption_params params = {
        .severity = 1, .scale = s->params.scale, .seed = s->params.seed};
    s->made = wsr__alloc(s->n, sizeof(wsr_corruption *));
    s->correct = wsr__alloc(wsr__corruption_cells(s), sizeof(*s->correct));
    s->found = wsr__alloc(wsr_comm_size(), sizeof(*s->found));
    s->clean = wsr__alloc(s->batch, floats * sizeof(*s->clean));
    s->x = wsr__alloc(s->batch, floats * sizeof(*s->x));
    s->logits = wsr__alloc(s->batch, model->classes * sizeof(*s->logits));
    s->index = wsr__alloc(s->batch, sizeof(*s->index));
    if (s->made == NULL || s->correct == NULL || s->found == NULL ||
        s->clean == NULL || s->x == NULL || s->logits == NULL ||
        s->index == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->n; i++) {
        WSR_TRY(wsr__corruption_make(&s->made[i], s->classes[i], &model->shape,
                                     &params));
    }
out:
    return status;
}

// An opening that fails may be tried again with another model.
wsr_status wsr_corruption_eval_open(wsr_corruption_eval *eval, wsr_model *model,
                                    const wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    const size_t have = wsr_dataset_count(dataset);
    const size_t wanted = (size_t)eval->params.count;
    const size_t most = (size_t)eval->params.batch;
    if (eval->model != NULL) {
        return WSR_FAIL(WSR_ARG, "corruptions: was opened before");
    }
    WSR_TRY(wsr__dataset_fits(dataset, &model->shape, model->classes,
                              "corruptions", "model"));
    if (wanted > have) {
        return WSR_FAIL(WSR_ARG,
                        "corruption.count: %zu images are more than the %zu "
                        "there are",
                        wanted, have);
    }
    eval->images = wanted == 0 ? have : wanted;
    eval->batch = most == 0 || most > model->batch ? model->batch : most;
    WSR_TRY(make_arrays(eval, model));
    eval->model = model;
    eval->dataset = dataset;
out:
    if (status != WSR_OK) {
        free_arrays(eval);
    }
    return status;
}

double wsr__corruption_eval_bytes(const wsr_corruption_eval *s)
{
    return 2 * sizeof(float) * (double)s->batch * (double)s->model->pixels;
}

// A pass without the way back counts half.
double wsr__corruption_eval_passes(const wsr_corruption_eval *s)
{
    return 0.5 * (double)wsr__corruption_cells(s) * (double)s->images;
}

// ----------------------------------------------------------------- working

size_t wsr_corruption_eval_steps(const wsr_corruption_eval *eval)
{
    return eval->model == NULL
               ? 0
               : wsr__corruption_cells(eval) * wsr__corruption_batches(eval);
}

size_t wsr_corruption_eval_position(const wsr_corruption_eval *eval)
{
    return eval->position;
}

void wsr__corruption_eval_note(char out[64], const wsr_corruption_eval *s)
{
    const size_t cell = s->position / wsr__corruption_batches(s);
    if (cell == 0 || cell >= wsr__corruption_cells(s)) {
        (void)snprintf(out, 64, "clean images");
        return;
    }
    (void)snprintf(out, 64, "%.40s %d",
                   s->classes[wsr__corruption_of_cell(s, cell)]->super.name,
                   (int)wsr__severity_of_cell(s, cell));
}

// The images of a step, corrupted.
static wsr_status load(const float **x, wsr_corruption_eval *s, size_t cell,
                       size_t first, size_t n)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < n; i++) {
        s->index[i] = first + i;
    }
    WSR_TRY(wsr_dataset_images(s->clean, s->dataset, s->index, n));
    *x = s->clean;
    if (cell > 0) {
        wsr__corruption_apply_at(
            s->x, s->made[wsr__corruption_of_cell(s, cell)], s->clean, s->index,
            n, (size_t)wsr__severity_of_cell(s, cell));
        *x = s->x;
    }
out:
    return status;
}

// Images of a batch that are classified correctly in a cell.
static wsr_status count(int64_t *correct, wsr_corruption_eval *s, size_t cell,
                        size_t batch)
{
    wsr_status status = WSR_OK;
    const float *x = NULL;
    const size_t first = batch * s->batch;
    const size_t left = s->images - first;
    const size_t n = left < s->batch ? left : s->batch;
    const size_t classes = s->model->classes;
    const int32_t *const labels = wsr_dataset_labels(s->dataset) + first;
    WSR_TRY(load(&x, s, cell, first, n));
    WSR_TRY(wsr_model_logits(s->logits, s->model, x, n));
    for (size_t i = 0; i < n; i++) {
        *correct += wsr__argmax(s->logits + i * classes, classes) == labels[i];
    }
out:
    return status;
}

// Processes take the next batches of a cell, one each, and add up what they
// found, so that position and counts are the same in all after each step.
wsr_status wsr_corruption_eval_step(wsr_corruption_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr_corruption_eval *const s = eval;
    if (s->position >= wsr_corruption_eval_steps(s)) {
        return WSR_FAIL(WSR_ARG, "corruptions: there is no step left to do");
    }
    const size_t batches = wsr__corruption_batches(s);
    const size_t cell = s->position / batches;
    const size_t first = s->position % batches;
    const size_t left = batches - first;
    const size_t n = left < wsr_comm_size() ? left : wsr_comm_size();
    const size_t rank = wsr_comm_rank();
    memset(s->found, 0, wsr_comm_size() * sizeof(*s->found));
    WSR_TRY(wsr__comm_agree(
        rank < n ? count(&s->found[rank], s, cell, first + rank) : WSR_OK));
    WSR_TRY(wsr__comm_all_gather(s->found, sizeof(*s->found)));
    for (size_t r = 0; r < n; r++) {
        s->correct[cell] += s->found[r];
    }
    s->position += n;
out:
    return status;
}

wsr_status wsr_corruption_eval_finish(wsr_corruption_eval *eval)
{
    wsr_status status = WSR_OK;
    while (eval->position < wsr_corruption_eval_steps(eval)) {
        WSR_TRY(wsr_corruption_eval_step(eval));
    }
out:
    return status;
}
