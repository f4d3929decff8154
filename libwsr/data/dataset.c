// SPDX-License-Identifier: Apache-2.0
//
// Data sets in memory, and their bytes as floats. The division by 255 is done
// in single precision for each pixel, which gives the bits of torchvision's
// ToTensor; a multiplication by 1 / 255 would not.

#include "data/data.h"

#include <string.h>

wsr_status wsr__dataset_reserve(wsr_dataset *dataset, size_t count)
{
    const size_t pixels = (size_t)wsr__image_floats(dataset->stored);

    dataset->bytes = wsr__alloc_raw(count, pixels);
    dataset->labels = wsr__alloc_raw(count, sizeof *dataset->labels);
    if (!dataset->bytes || !dataset->labels) {
        return WSR_NOMEM;
    }
    dataset->count = count;
    return WSR_OK;
}

void wsr__dataset_view(wsr_dataset *dataset, wsr__image view)
{
    dataset->view = view;
    dataset->shape = (wsr_shape){3, {view.c, view.h, view.w}};
}

// ------------------------------------------------------ from memory, parts

static wsr_status check_shape(const wsr_shape *shape)
{
    const int64_t max[4] = {INT32_MAX, WSR__CHANNELS_MAX, WSR__SIDE_MAX,
                            WSR__SIDE_MAX};
    int64_t pixels = 1;

    if (shape->ndims != 4) {
        return WSR_FAIL(WSR_SHAPE,
                        "wsr_dataset_new: %d dimensions are not (n, c, h, w)",
                        shape->ndims);
    }
    for (int i = 0; i < 4; ++i) {
        if (shape->dims[i] < 1 || shape->dims[i] > max[i]) {
            return WSR_FAIL(WSR_SHAPE,
                            "wsr_dataset_new: %lld is outside [1, %lld] "
                            "(dimension %d)",
                            (long long)shape->dims[i], (long long)max[i], i);
        }
        pixels *= i ? shape->dims[i] : 1;
    }
    if (pixels > WSR__IMAGE_FLOATS) {
        return WSR_FAIL(WSR_SHAPE,
                        "wsr_dataset_new: %lld pixels in an image are too "
                        "many",
                        (long long)pixels);
    }
    return WSR_OK;
}

static wsr_status check_labels(const int32_t *labels, size_t n,
                               int64_t n_classes)
{
    for (size_t i = 0; i < n; ++i) {
        if (labels[i] < 0 || labels[i] >= n_classes) {
            return WSR_FAIL(WSR_ARG,
                            "wsr_dataset_new: label %ld is outside [0, %lld] "
                            "(sample %zu)",
                            (long)labels[i], (long long)n_classes - 1, i);
        }
    }
    return WSR_OK;
}

wsr_status wsr_dataset_new(wsr_dataset **out, const uint8_t *images,
                           const int32_t *labels, const wsr_shape *shape,
                           int64_t n_classes)
{
    wsr_status status;
    wsr_dataset *dataset = NULL;
    size_t n;

    if (!out || !images || !labels || !shape || n_classes < 1) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_dataset_new: a pointer is NULL, or %lld classes "
                        "are less than 1",
                        (long long)n_classes);
    }
    *out = NULL;
    WSR_TRY(check_shape(shape));
    n = (size_t)shape->dims[0];
    WSR_TRY(check_labels(labels, n, n_classes));
    dataset = wsr__alloc(1, sizeof *dataset);
    if (!dataset) {
        status = WSR_NOMEM;
        goto out;
    }
    dataset->stored =
        (wsr__image){shape->dims[1], shape->dims[2], shape->dims[3]};
    dataset->classes = n_classes;
    WSR_TRY(wsr__dataset_reserve(dataset, n));
    memcpy(dataset->bytes, images,
           n * (size_t)wsr__image_floats(dataset->stored));
    memcpy(dataset->labels, labels, n * sizeof *labels);
    wsr__dataset_view(dataset, dataset->stored);
    *out = dataset;
    dataset = NULL;
out:
    wsr_dataset_free(dataset);
    return status;
}

// A subset of a data set that decodes on demand asks its parent.
static wsr_status read_parent(float *dst, const wsr_dataset *dataset,
                              size_t index)
{
    const wsr_dataset *const parent = dataset->parent;

    return parent->read(dst, parent, dataset->first + index);
}

