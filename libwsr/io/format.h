// SPDX-License-Identifier: Apache-2.0
//
// Formats of files that hold named tensors (io/io.h). A format finds the
// tensors in the bytes of a file and, where it can, writes them; it is a file
// and a line in formats.def.

#ifndef WSR_IO_FORMAT_H
#define WSR_IO_FORMAT_H

#include "base/registry.h"
#include "io/io.h"
#include "io/zip.h"
#include "wsr/net.h"

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

/// Names and data of tensors point into what the file owns.
struct wsr__st {
    char *path;
    const char *part;     // behind "#" in the path, NULL: none is asked for
    unsigned char *bytes; // the whole file
    size_t size;
    json_t *header; // owns metadata, and of safetensors the names
    wsr__zip *zip;  // of the bytes, or NULL
    void **blocks;  // what else the file owns
    size_t n_blocks;
    size_t blocks_capacity;
    size_t gathered; // bytes that wsr__st_gather() made
    size_t n;
    size_t capacity;
    wsr__st_tensor *tensors; // in the order of the file
    wsr__st_named *names;    // sorted
    size_t n_metadata;
    wsr__st_pair *metadata; // sorted
};

typedef struct wsr__format_class {
    wsr__class super;
    const char *const *endings; // of files that are written so, NULL-ended
    /// Whether a file of these bytes has the format. NULL: none is taken for
    /// it; what is of no format is read as safetensors.
    bool (*is)(const unsigned char *bytes, size_t size);
    bool parts; // a file may hold several sets of tensors, of which
                // `wsr__st.part` names one
    /// Find tensors and metadata in the bytes of `st`. They must be checked:
    /// whoever reads them later does not. On failure the file can still be
    /// freed.
    wsr_status (*read)(wsr__st *st);
    /// Replace the file at `path` as a whole. The builder's names are checked.
    wsr_status (*write)(wsr__st_builder *builder, const char *path);
    /// The same of a network. NULL: its tensors and its description are
    /// written.
    wsr_status (*write_net)(const wsr_net *net, const char *path);
} wsr__format_class;

extern const wsr__family wsr__formats;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "io/formats.def"
#undef WSR_REG

/// The format in which a file at this path is written.
const wsr__format_class *wsr__format_for(const char *path);

/// FORMAT for a tensor's name that is empty, too long or holds control
/// characters.
wsr_status wsr__st_check_name(const wsr__st *st, const char *name);

/// Append a tensor whose name and data the file owns already. Dims and dtype
/// are set; count and bytes are computed. FORMAT for a bad name, and for a size
/// beyond all memory.
wsr_status wsr__st_append(wsr__st *st, const wsr__st_tensor *tensor);

/// Have the file own a block from wsr__alloc, which is freed on failure.
/// NOMEM for NULL, too.
wsr_status wsr__st_keep(wsr__st *st, void *block);

/// A copy of a text of n bytes that the file owns. [out, borrowed]
wsr_status wsr__st_keep_text(char **out, wsr__st *st, const char *text,
                             size_t n);

/// Take the metadata from a JSON object of texts that the file owns.
wsr_status wsr__st_take_metadata(wsr__st *st, json_t *info);

/// Parse a JSON text; NULL when it is none, or when memory was short, which
/// `shortage` [out] tells apart, also of a result: Jansson 2.14 leaves out a
/// letter for which it has no memory, and calls other shortages errors of
/// syntax. [owned]
json_t *wsr__json_parse(bool *shortage, const char *text, size_t size,
                        size_t flags, json_error_t *error);

/// Parse a JSON object that the file owns then, as `header`.
wsr_status wsr__st_parse_json(wsr__st *st, const char *text, size_t length);

/// The metadata of formats that have no place for them are a file of their own
/// in the archive, `name`: read it if it is there, or write it if there are
/// any.
wsr_status wsr__st_unzip_metadata(wsr__st *st, const char *name);
wsr_status wsr__st_zip_metadata(wsr__zip_writer *writer, const char *name,
                                const wsr__st_builder *builder);

/// Append the metadata of a builder as a JSON object.
void wsr__st_metadata_json(wsr__str *out, const wsr__st_builder *builder);

/// Whether the bytes are a zip archive in whose first or last 256 KiB a word
/// occurs: the name of a member.
bool wsr__zip_mentions(const unsigned char *bytes, size_t size,
                       const char *word);

/// Elements of a tensor that do not lie in row-major order, or whose bytes are
/// not in this processor's order.
typedef struct wsr__strided {
    const unsigned char *data;     // of the element at index 0
    int64_t strides[WSR__ST_DIMS]; // in elements, >= 0
    bool swapped;                  // bytes of an element are big-endian
} wsr__strided;

/// Copy the elements of `t` in row-major order into a block that the file owns,
/// and make it the data of `t`. Count and bytes of `t` are set. FORMAT when all
/// such copies together were many times as large as the file: strides of 0
/// repeat elements.
wsr_status wsr__st_gather(wsr__st_tensor *t, wsr__st *st,
                          const wsr__strided *src);

#endif
