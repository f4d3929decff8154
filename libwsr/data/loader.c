// SPDX-License-Identifier: Apache-2.0
//
// Loaders: options, creation, and the sequence of shuffled, augmented batches.
// Batch b of epoch e holds samples order_e[b * B ... (b + 1) * B), where
// order_e is a permutation drawn from (seed, e), and sample i is augmented with
// the stream of (seed, e, i): so neither the thread nor the starting point can
// change a result. prefetch.c fills the batches.

#include "data/loader.h"

#include <string.h>

// More batches would only take memory: one is enough to keep a thread busy.
enum { MAX_PREFETCH = 16, MAX_WORKERS = 256, MAX_REPEATS = 64 };

const wsr__option wsr__loader_schema[] = {
    {.key = "batch",
     .kind = WSR__INT,
     .offset = offsetof(wsr__loader_params, batch),
     .fallback = "64",
     .min = 1,
     .max = 65536,
     .unit = "samples",
     .help = "samples in a batch"},
    {.key = "shuffle",
     .kind = WSR__BOOL,
     .offset = offsetof(wsr__loader_params, shuffle),
     .fallback = "true",
     .unit = "",
     .help = "draw a new order each epoch"},
    {.key = "drop_last",
     .kind = WSR__BOOL,
     .offset = offsetof(wsr__loader_params, drop_last),
     .fallback = "false",
     .unit = "",
     .help = "drop a last batch that is smaller"},
    {.key = "augment",
     .kind = WSR__TEXT,
     .offset = offsetof(wsr__loader_params, augment),
     .fallback = "[]",
     .unit = "",
     .help = "list, e.g. [random_crop:pad=4,flip]"},
    {.key = "seed",
     .kind = WSR__INT,
     .offset = offsetof(wsr__loader_params, seed),
     .fallback = "0",
     .unit = "",
     .help = "of orders and augmentations"},
    {.key = "prefetch",
     .kind = WSR__INT,
     .offset = offsetof(wsr__loader_params, prefetch),
     .fallback = "1",
     .min = 0,
     .max = MAX_PREFETCH,
     .unit = "batches",
     .help = "prepared ahead on a thread, 0: no thread"},
    {.key = "workers",
     .kind = WSR__INT,
     .offset = offsetof(wsr__loader_params, workers),
     .fallback = "0",
     .min = 0,
     .max = MAX_WORKERS,
     .unit = "threads",
     .help = "that decode and augment, 0: one"},
    {.key = "repeats",
     .kind = WSR__INT,
     .offset = offsetof(wsr__loader_params, repeats),
     .fallback = "1",
     .min = 1,
     .max = MAX_REPEATS,
     .unit = "",
     .help = "times that an epoch shows an image, each augmented anew"},
    {0},
};

// -------------------------------------------------------------------- making

// `synced` counts what was made, so that freeing undoes exactly that.
static wsr_status make_sync(wsr_loader *loader)
{
    if (pthread_mutex_init(&loader->lock, NULL) != 0) {
        goto failed;
    }
    loader->synced++;
    if (pthread_cond_init(&loader->filled, NULL) != 0) {
        goto failed;
    }
    loader->synced++;
    if (pthread_cond_init(&loader->room, NULL) != 0) {
        goto failed;
    }
    loader->synced++;
    return WSR_OK;
failed:
    return WSR_FAIL(WSR_NOMEM, "loader: the system has no lock left");
}

// A batch never holds more samples than the data set does. All memory of the
// loader is taken when it is made.
static wsr_status make_ring(wsr_loader *loader)
{
    const size_t floats =
        (size_t)wsr__image_floats(wsr__pipeline_image(loader->pipeline));
    const size_t held = loader->samples;
    const size_t asked = (size_t)loader->params.batch;
    const size_t size = asked < held ? asked : held;
    loader->ring = wsr__alloc(loader->n, sizeof(*loader->ring));
    if (loader->ring == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < loader->n; i++) {
        wsr_batch *const b = &loader->ring[i];
        b->images = wsr__alloc(size, floats * sizeof(*b->images));
        b->labels = wsr__alloc(size, sizeof(*b->labels));
        b->indices = wsr__alloc(size, sizeof(*b->indices));
        if (b->images == NULL || b->labels == NULL || b->indices == NULL) {
            return wsr__fail_at(WSR_NOMEM,
                                "%zu batches of %zu images of %zu numbers",
                                loader->n, size, floats);
        }
    }
    return WSR_OK;
}

