// SPDX-License-Identifier: Apache-2.0
//
// Fills batches, on a thread that works ahead of the reader.
//
// The batches pass through a ring of prefetch + 1 buffers. `made` counts those
// filled since the thread started, `taken` those handed out; the buffer handed
// out last stays untouched until the next call. Only `made`, `taken` and `stop`
// are shared, and they change under the lock alone. The thread is started by
// the first wsr_loader_next() and stopped by seeking, failing and freeing. It
// uses no OpenMP, which would start a second team of threads beside the
// caller's.

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

// The stream's key holds the sample's index in the data set, not its place in
// the batch: another batch size augments each image alike.
static wsr_status fill_sample(float *dst, wsr_loader *loader, uint64_t epoch,
                              size_t index)
{
    wsr_status status = WSR_OK;
    const wsr__pipeline *const pipeline = loader->pipeline;
    wsr__rng rng = wsr__rng_at((uint64_t)loader->params.seed, WSR__RNG_AUGMENT,
                               epoch, (uint32_t)index);
    WSR_TRY(wsr__dataset_read(
        wsr__pipeline_input(pipeline, dst, &loader->workspace), loader->dataset,
        index));
    WSR_TRY(wsr__pipeline_apply(dst, pipeline, &loader->workspace, &rng));
out:
    return status;
}

// Fill a buffer with the batch where the writer stands, and move the writer on.
// images is (count, c, h, w); the last batch of an epoch may be smaller.
void wsr__batch_fill(wsr_batch *batch, wsr_loader *loader)
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
        loader->writer = (wsr__place){epoch + 1, 0};
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
        wsr__batch_fill(batch, loader);
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
void wsr__prefetch_stop(wsr_loader *loader)
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
void wsr__prefetch_start(wsr_loader *loader)
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
wsr_batch *wsr__prefetch_take(wsr_loader *loader)
{
    wsr_batch *batch = NULL;
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
