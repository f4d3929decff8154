// SPDX-License-Identifier: Apache-2.0
//
// The inside of a loader, for loader.c and prefetch.c.

#ifndef WSR_DATA_LOADER_H
#define WSR_DATA_LOADER_H

#include "data/files.h"

#include <pthread.h>

enum { WSR__BATCH_DETAIL = 512 };

struct wsr_batch {
    float *images;
    int32_t *labels;
    size_t *indices;
    size_t count;
    uint64_t epoch;
    size_t first;      // place of its first sample in the epoch
    size_t begun;      // samples that a thread has taken up
    size_t left;       // samples that are not done
    wsr_status status; // of filling
    size_t failed;     // the first sample that failed
    char detail[WSR__BATCH_DETAIL];
};

/// A place in the endless sequence.
typedef struct wsr__place {
    uint64_t epoch;
    size_t batch;
} wsr__place;

/// A thread that fills samples, and what it needs.
typedef struct wsr__worker {
    struct wsr_loader *loader;
    wsr__reader reader;
    pthread_t thread;
} wsr__worker;

struct wsr_loader {
    const wsr_dataset *dataset;
    bool in_files;  // its images are decoded when they are read
    size_t samples; // of an epoch
    wsr__pipeline *pipeline;
    wsr__loader_params params;
    wsr_shape shape;
    size_t batches;
    wsr_batch *ring;
    size_t n; // of the ring: prefetch + 1
    wsr__loader_share share;
    wsr__place reader;
    // Shared by the threads, like all of a batch that is not its samples.
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t room;
    wsr__place writer;
    uint32_t *order;
    uint64_t order_epoch;
    bool order_known;
    size_t opened;
    size_t taken;
    bool stop;
    unsigned synced; // lock, filled, room that were made
    wsr__worker *workers;
    size_t n_workers; // at least 1, whose reader serves without threads, too
    size_t running;   // threads
    bool prefetching; // threads are wanted and can be had
};

/// Fill a batch with what the writer stands at, and move the writer on, in the
/// calling thread. A failure is in the batch.
void wsr__batch_fill(wsr_batch *batch, wsr_loader *loader);

/// Start the threads at the reader's place. Where none can be had,
/// `prefetching` is false afterwards.
void wsr__prefetch_start(wsr_loader *loader);

/// Stop the threads, if they run, and drop what they have prepared.
void wsr__prefetch_stop(wsr_loader *loader);

/// Wait for the next batch. [borrowed until the next call]
wsr_batch *wsr__prefetch_take(wsr_loader *loader);

#endif
