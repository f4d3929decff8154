// SPDX-License-Identifier: Apache-2.0
//
// Labelled images: data sets in memory, and loaders that turn them into
// shuffled, augmented batches.

#ifndef WSR_DATA_H
#define WSR_DATA_H

#include "wsr/base.h"
#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

// --------------------------------------------------------------- data sets

/**
 * Images of one shape with one label each. Immutable: any number of threads
 * may read one at a time.
 */
typedef struct wsr_dataset wsr_dataset;

/**
 * Open a data set by its spec and read it into memory.
 *
 * Specs: `fashion-mnist` (the files of Debian's dataset-fashion-mnist) or
 * `fashion-mnist:DIR`; `cifar10:PATH` and `cifar100:PATH`, where PATH is the
 * folder of the .bin files, the official .tar.gz, which is read in place, or
 * one .bin file; `idx:IMAGES,LABELS`,
 * `idx:IMAGES,LABELS,TEST_IMAGES,TEST_LABELS`, plain or gzip, or `idx:DIR` for
 * the four files of MNIST; `synthetic` or `synthetic:key=value,...`, drawn
 * shapes and textures that can be learned. A comma inside a path is written
 * `\,`, or the path in double quotes, see wsr_option_quote(). docs/formats.md
 * describes the files.
 *
 * Options: `size=S` centres the images in SxS zeros; `channels=C` repeats the
 * channel of grey images; `limit=N` keeps the first N samples and reads no
 * more than these need.
 *
 * @param out [out, owned] NULL on failure
 * @param spec [borrowed] "name" or "name:..."
 * @param split [borrowed] "train" or "test"; NULL takes the test split of a
 *        source that has one, else the only split
 * @param options [borrowed] "key=value,..."; NULL or "": none
 * @returns WSR_NOTFOUND for an unknown name, a file that does not exist or a
 *          split that the source lacks, WSR_CONFIG for options that are not
 *          permitted, WSR_IO when reading fails, WSR_FORMAT for a file that is
 *          truncated, corrupt or of another kind, WSR_UNSUPPORTED for a file
 *          of a known kind that is not read, and for an archive when
 *          libarchive was absent at build time, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_open(wsr_dataset **out,
                                                 const char *spec,
                                                 const char *split,
                                                 const char *options);

/**
 * Make a data set of images in the caller's memory.
 *
 * @param out [out, owned] NULL on failure
 * @param images [copied] bytes (n, c, h, w); 255 becomes 1
 * @param labels [copied] n labels in [0, classes)
 * @param shape [borrowed] (n, c, h, w)
 * @param classes at least 1
 * @returns WSR_SHAPE for a shape that is not (n, c, h, w) or too large,
 *          WSR_ARG for a label out of range or less than one class, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_new(wsr_dataset **out,
                                                const uint8_t *images,
                                                const int32_t *labels,
                                                const wsr_shape *shape,
                                                int64_t classes);

/**
 * Take a run of samples, e.g. one half of a training set for validation.
 *
 * @param out [out, owned] NULL on failure; numbers its samples from 0
 * @param dataset [borrowed] must outlive the subset
 * @param first number of its first sample
 * @param count of samples, at least 1
 * @returns WSR_ARG when the run leaves the data set, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_subset(wsr_dataset **out,
                                                   const wsr_dataset *dataset,
                                                   size_t first, size_t count);

/** Free a data set; NULL is legal. Subsets and loaders on it must be gone. */
WSR_API void wsr_dataset_free(wsr_dataset *dataset);

/** Number of samples. @returns at least 1 */
WSR_API size_t wsr_dataset_count(const wsr_dataset *dataset);

/** Shape of one image. @returns [borrowed] (c, h, w) */
WSR_API const wsr_shape *wsr_dataset_shape(const wsr_dataset *dataset);

/** Number of classes. @returns at least 1 */
WSR_API int64_t wsr_dataset_classes(const wsr_dataset *dataset);

/**
 * Name of a class.
 *
 * @param label any value
 * @returns [borrowed] NULL when the source knows no names or the label is not
 *          one of the data set
 */
WSR_API const char *wsr_dataset_class_name(const wsr_dataset *dataset,
                                           int64_t label);

