// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *inside(const char *name)
{
    static char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", scratch_folder("file"), name);
    return path;
}

START_TEST(a_file_reads_back_what_was_written)
{
    const char *const path = inside("bytes");
    const unsigned char bytes[] = {0, 1, 255, '\n', 0};
    ck_assert_ok(wsr__file_write(path, bytes, sizeof(bytes)));
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_ok(wsr__file_read(&data, &size, path, sizeof(bytes)));
    ck_assert_uint_eq(size, sizeof(bytes));
    ck_assert_mem_eq(data, bytes, sizeof(bytes));
    ck_assert_uint_eq(data[size], 0);
    wsr__free(data);
}
END_TEST

START_TEST(an_empty_file_reads_as_an_empty_text)
{
    const char *const path = inside("empty");
    ck_assert_ok(wsr__file_write(path, "", 0));
    unsigned char *data = NULL;
    size_t size = 9;
    ck_assert_ok(wsr__file_read(&data, &size, path, 100));
    ck_assert_uint_eq(size, 0);
    ck_assert_uint_eq(data[0], 0);
    wsr__free(data);
}
END_TEST

START_TEST(a_file_longer_than_the_limit_is_refused)
{
    const char *const path = inside("long");
    ck_assert_ok(wsr__file_write(path, "12345", 5));
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_fails(wsr__file_read(&data, &size, path, 4), WSR_FORMAT,
                    "longer than 4 bytes");
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(a_device_without_end_is_read_up_to_the_limit)
{
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_fails(wsr__file_read(&data, &size, "/dev/zero", 100000),
                    WSR_FORMAT, "longer");
}
END_TEST

START_TEST(a_missing_file_names_path_and_reason)
{
    const char *const path = inside("missing");
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_fails(wsr__file_read(&data, &size, path, 100), WSR_IO,
                    "missing: No such file");
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(a_folder_is_not_read_as_a_file)
{
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_fails(wsr__file_read(&data, &size, "/", 100), WSR_IO, "/: ");
}
END_TEST

static wsr_status read_it(void *ctx)
{
    unsigned char *data = NULL;
    size_t size = 0;
    const wsr_status status = wsr__file_read(&data, &size, ctx, 100);
    ck_assert((data == NULL) == (status != WSR_OK));
    wsr__free(data);
    return status;
}

static wsr_status write_it(void *ctx)
{
    return wsr__file_write(ctx, "new", 3);
}

START_TEST(short_memory_fails_without_a_leak)
{
    char *const path = inside("oom");
    ck_assert_ok(wsr__file_write(path, "12345", 5));
    ck_assert_uint_ge(oom_sweep(read_it, path), 1);
    ck_assert_uint_ge(oom_sweep(write_it, path), 2);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
    const char *const path = inside("a/b/c");
    ck_assert_ok(wsr__make_directory(path));
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert(S_ISDIR(info.st_mode));
    ck_assert_ok(wsr__make_directory(path));
}
END_TEST

START_TEST(a_directory_below_a_file_cannot_be_made)
{
    char *const path = inside("plain");
    ck_assert_ok(wsr__file_write(path, "x", 1));
    strcat(path, "/sub");
    ck_assert_fails(wsr__make_directory(path), WSR_IO, "plain");
}
END_TEST

START_TEST(a_directory_that_cannot_be_written_is_refused)
{
    if (geteuid() == 0) { // permissions do not bind root; this one does
        ck_assert_fails(wsr__make_directory("/proc/self/fd/x"), WSR_IO, "/x: ");
        if (access("/sys", W_OK) != 0) { // mounted for reading only
            ck_assert_fails(wsr__make_directory("/sys"), WSR_IO, "/sys: ");
        }
        return;
    }
    const char *const path = inside("locked");
    ck_assert_int_eq(mkdir(path, 0555), 0);
    ck_assert_fails(wsr__make_directory(path), WSR_IO, "Permission denied");
}
END_TEST

static const char *place_in(const char *dir, const char *name)
{
    static char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

START_TEST(where_no_file_can_be_written_is_told_before)
{
    const char *const dir = scratch_folder("place");
    ck_assert_ok(wsr__file_check_place(place_in(dir, "new")));
    ck_assert_ok(wsr__file_check_place("new"));
    ck_assert_ok(wsr__file_check_place("/dev/null"));
    ck_assert(!wsr__file_exists(place_in(dir, "new")));
    ck_assert_fails(wsr__file_check_place(dir), WSR_IO, "directory");
    ck_assert_fails(wsr__file_check_place(place_in(dir, "none/new")), WSR_IO,
                    "none/new");
    ck_assert_fails(wsr__file_check_place("/proc/version/new"), WSR_IO, "new");
}
END_TEST

START_TEST(existence_is_told)
{
    const char *const path = inside("there");
    ck_assert(!wsr__file_exists(path));
    ck_assert_ok(wsr__file_write(path, "", 0));
    ck_assert(wsr__file_exists(path));
}
END_TEST

START_TEST(paths_are_joined_by_one_slash)
{
    static const char *const cases[][3] = {{"a", "b", "a/b"},
                                           {"a/", "b", "a/b"},
                                           {"/", "b", "/b"},
                                           {"", "b", "b"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *const joined = wsr__path_join(cases[i][0], cases[i][1]);
        ck_assert_str_eq(joined, cases[i][2]);
        wsr__free(joined);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_file_reads_back_what_was_written,
        an_empty_file_reads_as_an_empty_text,
        a_file_longer_than_the_limit_is_refused,
        a_device_without_end_is_read_up_to_the_limit,
        a_missing_file_names_path_and_reason,
        a_folder_is_not_read_as_a_file,
        short_memory_fails_without_a_leak,
        directories_are_made_with_their_parents,
        a_directory_below_a_file_cannot_be_made,
        a_directory_that_cannot_be_written_is_refused,
        where_no_file_can_be_written_is_told_before,
        existence_is_told,
        paths_are_joined_by_one_slash,
        NULL,
    };
    return suite_of("file", tests);
}
