// SPDX-License-Identifier: Apache-2.0
//
// Fills batches, on threads that work ahead of the reader.
//
// The batches pass through a ring of prefetch + 1 buffers. `opened` counts
// those whose filling has begun since the threads started, `taken` those handed
// out; the buffer handed out last stays untouched until the next call. Threads
// take up samples in order, of one batch after another, and fill each by
// itself: what a sample is depends on its place alone. All but the samples' own
// memory changes under the lock alone. The threads are started by the first
// wsr_loader_next() and stopped by seeking, failing and freeing. They use no
// OpenMP, which would start a second team of threads beside the caller's.

#include "data/loader.h"

#include <signal.h>

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

// Make a buffer the batch where the writer stands, without its images, and move
// the writer on. The last batch of an epoch may be smaller. With repeats each
// image of the order comes several times in a row.
static void open_batch(wsr_batch *batch, wsr_loader *loader)
{
    const size_t size = (size_t)loader->params.batch;
    const size_t first = loader->writer.batch * size;
    const size_t rest = loader->samples - first;
    make_order(loader, loader->writer.epoch);
    batch->count = rest < size ? rest : size;
    batch->epoch = loader->writer.epoch;
    batch->first = first;
    batch->begun = 0;
    batch->left = batch->count;
    batch->status = WSR_OK;
    batch->failed = SIZE_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        const size_t at = (first + i) / (size_t)loader->params.repeats;
        const size_t index = loader->params.shuffle ? loader->order[at] : at;
        batch->indices[i] = index;
        batch->labels[i] = loader->dataset->labels[index];
    }
    if (++loader->writer.batch == loader->batches) {
        loader->writer = (wsr__place){loader->writer.epoch + 1, 0};
    }
}

// Images that another process needs stay as they are.
static bool is_wanted(const wsr_batch *batch, size_t i,
                      const wsr__loader_share *share)
{
    const size_t n = batch->count;
    const size_t parts = share->parts < n ? share->parts : n;
    const size_t begin = share->begin < parts ? share->begin : parts;
    const size_t end = share->end < parts ? share->end : parts;
    return parts == 0 || (i >= n * begin / parts && i < n * end / parts);
}

// images is (count, c, h, w). The stream's key holds the sample's index in the
// data set, not its place in the batch: another batch size augments each image
// alike. The upper half of the epoch's word numbers the repeats.
static wsr_status fill_sample(const wsr_batch *batch, size_t i,
                              wsr__worker *worker)
{
    wsr_status status = WSR_OK;
    const wsr_loader *const loader = worker->loader;
    const wsr__pipeline *const pipeline = loader->pipeline;
    const size_t floats =
        (size_t)wsr__image_floats(wsr__pipeline_image(pipeline));
    const uint64_t repeat = (batch->first + i) %
                            (uint64_t)loader->params.repeats;
    const size_t index = batch->indices[i];
    float *const dst = batch->images + i * floats;
    wsr__rng rng = wsr__rng_at((uint64_t)loader->params.seed, WSR__RNG_AUGMENT,
                               batch->epoch | repeat << 32, (uint32_t)index);
    if (!is_wanted(batch, i, &loader->share)) {
        return WSR_OK;
    }
    if (loader->in_files) {
        return wsr__files_read(dst, loader->dataset, index, pipeline,
                               &worker->reader, &rng);
    }
    WSR_TRY(wsr__dataset_read(
        wsr__pipeline_input(pipeline, dst, &worker->reader.workspace),
        loader->dataset, index));
    WSR_TRY(
        wsr__pipeline_apply(dst, pipeline, &worker->reader.workspace, &rng));
out:
    return status;
}

// Count a sample as done. Of several that fail the first one counts, whatever
// the order in which they end; those after it that nobody has taken up are left
// out. The detail belongs to the filling thread: it is carried over.
static void end_sample(wsr_batch *batch, size_t i, wsr_status status)
{
    batch->left--;
    if (status == WSR_OK || i > batch->failed) {
        return;
    }
    batch->failed = i;
    batch->status = status;
    (void)snprintf(batch->detail, sizeof(batch->detail), "%s",
                   wsr_error_detail());
    batch->left -= batch->count - batch->begun;
    batch->begun = batch->count;
}