// Text inside the brackets of a list, or the whole text. Configurations write
// "[flip,cutout]", programs often "flip,cutout".
static void strip_brackets(wsr__text *out, const char *text)
{
    const size_t n = strlen(text);
    const bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    (void)snprintf(out->s, sizeof(out->s), "%.*s", (int)(bracketed ? n - 2 : n),
                   text + bracketed);
}

// Augmentation starts from the view of the data set, so padding to a size comes
// before random crops.
static wsr_status make_pipeline(wsr_loader *loader)
{
    wsr_status status = WSR_OK;
    const wsr__view view = wsr__files_shown(loader->dataset);
    wsr__text specs;
    wsr__image image;
    strip_brackets(&specs, loader->params.augment.s);
    WSR_TRY(wsr__pipeline_new_view(&loader->pipeline, specs.s, &view));
    image = wsr__pipeline_image(loader->pipeline);
    loader->shape = (wsr_shape){3, {image.c, image.h, image.w}};
    loader->in_files = view.resize > 0;
out:
    return status;
}

// Each thread has a reader of its own; without threads the first one serves.
static wsr_status make_workers(wsr_loader *loader)
{
    wsr_status status = WSR_OK;
    const size_t asked = (size_t)loader->params.workers;
    const size_t n = asked > 0 ? asked : 1;
    if (asked > 0 && loader->params.prefetch == 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "loader.workers: threads need loader.prefetch of at "
                        "least 1");
    }
    loader->workers = wsr__alloc(n, sizeof(*loader->workers));
    if (loader->workers == NULL) {
        return WSR_NOMEM;
    }
    loader->n_workers = n;
    for (size_t i = 0; i < n; i++) {
        loader->workers[i].loader = loader;
        WSR_TRY(wsr__workspace_make(&loader->workers[i].reader.workspace,
                                    loader->pipeline));
    }
out:
    return status;
}

// A loader without a batch could never end an epoch.
static wsr_status count_batches(wsr_loader *loader)
{
    const size_t size = (size_t)loader->params.batch;
    const size_t count = loader->samples;
    loader->batches = count / size;
    if (!loader->params.drop_last && count % size != 0) {
        loader->batches++;
    }
    if (loader->batches == 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "loader.batch: %zu is outside [1, %zu] (samples, with "
                        "drop_last)",
                        size, count);
    }
    return WSR_OK;
}

// As the RASampler of DeiT, which shows fewer images the more often: an epoch
// has as many samples as without repeats, in multiples of 256.
static size_t count_samples(size_t count, int64_t repeats)
{
    enum { MULTIPLE = 256 };
    return repeats > 1 && count >= MULTIPLE ? count / MULTIPLE * MULTIPLE
                                            : count;
}

