// SPDX-License-Identifier: Apache-2.0
//
// Reads IDX files, the format of MNIST, plain or gzip. All numbers have 32 bits
// and are big-endian: first the magic 0x0000TTDD with the type TT (8: unsigned
// byte) and the number DD of dimensions, then the dimensions, then the data.
// Grey images have three dimensions, (count, height, width). The format does
// not say where the channels of images with four dimensions stand. If the
// second dimension is 1, 3 or 4, and the last is not, images are (count, c, h,
// w); if the last is, and the second is not, they are (count, h, w, c).

#include "data/data.h"

#include <string.h>

// Independent of the byte order of the machine.
static wsr_status read_u32(uint32_t *out, wsr__source *source)
{
    wsr_status status = WSR_OK;
    unsigned char b[4];
    WSR_TRY(wsr__source_read(source, b, sizeof(b)));
    *out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
out:
    return status;
}

// Checked as it is read, so that products of dimensions cannot overflow.
static wsr_status read_dimension(int64_t *out, wsr__source *source,
                                 const char *what, int64_t max)
{
    wsr_status status = WSR_OK;
    uint32_t value = 0;
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

// Read the magic: unsigned bytes in [min, max] dimensions.
static wsr_status read_magic(uint32_t *dimensions, wsr__source *source,
                             uint32_t min, uint32_t max, const char *what)
{
    static const uint32_t bytes = 0x800;
    wsr_status status = WSR_OK;
    uint32_t magic = 0;
    WSR_TRY(read_u32(&magic, source));
    *dimensions = magic - bytes;
    if (magic < bytes + min || magic > bytes + max) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: magic 0x%08lx is not the 0x%08lx of IDX %s",
                          source->name, (unsigned long)magic,
                          (unsigned long)(bytes + min), what);
    }
out:
    return status;
}

// What the header declares must fit into the file. The file's size bounds what
// memory is asked for.
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

// On failure nothing stays allocated and *labels is NULL.
wsr_status wsr__idx_labels(unsigned char **labels, size_t *count,
                           const char *path)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    uint32_t dimensions = 0;
    int64_t n = 0;
    *labels = NULL;
    WSR_TRY(wsr__source_open(&source, path));
    WSR_TRY(read_magic(&dimensions, source, 1, 1, "labels"));
    WSR_TRY(read_dimension(&n, source, "count", INT32_MAX));
    WSR_TRY(check_bound(source, (uint64_t)n, 1));
    *labels = wsr__alloc_raw((size_t)n, 1);
    if (*labels == NULL) {
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

// IDX files do not say how many classes there are.
int64_t wsr__idx_classes(const unsigned char *labels, size_t count)
{
    int64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        most = labels[i] > most ? labels[i] : most;
    }
    return most + 1;
}

static bool is_channels(int64_t n)
{
    return n == 1 || n == 3 || n == 4;
}

// Tell height, width and channels of four-dimensional images apart.
static wsr_status order_dimensions(wsr__image *image, bool *last,
                                   const int64_t d[3], const char *name)
{
    const bool first = is_channels(d[0]);
    *last = is_channels(d[2]);
    if (first == *last) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: images of %lldx%lldx%lld: %s of the first and the "
                        "last is 1, 3 or 4, so that the channels are not known",
                        name, (long long)d[0], (long long)d[1], (long long)d[2],
                        first ? "each" : "none");
    }
    *image = first ? (wsr__image){d[0], d[1], d[2]}
                   : (wsr__image){d[2], d[0], d[1]};
    return WSR_OK;
}

// `*last`: channels come last, (count, h, w, c). `labels` is the number of
// labels read before, which must be that of the images.
static wsr_status read_header(int64_t *count, bool *last, wsr_dataset *dataset,
                              wsr__source *source, size_t labels)
{
    wsr_status status = WSR_OK;
    wsr__image *const image = &dataset->stored;
    uint32_t dimensions = 0;
    int64_t d[3];
    *last = false;
    WSR_TRY(read_magic(&dimensions, source, 3, 4, "images"));
    WSR_TRY(read_dimension(count, source, "count", INT32_MAX));
    if (dimensions == 3) {
        image->c = 1;
        WSR_TRY(read_dimension(&image->h, source, "height", WSR__SIDE_MAX));
        WSR_TRY(read_dimension(&image->w, source, "width", WSR__SIDE_MAX));
    } else {
        for (size_t i = 0; i < 3; i++) {
            WSR_TRY(read_dimension(&d[i], source, "dimension", WSR__SIDE_MAX));
        }
        WSR_TRY(order_dimensions(image, last, d, source->name));
    }
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

// Bring an image whose channels come last into the order of channels first. (h,
// w, c) to (c, h, w), with a scratch of one image.
static void split_channels(unsigned char *bytes, unsigned char *scratch,
                           wsr__image image)
{
    const size_t pixels = (size_t)(image.h * image.w);
    const size_t channels = (size_t)image.c;
    memcpy(scratch, bytes, pixels * channels);
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < channels; c++) {
            bytes[c * pixels + i] = scratch[i * channels + c];
        }
    }
}

static wsr_status read_images(wsr_dataset *dataset, wsr__source *source,
                              size_t count, bool last)
{
    wsr_status status = WSR_OK;
    const size_t size = (size_t)wsr__image_floats(dataset->stored);
    unsigned char *scratch = NULL;
    WSR_TRY(wsr__dataset_reserve(dataset, count));
    WSR_TRY(wsr__source_read(source, dataset->bytes, count * size));
    if (!last) {
        goto out;
    }
    scratch = wsr__alloc_raw(size, 1);
    if (scratch == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        split_channels(dataset->bytes + i * size, scratch, dataset->stored);
    }
out:
    wsr__free(scratch);
    return status;
}

// A trailing byte or a wrong checksum is found only when all images are read;
// with a limit the rest of the file is left alone. The number of classes comes
// from all labels, so a limit does not change the network.
wsr_status wsr__idx_load(wsr_dataset *dataset, const char *images,
                         const char *labels, size_t limit)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    unsigned char *raw = NULL;
    size_t n_labels = 0;
    int64_t held = 0;
    bool last = false;
    WSR_TRY(wsr__idx_labels(&raw, &n_labels, labels));
    WSR_TRY(wsr__source_open(&source, images));
    WSR_TRY(read_header(&held, &last, dataset, source, n_labels));
    const size_t count = n_labels < limit ? n_labels : limit;
    WSR_TRY(read_images(dataset, source, count, last));
    if (count == n_labels) {
        WSR_TRY(wsr__source_end(source));
    }
    for (size_t i = 0; i < count; i++) {
        dataset->labels[i] = raw[i];
    }
    dataset->classes = wsr__idx_classes(raw, n_labels);
out:
    wsr__source_close(source);
    wsr__free(raw);
    return status;
}
