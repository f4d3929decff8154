// SPDX-License-Identifier: Apache-2.0
//
// Phases of a training whose images have one size each and whose batches have
// one number of images: small images first, as Fast-AT learns ImageNet (Wong et
// al. 2020, arXiv:2001.03994). Weights, optimiser and schedule go through all
// of them; what depends on the size is made when a phase begins: the view of
// the data set, the loader, graphs and plans. A training without train.sizes
// has one phase.

#include "train/train.h"

#include <stdlib.h>
#include <string.h>

// -------------------------------------------------------------- the option

// A number and the character behind it, one of `ends`, which may have the end
// of the text too.
static const char *read_number(int64_t *out, const char *at, const char *ends,
                               bool last)
{
    char *end = NULL;
    *out = (int64_t)strtoll(at, &end, 10);
    if (end == at || (*end == '\0' ? !last : strchr(ends, *end) == NULL)) {
        return NULL;
    }
    return *end == '\0' ? end : end + 1;
}

static wsr_status wrong(const wsr__training *t, const char *what)
{
    return WSR_FAIL(WSR_CONFIG,
                    "%.80s: %s; it is a list of EPOCH:SIZE:BATCH, first 1:...",
                    t->params.sizes.s, what);
}

static wsr_status read_entry(wsr__sizes *sizes, const char **at,
                             const wsr__training *t)
{
    int64_t epoch = 0;
    int64_t size = 0;
    int64_t batch = 0;
    const wsr__size_phase *const last =
        sizes->n == 0 ? NULL : &sizes->list[sizes->n - 1];
    const char *next = read_number(&epoch, *at, ":", false);
    next = next == NULL ? NULL : read_number(&size, next, ":", false);
    next = next == NULL ? NULL : read_number(&batch, next, ",]", true);
    if (next == NULL) {
        return wrong(t, "is no such list");
    }
    if (last == NULL ? epoch != 1 : epoch <= (int64_t)last->first + 1) {
        return wrong(t, "phases begin with epoch 1, each after the one before");
    }
    if (size < 1 || size > WSR__SIDE_MAX || batch < 1 || batch > 65536) {
        return wrong(t, "a size or a batch is out of range");
    }
    if (sizes->n == WSR__SIZES) {
        return wrong(t, "has too many phases");
    }
    sizes->list[sizes->n++] = (wsr__size_phase){
        .first = (size_t)epoch - 1, .side = size, .batch = (size_t)batch};
    *at = next;
    return WSR_OK;
}

// With brackets or, as configurations hand over lists, without.
static wsr_status read_list(wsr__sizes *sizes, const wsr__training *t)
{
    wsr_status status = WSR_OK;
    const char *at = t->params.sizes.s;
    at += *at == '[';
    sizes->n = 0;
    do {
        WSR_TRY(read_entry(sizes, &at, t));
    } while (*at != '\0');
out:
    return status;
}

// What has a size of its own stays with one.
static wsr_status check_list(const wsr__sizes *sizes, const wsr__training *t)
{
    if (sizes->n > 1 &&
        (t->trainer->state != NULL || t->trainer->open != NULL)) {
        return WSR_FAIL(WSR_CONFIG, "the trainer %s is for images of one size",
                        t->trainer->super.name);
    }
    if (sizes->n > 1 && t->params.teacher.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG, "a teacher is for images of one size");
    }
    for (size_t i = 0; i < sizes->n; i++) {
        const size_t batch = sizes->list[i].batch;
        // A part that is smaller than others would weigh as much as they do.
        if (batch % (size_t)t->params.shards != 0) {
            return WSR_FAIL(WSR_CONFIG,
                            "train.shards: %lld does not divide a batch of %zu",
                            (long long)t->params.shards, batch);
        }
    }
    return WSR_OK;
}

// ------------------------------------------------------------------ a phase

// The loader's options are some of the training's; it has the same seed.
static wsr_status make_loader(wsr_loader **out, const wsr__training *t,
                              const wsr__size_phase *phase)
{
    wsr__loader_params params;
    wsr__params_default(&params, wsr__loader_schema);
    params.batch = (int64_t)phase->batch;
    params.drop_last = t->params.drop_last;
    params.augment = t->params.augment;
    params.repeats = t->params.repeats;
    params.workers = t->params.workers;
    params.seed = (int64_t)t->of.seed;
    return wsr__loader_make(
        out, phase->data != NULL ? phase->data : t->of.train, &params);
}

// The data set as it is shown in a phase, and what an epoch then is.
static wsr_status make_phase(wsr__training *t, wsr__size_phase *phase)
{
    wsr_status status = WSR_OK;
    wsr_loader *loader = NULL;
    phase->image = *wsr_net_image(t->of.net);
    if (phase->side > 0) {
        WSR_TRY(wsr__dataset_at_size(&phase->data, t->of.train, phase->side));
        phase->image.dims[2] = phase->side;
        phase->image.dims[3] = phase->side;
    }
    WSR_TRY(make_loader(&loader, t, phase));
    WSR_TRY(wsr__images_fit(loader, t->of.train, t->of.net, &phase->image));
    phase->batches = wsr_loader_batches(loader);
out:
    wsr_loader_free(loader);
    return status;
}

