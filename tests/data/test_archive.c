// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

#if WSR_HAVE_LIBARCHIVE

// A tar file with the entries "d/a" (1000 bytes) and "d/b" (3 bytes).
static bytes make_tar(void)
{
    bytes tar = {0};
    bytes a = make_idx_labels(992, 10);
    bytes b = {0};
    bytes_add(&b, "xyz", 3);
    bytes_tar(&tar, "d/a", &a);
    bytes_tar(&tar, "d/b", &b);
    bytes_tar_end(&tar);
    bytes_free(&a);
    bytes_free(&b);
    return tar;
}

// Read everything; `*sum` tells contents apart.
static wsr_status read_all(uint32_t *sum, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__archive *archive = NULL;
    const char *name = NULL;
    wsr__source *entry = NULL;
    unsigned char data[2000];
    *sum = 2166136261u;
    WSR_TRY(wsr__archive_open(&archive, path));
    do {
        WSR_TRY(wsr__archive_next(&name, &entry, archive));
        if (name != NULL && entry->size <= 2000) {
            WSR_TRY(wsr__source_read(entry, data, (size_t)entry->size));
            WSR_TRY(wsr__source_end(entry));
            for (int64_t i = 0; i < entry->size; i++) {
                *sum = (*sum ^ data[i]) * 16777619u;
            }
        }
    } while (name != NULL);
    WSR_TRY(wsr__archive_end(archive));
out:
    wsr__archive_close(archive);
    return status;
}

static void check_entries(const char *path)
{
    wsr__archive *archive = NULL;
    const char *name = NULL;
    wsr__source *entry = NULL;
    unsigned char data[1000];
    bytes want = make_idx_labels(992, 10);
    ck_assert_ok(wsr__archive_open(&archive, path));
    ck_assert_ok(wsr__archive_next(&name, &entry, archive));
    ck_assert_str_eq(name, "d/a");
    ck_assert_int_eq(entry->size, 1000);
    ck_assert_ok(wsr__source_read(entry, data, 1000));
    ck_assert_mem_eq(data, want.data, 1000);
    ck_assert_ok(wsr__source_end(entry));
    ck_assert_ok(wsr__archive_next(&name, &entry, archive));
    ck_assert_str_eq(name, "d/b");
    ck_assert_ptr_nonnull(strstr(entry->name, ":d/b"));
    ck_assert_fails(wsr__source_read(entry, data, 4), WSR_FORMAT,
                    ":d/b: is truncated");
    ck_assert_ok(wsr__archive_next(&name, &entry, archive));
    ck_assert_ptr_null(name);
    ck_assert_ptr_null(entry);
    ck_assert_ok(wsr__archive_end(archive));
    wsr__archive_close(archive);
    bytes_free(&want);
}

START_TEST(entries_of_plain_and_packed_archives_read_in_order)
{
    const char *const folder = scratch_folder("archive");
    bytes tar = make_tar();
    put_file(path_in(folder, "a.tar"), &tar);
    put_gzip(path_in(folder, "a.tar.gz"), &tar);
    check_entries(path_in(folder, "a.tar"));
    check_entries(path_in(folder, "a.tar.gz"));
    bytes_free(&tar);
}
END_TEST

START_TEST(an_archive_cut_anywhere_is_refused)
{
    const char *const folder = scratch_folder("archive");
    bytes tar = make_tar();
    bytes packed = {0};
    uint32_t sum = 0;
    bytes_gzip(&packed, &tar);
    for (size_t n = 0; n < packed.size; n++) {
        const bytes cut = {packed.data, n};
        put_file(path_in(folder, "cut.tar.gz"), &cut);
        // Without both magic bytes it is no gzip file.
        ck_assert_fails(read_all(&sum, path_in(folder, "cut.tar.gz")),
                        WSR_FORMAT,
                        n < 2 ? "cut.tar.gz: archive is corrupt"
                              : "cut.tar.gz: gzip data end too early");
    }
    bytes_free(&tar);
    bytes_free(&packed);
}
END_TEST

START_TEST(a_changed_byte_is_noticed_or_harmless)
{
    const char *const folder = scratch_folder("archive");
    bytes tar = make_tar();
    bytes packed = {0};
    uint32_t want = 0;
    uint32_t sum = 0;
    size_t noticed = 0;
    bytes_gzip(&packed, &tar);
    put_file(path_in(folder, "good.tar.gz"), &packed);
    ck_assert_ok(read_all(&want, path_in(folder, "good.tar.gz")));
    for (size_t i = 0; i < packed.size; i++) {
        packed.data[i] ^= 0x40;
        put_file(path_in(folder, "bad.tar.gz"), &packed);
        packed.data[i] ^= 0x40;
        const wsr_status status = read_all(&sum, path_in(folder, "bad.tar.gz"));
        ck_assert(status == WSR_OK ? sum == want : status == WSR_FORMAT);
        noticed += status == WSR_FORMAT;
    }
    ck_assert_uint_ge(noticed, packed.size * 3 / 4);
    bytes_free(&tar);
    bytes_free(&packed);
}
END_TEST

START_TEST(what_is_no_archive_is_named)
{
    const char *const folder = scratch_folder("archive");
    bytes b = make_cifar(1, 1, 10, 3);
    wsr__archive *archive = NULL;
    uint32_t sum = 0;
    put_file(path_in(folder, "image.bin"), &b);
    ck_assert_fails(read_all(&sum, path_in(folder, "image.bin")), WSR_FORMAT,
                    "image.bin: archive is corrupt (");
    ck_assert_fails(wsr__archive_open(&archive, path_in(folder, "absent")),
                    WSR_NOTFOUND, "absent: does not exist");
    ck_assert_ptr_null(archive);
    wsr__archive_close(NULL);
    bytes_free(&b);
}
END_TEST

static wsr_status read_path(void *ctx)
{
    uint32_t sum = 0;
    return read_all(&sum, ctx);
}

START_TEST(short_memory_leaves_nothing_behind)
{
    bytes tar = make_tar();
    char path[1200];
    (void)snprintf(path, sizeof(path), "%s/a.tar.gz",
                   scratch_folder("archive"));
    put_gzip(path, &tar);
    ck_assert_uint_ge(oom_sweep(read_path, path), 6);
    bytes_free(&tar);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        entries_of_plain_and_packed_archives_read_in_order,
        an_archive_cut_anywhere_is_refused,
        a_changed_byte_is_noticed_or_harmless,
        what_is_no_archive_is_named,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("archive", tests);
}

#else

START_TEST(the_missing_library_is_named)
{
    const char *const folder = scratch_folder("archive");
    bytes b = make_cifar(1, 1, 10, 3);
    wsr__archive *archive = NULL;
    put_file(path_in(folder, "a.tar.gz"), &b);
    ck_assert_fails(wsr__archive_open(&archive, path_in(folder, "a.tar.gz")),
                    WSR_UNSUPPORTED, "libarchive");
    ck_assert_fails(wsr__archive_open(&archive, path_in(folder, "absent")),
                    WSR_NOTFOUND, "absent: does not exist");
    bytes_free(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_missing_library_is_named, NULL};
    return suite_of("archive", tests);
}

#endif
