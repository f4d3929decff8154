// SPDX-License-Identifier: Apache-2.0
//
// Shuffled, augmented batches, prepared ahead on a thread. Batch b of epoch e
// holds samples order_e[b * B ... (b + 1) * B), where order_e is a permutation
// drawn from (seed, e), and sample i is augmented with the stream of (seed, e,
// i): so neither the thread nor the starting point can change a result.
//
// The batches pass through a ring of prefetch + 1 buffers. `made` counts those
// filled since the thread started, `taken` those handed out; the buffer handed
// out last stays untouched until the next call. Only `made`, `taken` and `stop`
// are shared, and they change under the lock alone. The thread is started by
// the first wsr_loader_next() and stopped by seeking, failing and freeing. It
// uses no OpenMP, which would start a second team of threads beside the
// caller's.

#include "data/data.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { MAX_PREFETCH = 16, DETAIL_SIZE = 512 };

struct wsr_batch {
    float *images;
    int32_t *labels;
    size_t *indices;
    size_t count;
    wsr_status status; // of filling
    char detail[DETAIL_SIZE];
};

// A place in the endless sequence.
typedef struct place {
    uint64_t epoch;
    size_t batch;
} place;

struct wsr_loader {
    const wsr_dataset *dataset;
    wsr__pipeline *pipeline;
    wsr__loader_params params;
    wsr_shape shape;
    size_t batches;
    wsr_batch *ring;
    size_t n; // of the ring: prefetch + 1
    place reader;
    // What filling needs; belongs to the thread while it runs.
    place writer;
    uint32_t *order;
    uint64_t order_epoch;
    bool order_known;
    float *scratch;
    // Shared.
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t room;
    size_t made;
    size_t taken;
    bool stop;
    unsigned synced; // lock, filled, room that were made
    pthread_t thread;
    bool running;
    bool prefetching; // a thread is wanted and can be had
};

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
    {0},
};

// ------------------------------------------------------------------- filling

// The permutation of an epoch, (count) indices. It is computed anew from the
// seed, so seeking to any epoch costs one permutation.
static void make_order(wsr_loader *loader, uint64_t epoch)
{
    wsr__rng rng;
    if (!loader->params.shuffle ||
        (loader->order_known && loader->order_epoch == epoch)) {
        return;
    }
    rng =
        wsr__rng_at((uint64_t)loader->params.seed, WSR__RNG_SHUFFLE, epoch, 0);
    wsr__rng_permutation(&rng, loader->order, (uint32_t)loader->dataset->count);
    loader->order_epoch = epoch;
    loader->order_known = true;
}

// The stream's key holds the sample's index in the data set, not its place in
// the batch: another batch size augments each image alike.
static wsr_status fill_sample(float *dst, wsr_loader *loader, uint64_t epoch,
                              size_t index)
{
    wsr_status status = WSR_OK;
    const wsr__pipeline *const pipeline = loader->pipeline;
    wsr__rng rng = wsr__rng_at((uint64_t)loader->params.seed, WSR__RNG_AUGMENT,
                               epoch, (uint32_t)index);
    WSR_TRY(
        wsr__dataset_read(wsr__pipeline_input(pipeline, dst, loader->scratch),
                          loader->dataset, index));
    wsr__pipeline_apply(dst, pipeline, loader->scratch, &rng);
out:
    return status;
}

// Fill a buffer with the batch where the writer stands, and move the writer on.
// images is (count, c, h, w); the last batch of an epoch may be smaller.
static void fill(wsr_batch *batch, wsr_loader *loader)
{
    const size_t size = (size_t)loader->params.batch;
    const size_t first = loader->writer.batch * size;
    const size_t rest = loader->dataset->count - first;
    const uint64_t epoch = loader->writer.epoch;
    const size_t floats =
        (size_t)wsr__image_floats(wsr__pipeline_image(loader->pipeline));
    make_order(loader, epoch);
    batch->count = rest < size ? rest : size;
    batch->status = WSR_OK;
    for (size_t i = 0; i < batch->count && batch->status == WSR_OK; i++) {
        const size_t index = loader->params.shuffle ? loader->order[first + i]
                                                    : first + i;
        batch->indices[i] = index;
        batch->labels[i] = loader->dataset->labels[index];
        batch->status =
            fill_sample(batch->images + i * floats, loader, epoch, index);
    }
    if (batch->status != WSR_OK) {
        // The detail belongs to the filling thread: carry it over.
        (void)snprintf(batch->detail, sizeof(batch->detail), "%s",
                       wsr_error_detail());
    }
    if (++loader->writer.batch == loader->batches) {
        loader->writer = (place){epoch + 1, 0};
    }
}

// -------------------------------------------------------------------- thread

