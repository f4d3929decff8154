// SPDX-License-Identifier: Apache-2.0

#include "io/io.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float floats[6] = {0.0f, -1.5f, 3.25e-20f, INFINITY, 1e30f, 7.0f};
static const double doubles[2] = {1.0 / 3.0, -2.0};
static const int64_t integers[2] = {INT64_MIN, 42};
static const unsigned char bytes[3] = {1, 0, 255};

static wsr_status fill(wsr__st_builder *b, bool reversed)
{
    static const int64_t dims[] = {2, 3};
    wsr_status status = WSR_OK;
    const uint64_t big = UINT64_MAX;
    for (int i = 0; i < 7; i++) {
        switch (reversed ? 6 - i : i) {
        case 0:
            WSR_TRY(wsr__st_add(b, "w", WSR__ST_F32, floats, dims, 2));
            break;
        case 1:
            WSR_TRY(wsr__st_add_f64(b, "d", doubles, 2));
            break;
        case 2:
            WSR_TRY(wsr__st_add_i64(b, "i", integers, 2));
            break;
        case 3:
            WSR_TRY(wsr__st_add_u64(b, "u", &big, 1));
            break;
        case 4:
            WSR_TRY(wsr__st_add_u8(b, "b", bytes, 3));
            break;
        case 5:
            WSR_TRY(wsr__st_add(b, "scalar", WSR__ST_F32, floats + 1, NULL, 0));
            break;
        default:
            WSR_TRY(wsr__st_add_f32(b, "empty", floats, 0));
            break;
        }
    }
    WSR_TRY(wsr__st_set(b, reversed ? "z" : "a\"\n\\", "v\"\x01\xc3\xa9"));
    WSR_TRY(wsr__st_set(b, reversed ? "a\"\n\\" : "z", "v\"\x01\xc3\xa9"));
    WSR_TRY(wsr__st_setf(b, "n", "%d %.1f", 3, 0.5));
out:
    return status;
}

static void serialize(unsigned char **out, size_t *size, bool reversed)
{
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(fill(b, reversed));
    ck_assert_ok(wsr__st_serialize(out, size, b));
    wsr__st_builder_free(b);
}

START_TEST(what_was_written_reads_back)
{
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    float f[6];
    double d[6];
    int64_t i[3];
    uint64_t u = 0;
    unsigned char b[3];
    serialize(&data, &size, false);
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
    ck_assert_uint_eq(wsr__st_count(st), 7);
    ck_assert_str_eq(wsr__st_path(st), "mem");
    const wsr__st_tensor *const w = wsr__st_find(st, "w");
    ck_assert_int_eq(w->dtype, WSR__ST_F32);
    ck_assert_uint_eq(w->ndims, 2);
    ck_assert_int_eq(w->dims[0], 2);
    ck_assert_int_eq(w->dims[1], 3);
    ck_assert_uint_eq(w->bytes, 24);
    ck_assert_uint_eq(wsr__st_find(st, "scalar")->ndims, 0);
    ck_assert_uint_eq(wsr__st_find(st, "scalar")->count, 1);
    ck_assert_uint_eq(wsr__st_find(st, "empty")->count, 0);
    ck_assert_ok(wsr__st_read_f32(f, st, "w", 6));
    ck_assert_mem_eq(f, floats, sizeof(floats));
    ck_assert_ok(wsr__st_read_f64(d, st, "w", 6));
    ck_assert_double_eq(d[1], -1.5);
    ck_assert_ok(wsr__st_read_f64(d, st, "d", 2));
    ck_assert_mem_eq(d, doubles, sizeof(doubles));
    ck_assert_ok(wsr__st_read_f32(f, st, "d", 2));
    ck_assert_double_eq((double)f[0], (double)(1.0f / 3.0f));
    ck_assert_ok(wsr__st_read_i64(i, st, "i", 2));
    ck_assert_mem_eq(i, integers, sizeof(integers));
    ck_assert_ok(wsr__st_read_i64(i, st, "b", 3));
    ck_assert_int_eq(i[2], 255);
    ck_assert_ok(wsr__st_read_u64(&u, st, "u", 1));
    ck_assert(u == UINT64_MAX);
    ck_assert_ok(wsr__st_read_u8(b, st, "b", 3));
    ck_assert_mem_eq(b, bytes, 3);
    ck_assert_str_eq(wsr__st_metadata(st, "a\"\n\\"), "v\"\x01\xc3\xa9");
    ck_assert_str_eq(wsr__st_metadata(st, "n"), "3 0.5");
    ck_assert_ptr_null(wsr__st_metadata(st, "m"));
    ck_assert_uint_eq(wsr__st_metadata_count(st), 3);
    ck_assert_str_eq(wsr__st_metadata_key(st, 1), "n");
    ck_assert_str_eq(wsr__st_metadata_value(st, 1), "3 0.5");
    ck_assert_ptr_null(wsr__st_metadata_key(st, 3));
    wsr__st_free(st);
    wsr__free(data);
}
END_TEST

