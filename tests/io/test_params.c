// SPDX-License-Identifier: Apache-2.0

#include "io/io.h"
#include "support/support.h"
#include "tensor/tensor.h"

#include <string.h>

static wsr_params *params_of(float value)
{
    wsr_params *params = NULL;
    wsr__param *p = NULL;
    const wsr_shape matrix = wsr__shape2(2, 3);
    const wsr_shape vector = wsr__shape1(2);
    const wsr_shape scalar = {0};
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr__params_trained(&p, params, "a", &matrix,
                                     (wsr__init){.value = value}));
    ck_assert_ok(wsr__params_buffer(&p, params, "b", &vector, value + 1));
    ck_assert_ok(wsr__params_buffer(&p, params, "n", &scalar, value + 2));
    p->integer = true;
    return params;
}

static wsr__st *file_of(const wsr_params *params, const char *prefix,
                        const char *more)
{
    wsr__st_builder *builder = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    const float number = 1;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add_params(builder, params, prefix));
    if (more != NULL) {
        ck_assert_ok(wsr__st_add_f32(builder, more, &number, 1));
    }
    ck_assert_ok(wsr__st_serialize(&bytes, &size, builder));
    ck_assert_ok(wsr__st_open_memory(&st, bytes, size, "file"));
    wsr__free(bytes);
    wsr__st_builder_free(builder);
    return st;
}

START_TEST(sets_come_back_as_they_were)
{
    wsr_params *const from = params_of(5);
    wsr_params *const to = params_of(0);
    wsr__st *const st = file_of(from, "net.", "other");
    ck_assert_int_eq(wsr__st_find(st, "net.n")->dtype, WSR__ST_I64);
    ck_assert_uint_eq(wsr__st_find(st, "net.n")->ndims, 0);
    const uint64_t version = wsr__params_at(to, 0)->version;
    ck_assert_ok(wsr__st_read_params(to, st, "net."));
    ck_assert(wsr_params_data(to, 0)[5] == 5);
    ck_assert(wsr_params_data(to, 1)[1] == 6);
    ck_assert(wsr_params_data(to, 2)[0] == 7);
    ck_assert_uint_gt(wsr__params_at(to, 0)->version, version);
    wsr__st_free(st);
    wsr_params_free(from);
    wsr_params_free(to);
}
END_TEST

START_TEST(what_does_not_fit_is_named_and_nothing_changes)
{
    wsr_params *const from = params_of(5);
    wsr_params *const to = params_of(0);
    wsr__param *extra = NULL;
    const wsr_shape three = wsr__shape1(3);
    wsr__st *st = file_of(from, "", "c");
    ck_assert_fails(wsr__st_read_params(to, st, ""), WSR_FORMAT,
                    "file: tensors: 1 unexpected (c)");
    wsr__st_free(st);
    st = file_of(from, "", NULL);
    ck_assert_ok(wsr__params_buffer(&extra, to, "d", &three, 0));
    ck_assert_fails(wsr__st_read_params(to, st, ""), WSR_FORMAT,
                    "file: tensors: 1 missing (d)");
    ck_assert(wsr_params_data(to, 0)[0] == 0);
    wsr__st_free(st);
    ck_assert_ok(
        wsr__params_buffer(&extra, from, "d", &(wsr_shape){1, {2}}, 0));
    st = file_of(from, "", NULL);
    ck_assert_fails(wsr__st_read_params(to, st, ""), WSR_FORMAT,
                    "1 of another shape (d (2), not (3))");
    wsr__st_free(st);
    wsr_params_free(from);
    wsr_params_free(to);
}
END_TEST

START_TEST(long_lists_are_cut)
{
    wsr_params *many = NULL;
    wsr_params *empty = NULL;
    ck_assert_ok(wsr_params_new(&many, 1));
    ck_assert_ok(wsr_params_new(&empty, 1));
    for (int i = 0; i < 9; i++) {
        char name[16];
        wsr__param *p = NULL;
        (void)snprintf(name, sizeof(name), "t%d", i);
        ck_assert_ok(
            wsr__params_buffer(&p, many, name, &(wsr_shape){1, {2}}, 0));
    }
    wsr__st *const st = file_of(empty, "", NULL);
    ck_assert_fails(wsr__st_read_params(many, st, ""), WSR_FORMAT,
                    "9 missing (t0, t1, t2, t3, ...)");
    wsr__st_free(st);
    wsr_params_free(many);
    wsr_params_free(empty);
}
END_TEST