wsr_status wsr__training_make_sizes(wsr__training *t)
{
    wsr_status status = WSR_OK;
    wsr__sizes *const sizes = &t->sizes;
    *sizes = (wsr__sizes){.n = 1, .opened = WSR__SIZES};
    sizes->list[0].batch = (size_t)t->params.batch;
    if (t->params.sizes.s[0] != '\0') {
        WSR_TRY(read_list(sizes, t));
    }
    WSR_TRY(check_list(sizes, t));
    for (size_t i = 0; i < sizes->n; i++) {
        wsr__size_phase *const phase = &sizes->list[i];
        WSR_TRY(make_phase(t, phase));
        const size_t floats = phase->batch *
                              (size_t)wsr_shape_count(&phase->image);
        sizes->batch = phase->batch > sizes->batch ? phase->batch
                                                   : sizes->batch;
        sizes->floats = floats > sizes->floats ? floats : sizes->floats;
        if (i > 0) {
            const wsr__size_phase *const last = phase - 1;
            phase->before = last->before +
                            (phase->first - last->first) * last->batches;
        }
    }
    wsr__training_set_epoch(t, 0);
out:
    return status == WSR_OK || t->params.sizes.s[0] == '\0'
               ? status
               : wsr__fail_at(status, "train.sizes");
}

static void free_graphs(wsr__training *t)
{
    for (size_t i = 0; i < t->room_count * WSR__PLAN_PAIRS; i++) {
        wsr__plan_pair *const pair =
            &t->rooms[i / WSR__PLAN_PAIRS].pairs[i % WSR__PLAN_PAIRS];
        wsr_plan_free(pair->train);
        wsr_plan_free(pair->second);
        wsr__attack_plans_free(&pair->attack);
        *pair = (wsr__plan_pair){0};
    }
    wsr__image_plans_free(t->attack_images);
    t->attack_images = NULL;
    t->attack_bytes = 0;
    t->attack_chosen = false;
    wsr_graph_free(t->graph);
    wsr_graph_free(t->attack_graph);
    wsr_loader_free(t->loader);
    t->graph = NULL;
    t->attack_graph = NULL;
    t->loader = NULL;
}

void wsr__training_free_sizes(wsr__training *t)
{
    free_graphs(t);
    for (size_t i = 0; i < t->sizes.n; i++) {
        wsr_dataset_free(t->sizes.list[i].data);
    }
}

// Images of other processes' parts are not read.
static wsr__loader_share share_of(const wsr__training *t)
{
    const size_t parts = (size_t)t->params.shards;
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    return wsr__comm_many() ? (wsr__loader_share){mine.begin, mine.end, parts}
                            : (wsr__loader_share){0, 0, 0};
}

// The training graph may have an auxiliary classifier and drop-path masks; the
// graph for attacks has neither.
wsr_status wsr__training_open_size(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr__size_phase *const phase = wsr__training_size(t);
    if (t->sizes.opened == t->sizes.now) {
        return WSR_OK;
    }
    t->sizes.opened = WSR__SIZES;
    free_graphs(t);
    WSR_TRY(make_loader(&t->loader, t, phase));
    wsr__loader_set_share(t->loader, share_of(t));
    WSR_TRY(wsr__net_graph_at(&t->graph, t->of.net, &phase->image, true));
    if (t->trainer->attack != NULL) {
        WSR_TRY(wsr__net_graph_at(&t->attack_graph, t->of.net, &phase->image,
                                  false));
    }
    WSR_TRY(wsr_loader_seek(t->loader, t->epoch, t->batch));
    t->sizes.opened = t->sizes.now;
out:
    return status == WSR_OK || phase->side == 0
               ? status
               : wsr__fail_at(status, "train.sizes: %lld pixels",
                              (long long)phase->side);
}

// ------------------------------------------------------------ the position

static size_t phase_of(const wsr__training *t, size_t epoch)
{
    size_t i = t->sizes.n - 1;
    while (t->sizes.list[i].first > epoch) {
        i--;
    }
    return i;
}

const wsr__size_phase *wsr__training_size(const wsr__training *t)
{
    return &t->sizes.list[t->sizes.now];
}

size_t wsr__training_batches(const wsr__training *t, size_t epoch)
{
    return t->sizes.list[phase_of(t, epoch)].batches;
}

size_t wsr__training_steps_to(const wsr__training *t, size_t epoch)
{
    const wsr__size_phase *const phase = &t->sizes.list[phase_of(t, epoch)];
    return phase->before + (epoch - phase->first) * phase->batches;
}

void wsr__training_set_epoch(wsr__training *t, size_t epoch)
{
    t->epoch = epoch;
    t->sizes.now = phase_of(t, epoch);
    t->batches = wsr__training_size(t)->batches;
    t->shard = wsr__training_size(t)->batch / (size_t)t->params.shards;
}