START_TEST(bytes_do_not_depend_on_the_order_of_additions)
{
    unsigned char *first = NULL;
    unsigned char *second = NULL;
    size_t n = 0;
    size_t m = 0;
    serialize(&first, &n, false);
    serialize(&second, &m, true);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(first, second, n);
    wsr__free(first);
    wsr__free(second);
}
END_TEST

START_TEST(data_is_aligned)
{
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    serialize(&data, &size, false);
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
    ck_assert_uint_eq((uintptr_t)wsr__st_at(st, 0)->data % 64, 0);
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        const size_t each = wsr__st_dtype_size(t->dtype);
        ck_assert_uint_eq((uintptr_t)t->data % each, 0);
    }
    ck_assert_ptr_null(wsr__st_at(st, 7));
    wsr__st_free(st);
    wsr__free(data);
}
END_TEST

START_TEST(a_file_holds_the_serialized_bytes)
{
    unsigned char *data = NULL;
    unsigned char *file = NULL;
    size_t size = 0;
    size_t file_size = 0;
    char path[600];
    wsr__st_builder *b = NULL;
    wsr__st *st = NULL;
    (void)snprintf(path, sizeof(path), "%s/a.safetensors",
                   scratch_folder("st"));
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(fill(b, true));
    ck_assert_ok(wsr__st_write(b, path));
    ck_assert_ok(wsr__st_write(b, path)); // twice is the same
    wsr__st_builder_free(b);
    serialize(&data, &size, false);
    ck_assert_ok(wsr__file_read(&file, &file_size, path, 1 << 20));
    ck_assert_uint_eq(size, file_size);
    ck_assert_mem_eq(data, file, size);
    ck_assert_ok(wsr__st_open(&st, path));
    wsr__st_free(st);
    wsr__free(data);
    wsr__free(file);
}
END_TEST

START_TEST(an_empty_file_of_metadata_is_legal)
{
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st_builder *b = NULL;
    wsr__st *st = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_serialize(&data, &size, b));
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
    ck_assert_uint_eq(wsr__st_count(st), 0);
    ck_assert_ptr_null(wsr__st_find(st, "a"));
    ck_assert_ptr_null(wsr__st_metadata(st, "a"));
    wsr__st_free(st);
    wsr__free(data);
    ck_assert_ok(wsr__st_set(b, "k", "1"));
    ck_assert_ok(wsr__st_set(b, "k", "2"));
    ck_assert_ok(wsr__st_serialize(&data, &size, b));
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
    ck_assert_str_eq(wsr__st_metadata(st, "k"), "2");
    wsr__st_free(st);
    wsr__free(data);
    wsr__st_builder_free(b);
}
END_TEST

START_TEST(text_that_is_not_utf8_does_not_spoil_the_file)
{
    static const char *const texts[] = {("a\xff"
                                         "b"),
                                        "\xc3",
                                        "\xe2\x82",
                                        "\xed\xa0\x80",
                                        "\xc0\x80",
                                        "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        unsigned char *data = NULL;
        size_t size = 0;
        wsr__st_builder *b = NULL;
        wsr__st *st = NULL;
        ck_assert_ok(wsr__st_builder_new(&b));
        ck_assert_ok(wsr__st_set(b, "path", texts[i]));
        ck_assert_ok(wsr__st_serialize(&data, &size, b));
        ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
        ck_assert_ptr_nonnull(
            strstr(wsr__st_metadata(st, "path"), "\xef\xbf\xbd"));
        wsr__st_free(st);
        wsr__free(data);
        wsr__st_builder_free(b);
    }
}
END_TEST

