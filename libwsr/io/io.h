// SPDX-License-Identifier: Apache-2.0
//
// Files that hold named tensors, in one of several formats (io/formats.def):
// safetensors, PyTorch's .pth, NumPy's .npz and .npy; and checkpoints, which
// are safetensors with a checksum and a predecessor.

#ifndef WSR_IO_IO_H
#define WSR_IO_IO_H

#include "base/base.h"
#include "base/state.h"
#include "wsr/optim.h"
#include "wsr/tensor.h"

// ----------------------------------------------------------------- reading

typedef enum wsr__st_dtype {
    WSR__ST_F32,
    WSR__ST_F64,
    WSR__ST_F16,  // read only
    WSR__ST_BF16, // read only
    WSR__ST_I64,
    WSR__ST_I32,
    WSR__ST_U8,
    WSR__ST_BOOL
} wsr__st_dtype;

enum { WSR__ST_DIMS = 8 };

/// A tensor in a file. `data` is in row-major order, little-endian, and need
/// not be aligned to its elements: read it with wsr__st_read_* or memcpy.
typedef struct wsr__st_tensor {
    const char *name;
    wsr__st_dtype dtype;
    size_t ndims; // 0 is a scalar
    int64_t dims[WSR__ST_DIMS];
    size_t count; // elements
    size_t bytes;
    const void *data;
} wsr__st_tensor;

/// A file in memory, checked as a whole when it was opened.
typedef struct wsr__st wsr__st;

/// Read a file; its content says its format. IO when it cannot be read,
/// UNSUPPORTED for an element type that this library does not use, FORMAT for
/// everything else that is wrong; of files of other programs the detail says
/// what they are. [out, owned] `*out` is NULL on failure.
///
/// safetensors: what the Python package accepts is accepted: white space before
/// the header, other fields of a tensor's entry, metadata that are null.
/// .pth: the tensors of the state dict (io/pth.h). .npz: tensors have the names
/// of the arrays, without ".npy"; the array of a .npy file is "arr_0".
wsr_status wsr__st_open(wsr__st **out, const char *path);

/// The same for bytes in memory, which are copied; `name` is for messages.
wsr_status wsr__st_open_memory(wsr__st **out, const void *data, size_t size,
                               const char *name);

/// The same for bytes from wsr__alloc, which the file owns from then on; on
/// failure they stay the caller's.
wsr_status wsr__st_open_owned(wsr__st **out, unsigned char *bytes, size_t size,
                              const char *name);

void wsr__st_free(wsr__st *st); // NULL is legal

/// Path or name that the file was opened with.
const char *wsr__st_path(const wsr__st *st);

size_t wsr__st_count(const wsr__st *st);

/// Tensor `i` in the order of the file.
const wsr__st_tensor *wsr__st_at(const wsr__st *st, size_t i);

/// Tensor of a name, NULL when there is none.
const wsr__st_tensor *wsr__st_find(const wsr__st *st, const char *name);

/// Tensor of a name; FORMAT, naming the file, when there is none.
wsr_status wsr__st_need(const wsr__st_tensor **out, const wsr__st *st,
                        const char *name);

/// Metadata, sorted by key.
size_t wsr__st_metadata_count(const wsr__st *st);
const char *wsr__st_metadata_key(const wsr__st *st, size_t i);
const char *wsr__st_metadata_value(const wsr__st *st, size_t i);

/// Metadata of a key, NULL when there is none.
const char *wsr__st_metadata(const wsr__st *st, const char *key);

/// Copy the `count` elements of a tensor, converted from F32, F64, F16 or BF16
/// (the integer readers: from I64, I32, U8 or BOOL). F16 and BF16 are widened
/// exactly, F64 is rounded to nearest. FORMAT, naming the file, when there is
/// no such tensor, its type is another, its size differs, or a finite F64 is
/// beyond the range of float.
wsr_status wsr__st_read_f32(float *dst, const wsr__st *st, const char *name,
                            size_t count);
wsr_status wsr__st_read_f64(double *dst, const wsr__st *st, const char *name,
                            size_t count);
wsr_status wsr__st_read_i64(int64_t *dst, const wsr__st *st, const char *name,
                            size_t count);
/// I64 taken as the bits that wsr__st_add_u64 wrote.
wsr_status wsr__st_read_u64(uint64_t *dst, const wsr__st *st, const char *name,
                            size_t count);
/// U8 and BOOL only.
wsr_status wsr__st_read_u8(unsigned char *dst, const wsr__st *st,
                           const char *name, size_t count);

/// Whether the elements are floats, of whatever size.
bool wsr__st_is_float(const wsr__st_tensor *t);

/// Bytes of one element.
size_t wsr__st_dtype_size(wsr__st_dtype dtype);

/// Set count and bytes of a tensor from its dtype and dims; false when a
/// dimension is negative or the product beyond what can be addressed.
bool wsr__st_measure(wsr__st_tensor *t);

/// Name as in files: "F32".
const char *wsr__st_dtype_name(wsr__st_dtype dtype);

