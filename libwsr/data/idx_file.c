// SPDX-License-Identifier: Apache-2.0
//
// IDX files (LeCun's format of MNIST): big-endian 32-bit numbers, first the
// magic 0x0000TTDD with the type (8: unsigned byte) and the number of
// dimensions, then the dimensions, then the data. Plain or gzip.

#include "data/data.h"

static wsr_status read_u32(uint32_t *out, wsr__source *source)
{
    wsr_status status;
    unsigned char b[4];

    WSR_TRY(wsr__source_read(source, b, sizeof b));
    *out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
out:
    return status;
}

static wsr_status read_dimension(int64_t *out, wsr__source *source,
                                 const char *what, int64_t max)
{
    wsr_status status;
    uint32_t value;

    WSR_TRY(read_u32(&value, source));
    if (value < 1 || value > max) {
        status = WSR_FAIL(WSR_FORMAT, "%s: %s %lu is outside [1, %lld]",
                          source->name, what, (unsigned long)value,
                          (long long)max);
        goto out;
    }
    *out = value;
out:
    return status;
}

static wsr_status read_magic(wsr__source *source, uint32_t want,
                             const char *what)
{
    wsr_status status;
    uint32_t magic;

    WSR_TRY(read_u32(&magic, source));
    if (magic != want) {
        status = WSR_FAIL(
            WSR_FORMAT, "%s: magic 0x%08lx is not the 0x%08lx of IDX %s",
            source->name, (unsigned long)magic, (unsigned long)want, what);
    }
out:
    return status;
}

// What the header declares must fit into the file.
static wsr_status check_bound(const wsr__source *source, uint64_t count,
                              uint64_t size)
{
    if (count * size > source->bound) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: is too short for the %llu bytes that it "
                        "declares",
                        source->name, (unsigned long long)(count * size));
    }
    return WSR_OK;
}

wsr_status wsr__idx_labels(unsigned char **labels, size_t *count,
                           const char *path)
{
    wsr_status status;
    wsr__source *source = NULL;
    int64_t n;

    *labels = NULL;
    WSR_TRY(wsr__source_open(&source, path));
    WSR_TRY(read_magic(source, 0x801, "labels"));
    WSR_TRY(read_dimension(&n, source, "count", INT32_MAX));
    WSR_TRY(check_bound(source, (uint64_t)n, 1));
    *labels = wsr__alloc_raw((size_t)n, 1);
    if (!*labels) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__source_read(source, *labels, (size_t)n));
    WSR_TRY(wsr__source_end(source));
    *count = (size_t)n;
out:
    if (status != WSR_OK) {
        wsr__free(*labels);
        *labels = NULL;
    }
    wsr__source_close(source);
    return status;
}

int64_t wsr__idx_classes(const unsigned char *labels, size_t count)
{
    int64_t most = 0;

    for (size_t i = 0; i < count; ++i) {
        most = labels[i] > most ? labels[i] : most;
    }
    return most + 1;
}

static wsr_status read_header(int64_t *count, wsr_dataset *dataset,
                              wsr__source *source, size_t labels)
{
    wsr_status status;
    wsr__image *const image = &dataset->stored;

    image->c = 1;
    WSR_TRY(read_magic(source, 0x803, "images"));
    WSR_TRY(read_dimension(count, source, "count", INT32_MAX));
    WSR_TRY(read_dimension(&image->h, source, "height", WSR__SIDE_MAX));
    WSR_TRY(read_dimension(&image->w, source, "width", WSR__SIDE_MAX));
    if ((size_t)*count != labels) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: %lld images do not go with %zu "
                          "labels",
                          source->name, (long long)*count, labels);
        goto out;
    }
    WSR_TRY(check_bound(source, (uint64_t)*count,
                        (uint64_t)wsr__image_floats(*image)));
out:
    return status;
}

wsr_status wsr__idx_load(wsr_dataset *dataset, const char *images,
                         const char *labels, size_t limit)
{
    wsr_status status;
    wsr__source *source = NULL;
    unsigned char *raw = NULL;
    size_t n_labels;
    int64_t held;

    WSR_TRY(wsr__idx_labels(&raw, &n_labels, labels));
    WSR_TRY(wsr__source_open(&source, images));
    WSR_TRY(read_header(&held, dataset, source, n_labels));
    const size_t count = n_labels < limit ? n_labels : limit;
    WSR_TRY(wsr__dataset_reserve(dataset, count));
    WSR_TRY(
        wsr__source_read(source, dataset->bytes,
                         count * (size_t)wsr__image_floats(dataset->stored)));
    if (count == n_labels) {
        WSR_TRY(wsr__source_end(source));
    }
    for (size_t i = 0; i < count; ++i) {
        dataset->labels[i] = raw[i];
    }
    dataset->classes = wsr__idx_classes(raw, n_labels);
out:
    wsr__source_close(source);
    wsr__free(raw);
    return status;
}
