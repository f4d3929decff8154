// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char path[600];
static char temporary[620];
static char old[620];

static void choose_paths(void)
{
    (void)snprintf(path, sizeof(path), "%s/file", scratch_folder("atomic"));
    (void)snprintf(temporary, sizeof(temporary), "%s.tmp", path);
    (void)snprintf(old, sizeof(old), "%s.old", path);
}

static void assert_content(const char *name, const char *content)
{
    unsigned char *data = NULL;
    size_t size = 0;
    ck_assert_ok(wsr__file_read(&data, &size, name, 1 << 20));
    ck_assert_str_eq((const char *)data, content);
    wsr__free(data);
}

START_TEST(a_commit_replaces_the_content)
{
    choose_paths();
    ck_assert_ok(wsr__file_write(path, "first", 5));
    ck_assert_ok(wsr__file_write(path, "second", 6));
    assert_content(path, "second");
    ck_assert(!wsr__file_exists(temporary));
    ck_assert(!wsr__file_exists(old));
}
END_TEST

START_TEST(a_commit_may_keep_the_previous_content)
{
    choose_paths();
    static const char *const contents[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        wsr__atomic_file file = {0};
        ck_assert_ok(wsr__atomic_open(&file, path));
        ck_assert_ok(
            wsr__atomic_write(&file, contents[i], strlen(contents[i])));
        ck_assert_ok(wsr__atomic_commit(&file, true));
        wsr__atomic_discard(&file);
        assert_content(path, contents[i]);
        if (i > 0) {
            assert_content(old, contents[i - 1]);
        } else {
            ck_assert(!wsr__file_exists(old));
        }
    }
}
END_TEST

START_TEST(what_is_discarded_leaves_no_trace)
{
    choose_paths();
    ck_assert_ok(wsr__file_write(path, "kept", 4));
    wsr__atomic_file file = {0};
    ck_assert_ok(wsr__atomic_open(&file, path));
    ck_assert_ok(wsr__atomic_write(&file, "half", 4));
    wsr__atomic_discard(&file);
    wsr__atomic_discard(&file);
    assert_content(path, "kept");
    ck_assert(!wsr__file_exists(temporary));
}
END_TEST

START_TEST(discarding_nothing_is_legal)
{
    wsr__atomic_file file = {0};
    wsr__atomic_discard(&file);
}
END_TEST

// Writes 'a's and 'b's in turn, of different lengths, until it is killed.
static void write_for_ever(void)
{
    static char a[100000];
    static char b[50000];
    memset(a, 'a', sizeof(a) - 1);
    memset(b, 'b', sizeof(b) - 1);
    for (unsigned i = 0;; i++) {
        const bool odd = i % 2 != 0;
        if (wsr__file_write(path, odd ? a : b, odd ? sizeof(a) : sizeof(b)) !=
            WSR_OK) {
            _exit(1);
        }
    }
}

START_TEST(a_killed_writer_leaves_the_old_or_the_new_content)
{
    choose_paths();
    ck_assert_ok(wsr__file_write(path, "start", 6));
    for (int round = 0; round < 10; round++) {
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            write_for_ever();
        }
        const struct timespec pause = {.tv_nsec = 3000000 + 1700000 * round};
        (void)nanosleep(&pause, NULL);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        int how = 0;
        ck_assert_int_eq(waitpid(child, &how, 0), child);
        ck_assert(WIFSIGNALED(how));
        unsigned char *data = NULL;
        size_t size = 0;
        ck_assert_ok(wsr__file_read(&data, &size, path, 1 << 20));
        ck_assert(size == 6 || size == 50000 || size == 100000);
        for (size_t i = 0; size != 6 && i + 1 < size; i++) {
            ck_assert_uint_eq(data[i], size == 50000 ? 'b' : 'a');
        }
        wsr__free(data);
    }
}
END_TEST

START_TEST(a_file_in_a_missing_folder_cannot_be_opened)
{
    choose_paths();
    strcat(path, "/missing/file");
    wsr__atomic_file file = {0};
    ck_assert_fails(wsr__atomic_open(&file, path), WSR_IO, path);
    ck_assert_ptr_null(file.stream);
}
END_TEST

// Through a link, so that a mistake here cannot replace the device itself.
START_TEST(a_full_disk_is_noticed_at_the_latest_by_commit)
{
    choose_paths();
    ck_assert_int_eq(symlink("/dev/full", path), 0);
    wsr__atomic_file file = {0};
    ck_assert_ok(wsr__atomic_open(&file, path));
    wsr_status status = wsr__atomic_write(&file, "x", 1);
    if (status == WSR_OK) {
        status = wsr__atomic_commit(&file, false);
    }
    wsr__atomic_discard(&file);
    ck_assert_int_eq(status, WSR_IO);
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "file: No space"));
}
END_TEST

START_TEST(a_device_is_written_and_not_replaced)
{
    choose_paths();
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_ok(wsr__file_write(path, "x", 1));
    char target[32] = "";
    ck_assert_int_eq(readlink(path, target, sizeof(target) - 1), 9);
    ck_assert_str_eq(target, "/dev/null");
}
END_TEST

START_TEST(a_folder_is_not_replaced_by_a_file)
{
    const char *const folder = scratch_folder("atomic");
    ck_assert_fails(wsr__file_write(folder, "x", 1), WSR_IO, "directory");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_commit_replaces_the_content,
        a_commit_may_keep_the_previous_content,
        what_is_discarded_leaves_no_trace,
        discarding_nothing_is_legal,
        a_killed_writer_leaves_the_old_or_the_new_content,
        a_file_in_a_missing_folder_cannot_be_opened,
        a_full_disk_is_noticed_at_the_latest_by_commit,
        a_device_is_written_and_not_replaced,
        a_folder_is_not_replaced_by_a_file,
        NULL,
    };
    return suite_of("atomic", tests);
}
