// SPDX-License-Identifier: Apache-2.0
//
// The inside of a loader, for loader.c and prefetch.c.

#ifndef WSR_DATA_LOADER_H
#define WSR_DATA_LOADER_H

#include "data/data.h"

#include <pthread.h>

enum { WSR__BATCH_DETAIL = 512 };

struct wsr_batch {
    float *images;
    int32_t *labels;
    size_t *indices;
    size_t count;
    wsr_status status; // of filling
    char detail[WSR__BATCH_DETAIL];
};

/// A place in the endless sequence.
typedef struct wsr__place {
    uint64_t epoch;
    size_t batch;
} wsr__place;

struct wsr_loader {
    const wsr_dataset *dataset;
    wsr__pipeline *pipeline;
    wsr__loader_params params;
    wsr_shape shape;
    size_t batches;
    wsr_batch *ring;
    size_t n; // of the ring: prefetch + 1
    wsr__place reader;
    // What filling needs; belongs to the thread while it runs.
    wsr__place writer;
    uint32_t *order;
    uint64_t order_epoch;
    bool order_known;
    wsr__workspace workspace;
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

/// Fill a batch with what the writer stands at, and move the writer on. A
/// failure is in the batch.
void wsr__batch_fill(wsr_batch *batch, wsr_loader *loader);

/// Start the thread at the reader's place. Where none can be had, `prefetching`
/// is false afterwards.
void wsr__prefetch_start(wsr_loader *loader);

/// Stop the thread, if it runs, and drop what it has prepared.
void wsr__prefetch_stop(wsr_loader *loader);

/// Wait for the next batch. [borrowed until the next call]
wsr_batch *wsr__prefetch_take(wsr_loader *loader);

#endif
