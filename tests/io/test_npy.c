// SPDX-License-Identifier: Apache-2.0
//
// Arrays of NumPy: headers as it writes them, of all versions, types and
// orders, and headers that are wrong.

#include "io/io.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>

static const char *path_of(const char *name)
{
    static char folder[512];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("npy"));
    }
    return path_in(folder, name);
}

// An array of a version and header, as numpy.lib.format writes it.
static bytes array(int version, const char *header, const void *data, size_t n)
{
    bytes b = {0};
    const unsigned char head[] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0};
    const uint32_t length = (uint32_t)strlen(header);
    bytes_add(&b, head, sizeof(head));
    bytes_add(&b, &length, version > 1 ? 4 : 2);
    bytes_add(&b, header, length);
    bytes_add(&b, data, n);
    return b;
}

static wsr__st *opened(int version, const char *header, const void *data,
                       size_t n)
{
    wsr__st *st = NULL;
    bytes b = array(version, header, data, n);
    ck_assert_ok(wsr__st_open_memory(&st, b.data, b.size, "a.npy"));
    ck_assert_uint_eq(wsr__st_count(st), 1);
    bytes_free(&b);
    return st;
}

static const float six[] = {1, 2, 3, 4, 5, 6};

START_TEST(headers_of_all_versions_are_read)
{
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n",
        "{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
        "{\"shape\": (2L, 3L), \"descr\": \"=f4\", \"fortran_order\": False}",
    };
    for (int version = 1; version <= 3; version++) {
        for (size_t i = 0; i < 3; i++) {
            float values[6];
            wsr__st *st = opened(version, headers[i], six, sizeof(six));
            const wsr__st_tensor *const t = wsr__st_find(st, "arr_0");
            ck_assert_uint_eq(t->ndims, 2);
            ck_assert_int_eq(t->dims[0], 2);
            ck_assert_int_eq(t->dims[1], 3);
            ck_assert_ok(wsr__st_read_f32(values, st, "arr_0", 6));
            ck_assert_mem_eq(values, six, sizeof(six));
            wsr__st_free(st);
        }
    }
}
END_TEST

// a[i][j] of shape (2, 3) in Fortran order: i is the fastest.
START_TEST(fortran_order_is_turned_round)
{
    static const float want[] = {1, 3, 5, 2, 4, 6};
    float values[6];
    wsr__st *st =
        opened(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
               six, sizeof(six));
    ck_assert_ok(wsr__st_read_f32(values, st, "arr_0", 6));
    ck_assert_mem_eq(values, want, sizeof(want));
    wsr__st_free(st);
}
END_TEST

START_TEST(big_endian_elements_are_turned_round)
{
    static const unsigned char data[] = {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0};
    float values[2];
    wsr__st *st =
        opened(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
               data, sizeof(data));
    ck_assert_ok(wsr__st_read_f32(values, st, "arr_0", 2));
    ck_assert_float_eq(values[0], 1);
    ck_assert_float_eq(values[1], -2);
    wsr__st_free(st);
}
END_TEST

START_TEST(every_type_is_read)
{
    static const struct {
        const char *descr;
        wsr__st_dtype dtype;
        size_t size;
    } rows[] = {
        {"<f2", WSR__ST_F16, 2},  {"<f4", WSR__ST_F32, 4},
        {"<f8", WSR__ST_F64, 8},  {"<i4", WSR__ST_I32, 4},
        {"<i8", WSR__ST_I64, 8},  {"|u1", WSR__ST_U8, 1},
        {"|b1", WSR__ST_BOOL, 1},
    };
    static const unsigned char zeros[24];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char header[128];
        (void)snprintf(header, sizeof(header),
                       "{'descr': '%s', 'fortran_order': False, 'shape': (), }",
                       rows[i].descr);
        wsr__st *st = opened(1, header, zeros, rows[i].size);
        ck_assert_int_eq((int)wsr__st_at(st, 0)->dtype, (int)rows[i].dtype);
        ck_assert_uint_eq(wsr__st_at(st, 0)->ndims, 0);
        wsr__st_free(st);
    }
}
END_TEST

START_TEST(wrong_headers_are_refused_in_one_line)
{
    static const struct {
        const char *header;
        wsr_status status;
        const char *words;
    } rows[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
         WSR_UNSUPPORTED, "elements '|O'"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
         WSR_UNSUPPORTED, "elements '<c8'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
         WSR_FORMAT, "records"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }",
         WSR_FORMAT, "has 24 bytes, its shape needs 20"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }",
         WSR_FORMAT, "no dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6 6), }",
         WSR_FORMAT, "no dict"},
        {"{'descr': '<f4', 'fortran_order': False}", WSR_FORMAT, "no dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)", WSR_FORMAT,
         "no dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': "
         "(999999999999999999,999999999999999999,9,9,9,9,9,9), }",
         WSR_FORMAT, "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': "
         "(1,1,1,1,1,1,1,1,6), }",
         WSR_FORMAT, "no dict"},
        {"", WSR_FORMAT, "no dict"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr__st *st = NULL;
        bytes b = array(1, rows[i].header, six, sizeof(six));
        ck_assert_fails(wsr__st_open_memory(&st, b.data, b.size, "a.npy"),
                        rows[i].status, rows[i].words);
        ck_assert_ptr_null(st);
        bytes_free(&b);
    }
}
END_TEST

START_TEST(truncations_and_altered_bytes_do_no_harm)
{
    bytes b =
        array(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
              six, sizeof(six));
    wsr__st *st = NULL;
    for (size_t n = 8; n < b.size; n++) {
        ck_assert_fails(wsr__st_open_memory(&st, b.data, n, "a.npy"),
                        WSR_FORMAT, "a.npy");
    }
    for (size_t i = 0; i < b.size; i++) {
        const unsigned char was = b.data[i];
        for (unsigned k = 0; k < 8; k++) {
            b.data[i] = (unsigned char)(was ^ (1U << k));
            if (wsr__st_open_memory(&st, b.data, b.size, "a.npy") == WSR_OK) {
                wsr__st_free(st);
            }
        }
        b.data[i] = was;
    }
    bytes_free(&b);
}
END_TEST

START_TEST(an_array_that_is_written_comes_back)
{
    wsr__st_builder *builder = NULL;
    wsr__st *st = NULL;
    float values[6];
    const int64_t dims[] = {3, 1, 2};
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add(builder, "x", WSR__ST_F32, six, dims, 3));
    ck_assert_ok(wsr__st_write(builder, path_of("x.npy")));
    ck_assert_ok(wsr__st_open(&st, path_of("x.npy")));
    ck_assert_int_eq(wsr__st_at(st, 0)->dims[2], 2);
    ck_assert_ok(wsr__st_read_f32(values, st, "arr_0", 6));
    ck_assert_mem_eq(values, six, sizeof(six));
    wsr__st_free(st);
    ck_assert_ok(wsr__st_add_f32(builder, "y", six, 6));
    ck_assert_fails(wsr__st_write(builder, path_of("x.npy")), WSR_ARG,
                    "holds one array");
    wsr__st_builder_free(builder);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {headers_of_all_versions_are_read,
                                  fortran_order_is_turned_round,
                                  big_endian_elements_are_turned_round,
                                  every_type_is_read,
                                  wrong_headers_are_refused_in_one_line,
                                  truncations_and_altered_bytes_do_no_harm,
                                  an_array_that_is_written_comes_back,
                                  NULL};
    return suite_of("npy", tests);
}
