// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bytes some_bytes(size_t n)
{
    bytes b = {malloc(n + 1), n};
    ck_assert_ptr_nonnull(b.data);
    for (size_t i = 0; i < n; i++) {
        // Half noise, half repetition, so that deflate uses both its ways.
        b.data[i] = i / 1000 % 2 == 0 ? pixel_of(1, i) : (unsigned char)(i % 7);
    }
    return b;
}

// Read a file of `size` bytes in steps, and its end.
static wsr_status read_all(unsigned char *dst, size_t size, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    size_t done = 0;
    WSR_TRY(wsr__source_open(&source, path));
    while (done < size) {
        const size_t step = 777 < size - done ? 777 : size - done;
        WSR_TRY(wsr__source_read(source, dst + done, step));
        done += step;
    }
    WSR_TRY(wsr__source_end(source));
out:
    wsr__source_close(source);
    return status;
}

static void check_read(const char *path, const bytes *want)
{
    bytes got = {0};
    bytes_add(&got, want->data, want->size);
    memset(got.data, 0, got.size);
    ck_assert_ok(read_all(got.data, got.size, path));
    ck_assert_mem_eq(got.data, want->data, want->size);
    bytes_free(&got);
}

START_TEST(plain_and_gzip_files_read_back)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(200000);
    put_file(path_in(folder, "plain"), &b);
    put_gzip(path_in(folder, "packed"), &b);
    check_read(path_in(folder, "plain"), &b);
    check_read(path_in(folder, "packed"), &b);
    bytes_free(&b);
}
END_TEST

START_TEST(several_gzip_members_read_as_one)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(3000);
    bytes twice = {0};
    bytes packed = {0};
    bytes_add(&twice, b.data, b.size);
    bytes_add(&twice, b.data, b.size);
    bytes_gzip(&packed, &b);
    bytes_gzip(&packed, &b);
    put_file(path_in(folder, "members"), &packed);
    check_read(path_in(folder, "members"), &twice);
    bytes_free(&b);
    bytes_free(&twice);
    bytes_free(&packed);
}
END_TEST

START_TEST(zeros_between_and_after_gzip_members_are_padding)
{
    static const unsigned char zeros[70000];
    static const size_t paddings[] = {1, 3, 512, 65536, 70000};
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(3000);
    for (size_t i = 0; i < sizeof(paddings) / sizeof(*paddings); i++) {
        bytes twice = {0};
        bytes packed = {0};
        bytes_add(&twice, b.data, b.size);
        bytes_gzip(&packed, &b);
        bytes_add(&packed, zeros, paddings[i]);
        put_file(path_in(folder, "padded"), &packed);
        check_read(path_in(folder, "padded"), &b);
        bytes_add(&twice, b.data, b.size);
        bytes_gzip(&packed, &b);
        put_file(path_in(folder, "padded"), &packed);
        check_read(path_in(folder, "padded"), &twice);
        bytes_add(&packed, zeros, paddings[i]);
        put_file(path_in(folder, "padded"), &packed);
        check_read(path_in(folder, "padded"), &twice);
        // Padding is no end of a member, and no excuse for what follows it.
        packed.size -= paddings[i] + 1;
        put_file(path_in(folder, "padded"), &packed);
        ck_assert_fails(
            read_all(twice.data, twice.size, path_in(folder, "padded")),
            WSR_FORMAT, "gzip data end too early");
        packed.size++;
        bytes_add(&packed, zeros, paddings[i]);
        bytes_add(&packed, "x", 1);
        put_file(path_in(folder, "padded"), &packed);
        ck_assert_fails(
            read_all(twice.data, twice.size, path_in(folder, "padded")),
            WSR_FORMAT, "other bytes follow them");
        bytes_free(&packed);
        bytes_free(&twice);
    }
    bytes_free(&b);
}
END_TEST

START_TEST(size_and_bound_are_known_beforehand)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(5000);
    wsr__source *source = NULL;
    put_file(path_in(folder, "plain"), &b);
    put_gzip(path_in(folder, "packed"), &b);
    ck_assert_ok(wsr__source_open(&source, path_in(folder, "plain")));
    ck_assert_int_eq(source->size, 5000);
    ck_assert_uint_eq(source->bound, 5000);
    wsr__source_close(source);
    ck_assert_ok(wsr__source_open(&source, path_in(folder, "packed")));
    ck_assert_int_eq(source->size, -1);
    ck_assert_uint_ge(source->bound, 5000);
    wsr__source_close(source);
    bytes_free(&b);
}
END_TEST

START_TEST(the_bound_holds_for_the_most_compressible_bytes)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(8);
    const size_t n = 4000000;
    wsr__source *source = NULL;
    bytes_free(&b);
    b.data = calloc(n, 1);
    ck_assert_ptr_nonnull(b.data);
    b.size = n;
    put_gzip(path_in(folder, "zeros"), &b);
    ck_assert_ok(wsr__source_open(&source, path_in(folder, "zeros")));
    ck_assert_uint_ge(source->bound, n);
    ck_assert_uint_le(source->bound, 2 * n);
    wsr__source_close(source);
    check_read(path_in(folder, "zeros"), &b);
    bytes_free(&b);
}
END_TEST

