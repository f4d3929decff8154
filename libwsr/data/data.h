// SPDX-License-Identifier: Apache-2.0
//
// Data sets and loaders. A member of the dataset family fills a wsr_dataset
// from files that it reads front to back through a wsr__source; dataset.c
// turns the bytes into floats of the view's shape; loader.c and
// prefetch.c make batches.

#ifndef WSR_DATA_DATA_H
#define WSR_DATA_DATA_H

#include "augment/augment.h"
#include "base/registry.h"
#include "wsr/data.h"

// --------------------------------------------------------------- data sets

/// Whether a model of images (c, h, w) and so many classes can be evaluated on
/// a data set: SHAPE for other images, ARG for more classes. The message begins
/// with `area` and calls the model `taker`: "evaluation: images have shape (3,
/// 32, 32), the model takes (1, 28, 28)".
wsr_status wsr__dataset_fits(const wsr_dataset *dataset, const wsr_shape *image,
                             size_t classes, const char *area,
                             const char *taker);

/// What a family member fills; the rest of the library reads it through
/// wsr__dataset_read() and the public functions.
struct wsr_dataset {
    unsigned char *bytes; // (count, c, h, w)
    int32_t *labels;      // (count)
    size_t count;
    wsr__image stored; // shape of the bytes
    wsr__image view;   // shape of the floats
    wsr_shape shape;   // the same, for the public
    int64_t classes;
    const char *const *names;  // one for each class, or NULL
    const wsr_dataset *parent; // of a subset: bytes and labels are its own
    size_t first;              // number of sample 0 in the parent
    /// Decode a sample on demand instead of from `bytes`; runs on the loader's
    /// thread. NULL: from `bytes`.
    wsr_status (*read)(float *dst, const wsr_dataset *dataset, size_t index);
    void *user;               // for read
    struct wsr__files *files; // images in files, see data/files.h; or NULL.
                              // `stored` has no size then, and `labels` are
                              // those of the files
};

typedef enum wsr__split {
    WSR__TRAIN,
    WSR__TEST,
    WSR__ANY // test if there is one
} wsr__split;

/// What to load.
typedef struct wsr__request {
    wsr__split split;
    size_t limit; // samples at most
} wsr__request;

/// Options of data sets that are told by a folder alone.
typedef struct wsr__dir_params {
    wsr__text dir;
} wsr__dir_params;

// clang-format off
#define WSR__DIR_OPTION(what) \
    {.key = "dir", .kind = WSR__TEXT, \
     .offset = offsetof(wsr__dir_params, dir), .fallback = "", .unit = "", \
     .help = (what)}
// clang-format on

typedef struct wsr__dataset_class {
    wsr__class super;
    /// Options that "name:A,B,..." sets by position, ended by NULL; the only
    /// one may hold commas as they are. NULL: the text is "key=value,...".
    const char *const *positional;
    size_t required; // how many of them must be there
    /// Fill bytes, labels, count, stored, classes and names of an otherwise
    /// zeroed data set; the caller frees it on failure.
    wsr_status (*load)(wsr_dataset *dataset, const void *params,
                       const wsr__request *request);
} wsr__dataset_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "data/datasets.def"
#undef WSR_REG

extern const wsr__family wsr__datasets;

enum {
    WSR__SIDE_MAX = 4096, // pixels
    WSR__CHANNELS_MAX = 64
};

/// How images are shown: the options of wsr_dataset_open().
typedef struct wsr__data_params {
    int64_t size;     // pixels, 0: as stored
    int64_t channels; // 0: as stored
    int64_t limit;    // samples, 0: all
    int64_t resize;   // pixels of the short side, 0: 8/7 of size
    wsr__text broken; // what is done with broken images
} wsr__data_params;

extern const wsr__option wsr__data_schema[];

/// Options of images in files, for schemas of structs that hold a
/// wsr__data_params at `view`.
#define WSR__FILE_OPTIONS(view)                                                \
    {.key = "resize",                                                          \
     .kind = WSR__INT,                                                         \
     .offset = (view) + offsetof(wsr__data_params, resize),                    \
     .fallback = "0",                                                          \
     .min = 0,                                                                 \
     .max = WSR__SIDE_MAX,                                                     \
     .unit = "pixels",                                                         \
     .help = "short side of images in files before the centre is cut, 0: 8/7 " \
             "of size"},                                                       \
    {                                                                          \
        .key = "broken", .kind = WSR__WORD,                                    \
        .offset = (view) + offsetof(wsr__data_params, broken),                 \
        .fallback = "refuse", .unit = "",                                      \
        .help = "what broken images in files do: end the run when they are "   \
                "read, or be found and left out beforehand",                   \
        .words = wsr__broken_words                                             \
    }

extern const char *const wsr__broken_words[]; // refuse, skip

/// wsr_dataset_open() with decoded options.
wsr_status wsr__dataset_make(wsr_dataset **out, const char *spec,
                             const char *split, const wsr__data_params *params);

/// Bytes of memory that images and labels take.
double wsr__dataset_bytes(const wsr_dataset *dataset);

/// Copy one image as floats of the view's shape.
wsr_status wsr__dataset_read(float *dst, const wsr_dataset *dataset,
                             size_t index);

/// Show the images in another shape than they are stored in: zeros around
/// them, a grey channel repeated.
void wsr__dataset_view(wsr_dataset *dataset, wsr__image view);

/// The same data set as with the option data.size, whatever its own size, for
/// loaders. It borrows the images, so the data set must outlive it. CONFIG for
/// a size that the images cannot have. [out, owned]
wsr_status wsr__dataset_at_size(wsr_dataset **out, const wsr_dataset *dataset,
                                int64_t size);