// The threads are not started here: who seeks first would only stop it again.
wsr_status wsr__loader_make(wsr_loader **out, const wsr_dataset *dataset,
                            const wsr__loader_params *params)
{
    wsr_status status = WSR_OK;
    wsr_loader *loader = NULL;
    *out = NULL;
    loader = wsr__alloc(1, sizeof(*loader));
    if (loader == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    loader->dataset = dataset;
    loader->params = *params;
    loader->samples = count_samples(dataset->count, params->repeats);
    loader->n = (size_t)params->prefetch + 1;
    loader->prefetching = params->prefetch > 0;
    WSR_TRY(count_batches(loader));
    WSR_TRY(make_pipeline(loader));
    WSR_TRY(make_workers(loader));
    WSR_TRY(make_ring(loader));
    loader->order = wsr__alloc(params->shuffle ? dataset->count : 0,
                               sizeof(*loader->order));
    if (loader->order == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(make_sync(loader));
    *out = loader;
    loader = NULL;
out:
    wsr_loader_free(loader);
    return status;
}

// The data set is borrowed and must outlive the loader.
wsr_status wsr_loader_new(wsr_loader **out, const wsr_dataset *dataset,
                          const char *options)
{
    wsr_status status = WSR_OK;
    wsr__loader_params params;
    if (out == NULL || dataset == NULL) {
        return WSR_FAIL(WSR_ARG, "wsr_loader_new: %s is NULL",
                        out != NULL ? "dataset" : "out");
    }
    *out = NULL;
    wsr__params_default(&params, wsr__loader_schema);
    WSR_TRY(wsr__params_parse(&params, wsr__loader_schema, "loader.",
                              options != NULL ? options : ""));
    WSR_TRY(wsr__loader_make(out, dataset, &params));
out:
    return status;
}

// The thread goes first, since it uses everything else. Legal for a loader that
// was made halfway.
void wsr_loader_free(wsr_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    wsr__prefetch_stop(loader);
    if (loader->synced > 2) {
        (void)pthread_cond_destroy(&loader->room);
    }
    if (loader->synced > 1) {
        (void)pthread_cond_destroy(&loader->filled);
    }
    if (loader->synced > 0) {
        (void)pthread_mutex_destroy(&loader->lock);
    }
    for (size_t i = 0; loader->ring != NULL && i < loader->n; i++) {
        wsr__free(loader->ring[i].images);
        wsr__free(loader->ring[i].labels);
        wsr__free(loader->ring[i].indices);
    }
    wsr__free(loader->ring);
    wsr__free(loader->order);
    for (size_t i = 0; i < loader->n_workers; i++) {
        wsr__reader_free(&loader->workers[i].reader);
    }
    wsr__free(loader->workers);
    wsr__pipeline_free(loader->pipeline);
    wsr__free(loader);
}

// --------------------------------------------------------------------- using

void wsr__loader_set_share(wsr_loader *loader, wsr__loader_share share)
{
    loader->share = share;
}

struct wsr_batch wsr__batch_part(const wsr_batch *batch, size_t k, size_t parts,
                                 size_t pixels)
{
    struct wsr_batch part = *batch;
    part.count = batch->count / parts;
    part.first += k * part.count;
    part.images += k * part.count * pixels;
    part.labels += k * part.count;
    part.indices += k * part.count;
    return part;
}

// Between two epochs NULL is handed out once. Without a thread the ring's first
// buffer is filled here.
wsr_status wsr_loader_next(const wsr_batch **out, wsr_loader *loader)
{
    wsr_batch *batch = NULL;
    *out = NULL;
    if (loader->reader.batch == loader->batches) {
        loader->reader = (wsr__place){loader->reader.epoch + 1, 0};
        return WSR_OK;
    }
    if (loader->prefetching && loader->running == 0) {
        wsr__prefetch_start(loader);
    }
    if (loader->running > 0) {
        batch = wsr__prefetch_take(loader);
    } else {
        batch = &loader->ring[0];
        loader->writer = loader->reader;
        wsr__batch_fill(batch, loader);
    }
    // The threads end by themselves; joining them lets the next call start
    // anew.
    if (batch->status != WSR_OK) {
        wsr__prefetch_stop(loader);
        return WSR_FAIL(batch->status, "%s", batch->detail);
    }
    loader->reader.batch++;
    *out = batch;
    return WSR_OK;
}

// Whether the thread's next batch is the one wanted, so that a trainer may
// seek at the start of each epoch without losing what was prepared. The end of
// one epoch and the beginning of the next are the same place.
static bool is_next(const wsr_loader *loader, wsr__place at)
{
    wsr__place next = loader->reader;
    if (next.batch == loader->batches && at.batch != loader->batches) {
        next = (wsr__place){next.epoch + 1, 0};
    }
    return next.epoch == at.epoch && next.batch == at.batch;
}

// Seeking to the place where the loader already is keeps the thread and what it
// has prepared.
wsr_status wsr_loader_seek(wsr_loader *loader, uint64_t epoch, size_t batch)
{
    const wsr__place at = {epoch, batch};
    if (batch > loader->batches) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_loader_seek: batch %zu is outside [0, %zu]", batch,
                        loader->batches);
    }
    if (!is_next(loader, at)) {
        wsr__prefetch_stop(loader);
    }
    loader->reader = at;
    return WSR_OK;
}

// Of the batch that comes next.
uint64_t wsr_loader_epoch(const wsr_loader *loader)
{
    return loader->reader.epoch;
}

// Batches of this epoch that have been handed out.
size_t wsr_loader_position(const wsr_loader *loader)
{
    return loader->reader.batch;
}

size_t wsr_loader_batches(const wsr_loader *loader)
{
    return loader->batches;
}

const wsr_shape *wsr_loader_shape(const wsr_loader *loader)
{
    return &loader->shape;
}

size_t wsr_batch_count(const wsr_batch *batch)
{
    return batch->count;
}

const float *wsr_batch_images(const wsr_batch *batch)
{
    return batch->images;
}

const int32_t *wsr_batch_labels(const wsr_batch *batch)
{
    return batch->labels;
}

// Numbers of the samples in the data set.
const size_t *wsr_batch_indices(const wsr_batch *batch)
{
    return batch->indices;
}