START_TEST(wrong_additions_are_refused)
{
    static const int64_t negative = -1;
    static const int64_t huge[] = {INT64_MAX, INT64_MAX};
    static const int64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_fails(wsr__st_add(b, "x", WSR__ST_F32, floats, &negative, 1),
                    WSR_ARG, "x: a dimension is negative");
    ck_assert_fails(wsr__st_add(b, "x", WSR__ST_F32, floats, huge, 2), WSR_ARG,
                    "x: a dimension is negative or too large");
    ck_assert_fails(wsr__st_add(b, "x", WSR__ST_F32, floats, many, 9), WSR_ARG,
                    "x: 9 dimensions are more than 8");
    ck_assert_ok(wsr__st_add_f32(b, "x", floats, 2));
    ck_assert_ok(wsr__st_add_u8(b, "y", bytes, 2));
    ck_assert_ok(wsr__st_add_u8(b, "x", bytes, 2));
    ck_assert_fails(wsr__st_serialize(&data, &size, b), WSR_ARG,
                    "tensor 'x': name is given twice");
    wsr__st_builder_free(b);
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add_u8(b, "__metadata__", bytes, 2));
    ck_assert_fails(wsr__st_serialize(&data, &size, b), WSR_ARG,
                    "name is not permitted");
    wsr__st_builder_free(b);
}
END_TEST

START_TEST(wrong_reads_are_refused)
{
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    float f[8];
    int64_t i[8];
    uint64_t u[8];
    unsigned char b[8];
    serialize(&data, &size, false);
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "mem"));
    ck_assert_fails(wsr__st_read_f32(f, st, "nothing", 1), WSR_FORMAT,
                    "mem: there is no tensor 'nothing'");
    ck_assert_fails(wsr__st_read_f32(f, st, "w", 5), WSR_FORMAT,
                    "mem: tensor 'w' has 6 elements, not 5");
    ck_assert_fails(wsr__st_read_f32(f, st, "i", 2), WSR_FORMAT,
                    "mem: tensor 'i' is I64, not F32, F64, F16 or BF16");
    ck_assert_fails(wsr__st_read_i64(i, st, "w", 6), WSR_FORMAT,
                    "mem: tensor 'w' is F32, not an integer");
    ck_assert_fails(wsr__st_read_u64(u, st, "b", 3), WSR_FORMAT,
                    "mem: tensor 'b' is U8, not I64");
    ck_assert_fails(wsr__st_read_u8(b, st, "i", 2), WSR_FORMAT,
                    "mem: tensor 'i' is I64, not U8 or BOOL");
    wsr__st_free(st);
    wsr__free(data);
}
END_TEST

// A file made of a header and `zeros` bytes of data.
static wsr_status open_text(const char *header, size_t zeros)
{
    static unsigned char data[4096];
    const uint64_t n = strlen(header);
    wsr__st *st = NULL;
    memset(data, 0, sizeof(data));
    memcpy(data, &n, 8);
    memcpy(data + 8, header, n + 1);
    const wsr_status status =
        wsr__st_open_memory(&st, data, 8 + n + zeros, "f");
    ck_assert(status == WSR_OK ? st != NULL : st == NULL);
    wsr__st_free(st);
    return status;
}

#define TENSOR(name, dtype, shape, offsets)                  \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape \
    ",\"data_offsets\":" offsets "}"

