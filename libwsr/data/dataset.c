// SPDX-License-Identifier: Apache-2.0
//
// Data sets in memory, and their bytes as floats. Images are stored as bytes,
// (count, c, h, w), a quarter of the memory of floats, and become floats in [0,
// 1] when they are read. The division by 255 is done in single precision for
// each pixel, which gives the bits of torchvision's ToTensor; a multiplication
// by 1 / 255 would not.

#include "data/files.h"
#include "tensor/tensor.h"

#include <string.h>

// Not cleared: the loader of a format writes every byte. On failure what was
// allocated stays in the data set, whose owner frees it.
wsr_status wsr__dataset_reserve(wsr_dataset *dataset, size_t count)
{
    const size_t pixels = (size_t)wsr__image_floats(dataset->stored);
    dataset->bytes = wsr__alloc_raw(count, pixels);
    dataset->labels = wsr__alloc_raw(count, sizeof(*dataset->labels));
    if (dataset->bytes == NULL || dataset->labels == NULL) {
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

// Bounds on each dimension and on the product keep sizes far from overflow.
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
    for (int i = 0; i < 4; i++) {
        if (shape->dims[i] < 1 || shape->dims[i] > max[i]) {
            return WSR_FAIL(WSR_SHAPE,
                            "wsr_dataset_new: %lld is outside [1, %lld] "
                            "(dimension %d)",
                            (long long)shape->dims[i], (long long)max[i], i);
        }
        pixels *= i > 0 ? shape->dims[i] : 1;
    }
    if (pixels > WSR__IMAGE_FLOATS) {
        return WSR_FAIL(WSR_SHAPE,
                        "wsr_dataset_new: %lld pixels in an image are too "
                        "many",
                        (long long)pixels);
    }
    return WSR_OK;
}

// Checked once here, so that losses may index logits by label unchecked.
static wsr_status check_labels(const int32_t *labels, size_t n,
                               int64_t n_classes)
{
    for (size_t i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] >= n_classes) {
            return WSR_FAIL(WSR_ARG,
                            "wsr_dataset_new: label %ld is outside [0, %lld] "
                            "(sample %zu)",
                            (long)labels[i], (long long)n_classes - 1, i);
        }
    }
    return WSR_OK;
}

