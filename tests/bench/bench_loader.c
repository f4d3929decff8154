// SPDX-License-Identifier: Apache-2.0
//
// Cost of a CIFAR batch: 64 images cropped, flipped and turned into floats,
// without a thread (processor time), and the wait for a batch when a thread
// prepares it while the caller works. Prints one JSON object.
//
// bench_loader [BATCHES]

#include "wsr/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double clock_of(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(wsr_status status)
{
    if (status != WSR_OK) {
        fprintf(stderr, "bench_loader: %s\n", wsr_error_detail());
        exit(1);
    }
}

// Stand-in for a training step.
static void work(double seconds)
{
    const double end = clock_of(CLOCK_MONOTONIC) + seconds;
    while (clock_of(CLOCK_MONOTONIC) < end) {
    }
}

static wsr_loader *loader_of(const wsr_dataset *dataset, const char *options)
{
    wsr_loader *loader = NULL;
    const wsr_batch *batch = NULL;
    must(wsr_loader_new(&loader, dataset, options));
    must(wsr_loader_next(&batch, loader)); // starts the thread
    return loader;
}

// Seconds for one batch on a clock, less the work between batches.
static double per_batch(const wsr_dataset *dataset, const char *options,
                        clockid_t id, long batches, double pause)
{
    wsr_loader *const loader = loader_of(dataset, options);
    double total = 0.0;
    for (long done = 0; done < batches;) {
        const wsr_batch *batch = NULL;
        work(pause);
        const double start = clock_of(id);
        must(wsr_loader_next(&batch, loader));
        total += clock_of(id) - start;
        done += batch != NULL;
    }
    wsr_loader_free(loader);
    return total / (double)batches;
}

#define AUGMENT ",augment=[random_crop:pad=4,flip]"

int main(int argc, char **argv)
{
    const long batches = argc > 1 ? strtol(argv[1], NULL, 10) : 2000;
    const long count = batches < 700 ? 64 * batches + 64 : 50000;
    char spec[64];
    wsr_dataset *dataset = NULL;
    (void)snprintf(spec, sizeof(spec), "synthetic:count=%ld", count);
    must(wsr_dataset_open(&dataset, spec, "train", NULL));
    const double plain =
        per_batch(dataset, "prefetch=0", CLOCK_THREAD_CPUTIME_ID, batches, 0);
    const double augmented = per_batch(dataset, "prefetch=0" AUGMENT,
                                       CLOCK_THREAD_CPUTIME_ID, batches, 0);
    const double wait = per_batch(dataset, "prefetch=1" AUGMENT,
                                  CLOCK_MONOTONIC, batches, 0.002);
    printf("{\"batch\": 64, \"shape\": [3, 32, 32], \"batches\": %ld, "
           "\"plain_ms\": %.4f, \"augmented_ms\": %.4f, \"wait_ms\": %.4f}\n",
           batches, plain * 1e3, augmented * 1e3, wait * 1e3);
    wsr_dataset_free(dataset);
    return 0;
}