// The thread. One buffer of the ring is always the reader's, so the thread may
// be at most n - 1 batches ahead. The lock is not held while a batch is filled.
// After a failure the thread ends; the reader finds the status in the batch.
static void *produce(void *user)
{
    wsr_loader *const loader = user;
    (void)pthread_mutex_lock(&loader->lock);
    while (!loader->stop) {
        wsr_batch *const batch = &loader->ring[loader->made % loader->n];
        if (loader->made - loader->taken == loader->n - 1) {
            (void)pthread_cond_wait(&loader->room, &loader->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&loader->lock);
        fill(batch, loader);
        (void)pthread_mutex_lock(&loader->lock);
        loader->made++;
        (void)pthread_cond_signal(&loader->filled);
        if (batch->status != WSR_OK) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&loader->lock);
    return NULL;
}

// What was prepared ahead is dropped: it is cheap to make again, and the same.
static void stop_thread(wsr_loader *loader)
{
    if (!loader->running) {
        return;
    }
    (void)pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    (void)pthread_cond_signal(&loader->room);
    (void)pthread_mutex_unlock(&loader->lock);
    (void)pthread_join(loader->thread, NULL);
    loader->running = false;
}

// Start the thread at the reader's place. Signals stay with the caller's
// threads. Without a thread batches are made when asked for, with the same
// result.
static void start_thread(wsr_loader *loader)
{
    sigset_t all;
    sigset_t before;
    loader->writer = loader->reader;
    loader->made = 0;
    loader->taken = 0;
    loader->stop = false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    loader->running = pthread_create(&loader->thread, NULL, produce, loader) ==
                      0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!loader->running) {
        loader->prefetching = false;
        wsr__log(WSR_LOG_WARNING,
                 "loader: no thread could be started, batches are made when "
                 "asked for");
    }
}

// Waits for the thread. It cannot wait for ever: a thread that fails has made a
// batch that says so.
static wsr_batch *take(wsr_loader *loader)
{
    wsr_batch *batch;
    (void)pthread_mutex_lock(&loader->lock);
    while (loader->made == loader->taken) {
        (void)pthread_cond_wait(&loader->filled, &loader->lock);
    }
    batch = &loader->ring[loader->taken % loader->n];
    loader->taken++;
    (void)pthread_cond_signal(&loader->room);
    (void)pthread_mutex_unlock(&loader->lock);
    return batch;
}

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

// A batch never holds more samples than the data set does.
static wsr_status make_ring(wsr_loader *loader)
{
    const size_t floats =
        (size_t)wsr__image_floats(wsr__pipeline_image(loader->pipeline));
    const size_t held = loader->dataset->count;
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

// Text inside the brackets of a list, or the whole text.
static void strip_brackets(wsr__text *out, const char *text)
{
    const size_t n = strlen(text);
    const bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    (void)snprintf(out->s, sizeof(out->s), "%.*s", (int)(bracketed ? n - 2 : n),
                   text + bracketed);
}

static wsr_status make_pipeline(wsr_loader *loader)
{
    wsr_status status = WSR_OK;
    wsr__text specs;
    wsr__image image;
    strip_brackets(&specs, loader->params.augment.s);
    WSR_TRY(
        wsr__pipeline_new(&loader->pipeline, specs.s, loader->dataset->view));
    image = wsr__pipeline_image(loader->pipeline);
    loader->shape = (wsr_shape){3, {image.c, image.h, image.w}};
    loader->scratch = wsr__alloc(wsr__pipeline_scratch(loader->pipeline),
                                 sizeof(*loader->scratch));
    if (loader->scratch == NULL) {
        status = WSR_NOMEM;
    }
out:
    return status;
}

static wsr_status count_batches(wsr_loader *loader)
{
    const size_t size = (size_t)loader->params.batch;
    const size_t count = loader->dataset->count;
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
    loader->n = (size_t)params->prefetch + 1;
    loader->prefetching = params->prefetch > 0;
    WSR_TRY(count_batches(loader));
    WSR_TRY(make_pipeline(loader));
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

void wsr_loader_free(wsr_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    stop_thread(loader);
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
    wsr__free(loader->scratch);
    wsr__pipeline_free(loader->pipeline);
    wsr__free(loader);
}

// --------------------------------------------------------------------- using

// Between two epochs NULL is handed out once. Without a thread the ring's first
// buffer is filled here.
wsr_status wsr_loader_next(const wsr_batch **out, wsr_loader *loader)
{
    wsr_batch *batch;
    *out = NULL;
    if (loader->reader.batch == loader->batches) {
        loader->reader = (place){loader->reader.epoch + 1, 0};
        return WSR_OK;
    }
    if (loader->prefetching && !loader->running) {
        start_thread(loader);
    }
    if (loader->running) {
        batch = take(loader);
    } else {
        batch = &loader->ring[0];
        loader->writer = loader->reader;
        fill(batch, loader);
    }
    if (batch->status != WSR_OK) {
        stop_thread(loader);
        return WSR_FAIL(batch->status, "%s", batch->detail);
    }
    loader->reader.batch++;
    *out = batch;
    return WSR_OK;
}

// Whether the thread's next batch is the one wanted, so that a trainer may
// seek at the start of each epoch without losing what was prepared.
static bool is_next(const wsr_loader *loader, place at)
{
    place next = loader->reader;
    if (next.batch == loader->batches && at.batch != loader->batches) {
        next = (place){next.epoch + 1, 0};
    }
    return next.epoch == at.epoch && next.batch == at.batch;
}

// Seeking to the place where the loader already is keeps the thread and what it
// has prepared.
wsr_status wsr_loader_seek(wsr_loader *loader, uint64_t epoch, size_t batch)
{
    const place at = {epoch, batch};
    if (batch > loader->batches) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_loader_seek: batch %zu is outside [0, %zu]", batch,
                        loader->batches);
    }
    if (!is_next(loader, at)) {
        stop_thread(loader);
    }
    loader->reader = at;
    return WSR_OK;
}

uint64_t wsr_loader_epoch(const wsr_loader *loader)
{
    return loader->reader.epoch;
}

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

const size_t *wsr_batch_indices(const wsr_batch *batch)
{
    return batch->indices;
}