void wsr__batch_fill(wsr_batch *batch, wsr_loader *loader)
{
    open_batch(batch, loader);
    while (batch->begun < batch->count) {
        const size_t i = batch->begun++;
        end_sample(batch, i, fill_sample(batch, i, &loader->workers[0]));
    }
}

// ------------------------------------------------------------------- threads

// Take up the next sample, waiting for room in the ring. One buffer is always
// the reader's, so at most n - 1 batches are ahead of it. NULL: the thread is
// to end; after a failure no other batch is begun, and the reader finds the
// status in the failed one.
static wsr_batch *take_sample(size_t *i, wsr_loader *loader)
{
    while (!loader->stop) {
        wsr_batch *const last =
            &loader->ring[(loader->opened + loader->n - 1) % loader->n];
        if (loader->opened > 0 && last->begun < last->count) {
            *i = last->begun++;
            return last;
        }
        if (loader->opened > 0 && last->status != WSR_OK) {
            break;
        }
        if (loader->opened - loader->taken == loader->n - 1) {
            (void)pthread_cond_wait(&loader->room, &loader->lock);
            continue;
        }
        open_batch(&loader->ring[loader->opened % loader->n], loader);
        loader->opened++;
    }
    return NULL;
}

// The lock is not held while a sample is filled.
static void *work(void *user)
{
    wsr__worker *const worker = user;
    wsr_loader *const loader = worker->loader;
    wsr_batch *batch = NULL;
    size_t i = 0;
    (void)pthread_mutex_lock(&loader->lock);
    while ((batch = take_sample(&i, loader)) != NULL) {
        (void)pthread_mutex_unlock(&loader->lock);
        const wsr_status status = fill_sample(batch, i, worker);
        (void)pthread_mutex_lock(&loader->lock);
        end_sample(batch, i, status);
        if (batch->left == 0) {
            (void)pthread_cond_signal(&loader->filled);
        }
    }
    (void)pthread_mutex_unlock(&loader->lock);
    return NULL;
}

// What was prepared ahead is dropped: it can be made again, and the same.
void wsr__prefetch_stop(wsr_loader *loader)
{
    if (loader->running == 0) {
        return;
    }
    (void)pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    (void)pthread_cond_broadcast(&loader->room);
    (void)pthread_mutex_unlock(&loader->lock);
    while (loader->running > 0) {
        (void)pthread_join(loader->workers[--loader->running].thread, NULL);
    }
}

// Start the threads at the reader's place. Signals stay with the caller's
// threads. With fewer threads than asked for, or none, the batches are the
// same.
void wsr__prefetch_start(wsr_loader *loader)
{
    sigset_t all;
    sigset_t before;
    loader->writer = loader->reader;
    loader->opened = 0;
    loader->taken = 0;
    loader->stop = false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (loader->running < loader->n_workers) {
        wsr__worker *const w = &loader->workers[loader->running];
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            break;
        }
        loader->running++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (loader->running == 0) {
        loader->prefetching = false;
        wsr__log(WSR_LOG_WARNING,
                 "loader: no thread could be started, batches are made when "
                 "asked for");
    }
}

// Waits for the threads. It cannot wait for ever: each sample that is taken up
// ends, and failures are in the batch.
wsr_batch *wsr__prefetch_take(wsr_loader *loader)
{
    wsr_batch *batch = NULL;
    (void)pthread_mutex_lock(&loader->lock);
    batch = &loader->ring[loader->taken % loader->n];
    while (loader->opened == loader->taken || batch->left > 0) {
        (void)pthread_cond_wait(&loader->filled, &loader->lock);
    }
    loader->taken++;
    (void)pthread_cond_broadcast(&loader->room);
    (void)pthread_mutex_unlock(&loader->lock);
    return batch;
}
