// SPDX-License-Identifier: Apache-2.0
//
// Data sets whose images lie in files, which are decoded when they are read:
// the list of files (files.c), folders of classes (class_folders.c), lists of
// labels (label_list.c), and their views (files_view.c).

#ifndef WSR_DATA_FILES_H
#define WSR_DATA_FILES_H

#include "data/data.h"
#include "data/image_file.h"

/// The entries of a folder, sorted: its subfolders, or its files; links count
/// as what they point to. NOTFOUND, IO.
wsr_status wsr__folder_read(wsr__names *out, const char *folder, bool folders);

/// Whether a file's name ends like that of an image, whatever the case.
/// torchvision's list.
bool wsr__is_image_name(const char *name);

/// The images of a data set, in order.
typedef struct wsr__files {
    wsr__str paths; // each ended by a NUL
    size_t *starts; // (count) of the paths
    int32_t *labels;
    size_t count;
    size_t room;
    wsr__names classes; // in the order of labels; empty: they have no names
    wsr__view view;     // how the images are shown
} wsr__files;

wsr_status wsr__files_add(wsr__files *files, const char *path, int32_t label);
void wsr__files_free(wsr__files *files); // NULL is legal
const char *wsr__files_path(const wsr__files *files, size_t i);

/// Fill a data set from `files`, which become its own; those behind the limit
/// are dropped. FORMAT when there are none in `where`.
wsr_status wsr__files_give(wsr_dataset *dataset, wsr__files **files,
                           const wsr__request *request, int64_t classes,
                           const char *where);

/// The file of a sample, and those of the data set that it belongs to. NULL
/// when the images are in memory.
const wsr__files *wsr__files_of(const wsr_dataset *dataset, size_t *index);

/// How a data set shows its images; those in memory have no `resize`.
wsr__view wsr__files_shown(const wsr_dataset *dataset);

/// The options size, resize and broken for a data set of files. CONFIG, or
/// what is wrong with the first broken image.
wsr_status wsr__files_view(wsr_dataset *dataset,
                           const wsr__data_params *params);

/// Copy images as the view shows them: wsr_dataset_images() for files. Indices
/// are in range.
wsr_status wsr__files_images(float *dst, const wsr_dataset *dataset,
                             const size_t *indices, size_t count);

/// What one thread needs to read images. A zeroed one is empty.
typedef struct wsr__reader {
    wsr__image_file file;
    wsr__workspace workspace;
} wsr__reader;

void wsr__reader_free(wsr__reader *reader);

/// Decode sample `index` of a data set of files and apply a pipeline to it. A
/// failure names the file.
wsr_status wsr__files_read(float *dst, const wsr_dataset *dataset, size_t index,
                           const wsr__pipeline *pipeline, wsr__reader *reader,
                           wsr__rng *rng);

// ------------------------------------------------------------------- classes

/// The names of all classes of a split: subfolders, sorted. FORMAT when there
/// are none.
wsr_status wsr__classes_read(wsr__names *out, const char *folder);

/// FORMAT unless two folders have the same classes; names one that is not in
/// both.
wsr_status wsr__classes_compare(const wsr__names *a, const char *a_name,
                                const wsr__names *b, const char *b_name);

/// Add the images below the folder of each class, whose names are in
/// files->classes: a folder's own before its subfolders', as torchvision.
/// FORMAT for a class without images.
wsr_status wsr__classes_add(wsr__files *files, const char *folder,
                            size_t limit);

/// Add the images of one folder, whose labels are in a list: lines of a file's
/// name, with or without its ending, and a number or the name of a class,
/// between spaces, tabs or commas; what follows is ignored. FORMAT when an
/// image is not in the list or another is.
wsr_status wsr__labelled_add(wsr__files *files, const char *folder,
                             const char *list);

/// Where a data set of folders has its parts. Lists end in NULL and are paths
/// below `root`, of which the first that exists counts.
typedef struct wsr__folder_layout {
    const char *root;
    const char *const *train;
    const char *const *test;
    bool bare;                 // root holds the classes if it has no splits
    const char *flat;          // where test's images lie without folders of
                               // classes, "": in itself; NULL: nowhere
    const char *const *lists;  // of the labels of these
    const wsr__names *classes; // that there must be; NULL: any
    const char *classes_file;  // where they come from
    wsr_status (*check_class)(const char *name, const char *folder); // or NULL
    wsr__view view; // resize 0: 8/7 of the size
} wsr__folder_layout;

/// Fill a data set from folders of classes. NOTFOUND without the split, FORMAT
/// when the splits have different classes.
wsr_status wsr__folders_load(wsr_dataset *dataset,
                             const wsr__folder_layout *layout,
                             const wsr__request *request);

#endif