/** Labels of all samples. @returns [borrowed] wsr_dataset_count() of them */
WSR_API const int32_t *wsr_dataset_labels(const wsr_dataset *dataset);

/**
 * Copy images as floats in [0, 1]: byte / 255 in single precision, the same
 * bits as torchvision's ToTensor.
 *
 * @param dst [out] (count, c, h, w)
 * @param dataset [borrowed]
 * @param indices [borrowed] of the samples wanted; NULL: 0, 1, 2, ...
 * @param count number of samples wanted
 * @returns WSR_ARG for an index beyond the data set
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_images(float *dst,
                                                   const wsr_dataset *dataset,
                                                   const size_t *indices,
                                                   size_t count);

// ----------------------------------------------------------------- loaders

/**
 * An endless sequence of epochs, each a sequence of batches. What a batch
 * holds depends on (data set, options, epoch, batch) alone: not on threads,
 * prefetching, or where the loader started. One thread at a time may use a
 * loader.
 */
typedef struct wsr_loader wsr_loader;

/** Some samples, ready for use. */
typedef struct wsr_batch wsr_batch;

/**
 * Make a loader that stands before the first batch of epoch 0.
 *
 * Options, with defaults: `batch=64` samples; `shuffle=true` draws a new
 * order each epoch; `drop_last=false` keeps a last batch that is smaller;
 * `augment=[]`, e.g. [random_crop:pad=4,flip], applied in that order;
 * `seed=0`; `prefetch=1` batches are prepared ahead on a thread of the
 * loader's own, 0: none and no thread.
 *
 * @param out [out, owned] NULL on failure
 * @param dataset [borrowed] must outlive the loader
 * @param options [borrowed] "key=value,..."; NULL or "": defaults
 * @returns WSR_CONFIG for options that are not permitted or augmentations that
 *          do not fit the images, WSR_NOTFOUND for an unknown augmentation,
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_loader_new(wsr_loader **out,
                                               const wsr_dataset *dataset,
                                               const char *options);

/** Free a loader at any moment; NULL is legal. Its batches are gone then. */
WSR_API void wsr_loader_free(wsr_loader *loader);

/**
 * Get the next batch.
 *
 * @param out [out, borrowed] valid until the next call on the loader; NULL
 *        after the last batch of an epoch, once: the call after that begins
 *        the next epoch
 * @param loader stays before the same batch on failure
 * @returns what reading the images returned, never a failure for those in
 *          memory
 */
WSR_API WSR_MUST_USE wsr_status wsr_loader_next(const wsr_batch **out,
                                                wsr_loader *loader);

/**
 * Go to a batch, e.g. the one that a checkpoint names.
 *
 * @param epoch any
 * @param batch from 0 to wsr_loader_batches(), which is the epoch's end
 * @returns WSR_ARG when the epoch has no such batch; the loader stays then
 */
WSR_API WSR_MUST_USE wsr_status wsr_loader_seek(wsr_loader *loader,
                                                uint64_t epoch, size_t batch);

/** Epoch that wsr_loader_next() reads from next. */
WSR_API uint64_t wsr_loader_epoch(const wsr_loader *loader);

/** Batch that wsr_loader_next() returns next. */
WSR_API size_t wsr_loader_position(const wsr_loader *loader);

/** Batches of one epoch. @returns at least 1 */
WSR_API size_t wsr_loader_batches(const wsr_loader *loader);

/** Shape of one image after augmentation. @returns [borrowed] (c, h, w) */
WSR_API const wsr_shape *wsr_loader_shape(const wsr_loader *loader);

/** Number of samples. @returns at least 1 */
WSR_API size_t wsr_batch_count(const wsr_batch *batch);

/** Images. @returns [borrowed] (count, c, h, w) */
WSR_API const float *wsr_batch_images(const wsr_batch *batch);

/** Labels. @returns [borrowed] (count) */
WSR_API const int32_t *wsr_batch_labels(const wsr_batch *batch);

/** Numbers of the samples in the data set. @returns [borrowed] (count) */
WSR_API const size_t *wsr_batch_indices(const wsr_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
