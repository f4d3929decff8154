// SPDX-License-Identifier: Apache-2.0
//
// What the pickles of torch.save() refer to: the functions of torch/_utils.py
// that make tensors of storages, types, OrderedDict, and classes of what often
// stands beside the tensors in a checkpoint, whose objects are read over.

#include "io/pickle.h"

#include <ctype.h>
#include <string.h>

enum { NAME_SIZE = 81 }; // of a text in a message

typedef wsr__pickle_value value;

// -------------------------------------------------------------------- types

// Those without `read` may stand outside of the state dict.
static const wsr__torch_type types[] = {
    {"FloatStorage", "float32", 4, true, WSR__ST_F32},
    {"DoubleStorage", "float64", 8, true, WSR__ST_F64},
    {"HalfStorage", "float16", 2, true, WSR__ST_F16},
    {"BFloat16Storage", "bfloat16", 2, true, WSR__ST_BF16},
    {"LongStorage", "int64", 8, true, WSR__ST_I64},
    {"IntStorage", "int32", 4, true, WSR__ST_I32},
    {"ByteStorage", "uint8", 1, true, WSR__ST_U8},
    {"BoolStorage", "bool", 1, true, WSR__ST_BOOL},
    {"ShortStorage", "int16", 2, false, 0},
    {"CharStorage", "int8", 1, false, 0},
    {"ComplexFloatStorage", "complex64", 8, false, 0},
    {"ComplexDoubleStorage", "complex128", 16, false, 0},
    {NULL, "uint16", 2, false, 0},
    {NULL, "uint32", 4, false, 0},
    {NULL, "uint64", 8, false, 0},
    {NULL, "float8_e4m3fn", 1, false, 0},
    {NULL, "float8_e5m2", 1, false, 0},
    {NULL, "float8_e4m3fnuz", 1, false, 0},
    {NULL, "float8_e5m2fnuz", 1, false, 0},
    {"UntypedStorage", NULL, 1, false, 0},
    {"_UntypedStorage", NULL, 1, false, 0},
};

enum { TYPES = sizeof(types) / sizeof(*types) };

const wsr__torch_type *wsr__torch_type_of(wsr__st_dtype dtype)
{
    size_t i = 0;
    while (i + 1 < TYPES && !(types[i].read && types[i].as == dtype)) {
        i++;
    }
    return &types[i];
}

static const wsr__torch_type *find_type(const value *module, const value *name)
{
    const bool torch = wsr__pickle_is_text(module, "torch");
    if (!torch && !wsr__pickle_is_text(module, "torch.cuda") &&
        !wsr__pickle_is_text(module, "torch.storage")) {
        return NULL;
    }
    for (size_t i = 0; i < TYPES; i++) {
        const wsr__torch_type *const t = &types[i];
        if ((t->storage != NULL && wsr__pickle_is_text(name, t->storage)) ||
            (torch && t->dtype != NULL &&
             wsr__pickle_is_text(name, t->dtype))) {
            return t;
        }
    }
    return NULL;
}

// ---------------------------------------------------------------- arguments

static const value *argument(const wsr__pickle *p, uint32_t args, size_t i)
{
    static const value none = {.kind = WSR__PICKLE_NONE};
    const value *const v = wsr__pickle_item(p, wsr__pickle_at(p, args), i);
    return v != NULL ? v : &none;
}

// A tuple or list of whole numbers; -1 when it is none, or too long.
static int read_integers(int64_t out[WSR__ST_DIMS], const wsr__pickle *p,
                         const value *v)
{
    if ((v->kind != WSR__PICKLE_TUPLE && v->kind != WSR__PICKLE_LIST) ||
        v->n > WSR__ST_DIMS) {
        return -1;
    }
    for (size_t i = 0; i < v->n; i++) {
        const value *const item = wsr__pickle_item(p, v, i);
        if (item->kind != WSR__PICKLE_INT) {
            return -1;
        }
        out[i] = item->as.integer;
    }
    return (int)v->n;
}

// ------------------------------------------------------------------ functions