// Headers, the bytes of data behind them, and what is said of them.
static const struct {
    const char *header;
    size_t zeros;
    const char *words;
} wrong_headers[] = {
    {"[]", 0, "f: no safetensors file: the header is not JSON"},
    {"", 0, "f: no safetensors file"},
    {"{\"a\":1", 0, "f: header: '}' expected"},
    {"{\"a\":1}", 0, "f: tensor 'a' is not described by dtype"},
    {"  ", 0, "f: no safetensors file: the header is not JSON"},
    {" []", 0, "f: no safetensors file: the header is not JSON"},
    {"{\"__metadata__\":1}", 0, "f: __metadata__ is not an object"},
    {"{} x", 0, "f: header: end of file expected"},
    {"{\"\xff\":1}", 0, "f: header: unable to decode byte 0xff"},
    {"{" TENSOR("a", "F32", "[1]", "[0,4]") "}", 0,
     "f: bytes [0, 4) of tensor 'a' are outside the data of 0 bytes"},
    {"{" TENSOR("a", "F32", "[1]", "[4,0]") "}", 4, "f: bytes [4, 0)"},
    {"{" TENSOR("a", "F32", "[1]", "[-4,0]") "}", 4, "f: bytes [-4, 0)"},
    {"{" TENSOR("a", "F32", "[2]", "[0,4]") "}", 4,
     "f: tensor 'a' has 4 bytes, its shape needs 8"},
    {"{" TENSOR("a", "F32", "[1]", "[0,4]") "}", 5,
     "f: 1 bytes at the end belong to no tensor"},
    {"{" TENSOR("a", "F32", "[1]", "[1,5]") "}", 5,
     "f: 1 bytes before tensor 'a' belong to none"},
    {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("b", "F32", "[1]",
                                                       "[2,6]") "}",
     6, "f: tensor 'b' overlaps tensor 'a'"},
    {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("a", "F32", "[1]",
                                                       "[4,8]") "}",
     8, "f: header: duplicate object key"},
    {"{" TENSOR("a", "Q9", "[1]", "[0,4]") "}", 4,
     "f: tensor 'a' has unknown dtype 'Q9'"},
    {"{" TENSOR("a", "F32", "[-1]", "[0,4]") "}", 4,
     "f: dimension 0 of tensor 'a' is no count"},
    {"{" TENSOR("a", "F32", "[1.0]", "[0,4]") "}", 4,
     "f: dimension 0 of tensor 'a' is no count"},
    {"{" TENSOR("a", "F32", "[4294967296,4294967296]", "[0,4]") "}", 4,
     "f: tensor 'a' is too large"},
    {"{" TENSOR("a", "F32", "[0,4294967296,4294967296,4294967296]",
                "[0,0]") "}",
     0, "f: tensor 'a' is too large"},
    {"{" TENSOR("a", "F32", "[99999999999999999999]", "[0,4]") "}", 4,
     "f: header: too big integer"},
    {"{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4,
     "f: tensor 'a' has no shape of at most 8 dimensions"},
    {"{" TENSOR("a", "F32", "1", "[0,4]") "}", 4, "has no shape"},
    {"{" TENSOR("a", "F32", "[1]", "[0]") "}", 4, "has no data_offsets"},
    {"{" TENSOR("a", "F32", "[1]", "[0,4.0]") "}", 4, "has no data_offsets"},
    {"{" TENSOR("", "F32", "[1]", "[0,4]") "}", 4,
     "f: a tensor's name is empty"},
    {"{" TENSOR("a\\n", "F32", "[1]", "[0,4]") "}", 4,
     "holds control characters"},
    {"{\"a\":{\"dtype\":3,\"shape\":[],\"data_offsets\":[0,4]}}", 4,
     "f: tensor 'a' has no dtype"},
    {"{\"__metadata__\":3}", 0, "f: __metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":3}}", 0, "f: metadata 'a' is not text"},
};

START_TEST(a_wrong_header_is_refused)
{
    for (size_t i = 0; i < sizeof(wrong_headers) / sizeof(wrong_headers[0]);
         i++) {
        ck_assert_fails(
            open_text(wrong_headers[i].header, wrong_headers[i].zeros),
            WSR_FORMAT, wrong_headers[i].words);
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    }
    ck_assert_fails(
        open_text("{" TENSOR("a", "F8_E5M2", "[2]", "[0,2]") "}", 2),
        WSR_UNSUPPORTED, "f: tensor 'a' has dtype F8_E5M2, supported");
    ck_assert_ok(open_text("{" TENSOR("a", "BOOL", "[1]", "[0,1]") "}  ", 1));
    ck_assert_ok(open_text("{}", 0));
}
END_TEST

// What the Python package accepts.
START_TEST(harmless_oddities_of_a_header_are_accepted)
{
    static const char odd[] =
        "{\"a\":{\"dtype\":\"F32\",\"x\":[1,{\"y\":null}],\"shape\":[1],"
        "\"data_offsets\":[0,4],\"z\":1.5}}";
    static const char *const headers[] = {
        " {" TENSOR("a", "F32", "[1]", "[0,4]") "}",
        "\n\t\r {" TENSOR("a", "F32", "[1]", "[0,4]") "}\n",
        "{\"__metadata__\":null," TENSOR("a", "F32", "[1]", "[0,4]") "}",
        odd,
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        ck_assert_ok(open_text(headers[i], 4));
    }
}
END_TEST