/// The largest count that a file may hold: no run has counted further, and what
/// is computed from such counts does not overflow.
#define WSR__COUNT_MOST (INT64_C(1) << 53)

/// Copy `count` integers, each of which must lie in [0, most]; else FORMAT.
wsr_status wsr__st_read_counts(int64_t *dst, const wsr__st *st,
                               const char *name, size_t count, int64_t most);

/// The same as 32 bits: what U32 arrays are written as, I32 or wider.
wsr_status wsr__st_read_u32(uint32_t *dst, const wsr__st *st, const char *name,
                            size_t count);

/// U8 and BOOL, each of which must be 0 or 1; else FORMAT.
wsr_status wsr__st_read_flags(uint8_t *dst, const wsr__st *st, const char *name,
                              size_t count);

/// Read what wsr__st_add_state wrote. Integers are counts.
wsr_status wsr__st_read_state(const wsr__state *state, const wsr__st *st,
                              const char *prefix);

// ----------------------------------------------------------------- writing

/// Tensors and metadata on their way to a file. Data is copied. The bytes of
/// the file depend on what was added, not on the order.
typedef struct wsr__st_builder wsr__st_builder;

wsr_status wsr__st_builder_new(wsr__st_builder **out);
void wsr__st_builder_free(wsr__st_builder *builder); // NULL is legal

/// Add a tensor. `dims` may be NULL for a scalar (ndims 0). A name that is
/// given twice is found when the file is written: ARG.
wsr_status wsr__st_add(wsr__st_builder *builder, const char *name,
                       wsr__st_dtype dtype, const void *data,
                       const int64_t *dims, size_t ndims);

/// The same without a copy: the data stay as they are until the builder goes.
/// For what is large, such as samples that a checkpoint holds.
wsr_status wsr__st_borrow(wsr__st_builder *builder, const char *name,
                          wsr__st_dtype dtype, const void *data,
                          const int64_t *dims, size_t ndims);

/// Add a tensor of one dimension.
wsr_status wsr__st_add_f32(wsr__st_builder *builder, const char *name,
                           const float *data, size_t count);
wsr_status wsr__st_add_f64(wsr__st_builder *builder, const char *name,
                           const double *data, size_t count);
wsr_status wsr__st_add_i64(wsr__st_builder *builder, const char *name,
                           const int64_t *data, size_t count);
/// Written as I64 with the same bits.
wsr_status wsr__st_add_u64(wsr__st_builder *builder, const char *name,
                           const uint64_t *data, size_t count);
wsr_status wsr__st_add_u8(wsr__st_builder *builder, const char *name,
                          const unsigned char *data, size_t count);

enum { WSR__ST_NAME = 256 }; // of a tensor here, its end counted

/// prefix + name; ARG when it is too long.
wsr_status wsr__st_name(char out[WSR__ST_NAME], const char *prefix,
                        const char *name);

/// Add an array of state under prefix + its name. [borrowed until the builder
/// goes]
wsr_status wsr__st_add_state(wsr__st_builder *builder, const char *prefix,
                             const wsr__state *state);

/// Set metadata; a later value replaces an earlier one.
wsr_status wsr__st_set(wsr__st_builder *builder, const char *key,
                       const char *value);

