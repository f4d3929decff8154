// SPDX-License-Identifier: Apache-2.0
//
// What tests of loaders share: a loader, and sums by which batches are
// compared.

#ifndef WSR_TESTS_DATA_LOADER_SUPPORT_H
#define WSR_TESTS_DATA_LOADER_SUPPORT_H

#include "data/data.h"
#include "support/support.h"

static inline wsr_loader *make_loader(const wsr_dataset *dataset,
                                      const char *options)
{
    wsr_loader *loader = NULL;
    ck_assert_ok(wsr_loader_new(&loader, dataset, options));
    return loader;
}

static inline uint64_t mix(uint64_t sum, const void *data, size_t size)
{
    const unsigned char *const p = data;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ p[i]) * 1099511628211u;
    }
    return sum;
}

/// Sum of a batch of images of so many floats.
static inline uint64_t sum_of(const wsr_batch *batch, size_t floats)
{
    const size_t n = wsr_batch_count(batch);
    uint64_t sum = mix(14695981039346656037u, &n, sizeof(n));
    sum = mix(sum, wsr_batch_images(batch), n * floats * sizeof(float));
    sum = mix(sum, wsr_batch_labels(batch), n * sizeof(int32_t));
    return mix(sum, wsr_batch_indices(batch), n * sizeof(size_t));
}

/// Sums of the next n batches, those of further epochs included.
static inline void sums_of(uint64_t *sums, wsr_loader *loader, size_t n,
                           size_t floats)
{
    for (size_t i = 0; i < n; i++) {
        const wsr_batch *batch = NULL;
        ck_assert_ok(wsr_loader_next(&batch, loader));
        if (batch == NULL) {
            ck_assert_ok(wsr_loader_next(&batch, loader));
        }
        ck_assert_ptr_nonnull(batch);
        sums[i] = sum_of(batch, floats);
    }
}

#endif
