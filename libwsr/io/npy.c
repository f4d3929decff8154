// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy (numpy.lib.format): "\x93NUMPY", version, length of the header,
// a header that is the text of a Python dict,
//
//     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// and the elements. The array of a .npy file has the name "arr_0", as
// numpy.savez() calls an array without a name.

#include "io/npz.h"

#include <ctype.h>
#include <string.h>

enum {
    MAGIC_SIZE = 6,
    ALIGN = 64,
    HEADER_MOST = 65536, // bytes; NumPy itself refuses more than 10000
    MOST_DIGITS = 18     // of a dimension
};

static const char magic[] = "\x93NUMPY";

// What stands in the header.
typedef struct header {
    char descr[16]; // "<f4"
    bool fortran;
    wsr__st_tensor t; // dtype and dims
} header;

// -------------------------------------------------------------------- types

// The order of bytes is the first letter of a descr, '|' where there is none.
static const struct {
    const char *name;
    wsr__st_dtype dtype;
} types[] = {
    {"f4", WSR__ST_F32},  {"f8", WSR__ST_F64}, {"f2", WSR__ST_F16},
    {"i8", WSR__ST_I64},  {"i4", WSR__ST_I32}, {"u1", WSR__ST_U8},
    {"b1", WSR__ST_BOOL},
};

enum { TYPES = sizeof(types) / sizeof(*types) };

static wsr_status find_type(header *h, const wsr__st *st, const char *name)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strchr("<>|=", h->descr[0]) != NULL && h->descr[0] != '\0' &&
            wsr__streq(h->descr + 1, types[i].name)) {
            h->t.dtype = types[i].dtype;
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "%s: array '%.80s' has elements '%s', supported are f2, "
                    "f4, f8, i4, i8, u1, b1",
                    st->path, name, h->descr);
}

// ------------------------------------------------------------------ reading

// The header's text from `p` on.
typedef struct scanner {
    const char *p;
    const char *end;
} scanner;

static void skip_spaces(scanner *s)
{
    while (s->p < s->end && isspace((unsigned char)*s->p)) {
        s->p++;
    }
}

// Step over a word, and spaces in front of it, if it stands there.
static bool accept(scanner *s, const char *word)
{
    const size_t n = strlen(word);
    skip_spaces(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) {
        return false;
    }
    s->p += n;
    return true;
}

// A text in quotes, without escapes.
static bool read_text(char *out, size_t size, scanner *s)
{
    const char quote = accept(s, "'") ? '\'' : accept(s, "\"") ? '"' : '\0';
    size_t n = 0;
    while (s->p < s->end && *s->p != quote && n + 1 < size &&
           isprint((unsigned char)*s->p)) {
        out[n++] = *s->p++;
    }
    out[n] = '\0';
    if (quote == '\0' || s->p == s->end || *s->p != quote) {
        return false;
    }
    s->p++;
    return true;
}

// Python 2 wrote long integers with an L.
static bool read_dim(int64_t *out, scanner *s)
{
    size_t digits = 0;
    int64_t value = 0;
    skip_spaces(s);
    while (s->p < s->end && isdigit((unsigned char)*s->p) &&
           digits < MOST_DIGITS) {
        value = value * 10 + (*s->p++ - '0');
        digits++;
    }
    (void)accept(s, "L");
    *out = value;
    return digits > 0;
}

// (), (3,) or (3, 4); a comma may follow the last.
static bool read_shape(wsr__st_tensor *t, scanner *s)
{
    bool more = true;
    t->ndims = 0;
    if (!accept(s, "(")) {
        return false;
    }
    while (!accept(s, ")")) {
        if (!more || t->ndims == WSR__ST_DIMS ||
            !read_dim(&t->dims[t->ndims], s)) {
            return false;
        }
        t->ndims++;
        more = accept(s, ",");
    }
    return true;
}

static bool read_value(header *h, const char *key, scanner *s)
{
    if (wsr__streq(key, "descr")) {
        return read_text(h->descr, sizeof(h->descr), s);
    }
    if (wsr__streq(key, "fortran_order")) {
        h->fortran = accept(s, "True");
        return h->fortran || accept(s, "False");
    }
    return wsr__streq(key, "shape") && read_shape(&h->t, s);
}

// The three keys in any order; a comma may follow the last.
static bool read_dict(header *h, scanner *s)
{
    char key[16];
    size_t n = 0;
    bool more = accept(s, "{");
    while (more && !accept(s, "}")) {
        const bool good = n++ < 3 && read_text(key, sizeof(key), s) &&
                          accept(s, ":") && read_value(h, key, s);
        if (!good) {
            return false;
        }
        more = accept(s, ",");
        if (!more) {
            more = accept(s, "}");
            break;
        }
    }
    return more && n == 3 && h->descr[0] != '\0';
}

static wsr_status corrupt(const wsr__st *st, const char *name, const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "%s: array '%.80s' %s", st->path, name, what);
}

// Place of the elements, 0 where the header is none.
static size_t split(scanner *s, const unsigned char *bytes, size_t size)
{
    uint32_t length = 0;
    const size_t wide = size > MAGIC_SIZE && bytes[MAGIC_SIZE] > 1 ? 4 : 2;
    const size_t begin = MAGIC_SIZE + 2 + wide;
    if (size < begin || memcmp(bytes, magic, MAGIC_SIZE) != 0 ||
        bytes[MAGIC_SIZE] < 1 || bytes[MAGIC_SIZE] > 3) {
        return 0;
    }
    memcpy(&length, bytes + MAGIC_SIZE + 2, wide);
    if (length > HEADER_MOST || length > size - begin) {
        return 0;
    }
    s->p = (const char *)bytes + begin;
    s->end = s->p + length;
    return begin + length;
}