/// Set metadata from a format.
wsr_status wsr__st_setf(wsr__st_builder *builder, const char *key,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Write the file, replacing what is there as a whole or not at all, in the
/// format that the ending of the path says: .pth and .pt, .npz, .npy, anything
/// else safetensors.
wsr_status wsr__st_write(wsr__st_builder *builder, const char *path);

/// The file as bytes. [out, owned]
wsr_status wsr__st_serialize(unsigned char **out, size_t *size,
                             wsr__st_builder *builder);

/// The two halves of writing, for what must see the bytes in between: the
/// header with its length before it, which also sorts the tensors, and the
/// file made of a header and the tensors.
wsr_status wsr__st_header(wsr__str *out, wsr__st_builder *builder);
wsr_status wsr__st_put(const wsr__st_builder *builder, const wsr__str *header,
                       const char *path, bool keep_previous);

/// ARG for a tensor whose name is given twice or not permitted.
wsr_status wsr__st_check_names(const wsr__st_builder *builder);

/// Tensor `i` in the order of the file once the header is made, else NULL.
const wsr__st_tensor *wsr__st_builder_at(const wsr__st_builder *builder,
                                         size_t i);

// ---------------------------------------------------------- parameter sets

/// Add every tensor of a parameter set, named prefix + name: float32, and
/// int64 for the integers among them.
wsr_status wsr__st_add_params(wsr__st_builder *builder,
                              const wsr_params *params, const char *prefix);

/// Read a parameter set whose tensors are named so, of any float type. FORMAT,
/// naming them, when tensors are missing, have another shape, hold no floats or
/// more than F32 can hold, or are too many (those that begin with the prefix
/// count, but not "wsr." ones, which are no parameters); the set is unchanged
/// then. Integers may be missing, or be floats: they count batches, which
/// nothing depends on.
wsr_status wsr__st_read_params(wsr_params *params, const wsr__st *st,
                               const char *prefix);

// --------------------------------------------------------------- optimisers

/// Add the state of an optimiser that is reserved (wsr__optim_reserve), named
/// prefix + its names. [borrowed until the builder goes]
wsr_status wsr__st_add_optim(wsr__st_builder *builder, const wsr_optim *optim,
                             const char *prefix);

/// Read what wsr__st_add_optim wrote, for an optimiser that is reserved and
/// stays as it is. FORMAT for what is not its state. [out, owned] NULL on
/// failure
wsr_status wsr__st_stage_optim(unsigned char **staged, const wsr_optim *optim,
                               const wsr__st *st, const char *prefix);
/// Give the optimiser what was staged for it.
void wsr__optim_take(wsr_optim *optim, const unsigned char *staged);

// ------------------------------------------------------------- checkpoints

/// Write a checkpoint: the file with the metadata "crc32", synced and renamed
/// over `path`; what was there stays as "path.old".
wsr_status wsr__checkpoint_save(wsr__st_builder *builder, const char *path);

/// Read a checkpoint and verify its checksum. When it is missing, unreadable
/// or corrupt, the predecessor is taken, with a warning; a corrupt one gives it
/// its place. NOTFOUND when there is neither; else the first file's failure
/// when both are bad.
wsr_status wsr__checkpoint_load(wsr__st **out, const char *path);

/// FORMAT unless `ring`, the place of the oldest entry and the number of
/// entries, is possible in a ring of so many places.
wsr_status wsr__checkpoint_ring(const wsr__st *st, const char *what,
                                const int64_t ring[2], int64_t places);

// ------------------------------------------------------------------ pictures

/// A picture of bytes: `channels` 1 (grey) or 3 (red, green, blue) per pixel,
/// row by row.
typedef struct wsr__picture {
    const unsigned char *bytes;
    size_t width;
    size_t height;
    size_t channels;
} wsr__picture;

/// Append bytes as base64 (RFC 4648).
void wsr__add_base64(wsr__str *out, const unsigned char *bytes, size_t n);

/// Append a picture as "data:image/png;base64,...".
wsr_status wsr__png_uri(wsr__str *out, const wsr__picture *picture);

/// Write a picture as a PNG file, replacing what is there as a whole or not at
/// all.
wsr_status wsr__png_write(const char *path, const wsr__picture *picture);

// -------------------------------------------------------------- JSON lines

/// A JSON object under construction; its keys stay in the order given. After
/// memory ran short adding does nothing, and wsr__json_line reports it.
typedef struct wsr__json wsr__json;

wsr_status wsr__json_new(wsr__json **out);
/// An object whose first field is the name of its event.
wsr_status wsr__json_event(wsr__json **out, const char *event);
void wsr__json_free(wsr__json *json); // NULL is legal

void wsr__json_text(wsr__json *json, const char *key, const char *value);
void wsr__json_integer(wsr__json *json, const char *key, int64_t value);
void wsr__json_bool(wsr__json *json, const char *key, bool value);
/// null when it is not finite.
void wsr__json_number(wsr__json *json, const char *key, double value);
/// As the shortest decimal that reads back to the same float.
void wsr__json_float(wsr__json *json, const char *key, float value);
void wsr__json_numbers(wsr__json *json, const char *key, const double *values,
                       size_t n);

/// The object on one line, without a line feed. ARG when a text was no UTF-8.
/// [out, owned]
wsr_status wsr__json_line(char **out, const wsr__json *json);
/// Append that line and a line feed.
wsr_status wsr__json_add_line(wsr__str *out, const wsr__json *json);

// --------------------------------------------------------------- JSON files

/// A value of a JSON file. Functions below take NULL for a value that is
/// absent.
typedef struct wsr__json_value wsr__json_value;

/// Read a file that is one object. FORMAT where it is none. [out, owned]
/// release with wsr__json_close(); all values inside are borrowed from it.
wsr_status wsr__json_open(wsr__json_value **out, const char *path);
void wsr__json_close(wsr__json_value *root); // NULL is legal

/// Member of an object, NULL where there is none.
const wsr__json_value *wsr__json_get(const wsr__json_value *object,
                                     const char *key);
/// Item of a list, NULL behind its end.
const wsr__json_value *wsr__json_at(const wsr__json_value *list, size_t i);
/// Length of a list, 0 of anything else.
size_t wsr__json_length(const wsr__json_value *list);
bool wsr__json_is_object(const wsr__json_value *value);
/// NAN for anything but a number.
double wsr__json_double(const wsr__json_value *value);
/// NULL for anything but a text.
const char *wsr__json_string(const wsr__json_value *value);

/// A member of an object; {0} is before the first.
typedef struct wsr__json_member {
    void *place;
    const char *key;
    const wsr__json_value *value;
} wsr__json_member;

/// Go to the next member, in the order of the file; false behind the last.
bool wsr__json_next(wsr__json_member *member, const wsr__json_value *object);

#endif