// storage, offset, size, stride; then whether it needs a gradient, hooks, and,
// of version 3, the type, where the storage has none.
static wsr_status rebuild_tensor(uint32_t *out, wsr__pickle *p, uint32_t args)
{
    wsr_status status = WSR_OK;
    void *array = p->tensors;
    wsr__torch_tensor t = {0};
    const value *const storage = argument(p, args, 0);
    const value *const offset = argument(p, args, 1);
    const value *const type = argument(p, args, 6);
    const int ndims = read_integers(t.dims, p, argument(p, args, 2));
    const int strides = read_integers(t.strides, p, argument(p, args, 3));
    if (storage->kind != WSR__PICKLE_STORAGE ||
        offset->kind != WSR__PICKLE_INT || ndims < 0 || strides != ndims) {
        return wsr__pickle_corrupt(
            p, "a tensor without storage, offset, and as many strides as "
               "dimensions, at most 8,");
    }
    t.storage = storage->as.index;
    t.type = type->kind == WSR__PICKLE_TYPE ? type->as.type
                                            : p->storages[t.storage].type;
    t.offset = offset->as.integer;
    t.ndims = (size_t)ndims;
    WSR_TRY(wsr__reserve(&array, &p->tensors_capacity, p->n_tensors + 1,
                         sizeof(t)));
    p->tensors = array;
    p->tensors[p->n_tensors] = t;
    WSR_TRY(wsr__pickle_add(
        out, p,
        &(value){.kind = WSR__PICKLE_TENSOR, .as.index = p->n_tensors++}));
out:
    return status;
}

// The first argument itself: a parameter's tensor, a size's tuple.
static wsr_status first_argument(uint32_t *out, wsr__pickle *p, uint32_t args)
{
    const value *const v = wsr__pickle_at(p, args);
    *out = v->n > 0 ? v->as.items[0] : args;
    return WSR_OK;
}

// A tensor with attributes: the function, its class, its arguments.
static wsr_status rebuild_from_type(uint32_t *out, wsr__pickle *p,
                                    uint32_t args)
{
    const value *const function = argument(p, args, 0);
    const value *const inner = argument(p, args, 2);
    *out = args;
    if (function->kind != WSR__PICKLE_FUNCTION ||
        inner->kind != WSR__PICKLE_TUPLE ||
        function->as.function->call == rebuild_from_type) {
        return wsr__pickle_corrupt(p, "a tensor of no known function");
    }
    const uint32_t number = wsr__pickle_at(p, args)->as.items[2];
    return function->as.function->call(out, p, number);
}

// OrderedDict() or, as Python 2 wrote it, OrderedDict([[key, value], ...]).
static wsr_status make_dict(uint32_t *out, wsr__pickle *p, uint32_t args)
{
    wsr_status status = WSR_OK;
    const uint32_t none = 0;
    WSR_TRY(wsr__pickle_add(out, p, &(value){.kind = WSR__PICKLE_DICT}));
    const value *const list = argument(p, args, 0);
    const uint32_t n = list->kind == WSR__PICKLE_LIST ? list->n : none;
    for (uint32_t i = 0; i < n; i++) {
        // Values may have moved: what is appended to has its number.
        const value *const pair = wsr__pickle_item(p, argument(p, args, 0), i);
        if ((pair->kind != WSR__PICKLE_LIST &&
             pair->kind != WSR__PICKLE_TUPLE) ||
            pair->n != 2) {
            return wsr__pickle_corrupt(p, "a dict of what are no pairs");
        }
        WSR_TRY(wsr__pickle_append(p, *out, pair->as.items[0]));
        WSR_TRY(wsr__pickle_append(p, *out, pair->as.items[1]));
    }
out:
    return status;
}

static wsr_status make_object(uint32_t *out, wsr__pickle *p, uint32_t args)
{
    (void)args;
    return wsr__pickle_add(out, p, &(value){.kind = WSR__PICKLE_OBJECT});
}

// No object of these can hold a tensor that is a network's.
static const wsr__pickle_function functions[] = {
    {"collections", "OrderedDict", make_dict},
    {"collections", "defaultdict", make_dict},
    {"torch._utils", "_rebuild_tensor", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v3", rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", first_argument},
    {"torch._utils", "_rebuild_parameter_with_state", first_argument},
    {"torch._tensor", "_rebuild_from_type_v2", rebuild_from_type},
    {"torch", "Tensor", make_object},
    {"torch.nn.parameter", "Parameter", make_object},
    {"torch.nn.parameter", "Buffer", make_object},
    {"torch", "Size", first_argument},
    {"torch", "device", make_object},
    {"torch.torch_version", "TorchVersion", make_object},
    {"collections", "Counter", make_object},
    {"collections", "deque", make_object},
    {"argparse", "Namespace", make_object},
    {"types", "SimpleNamespace", make_object},
    {"easydict", "EasyDict", make_object},
    {"pytorch_lightning.utilities.parsing", "AttributeDict", make_object},
    {"lightning_fabric.utilities.data", "AttributeDict", make_object},
    {"lightning.fabric.utilities.data", "AttributeDict", make_object},
    {"numpy.core.multiarray", "scalar", make_object},
    {"numpy._core.multiarray", "scalar", make_object},
    {"numpy.core.multiarray", "_reconstruct", make_object},
    {"numpy._core.multiarray", "_reconstruct", make_object},
    {"numpy", "dtype", make_object},
    {"numpy", "ndarray", make_object},
    {"_codecs", "encode", make_object},
    {"datetime", "datetime", make_object},
    {"datetime", "date", make_object},
    {"datetime", "timedelta", make_object},
    {"pathlib", "PosixPath", make_object},
    {"pathlib", "WindowsPath", make_object},
    {"pathlib", "PurePosixPath", make_object},
    {"builtins", "set", make_object},
    {"builtins", "frozenset", make_object},
    {"builtins", "dict", make_object},
    {"builtins", "list", make_object},
    {"builtins", "int", make_object},
    {"builtins", "float", make_object},
    {"builtins", "bool", make_object},
    {"builtins", "str", make_object},
    {"builtins", "bytes", make_object},
    {"builtins", "bytearray", make_object},
    {"builtins", "complex", make_object},
    {"builtins", "range", make_object},
    {"builtins", "slice", make_object},
    {"builtins", "object", make_object},
    {"copyreg", "_reconstructor", make_object},
};

enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

// Python 2's names of two modules, which torch.save() writes too (protocol 2).
static const char *const renamed[][2] = {{"__builtin__", "builtins"},
                                         {"copy_reg", "copyreg"}};

static bool is_module(const value *module, const char *name)
{
    bool same = wsr__pickle_is_text(module, name);
    for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++) {
        same = same || (wsr__streq(renamed[i][1], name) &&
                        wsr__pickle_is_text(module, renamed[i][0]));
    }
    return same;
}

// A text of the file in a message of one line.
static void print_name(char out[NAME_SIZE], const value *v)
{
    size_t n = 0;
    while (v->kind == WSR__PICKLE_TEXT && n < v->n && n + 1 < NAME_SIZE) {
        const unsigned char c = (unsigned char)v->as.text[n];
        out[n++] = isprint(c) ? (char)c : '?';
    }
    out[n] = '\0';
}

wsr_status wsr__pickle_global(uint32_t *out, wsr__pickle *p,
                              const wsr__pickle_value *module,
                              const wsr__pickle_value *name)
{
    char words[2][NAME_SIZE];
    const wsr__torch_type *const type = find_type(module, name);
    *out = 0;
    if (type != NULL) {
        return wsr__pickle_add(
            out, p, &(value){.kind = WSR__PICKLE_TYPE, .as.type = type});
    }
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const wsr__pickle_function *const f = &functions[i];
        if (is_module(module, f->module) &&
            wsr__pickle_is_text(name, f->name)) {
            return wsr__pickle_add(
                out, p,
                &(value){.kind = WSR__PICKLE_FUNCTION, .as.function = f});
        }
    }
    print_name(words[0], module);
    print_name(words[1], name);
    return WSR_FAIL(WSR_FORMAT,
                    "%s: pickle refers to %s.%s, which is no part of a state "
                    "dict; permitted: dense tensors, plain values, "
                    "OrderedDict, argparse.Namespace, NumPy's scalars; save "
                    "model.state_dict() with torch.save",
                    p->path, words[0], words[1]);
}

// ------------------------------------------------------------------ storages

// ('storage', type, key, device, number of elements), in old files also None
// or (key, offset, size) of a view of the storage.
wsr_status wsr__pickle_storage(uint32_t *out, wsr__pickle *p, uint32_t id)
{
    wsr_status status = WSR_OK;
    void *array = p->storages;
    const value *const type = argument(p, id, 1);
    const value *const key = argument(p, id, 2);
    const value *const numel = argument(p, id, 4);
    const value *const view = argument(p, id, 5);
    *out = 0;
    if (!wsr__pickle_is_text(argument(p, id, 0), "storage") ||
        type->kind != WSR__PICKLE_TYPE || key->kind != WSR__PICKLE_TEXT ||
        numel->kind != WSR__PICKLE_INT || type->as.type->storage == NULL) {
        return wsr__pickle_corrupt(p, "an object that is no storage");
    }
    wsr__torch_storage s = {.type = type->as.type,
                            .key = key->as.text,
                            .n_key = key->n,
                            .numel = numel->as.integer};
    if (view->kind == WSR__PICKLE_TUPLE) {
        const value *const offset = wsr__pickle_item(p, view, 1);
        const value *const size = wsr__pickle_item(p, view, 2);
        if (size == NULL || offset->kind != WSR__PICKLE_INT ||
            size->kind != WSR__PICKLE_INT) {
            return wsr__pickle_corrupt(p, "a storage that is no view");
        }
        s.view = offset->as.integer;
    }
    WSR_TRY(wsr__reserve(&array, &p->storages_capacity, p->n_storages + 1,
                         sizeof(s)));
    p->storages = array;
    p->storages[p->n_storages] = s;
    WSR_TRY(wsr__pickle_add(
        out, p,
        &(value){.kind = WSR__PICKLE_STORAGE, .as.index = p->n_storages++}));
out:
    return status;
}
