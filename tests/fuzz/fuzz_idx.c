// SPDX-License-Identifier: Apache-2.0
//
// IDX files. The first byte says which of the two files the rest is, and
// whether it is packed; the other file is a good one.

#include "data/data.h"
#include "fuzz/fuzz.h"

#include <stdio.h>

enum { IMAGES, IMAGES_PACKED, LABELS, LABELS_PACKED, KINDS, N = 6 };

static void seeds(void)
{
    bytes files[] = {make_idx_images(N, 9, 7, 1), make_idx_labels(N, 5)};
    for (int i = 0; i < KINDS; i++) {
        const unsigned char kind = (unsigned char)i;
        bytes b = {0};
        bytes_add(&b, &kind, 1);
        bytes_add(&b, files[kind / 2].data, files[kind / 2].size);
        fuzz_seed(b.data, b.size);
        bytes_free(&b);
    }
    for (int i = 0; i < KINDS; i += 2) { // bytes as they are
        const unsigned char kind = (unsigned char)i;
        bytes b = {0};
        bytes_add(&b, &kind, 1);
        bytes_gzip(&b, &files[kind / 2]);
        fuzz_seed(b.data, b.size);
        bytes_free(&b);
    }
    bytes_free(&files[0]);
    bytes_free(&files[1]);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 6, .rounds = 500};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *good[2];
    wsr_dataset *dataset = NULL;
    char spec[5000];
    if (good[0] == NULL) {
        bytes files[] = {make_idx_images(N, 9, 7, 1), make_idx_labels(N, 5)};
        for (size_t i = 0; i < 2; i++) {
            static char paths[2][1200];
            (void)snprintf(paths[i], sizeof(paths[i]), "%s",
                           fuzz_file(i == 0 ? "images" : "labels",
                                     files[i].data, files[i].size));
            good[i] = paths[i];
            bytes_free(&files[i]);
        }
    }
    if (size == 0) {
        return 0;
    }
    const unsigned kind = data[0] % KINDS;
    bytes content = {0};
    bytes_add(&content, data + 1, size - 1);
    bytes packed = {0};
    if (kind % 2 == 1) {
        bytes_gzip(&packed, &content);
    }
    const bytes *const b = kind % 2 == 1 ? &packed : &content;
    const char *const path = fuzz_file("changed", b->data, b->size);
    const char *const images = kind < LABELS ? path : good[0];
    const char *const labels = kind < LABELS ? good[1] : path;
    (void)snprintf(spec, sizeof(spec), "idx:%s,%s,%s,%s", images, labels,
                   images, labels);
    FUZZ_CHECK(wsr_dataset_open(&dataset, spec, "test", "size=64,limit=1000"),
               dataset);
    fuzz_demand(dataset == NULL || wsr_dataset_count(dataset) >= 1);
    wsr_dataset_free(dataset);
    bytes_free(&content);
    bytes_free(&packed);
    return 0;
}