// Floats of all 65536 patterns, by arithmetic on the bits of floats.
START_TEST(floats_of_16_bits_are_widened_exactly)
{
    enum { N = 1 << 16 };
    static const char header[] =
        "{" TENSOR("h", "F16", "[65536]", "[0,131072]") "," TENSOR(
            "b", "BF16", "[65536]", "[131072,262144]") "}";
    static unsigned char data[8 + sizeof(header) + 4 * N];
    static float half[N];
    static double wide[N];
    const uint64_t n = sizeof(header) - 1;
    wsr__st *st = NULL;
    memcpy(data, &n, 8);
    memcpy(data + 8, header, n);
    for (uint32_t i = 0; i < 2 * N; i++) {
        data[8 + n + 2 * i] = (unsigned char)(i & 255);
        data[8 + n + 2 * i + 1] = (unsigned char)(i >> 8 & 255);
    }
    ck_assert_ok(wsr__st_open_memory(&st, data, 8 + n + 4 * N, "f"));
    ck_assert_ok(wsr__st_read_f32(half, st, "h", N));
    ck_assert_ok(wsr__st_read_f64(wide, st, "h", N));
    for (uint32_t i = 0; i < N; i++) {
        union {
            uint32_t bits;
            float value;
        } f = {(i & 0x7fff) << 13};
        f.value *= 0x1p112f; // the difference of the biases
        f.bits |= (i & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
        f.bits |= (i & 0x8000) << 16;
        ck_assert(isnan(f.value) ? isnan(half[i])
                                 : same_bits(&half[i], &f.value, 4));
        ck_assert(isnan(f.value) ? isnan(wide[i]) : wide[i] == (double)f.value);
    }
    ck_assert_ok(wsr__st_read_f32(half, st, "b", N));
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t bits = i << 16;
        ck_assert(isnan(half[i]) ? (i & 0x7fff) > 0x7f80
                                 : same_bits(&half[i], &bits, 4));
    }
    wsr__st_free(st);
}
END_TEST

START_TEST(files_of_other_programs_are_named)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } rows[] = {
        {"PK\x03\x04    x/data.pkl constants.pkl", 32,
         "f: no safetensors file, but a TorchScript archive: load it in "
         "PyTorch and write its state_dict with "
         "torch.save(model.state_dict(), PATH) or safetensors"},
        {"\x08\x07\x12\x07pytorch\x1a", 12,
         "f: no safetensors file, but an ONNX model: its name must end in "
         ".onnx"},
        {"\x89HDF\r\n\x1a\n\0\0\0\0", 12,
         "f: no safetensors file, but an HDF5 file: weights are read from "
         "safetensors, .pth, .npz and ONNX files"},
        {"\x80\x02}", 3, "f: no safetensors file, but a Python pickle"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr__st *st = NULL;
        ck_assert_fails(
            wsr__st_open_memory(&st, rows[i].bytes, rows[i].size, "f"),
            WSR_FORMAT, rows[i].words);
        ck_assert_ptr_null(st);
    }
}
END_TEST

START_TEST(a_double_beyond_the_range_of_float_is_refused)
{
    const double values[2] = {1, 1e39};
    wsr__st_builder *b = NULL;
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    float floats_of[2];
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add_f64(b, "w", values, 2));
    ck_assert_ok(wsr__st_serialize(&data, &size, b));
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "f"));
    ck_assert_fails(wsr__st_read_f32(floats_of, st, "w", 2), WSR_FORMAT,
                    "f: tensor 'w' holds 1e+39, which F32 cannot hold");
    wsr__st_free(st);
    wsr__free(data);
    wsr__st_builder_free(b);
}
END_TEST