/// Allocate bytes and labels for `count` images of the stored shape.
wsr_status wsr__dataset_reserve(wsr_dataset *dataset, size_t count);

// ----------------------------------------------------------------- sources

/// Bytes in sequence: a file, or an entry of an archive.
typedef struct wsr__source wsr__source;

struct wsr__source {
    const char *name; // for messages
    int64_t size;     // bytes that it holds, -1: not known beforehand
    uint64_t bound;   // bytes that it can hold at most
    /// Fewer than `size` bytes mean the end, or a failure.
    wsr_status (*read)(size_t *got, wsr__source *source, void *dst,
                       size_t size);
    void (*close)(wsr__source *source);
};

/// A file, inflated on the way when it is a gzip file. NOTFOUND when it does
/// not exist, IO when it is no regular file or cannot be read, UNSUPPORTED,
/// saying what it is, when no format of data starts so.
wsr_status wsr__source_open(wsr__source **out, const char *path);

/// Fail because a file cannot be opened, for the reason of an errno: NOTFOUND
/// when it does not exist, else as wsr__fail_errno().
wsr_status wsr__fail_open(const char *path, int error);

/// Read exactly `size` bytes. FORMAT when the source ends before.
wsr_status wsr__source_read(wsr__source *source, void *dst, size_t size);

/// Check that all was read and that checksums hold. FORMAT otherwise.
wsr_status wsr__source_end(wsr__source *source);

void wsr__source_close(wsr__source *source); // NULL is legal

/// An archive (.tar or .tar.gz), entry by entry. UNSUPPORTED without
/// libarchive.
typedef struct wsr__archive wsr__archive;

wsr_status wsr__archive_open(wsr__archive **out, const char *path);

/// [out, borrowed until the next call] Path of the next regular file inside
/// and its content; both NULL at the end.
wsr_status wsr__archive_next(const char **name, wsr__source **entry,
                             wsr__archive *archive);

/// Read the rest of the file for the sake of its checksum.
wsr_status wsr__archive_end(wsr__archive *archive);

void wsr__archive_close(wsr__archive *archive); // NULL is legal

// ------------------------------------------------- readers of file formats

/// IDX images (unsigned bytes) and labels; classes becomes the largest label of
/// the whole file + 1, whatever the limit. Images of four dimensions have 1, 3
/// or 4 channels, in the second dimension or in the last.
wsr_status wsr__idx_load(wsr_dataset *dataset, const char *images,
                         const char *labels, size_t limit);

/// Read all labels of an IDX file. [out, owned] (count) bytes.
wsr_status wsr__idx_labels(unsigned char **labels, size_t *count,
                           const char *path);

/// Largest of some labels + 1.
int64_t wsr__idx_classes(const unsigned char *labels, size_t count);

/// Find the files of a split of MNIST's form in a folder, or in those that
/// torchvision and Kaggle make below it: "train-images-idx3-ubyte" and
/// "train-labels-idx1-ubyte", or "t10k-...", with or without ".gz", with '.'
/// for the second '-'. NOTFOUND when one is not there. [out, owned]
wsr_status wsr__idx_find(char **images, char **labels, const char *folder,
                         bool train);

bool wsr__is_folder(const char *path);

/// Check that a Matlab file of version 5 is whole and holds arrays of real
/// numbers alone, no larger than the file says. NOTFOUND, IO, FORMAT.
wsr_status wsr__mat_check(const char *path);

/// Layout of a CIFAR binary distribution.
typedef struct wsr__cifar_layout {
    const char *archive;       // as it is distributed
    const char *folder;        // inside the archive
    const char *python;        // the folder of the Python version
    const char *const *train;  // file names, ended by NULL
    const char *const *test;   // the same
    size_t label_bytes;        // before the pixels; the last is the class
    const int32_t *label_ends; // each label byte must be below
    const char *const *names;  // of the classes
} wsr__cifar_layout;

/// Options of both distributions: where the files are.
typedef struct wsr__cifar_params {
    wsr__text path;
} wsr__cifar_params;

extern const wsr__option wsr__cifar_schema[];
extern const char *const wsr__cifar_positional[];

wsr_status wsr__cifar_load(wsr_dataset *dataset,
                           const wsr__cifar_layout *layout,
                           const wsr__cifar_params *params,
                           const wsr__request *request);

// ----------------------------------------------------------------- loaders

typedef struct wsr__loader_params {
    int64_t batch;
    bool shuffle;
    bool drop_last;
    wsr__text augment;
    int64_t seed;
    int64_t prefetch;
    int64_t workers;
    int64_t repeats;
} wsr__loader_params;

extern const wsr__option wsr__loader_schema[];

/// What of each batch is wanted: of `parts` parts of about one size, or of as
/// many as there are images, those from `begin` to before `end`.
typedef struct wsr__loader_share {
    size_t begin;
    size_t end;
    size_t parts; // 0: all images
} wsr__loader_share;

/// Read these images alone; labels and indices are those of all. Call it before
/// the first batch.
void wsr__loader_set_share(wsr_loader *loader, wsr__loader_share share);

/// Part k of so many of a batch, which they divide. [borrowed from it]
struct wsr_batch wsr__batch_part(const wsr_batch *batch, size_t k, size_t parts,
                                 size_t pixels);

/// wsr_loader_new() with decoded options.
wsr_status wsr__loader_make(wsr_loader **out, const wsr_dataset *dataset,
                            const wsr__loader_params *params);

#endif