START_TEST(a_gzip_file_cut_anywhere_is_refused)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(1200);
    bytes packed = {0};
    unsigned char dst[1200];
    bytes_gzip(&packed, &b);
    for (size_t n = 0; n < packed.size; n++) {
        const bytes cut = {packed.data, n};
        const char *const path = path_in(folder, "cut");
        put_file(path, &cut);
        ck_assert_fails(read_all(dst, sizeof(dst), path), WSR_FORMAT, "cut: ");
    }
    bytes_free(&b);
    bytes_free(&packed);
}
END_TEST

START_TEST(a_changed_byte_is_noticed_or_harmless)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(1200);
    bytes packed = {0};
    unsigned char dst[1200];
    size_t noticed = 0;
    bytes_gzip(&packed, &b);
    for (size_t i = 0; i < packed.size; i++) {
        const char *const path = path_in(folder, "changed");
        packed.data[i] ^= 0x15;
        put_file(path, &packed);
        const wsr_status status = read_all(dst, sizeof(dst), path);
        packed.data[i] ^= 0x15;
        if (status == WSR_OK) {
            ck_assert_mem_eq(dst, b.data, b.size);
        } else {
            ck_assert_int_eq(status, WSR_FORMAT);
            noticed++;
        }
    }
    ck_assert_uint_ge(noticed, packed.size - 8); // time and system may change
    bytes_free(&b);
    bytes_free(&packed);
}
END_TEST

START_TEST(bytes_after_the_end_are_refused)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(100);
    bytes packed = {0};
    unsigned char dst[100];
    bytes_gzip(&packed, &b);
    bytes_add(&packed, "more", 4);
    put_file(path_in(folder, "more.gz"), &packed);
    ck_assert_fails(read_all(dst, 100, path_in(folder, "more.gz")), WSR_FORMAT,
                    "other bytes follow");
    put_file(path_in(folder, "long"), &b);
    ck_assert_fails(read_all(dst, 99, path_in(folder, "long")), WSR_FORMAT,
                    "is longer than it declares");
    put_gzip(path_in(folder, "long.gz"), &b);
    ck_assert_fails(read_all(dst, 99, path_in(folder, "long.gz")), WSR_FORMAT,
                    "is longer than it declares");
    put_file(path_in(folder, "short"), &b);
    b.size--;
    put_file(path_in(folder, "short"), &b);
    ck_assert_fails(read_all(dst, 100, path_in(folder, "short")), WSR_FORMAT,
                    "is truncated");
    bytes_free(&b);
    bytes_free(&packed);
}
END_TEST

START_TEST(what_is_no_file_is_named)
{
    const char *const folder = scratch_folder("source");
    wsr__source *source = NULL;
    ck_assert_fails(wsr__source_open(&source, path_in(folder, "absent")),
                    WSR_NOTFOUND, "absent: does not exist");
    ck_assert_ptr_null(source);
    ck_assert_fails(wsr__source_open(&source, folder), WSR_IO,
                    "is not a regular file");
    ck_assert_fails(wsr__source_open(&source, "/dev/null"), WSR_IO,
                    "is not a regular file");
    wsr__source_close(NULL);
}
END_TEST

START_TEST(a_file_that_may_not_be_read_is_named)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(10);
    wsr__source *source = NULL;
    put_file(path_in(folder, "secret"), &b);
    bytes_free(&b);
    if (geteuid() == 0) {
        return; // nothing is forbidden to root
    }
    ck_assert_int_eq(chmod(path_in(folder, "secret"), 0), 0);
    ck_assert_fails(wsr__source_open(&source, path_in(folder, "secret")),
                    WSR_IO, "secret: ");
}
END_TEST

static wsr_status read_packed(void *ctx)
{
    unsigned char dst[1000];
    return read_all(dst, sizeof(dst), ctx);
}

START_TEST(short_memory_leaves_nothing_behind)
{
    const char *const folder = scratch_folder("source");
    bytes b = some_bytes(1000);
    char path[1200];
    (void)snprintf(path, sizeof(path), "%s/packed", folder);
    put_gzip(path, &b);
    // The source, its buffer, and zlib's state and window.
    ck_assert_uint_ge(oom_sweep(read_packed, path), 4);
    bytes_free(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        plain_and_gzip_files_read_back,
        several_gzip_members_read_as_one,
        zeros_between_and_after_gzip_members_are_padding,
        size_and_bound_are_known_beforehand,
        the_bound_holds_for_the_most_compressible_bytes,
        a_gzip_file_cut_anywhere_is_refused,
        a_changed_byte_is_noticed_or_harmless,
        bytes_after_the_end_are_refused,
        what_is_no_file_is_named,
        a_file_that_may_not_be_read_is_named,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("source", tests);
}
