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
 * Images of one shape with one label each, in memory or in files. A data set is
 * immutable, so several threads may read it at the same time.
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
 * the four files of MNIST; `synthetic` or `synthetic:key=value,...`,
 * generated images of shapes and textures that a network can learn;
 * `imagefolder:DIR`, `imagenet:DIR`, `tiny-imagenet:DIR` and
 * `list:FILE[,ROOT[,TEST_FILE]]` (JPEG and PNG files, decoded when they are
 * read), `svhn:DIR` (the two .mat files). A path that
 * contains a comma needs double quotes, or `\,` for the comma: see
 * wsr_option_quote(). docs/formats.md describes the files.
 *
 * Options: `size=S` pads the images with zeros to SxS pixels, centred;
 * `channels=C` repeats the channel of grey images C times; `limit=N` reads only
 * the first N samples. Images in files are shown at `size=S` (default 224, Tiny
 * ImageNet 64): their short side is resized to `resize=R` pixels (default 8/7
 * of S, which is 256 for 224) and the centre is cut, with the pixels of
 * torchvision. `broken=skip` decodes all images first and leaves out those that
 * cannot be read, naming them through the log hook; by default such an image
 * makes reading it fail.
 *
 * @param out [out, owned] NULL on failure
 * @param spec [borrowed] "name" or "name:..."
 * @param split [borrowed] "train" or "test"; NULL means the test split, or the
 *        only split of a source that has one split
 * @param options [borrowed] "key=value,..."; NULL or "": none
 * @returns WSR_NOTFOUND for an unknown name, a file that does not exist or a
 *          split that the source lacks, WSR_CONFIG for options that are not
 *          permitted, WSR_IO when reading fails, WSR_FORMAT for a file that is
 *          truncated, corrupt or of another kind, WSR_UNSUPPORTED for a file
 *          of a known kind that is not read, and for an archive when
 *          libarchive was absent at build time, likewise libjpeg-turbo, libpng
 *          and matio, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_open(wsr_dataset **out,
                                                 const char *spec,
                                                 const char *split,
                                                 const char *options);

/**
 * Make a data set from images in the caller's memory.
 *
 * @param out [out, owned] NULL on failure
 * @param images [copied] bytes (n, c, h, w); the byte 255 is the pixel value 1
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
 * Make a data set of consecutive samples of another one, such as one half of a
 * training set for validation. The subset numbers its samples from 0.
 *
 * @param out [out, owned] NULL on failure
 * @param dataset [borrowed] must outlive the subset
 * @param first number of the subset's first sample in `dataset`
 * @param count number of samples, at least 1
 * @returns WSR_ARG when `dataset` has no such samples, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_subset(wsr_dataset **out,
                                                   const wsr_dataset *dataset,
                                                   size_t first, size_t count);

/** Free a data set; NULL is legal. Free its subsets and loaders before it. */
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
 * @param dataset a data set
 * @param label any value
 * @returns [borrowed] NULL when the source has no class names or `label` is no
 *          class of the data set
 */
WSR_API const char *wsr_dataset_class_name(const wsr_dataset *dataset,
                                           int64_t label);

/** Labels of all samples. @returns [borrowed] wsr_dataset_count() of them */
WSR_API const int32_t *wsr_dataset_labels(const wsr_dataset *dataset);

/**
 * Copy images as floats in [0, 1]. A pixel is byte / 255 in single precision,
 * the same bits as torchvision's ToTensor gives.
 *
 * @param dst [out] (count, c, h, w)
 * @param dataset [borrowed] a data set
 * @param indices [borrowed] (count) numbers of the samples to copy; NULL: 0, 1,
 *        2, ...
 * @param count number of samples to copy
 * @returns WSR_ARG for an index beyond the data set; for images in files also
 *          WSR_NOTFOUND, WSR_IO, WSR_FORMAT, WSR_UNSUPPORTED and WSR_NOMEM,
 * with a detail that names the file
 */
WSR_API WSR_MUST_USE wsr_status wsr_dataset_images(float *dst,
                                                   const wsr_dataset *dataset,
                                                   const size_t *indices,
                                                   size_t count);

// ----------------------------------------------------------------- loaders

/**
 * A loader yields an endless sequence of epochs, each a sequence of batches.
 * The content of a batch depends only on data set, options, epoch and number of
 * the batch, not on threads, prefetching or the batch at which the loader
 * started. One thread at a time may use a loader.
 */
typedef struct wsr_loader wsr_loader;

/** A batch of samples: images as floats and their labels. */
typedef struct wsr_batch wsr_batch;

/**
 * Make a loader positioned before the first batch of epoch 0.
 *
 * Options, with defaults: `batch=64`, number of samples in a batch;
 * `shuffle=true` draws a new order for each epoch; `drop_last=false` keeps a
 * last batch that is smaller; `augment=[]`, list of augmentations such as
 * [random_crop:pad=4,flip], applied in that order; `seed=0`; `prefetch=1`,
 * number of batches that threads of the loader prepare in advance (0: no
 * thread); `workers=0`, number of these threads (0: one), each of which decodes
 * and augments samples; `repeats=1` shows an image several times in a row, each
 * time augmented anew, in an epoch of as many samples (in multiples of 256) as
 * without repeats.
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

/** Free a loader and its batches; NULL is legal. */
WSR_API void wsr_loader_free(wsr_loader *loader);

/**
 * Get the next batch.
 *
 * @param out [out, borrowed] the batch, valid until the next call on the
 *        loader. After the last batch of an epoch one call gives NULL; the call
 *        after that gives the first batch of the next epoch
 * @param loader stays before the same batch on failure
 * @returns the status of reading the images, which is WSR_OK for images in
 *          memory
 */
WSR_API WSR_MUST_USE wsr_status wsr_loader_next(const wsr_batch **out,
                                                wsr_loader *loader);

/**
 * Move a loader to a batch, such as the batch that a checkpoint names.
 *
 * @param loader keeps its position on failure
 * @param epoch number of the epoch, any value
 * @param batch number of the batch, from 0 to wsr_loader_batches(), which means
 *        the end of the epoch
 * @returns WSR_ARG when the epoch has no such batch
 */
WSR_API WSR_MUST_USE wsr_status wsr_loader_seek(wsr_loader *loader,
                                                uint64_t epoch, size_t batch);

/** Epoch of the batch that wsr_loader_next() returns next. */
WSR_API uint64_t wsr_loader_epoch(const wsr_loader *loader);

/** Number of the batch that wsr_loader_next() returns next. */
WSR_API size_t wsr_loader_position(const wsr_loader *loader);

/** Number of batches of one epoch. @returns at least 1 */
WSR_API size_t wsr_loader_batches(const wsr_loader *loader);

/** Shape of one image after augmentation. @returns [borrowed] (c, h, w) */
WSR_API const wsr_shape *wsr_loader_shape(const wsr_loader *loader);

/** Number of samples of a batch. @returns at least 1 */
WSR_API size_t wsr_batch_count(const wsr_batch *batch);

/** Images of a batch. @returns [borrowed] (count, c, h, w) */
WSR_API const float *wsr_batch_images(const wsr_batch *batch);

/** Labels of a batch. @returns [borrowed] (count) */
WSR_API const int32_t *wsr_batch_labels(const wsr_batch *batch);

/** Numbers of the samples in the data set. @returns [borrowed] (count) */
WSR_API const size_t *wsr_batch_indices(const wsr_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
