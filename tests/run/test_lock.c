// SPDX-License-Identifier: Apache-2.0

#include "run/run.h"
#include "support/files.h"
#include "support/support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_second_process_is_told_who_holds_the_folder)
{
    const char *const dir = scratch_folder("held");
    wsr__lock lock = {-1, NULL};
    char me[64];
    ck_assert_ok(wsr__lock_take(&lock, dir));
    (void)snprintf(me, sizeof(me), "process %ld on ", (long)getpid());
    const pid_t child = fork();
    if (child == 0) {
        wsr__lock second = {-1, NULL};
        const bool busy = wsr__lock_take(&second, dir) == WSR_BUSY;
        _exit(busy && strstr(wsr_error_detail(), me) != NULL ? 0 : 1);
    }
    int state = -1;
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert_int_eq(state, 0);
    wsr__lock_release(&lock);
    ck_assert(!wsr__file_exists(path_in(dir, "lock")));
}
END_TEST

START_TEST(a_holder_that_is_killed_lets_go)
{
    const char *const dir = scratch_folder("killed");
    wsr__lock lock = {-1, NULL};
    int ends[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        wsr__lock own = {-1, NULL};
        byte = wsr__lock_take(&own, dir) == WSR_OK ? 'y' : 'n';
        if (write(ends[1], &byte, 1) != 1) {
            _exit(1);
        }
        for (;;) {
            (void)pause();
        }
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    ck_assert_fails(wsr__lock_take(&lock, dir), WSR_BUSY, "works in this");
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(wsr__file_exists(path_in(dir, "lock")));
    ck_assert_ok(wsr__lock_take(&lock, dir));
    wsr__lock_release(&lock);
    (void)close(ends[0]);
    (void)close(ends[1]);
}
END_TEST

START_TEST(two_runs_of_one_process_exclude_each_other_too)
{
    const char *const dir = scratch_folder("twice");
    wsr__lock a = {-1, NULL};
    wsr__lock b = {-1, NULL};
    ck_assert_ok(wsr__lock_take(&a, dir));
    ck_assert_fails(wsr__lock_take(&b, dir), WSR_BUSY, "process");
    wsr__lock_release(&a);
    ck_assert_ok(wsr__lock_take(&b, dir));
    wsr__lock_release(&b);
}
END_TEST

START_TEST(a_folder_that_cannot_be_locked_is_reported)
{
    wsr__lock lock = {-1, NULL};
    ck_assert_fails(wsr__lock_take(&lock, "/no/such/folder"), WSR_IO,
                    "/no/such/folder/lock");
    ck_assert_ptr_null(lock.path);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_second_process_is_told_who_holds_the_folder,
        a_holder_that_is_killed_lets_go,
        two_runs_of_one_process_exclude_each_other_too,
        a_folder_that_cannot_be_locked_is_reported, NULL};
    return suite_of("lock", tests);
}
