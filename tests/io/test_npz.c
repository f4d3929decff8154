// SPDX-License-Identifier: Apache-2.0
//
// Archives of NumPy's arrays: what is written comes back, metadata included.

#include "io/format.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>

static const char *path_of(const char *name)
{
    static char folder[512];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("npz"));
    }
    return path_in(folder, name);
}

static void write_some(const char *path)
{
    static const double doubles[] = {0.5, -1};
    static const unsigned char flags[] = {1, 0, 1};
    wsr__st_builder *builder = NULL;
    const int64_t dims[] = {2, 0};
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_set(builder, "norm", "linf"));
    ck_assert_ok(wsr__st_add_f64(builder, "eps", doubles, 2));
    ck_assert_ok(wsr__st_add_u8(builder, "folder/robust", flags, 3));
    ck_assert_ok(wsr__st_add(builder, "none", WSR__ST_F32, NULL, dims, 2));
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
}

START_TEST(what_is_written_comes_back)
{
    wsr__st *st = NULL;
    double eps[2];
    unsigned char flags[3];
    write_some(path_of("a.npz"));
    ck_assert_ok(wsr__st_open(&st, path_of("a.npz")));
    ck_assert_uint_eq(wsr__st_count(st), 3);
    ck_assert_ok(wsr__st_read_f64(eps, st, "eps", 2));
    ck_assert_double_eq(eps[1], -1);
    ck_assert_ok(wsr__st_read_u8(flags, st, "folder/robust", 3));
    ck_assert_int_eq(flags[2], 1);
    ck_assert_uint_eq(wsr__st_find(st, "none")->count, 0);
    ck_assert_str_eq(wsr__st_metadata(st, "norm"), "linf");
    wsr__st_free(st);
}
END_TEST

START_TEST(an_archive_without_arrays_is_read)
{
    wsr__st *st = NULL;
    wsr__st_builder *builder = NULL;
    static const unsigned char empty[22] = "PK\5\6";
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_write(builder, path_of("none.npz")));
    wsr__st_builder_free(builder);
    ck_assert_ok(wsr__st_open_memory(&st, empty, sizeof(empty), "e.npz"));
    ck_assert_uint_eq(wsr__st_count(st), 0);
    wsr__st_free(st);
}
END_TEST

START_TEST(what_is_no_array_is_read_over_and_corrupt_ones_are_named)
{
    wsr__st *st = NULL;
    wsr__zip_writer *writer = NULL;
    const wsr__zip_piece piece = {"rubbish", 7};
    ck_assert_ok(wsr__zip_writer_open(&writer, path_of("b.npz")));
    ck_assert_ok(wsr__zip_writer_add(writer, "readme.txt", &piece, 1));
    ck_assert_ok(wsr__zip_writer_add(writer, ".npy", &piece, 1));
    ck_assert_ok(wsr__zip_writer_commit(writer));
    wsr__zip_writer_free(writer);
    ck_assert_ok(wsr__st_open(&st, path_of("b.npz")));
    ck_assert_uint_eq(wsr__st_count(st), 0);
    wsr__st_free(st);
    ck_assert_ok(wsr__zip_writer_open(&writer, path_of("b.npz")));
    ck_assert_ok(wsr__zip_writer_add(writer, "bad.npy", &piece, 1));
    ck_assert_ok(wsr__zip_writer_commit(writer));
    wsr__zip_writer_free(writer);
    ck_assert_fails(wsr__st_open(&st, path_of("b.npz")), WSR_FORMAT,
                    "array 'bad' has no header");
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "b.npz"));
}
END_TEST

START_TEST(truncations_and_altered_bytes_do_no_harm)
{
    write_some(path_of("a.npz"));
    bytes b = get_file(path_of("a.npz"));
    wsr__st *st = NULL;
    for (size_t n = 0; n < b.size; n++) {
        ck_assert_int_eq(wsr__st_open_memory(&st, b.data, n, "a.npz"),
                         WSR_FORMAT);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "a.npz"));
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    }
    for (size_t i = 0; i < b.size; i++) {
        const unsigned char was = b.data[i];
        for (unsigned k = 0; k < 8; k++) {
            b.data[i] = (unsigned char)(was ^ (1U << k));
            if (wsr__st_open_memory(&st, b.data, b.size, "a.npz") == WSR_OK) {
                wsr__st_free(st);
            }
        }
        b.data[i] = was;
    }
    bytes_free(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        what_is_written_comes_back, an_archive_without_arrays_is_read,
        what_is_no_array_is_read_over_and_corrupt_ones_are_named,
        truncations_and_altered_bytes_do_no_harm, NULL};
    return suite_of("npz", tests);
}
