// SPDX-License-Identifier: Apache-2.0
//
// Pickles of state dicts: Python's stack machine for the constructions that
// torch.save() makes of tensors and what stands beside them in a checkpoint.
// Nothing is executed and nothing is imported. A pickle that refers to anything
// else is refused, by that name.

#ifndef WSR_IO_PICKLE_H
#define WSR_IO_PICKLE_H

#include "io/io.h"

/// An element type of PyTorch.
typedef struct wsr__torch_type {
    const char *storage; // "FloatStorage", or NULL
    const char *dtype;   // "float32", or NULL for untyped storages
    size_t size;         // bytes of an element
    bool read;           // this library has it, as `as`
    wsr__st_dtype as;
} wsr__torch_type;

/// Of an element type, for writing.
const wsr__torch_type *wsr__torch_type_of(wsr__st_dtype dtype);

/// What a tensor's elements are kept in; several tensors may share one.
typedef struct wsr__torch_storage {
    const wsr__torch_type *type;
    const char *key; // [borrowed] of the pickle, not NUL-terminated
    size_t n_key;
    int64_t numel; // of the elements, of an untyped one bytes
    int64_t view;  // element of the storage `key` where this one begins
} wsr__torch_storage;

/// A view of a storage. Nothing is checked but the number of dimensions.
typedef struct wsr__torch_tensor {
    size_t storage; // its number
    const wsr__torch_type *type;
    int64_t offset; // in elements
    size_t ndims;
    int64_t dims[WSR__ST_DIMS];
    int64_t strides[WSR__ST_DIMS]; // in elements
} wsr__torch_tensor;

typedef enum wsr__pickle_kind {
    WSR__PICKLE_NONE,
    WSR__PICKLE_BOOL,
    WSR__PICKLE_INT,
    WSR__PICKLE_FLOAT,
    WSR__PICKLE_TEXT, // str or bytes
    WSR__PICKLE_TUPLE,
    WSR__PICKLE_LIST, // and sets
    WSR__PICKLE_DICT, // keys and values in turn
    WSR__PICKLE_TYPE,
    WSR__PICKLE_FUNCTION,
    WSR__PICKLE_STORAGE,
    WSR__PICKLE_TENSOR,
    WSR__PICKLE_OBJECT // a harmless one, whose content is not kept
} wsr__pickle_kind;

struct wsr__pickle;

/// A function or class that a pickle may name, and what becomes of a call.
typedef struct wsr__pickle_function {
    const char *module;
    const char *name;
    /// Put the result of a call into `*out`, given the tuple of arguments.
    wsr_status (*call)(uint32_t *out, struct wsr__pickle *pickle,
                       uint32_t args);
} wsr__pickle_function;

/// Values refer to each other by number.
typedef struct wsr__pickle_value {
    wsr__pickle_kind kind;
    uint32_t n; // bytes of a text, items of a sequence; of a dict two a pair
    union {
        int64_t integer; // also of a bool
        double real;
        const char *text; // [borrowed] of the bytes, not NUL-terminated
        uint32_t *items;
        const wsr__torch_type *type;
        const wsr__pickle_function *function;
        size_t index; // of storages or tensors
    } as;
} wsr__pickle_value;

/// A pickle that was read; its memory is bounded by some times its size.
typedef struct wsr__pickle {
    const char *path;           // [borrowed] for messages
    const unsigned char *bytes; // [borrowed]
    size_t size;
    size_t at; // of the next byte, in the end the pickle's length
    wsr__pickle_value *values;
    size_t n_values;
    size_t values_capacity;
    wsr__torch_storage *storages;
    size_t n_storages;
    size_t storages_capacity;
    wsr__torch_tensor *tensors;
    size_t n_tensors;
    size_t tensors_capacity;
    uint32_t *stack;
    size_t n_stack;
    size_t stack_capacity;
    uint32_t *memo;
    size_t n_memo;
    size_t memo_capacity;
    uint32_t root; // number of the result
    bool stopped;
} wsr__pickle;

/// Run the pickle at the start of some bytes until it stops. FORMAT, naming
/// it, for what is no part of a state dict. [out] `pickle` must be freed, also
/// after a failure. [borrowed] Path and bytes must outlive it.
wsr_status wsr__pickle_read(wsr__pickle *pickle, const unsigned char *bytes,
                            size_t size, const char *path);

void wsr__pickle_free(wsr__pickle *pickle); // {0} is legal

/// Value of a number.
const wsr__pickle_value *wsr__pickle_at(const wsr__pickle *pickle,
                                        uint32_t value);

/// Item `i` of a tuple, list or dict; NULL behind the last.
const wsr__pickle_value *wsr__pickle_item(const wsr__pickle *pickle,
                                          const wsr__pickle_value *sequence,
                                          size_t i);

bool wsr__pickle_is_text(const wsr__pickle_value *value, const char *text);

/// Value of a key of a dict, NULL when there is none.
const wsr__pickle_value *wsr__pickle_get(const wsr__pickle *pickle,
                                         const wsr__pickle_value *dict,
                                         const char *key);

// ------------------------------------------------- between the two C files

/// Append a value. FORMAT when there are more than numbers for them.
wsr_status wsr__pickle_add(uint32_t *out, wsr__pickle *pickle,
                           const wsr__pickle_value *value);

/// Append an item to a list or dict.
wsr_status wsr__pickle_append(wsr__pickle *pickle, uint32_t sequence,
                              uint32_t item);

/// The global `module.name` as a value.
wsr_status wsr__pickle_global(uint32_t *out, wsr__pickle *pickle,
                              const wsr__pickle_value *module,
                              const wsr__pickle_value *name);

/// What a persistent id stands for: a storage.
wsr_status wsr__pickle_storage(uint32_t *out, wsr__pickle *pickle, uint32_t id);

/// FORMAT, with the place.
wsr_status wsr__pickle_corrupt(const wsr__pickle *pickle, const char *what);

#endif