START_TEST(a_wrong_length_is_refused)
{
    static const unsigned char huge[16] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, '{',  '}'};
    static const unsigned char garbage[] = "PK\x03\x04 this is a zip file";
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    ck_assert_fails(wsr__st_open_memory(&st, huge, 0, "f"), WSR_FORMAT,
                    "f: no safetensors file: it is empty");
    ck_assert_fails(wsr__st_open_memory(&st, huge, 7, "f"), WSR_FORMAT,
                    "f: no safetensors file: it has 7 bytes");
    ck_assert_fails(wsr__st_open_memory(&st, huge, 16, "f"), WSR_FORMAT,
                    "a header of 18446744073709551615 bytes in a file of 16");
    ck_assert_fails(wsr__st_open_memory(&st, garbage, sizeof(garbage), "f"),
                    WSR_FORMAT,
                    "f: no safetensors file, but a zip archive: unpack it");
    serialize(&data, &size, false);
    for (size_t n = 0; n < size; n++) {
        ck_assert_int_eq(wsr__st_open_memory(&st, data, n, "f"), WSR_FORMAT);
        ck_assert_ptr_null(st);
    }
    wsr__free(data);
    ck_assert_fails(wsr__st_open(&st, "no/such/file"), WSR_IO,
                    "no/such/file: No such file");
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    enum { DEEP = 100000 };
    const uint64_t n = 5 + DEEP;
    unsigned char *const data = malloc(8 + n);
    wsr__st *st = NULL;
    memcpy(data, &n, 8);
    memcpy(data + 8, "{\"a\":", 6);
    memset(data + 13, '[', DEEP);
    ck_assert_fails(wsr__st_open_memory(&st, data, 8 + n, "f"), WSR_FORMAT,
                    "f: header: maximum parsing depth reached");
    free(data);
}
END_TEST

// Read every byte that is promised.
static unsigned sum_of(const wsr__st *st)
{
    unsigned sum = 0;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        const unsigned char *const bits = t->data;
        for (size_t k = 0; k < t->bytes; k++) {
            sum += bits[k];
        }
    }
    return sum;
}

START_TEST(damaged_bytes_never_crash)
{
    unsigned char *data = NULL;
    size_t size = 0;
    size_t accepted = 0;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    serialize(&data, &size, false);
    for (int round = 0; round < 5000; round++) {
        unsigned char *const copy = malloc(size);
        wsr__st *st = NULL;
        memcpy(copy, data, size);
        for (uint32_t k = 1 + wsr__rng_below(&rng, 3); k > 0; k--) {
            const uint32_t at = wsr__rng_below(&rng, (uint32_t)size);
            copy[at] ^= (unsigned char)(1u << wsr__rng_below(&rng, 8));
        }
        const wsr_status status = wsr__st_open_memory(&st, copy, size, "f");
        free(copy);
        ck_assert(status == WSR_OK ? st != NULL : st == NULL);
        if (st != NULL) {
            ck_assert_uint_lt(sum_of(st), UINT32_MAX);
            accepted++;
        }
        wsr__st_free(st);
    }
    ck_assert_uint_gt(accepted, 0); // names and data may be anything
    wsr__free(data);
}
END_TEST

static wsr_status write_read(void *ctx)
{
    wsr_status status = WSR_OK;
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st_builder *b = NULL;
    wsr__st *st = NULL;
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(fill(b, false));
    WSR_TRY(wsr__st_serialize(&data, &size, b));
    WSR_TRY(wsr__st_open_memory(&st, data, size, "mem"));
    wsr__st_free(st);
    st = NULL;
    WSR_TRY(wsr__st_write(b, ctx));
    WSR_TRY(wsr__st_open(&st, ctx));
out:
    wsr__st_free(st);
    wsr__free(data);
    wsr__st_builder_free(b);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/oom.safetensors",
                   scratch_folder("st"));
    ck_assert_uint_gt(oom_sweep(write_read, path), 30);
}
END_TEST

START_TEST(a_refused_write_leaves_no_file)
{
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(fill(b, false));
    ck_assert_fails(wsr__st_write(b, "no/such/dir/a.safetensors"), WSR_IO,
                    "no/such/dir/a.safetensors: No such file");
    wsr__st_builder_free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        what_was_written_reads_back,
        bytes_do_not_depend_on_the_order_of_additions,
        data_is_aligned,
        a_file_holds_the_serialized_bytes,
        an_empty_file_of_metadata_is_legal,
        text_that_is_not_utf8_does_not_spoil_the_file,
        wrong_additions_are_refused,
        wrong_reads_are_refused,
        a_wrong_header_is_refused,
        harmless_oddities_of_a_header_are_accepted,
        floats_of_16_bits_are_widened_exactly,
        files_of_other_programs_are_named,
        a_double_beyond_the_range_of_float_is_refused,
        a_wrong_length_is_refused,
        deep_nesting_is_refused,
        damaged_bytes_never_crash,
        short_memory_is_reported_without_a_leak,
        a_refused_write_leaves_no_file,
        NULL,
    };
    return suite_of("io/safetensors", tests);
}