START_TEST(a_missing_count_of_batches_is_fine)
{
    wsr_params *const to = params_of(3);
    wsr_params *from = NULL;
    wsr__param *p = NULL;
    const wsr_shape matrix = wsr__shape2(2, 3);
    const wsr_shape vector = wsr__shape1(2);
    ck_assert_ok(wsr_params_new(&from, 1));
    ck_assert_ok(
        wsr__params_trained(&p, from, "a", &matrix, (wsr__init){.value = 5}));
    ck_assert_ok(wsr__params_buffer(&p, from, "b", &vector, 6));
    wsr__st *const st = file_of(from, "", NULL);
    ck_assert_ok(wsr__st_read_params(to, st, ""));
    ck_assert(wsr_params_data(to, 0)[0] == 5);
    ck_assert(wsr_params_data(to, 2)[0] == 0);
    wsr__st_free(st);
    wsr_params_free(from);
    wsr_params_free(to);
}
END_TEST

// A file with "a" of one type and the rest as params_of makes it.
static wsr__st *typed_file(wsr__st_dtype type, const void *a,
                           wsr__st_dtype count_type, const void *count)
{
    static const int64_t dims[] = {2, 3};
    static const float b[] = {6, 6};
    wsr__st_builder *builder = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add(builder, "a", type, a, dims, 2));
    ck_assert_ok(wsr__st_add_f32(builder, "b", b, 2));
    ck_assert_ok(wsr__st_add(builder, "n", count_type, count, NULL, 0));
    ck_assert_ok(wsr__st_serialize(&bytes, &size, builder));
    ck_assert_ok(wsr__st_open_memory(&st, bytes, size, "file"));
    wsr__free(bytes);
    wsr__st_builder_free(builder);
    return st;
}

START_TEST(floats_of_any_type_are_read)
{
    static const uint16_t halves[] = {0x3c00, 0xc000, 1, 0, 0x7bff, 0x3555};
    static const double doubles[] = {0.1, 2, 3, 4, 5, 6};
    static const double large[] = {1, 2, 3, 4, 5, 1e300};
    static const int64_t integers[] = {1, 2, 3, 4, 5, 6};
    static const int32_t small_count = 9;
    static const uint16_t bf16_count = 0x4120; // 10
    wsr_params *const to = params_of(0);
    wsr__st *st = typed_file(WSR__ST_F16, halves, WSR__ST_I32, &small_count);
    ck_assert_ok(wsr__st_read_params(to, st, ""));
    ck_assert(wsr_params_data(to, 0)[1] == -2.0f);
    ck_assert(wsr_params_data(to, 0)[2] == 0x1p-24f);
    ck_assert(wsr_params_data(to, 2)[0] == 9);
    wsr__st_free(st);
    st = typed_file(WSR__ST_F64, doubles, WSR__ST_BF16, &bf16_count);
    ck_assert_ok(wsr__st_read_params(to, st, ""));
    ck_assert(wsr_params_data(to, 0)[0] == 0.1f);
    ck_assert(wsr_params_data(to, 2)[0] == 10);
    wsr__st_free(st);
    st = typed_file(WSR__ST_F64, large, WSR__ST_I32, &small_count);
    ck_assert_fails(wsr__st_read_params(to, st, ""), WSR_FORMAT,
                    "file: tensor 'a' holds 1e+300, which F32 cannot hold");
    ck_assert(wsr_params_data(to, 0)[1] == 2);
    wsr__st_free(st);
    st = typed_file(WSR__ST_I64, integers, WSR__ST_I32, &small_count);
    ck_assert_fails(wsr__st_read_params(to, st, ""), WSR_FORMAT,
                    "file: tensors: 1 not of floats (a I64)");
    ck_assert(wsr_params_data(to, 0)[0] == 0.1f);
    ck_assert(wsr_params_data(to, 2)[0] == 10);
    wsr__st_free(st);
    wsr_params_free(to);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        sets_come_back_as_they_were,
        what_does_not_fit_is_named_and_nothing_changes,
        long_lists_are_cut,
        a_missing_count_of_batches_is_fine,
        floats_of_any_type_are_read,
        NULL};
    return suite_of("params", tests);
}