// In Fortran order the first axis is the fastest.
static wsr_status take_elements(header *h, wsr__st *st,
                                const unsigned char *data)
{
    wsr__st_tensor *const t = &h->t;
    const bool swapped = h->descr[0] == '>' && wsr__st_dtype_size(t->dtype) > 1;
    wsr__strided src = {.data = data, .swapped = swapped};
    int64_t stride = 1;
    t->data = data;
    if (!swapped && (!h->fortran || t->ndims < 2)) {
        return WSR_OK;
    }
    for (size_t i = 0; i < t->ndims; i++) {
        const size_t d = h->fortran ? i : t->ndims - 1 - i;
        src.strides[d] = stride;
        stride *= t->dims[d];
    }
    return wsr__st_gather(t, st, &src);
}

wsr_status wsr__npy_append(wsr__st *st, const char *name,
                           const unsigned char *bytes, size_t size)
{
    wsr_status status = WSR_OK;
    scanner s = {0};
    header h = {.t = {.name = name}};
    const size_t begin = split(&s, bytes, size);
    if (begin == 0) {
        return corrupt(st, name, "has no header of NumPy, or a truncated one");
    }
    if (!read_dict(&h, &s)) {
        return corrupt(st, name,
                       "has a header that is no dict of descr, fortran_order "
                       "and shape, as with arrays of records");
    }
    WSR_TRY(find_type(&h, st, name));
    if (!wsr__st_measure(&h.t)) {
        return corrupt(st, name, "is too large");
    }
    if (h.t.bytes != size - begin) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: array '%.80s' has %zu bytes, its shape needs %zu",
                        st->path, name, size - begin, h.t.bytes);
    }
    WSR_TRY(take_elements(&h, st, bytes + begin));
    WSR_TRY(wsr__st_append(st, &h.t));
out:
    return status;
}

static bool is_npy(const unsigned char *bytes, size_t size)
{
    return size >= MAGIC_SIZE && memcmp(bytes, magic, MAGIC_SIZE) == 0;
}

static wsr_status read_file(wsr__st *st)
{
    return wsr__npy_append(st, "arr_0", st->bytes, st->size);
}

// ------------------------------------------------------------------ writing

static void add_dict(wsr__str *out, const wsr__st_tensor *t, const char *type)
{
    wsr__str_addf(out, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                  wsr__st_dtype_size(t->dtype) > 1 ? '<' : '|', type);
    for (size_t d = 0; d < t->ndims; d++) {
        wsr__str_addf(out, "%s%lld", d != 0 ? ", " : "", (long long)t->dims[d]);
    }
    wsr__str_add(out, t->ndims == 1 ? ",), }" : "), }");
}

// Version 1: eight dimensions always fit into 65535 bytes.
wsr_status wsr__npy_header(wsr__str *out, const wsr__st_tensor *t)
{
    wsr_status status = WSR_OK;
    wsr__str dict = {0};
    const char *type = NULL;
    for (size_t i = 0; i < TYPES; i++) {
        type = types[i].dtype == t->dtype ? types[i].name : type;
    }
    if (type == NULL) {
        return WSR_FAIL(WSR_UNSUPPORTED, "tensor '%.80s': NumPy has no %s",
                        t->name, wsr__st_dtype_name(t->dtype));
    }
    add_dict(&dict, t, type);
    while (!dict.failed && (MAGIC_SIZE + 4 + dict.len + 1) % ALIGN != 0) {
        wsr__str_add(&dict, " ");
    }
    wsr__str_add(&dict, "\n");
    WSR_TRY(wsr__str_status(&dict));
    const uint16_t length = (uint16_t)dict.len;
    wsr__str_addn(out, "\x93NUMPY\1\0", MAGIC_SIZE + 2);
    wsr__str_addn(out, (const char *)&length, sizeof(length));
    wsr__str_addn(out, dict.s, dict.len);
    WSR_TRY(wsr__str_status(out));
out:
    wsr__str_free(&dict);
    return status;
}

static wsr_status write_file(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__atomic_file file = {0};
    wsr__str head = {0};
    const wsr__st_tensor *const t = wsr__st_builder_at(builder, 0);
    if (t == NULL || wsr__st_builder_at(builder, 1) != NULL) {
        return WSR_FAIL(WSR_ARG,
                        "%s: a .npy file holds one array, .npz holds several",
                        path);
    }
    WSR_TRY(wsr__npy_header(&head, t));
    WSR_TRY(wsr__atomic_open(&file, path));
    WSR_TRY(wsr__atomic_write(&file, head.s, head.len));
    WSR_TRY(wsr__atomic_write(&file, t->data, t->bytes));
    WSR_TRY(wsr__atomic_commit(&file, false));
out:
    wsr__atomic_discard(&file);
    wsr__str_free(&head);
    return status;
}

static const char *const endings[] = {".npy", NULL};

const wsr__format_class wsr__format_npy = {
    .super = {.name = "npy",
              .summary = "one array of NumPy, without metadata",
              .reference = "https://numpy.org/doc/stable/reference/generated/"
                           "numpy.lib.format.html"},
    .endings = endings,
    .is = is_npy,
    .read = read_file,
    .write = write_file,
};
