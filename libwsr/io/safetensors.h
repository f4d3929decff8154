// SPDX-License-Identifier: Apache-2.0
//
// The inside of a safetensors file in memory, for safetensors.c, which checks
// it, and safetensors_file.c, which opens files and finds what they hold.

#ifndef WSR_IO_SAFETENSORS_H
#define WSR_IO_SAFETENSORS_H

#include "io/io.h"

#include <jansson.h>

/// An entry of the metadata.
typedef struct wsr__st_pair {
    const char *key;
    const char *value;
} wsr__st_pair;

/// For look-up by name; `tensor` points into `tensors`.
typedef struct wsr__st_named {
    const char *name;
    const wsr__st_tensor *tensor;
} wsr__st_named;

/// Tensors and metadata point into `bytes` and `header`; nothing is copied.
struct wsr__st {
    char *path;
    unsigned char *bytes; // the whole file
    json_t *header;       // owns names and metadata
    size_t n;
    wsr__st_tensor *tensors; // in the order of the data
    wsr__st_named *names;    // sorted
    size_t n_metadata;
    wsr__st_pair *metadata; // sorted
};

/// Check the whole file and fill header, tensors and metadata. On failure the
/// file can still be freed.
wsr_status wsr__st_check(wsr__st *st, size_t size);

#endif