// Copies what it is given; shape is (n, c, h, w).
wsr_status wsr_dataset_new(wsr_dataset **out, const uint8_t *images,
                           const int32_t *labels, const wsr_shape *shape,
                           int64_t n_classes)
{
    wsr_status status = WSR_OK;
    wsr_dataset *dataset = NULL;
    size_t n = 0;
    if (out == NULL || images == NULL || labels == NULL || shape == NULL ||
        n_classes < 1) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_dataset_new: a pointer is NULL, or %lld classes "
                        "are less than 1",
                        (long long)n_classes);
    }
    *out = NULL;
    WSR_TRY(check_shape(shape));
    n = (size_t)shape->dims[0];
    WSR_TRY(check_labels(labels, n, n_classes));
    dataset = wsr__alloc(1, sizeof(*dataset));
    if (dataset == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    dataset->stored =
        (wsr__image){shape->dims[1], shape->dims[2], shape->dims[3]};
    dataset->classes = n_classes;
    WSR_TRY(wsr__dataset_reserve(dataset, n));
    memcpy(dataset->bytes, images,
           n * (size_t)wsr__image_floats(dataset->stored));
    memcpy(dataset->labels, labels, n * sizeof(*labels));
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

// A subset borrows: bytes and labels point into the parent, which must outlive
// it. A subset of a subset points to the same bytes; `first` counts within its
// own parent.
wsr_status wsr_dataset_subset(wsr_dataset **out, const wsr_dataset *dataset,
                              size_t first, size_t count)
{
    wsr_dataset *subset = NULL;
    if (out == NULL || dataset == NULL) {
        return WSR_FAIL(WSR_ARG, "wsr_dataset_subset: %s is NULL",
                        out != NULL ? "dataset" : "out");
    }
    *out = NULL;
    if (count == 0 || first >= dataset->count ||
        count > dataset->count - first) {
        return WSR_FAIL(WSR_ARG,
                        "wsr_dataset_subset: %zu samples from %zu on do not "
                        "lie inside the %zu of the data set",
                        count, first, dataset->count);
    }
    subset = wsr__alloc(1, sizeof(*subset));
    if (subset == NULL) {
        return WSR_NOMEM;
    }
    *subset = *dataset;
    subset->parent = dataset;
    subset->first = first;
    subset->count = count;
    subset->labels = dataset->labels + first;
    if (dataset->bytes != NULL) {
        subset->bytes = dataset->bytes +
                        first * (size_t)wsr__image_floats(dataset->stored);
    }
    if (dataset->read != NULL) {
        subset->read = read_parent;
    }
    *out = subset;
    return WSR_OK;
}

// A subset owns nothing but itself.
void wsr_dataset_free(wsr_dataset *dataset)
{
    if (dataset != NULL && dataset->parent == NULL) {
        wsr__free(dataset->bytes);
        if (dataset->files != NULL) {
            wsr__files_free(dataset->files);
        } else {
            wsr__free(dataset->labels);
        }
    }
    wsr__free(dataset);
}

// ----------------------------------------------------------------- reading

double wsr__dataset_bytes(const wsr_dataset *dataset)
{
    if (dataset->files != NULL) {
        return (double)dataset->files->paths.len +
               (double)dataset->count *
                   (sizeof(*dataset->labels) + sizeof(size_t));
    }
    return (double)dataset->count *
           ((double)wsr__image_floats(dataset->stored) +
            sizeof(*dataset->labels));
}

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

wsr_status wsr__dataset_fits(const wsr_dataset *dataset, const wsr_shape *image,
                             size_t classes, const char *area,
                             const char *taker)
{
    if (!wsr_shape_equal(&dataset->shape, image)) {
        char have[96];
        char want[96];
        wsr__shape_print(have, &dataset->shape);
        wsr__shape_print(want, image);
        return WSR_FAIL(WSR_SHAPE, "%s: images have shape %s, the %s takes %s",
                        area, have, taker, want);
    }
    if (dataset->classes > (int64_t)classes) {
        return WSR_FAIL(WSR_ARG, "%s: the data have %lld classes, the %s %zu",
                        area, (long long)dataset->classes, taker, classes);
    }
    return WSR_OK;
}

// NULL for data sets without names, and for labels out of range.
const char *wsr_dataset_class_name(const wsr_dataset *dataset, int64_t label)
{
    const bool known = dataset->names && label >= 0 && label < dataset->classes;
    return known ? dataset->names[label] : NULL;
}

const int32_t *wsr_dataset_labels(const wsr_dataset *dataset)
{
    return dataset->labels;
}

// An odd surplus goes to the bottom and the right, as in wsr__image_centre().
static void centre_plane(float *restrict dst, wsr__image view,
                         const unsigned char *restrict src, wsr__image stored)
{
    const int64_t top = (view.h - stored.h) / 2;
    const int64_t left = (view.w - stored.w) / 2;
    memset(dst, 0, sizeof(float) * (size_t)(view.h * view.w));
    for (int64_t y = 0; y < stored.h; y++) {
        wsr__bytes_to_floats(dst + (top + y) * view.w + left,
                             src + y * stored.w, stored.w);
    }
}

wsr_status wsr__dataset_read(float *dst, const wsr_dataset *dataset,
                             size_t index)
{
    const wsr__image stored = dataset->stored;
    const wsr__image view = dataset->view;
    const int64_t plane = view.h * view.w;
    const unsigned char *src;
    if (dataset->files != NULL) {
        return wsr__files_images(dst, dataset, &index, 1);
    }
    if (dataset->read != NULL) {
        return dataset->read(dst, dataset, index);
    }
    src = dataset->bytes + index * (size_t)wsr__image_floats(stored);
    if (stored.h == view.h && stored.w == view.w) {
        wsr__bytes_to_floats(dst, src, stored.c * plane);
    } else {
        for (int64_t c = 0; c < stored.c; c++) {
            centre_plane(dst + c * plane, view, src + c * stored.h * stored.w,
                         stored);
        }
    }
    // Only a grey image is ever viewed with more channels: copies of channel 0.
    for (int64_t c = stored.c; c < view.c; c++) {
        memcpy(dst + c * plane, dst, sizeof(float) * (size_t)plane);
    }
    return WSR_OK;
}

// dst is (count, c, h, w) of the view. Without indices the first `count`
// samples are meant. Files are decoded on all threads.
wsr_status wsr_dataset_images(float *dst, const wsr_dataset *dataset,
                              const size_t *indices, size_t count)
{
    wsr_status status = WSR_OK;
    const size_t floats = (size_t)wsr__image_floats(dataset->view);
    for (size_t i = 0; i < count; i++) {
        const size_t index = indices != NULL ? indices[i] : i;
        if (index >= dataset->count) {
            status = WSR_FAIL(WSR_ARG,
                              "wsr_dataset_images: %zu is outside [0, %zu] "
                              "(index %zu)",
                              index, dataset->count - 1, i);
            goto out;
        }
        if (dataset->files == NULL) {
            WSR_TRY(wsr__dataset_read(dst + i * floats, dataset, index));
        }
    }
    if (dataset->files != NULL) {
        status = wsr__files_images(dst, dataset, indices, count);
    }
out:
    return status;
}