wsr_status wsr_dataset_subset(wsr_dataset **out, const wsr_dataset *dataset,
                              size_t first, size_t count)
{
    wsr_dataset *subset;

    if (!out || !dataset) {
        return WSR_FAIL(WSR_ARG, "wsr_dataset_subset: %s is NULL",
                        out ? "dataset" : "out");
    }
    *out = NULL;
    if (!count || first >= dataset->count || count > dataset->count - first) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_dataset_subset: %zu samples from %zu on do not "
                        "lie inside the %zu of the data set",
                        count, first, dataset->count);
    }
    subset = wsr__alloc(1, sizeof *subset);
    if (!subset) {
        return WSR_NOMEM;
    }
    *subset = *dataset;
    subset->parent = dataset;
    subset->first = first;
    subset->count = count;
    subset->labels = dataset->labels + first;
    if (dataset->bytes) {
        subset->bytes = dataset->bytes +
                        first * (size_t)wsr__image_floats(dataset->stored);
    }
    if (dataset->read) {
        subset->read = read_parent;
    }
    *out = subset;
    return WSR_OK;
}

void wsr_dataset_free(wsr_dataset *dataset)
{
    if (dataset && !dataset->parent) {
        wsr__free(dataset->bytes);
        wsr__free(dataset->labels);
    }
    wsr__free(dataset);
}

// ----------------------------------------------------------------- reading

size_t wsr_dataset_count(const wsr_dataset *dataset)
{
    return dataset->count;
}

const wsr_shape *wsr_dataset_shape(const wsr_dataset *dataset)
{
    return &dataset->shape;
}

int64_t wsr_dataset_classes(const wsr_dataset *dataset)
{
    return dataset->classes;
}

const char *wsr_dataset_class_name(const wsr_dataset *dataset, int64_t label)
{
    const bool known = dataset->names && label >= 0 && label < dataset->classes;

    return known ? dataset->names[label] : NULL;
}

const int32_t *wsr_dataset_labels(const wsr_dataset *dataset)
{
    return dataset->labels;
}

static void to_float(float *restrict dst, const unsigned char *restrict src,
                     int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        dst[i] = (float)src[i] / 255.0f;
    }
}

static void centre_plane(float *restrict dst, wsr__image view,
                         const unsigned char *restrict src, wsr__image stored)
{
    const int64_t top = (view.h - stored.h) / 2;
    const int64_t left = (view.w - stored.w) / 2;

    memset(dst, 0, sizeof(float) * (size_t)(view.h * view.w));
    for (int64_t y = 0; y < stored.h; ++y) {
        to_float(dst + (top + y) * view.w + left, src + y * stored.w, stored.w);
    }
}

wsr_status wsr__dataset_read(float *dst, const wsr_dataset *dataset,
                             size_t index)
{
    const wsr__image stored = dataset->stored;
    const wsr__image view = dataset->view;
    const int64_t plane = view.h * view.w;
    const unsigned char *src;

    if (dataset->read) {
        return dataset->read(dst, dataset, index);
    }
    src = dataset->bytes + index * (size_t)wsr__image_floats(stored);
    if (stored.h == view.h && stored.w == view.w) {
        to_float(dst, src, stored.c * plane);
    } else {
        for (int64_t c = 0; c < stored.c; ++c) {
            centre_plane(dst + c * plane, view, src + c * stored.h * stored.w,
                         stored);
        }
    }
    for (int64_t c = stored.c; c < view.c; ++c) {
        memcpy(dst + c * plane, dst, sizeof(float) * (size_t)plane);
    }
    return WSR_OK;
}

wsr_status wsr_dataset_images(float *dst, const wsr_dataset *dataset,
                              const size_t *indices, size_t count)
{
    wsr_status status = WSR_OK;
    const size_t floats = (size_t)wsr__image_floats(dataset->view);

    for (size_t i = 0; i < count; ++i) {
        const size_t index = indices ? indices[i] : i;

        if (index >= dataset->count) {
            status = WSR_FAIL(WSR_ARG,
                              "wsr_dataset_images: %zu is outside [0, %zu] "
                              "(index %zu)",
                              index, dataset->count - 1, i);
            goto out;
        }
        WSR_TRY(wsr__dataset_read(dst + i * floats, dataset, index));
    }
out:
    return status;
}
