// SPDX-License-Identifier: Apache-2.0
//
// The CIFAR distributions: a file of records, or an archive that holds one. The
// first byte says which, whether the rest becomes the content of an archive,
// and whether that is packed.

#include "data/data.h"
#include "fuzz/fuzz.h"

#include <stdio.h>

enum { RECORDS, ARCHIVE, ARCHIVE_PACKED, INSIDE, INSIDE_PACKED, KINDS };

static void seed_as(unsigned char kind, const bytes *content)
{
    bytes b = {0};
    bytes_add(&b, &kind, 1);
    bytes_add(&b, content->data, content->size);
    fuzz_seed(b.data, b.size);
    bytes_free(&b);
}

static void seeds(void)
{
    bytes records = make_cifar(2, 1, 10, 1);
    bytes tar = {0};
    bytes packed = {0};
    bytes_tar(&tar, "a/test_batch.bin", &records);
    bytes_tar_end(&tar);
    bytes_gzip(&packed, &tar);
    seed_as(RECORDS, &records);
    seed_as(ARCHIVE, &tar);
    seed_as(ARCHIVE, &packed);
    seed_as(ARCHIVE_PACKED, &tar);
    seed_as(INSIDE, &records);
    bytes_free(&records);
    bytes_free(&tar);
    bytes_free(&packed);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 5, .rounds = 300};

static const char *make_file(unsigned kind, const bytes *content)
{
    bytes tar = {0};
    bytes packed = {0};
    const bytes *whole = content;
    if (kind >= INSIDE) {
        bytes_tar(&tar, "a/test_batch.bin", content);
        bytes_tar_end(&tar);
        whole = &tar;
    }
    if (kind == ARCHIVE_PACKED || kind == INSIDE_PACKED) {
        bytes_gzip(&packed, whole);
        whole = &packed;
    }
    const char *const path =
        fuzz_file(kind == RECORDS ? "test_batch.bin" : "changed.tar.gz",
                  whole->data, whole->size);
    bytes_free(&tar);
    bytes_free(&packed);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_dataset *dataset = NULL;
    bytes content = {0};
    char spec[1300];
    if (size == 0) {
        return 0;
    }
    const unsigned kind = data[0] % KINDS;
    bytes_add(&content, data + 1, size - 1);
    const char *const path = make_file(kind, &content);
    (void)snprintf(spec, sizeof(spec), "cifar10:%s",
                   kind == RECORDS ? fuzz_folder() : path);
    FUZZ_CHECK(wsr_dataset_open(&dataset, spec, "test", "limit=1000"), dataset);
    fuzz_demand(dataset == NULL || wsr_dataset_count(dataset) >= 1);
    wsr_dataset_free(dataset);
    bytes_free(&content);
    return 0;
}
