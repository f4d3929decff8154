// SPDX-License-Identifier: Apache-2.0

#include "run/run.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>
#include <unistd.h>

static wsr_status add_number(wsr__st_builder *builder, void *ctx)
{
    return wsr__st_add_u64(builder, "number", ctx, 1);
}

static bool stop_at(const wsr_progress *p, void *user)
{
    const size_t *const last = user;
    if (p->line != NULL) {
        return true;
    }
    ck_assert_str_eq(p->phase, "work");
    ck_assert_uint_eq(p->steps, 9);
    ck_assert_str_eq(p->note, "note");
    return p->step < *last;
}

START_TEST(a_run_goes_on_from_its_checkpoint_and_that_place_in_the_log)
{
    const char *const dir = scratch_folder("goes-on");
    wsr__run *run = NULL;
    wsr__st *st = NULL;
    uint64_t number = 42;
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_write(run, "config.yaml", "seed: 1\n"));
    ck_assert_ok(wsr__run_begin(run, NULL));
    run->state = add_number;
    run->ctx = &number;
    ck_assert_ok(wsr__run_log_text(run->log, "{\"event\":\"a\"}"));
    ck_assert_ok(wsr__run_checkpoint(run));
    ck_assert_ok(wsr__run_log_text(run->log, "{\"event\":\"b\"}"));
    wsr__run_close(run);

    number = 0;
    ck_assert_ok(wsr__run_open(&run, dir, true, NULL, NULL));
    ck_assert_ok(wsr__run_load(&st, run));
    ck_assert_ptr_nonnull(st);
    ck_assert_ok(wsr__st_read_u64(&number, st, "number", 1));
    ck_assert_uint_eq(number, 42);
    ck_assert_ok(wsr__run_begin(run, st));
    ck_assert_uint_eq(wsr__run_log_lines(run->log), 1);
    wsr__st_free(st);
    wsr__run_close(run);
}
END_TEST

START_TEST(a_run_without_checkpoint_begins_again)
{
    const char *const dir = scratch_folder("again");
    wsr__run *run = NULL;
    wsr__st *st = NULL;
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_write(run, "config.yaml", ""));
    wsr__run_close(run);
    ck_assert_ok(wsr__run_open(&run, dir, true, NULL, NULL));
    ck_assert_ok(wsr__run_load(&st, run));
    ck_assert_ptr_null(st);
    wsr__run_close(run);
}
END_TEST

START_TEST(a_new_run_does_not_take_the_folder_of_another)
{
    const char *const dir = scratch_folder("taken");
    uint64_t number = 1;
    wsr__run *run = NULL;
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_begin(run, NULL));
    run->state = add_number;
    run->ctx = &number;
    ck_assert_ok(wsr__run_checkpoint(run));
    wsr__run_close(run);
    ck_assert_fails(wsr__run_open(&run, dir, false, NULL, NULL), WSR_ARG,
                    "resume the run");
    ck_assert_ptr_null(run);
}
END_TEST

START_TEST(a_start_that_was_cut_short_does_not_block_the_folder)
{
    static const char *const left[] = {"lock",
                                       "genotype.yaml",
                                       "codes.yaml",
                                       "genotype-a.yaml",
                                       "network-a.safetensors",
                                       "config.yaml.tmp"};
    const char *const dir = scratch_folder("cut-short");
    const bytes nothing = {0};
    wsr__run *run = NULL;
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        put_file(path_in(dir, left[i]), &nothing);
    }
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    wsr__run_close(run);
    put_file(path_in(dir, "notes.txt"), &nothing);
    ck_assert_fails(wsr__run_open(&run, dir, false, NULL, NULL), WSR_ARG,
                    "notes.txt");
}
END_TEST

START_TEST(a_folder_is_made_when_everything_else_is_ready)
{
    const char *const dir = path_in(scratch_folder("late"), "a/b");
    wsr__run *run = NULL;
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert(!wsr__file_exists(dir));
    ck_assert_ok(wsr__run_make(run));
    ck_assert(wsr__file_exists(dir));
    wsr__run_close(run);
}
END_TEST

START_TEST(one_run_at_a_time_works_in_a_folder)
{
    const char *const dir = scratch_folder("one");
    wsr__run *first = NULL;
    wsr__run *second = NULL;
    ck_assert_ok(wsr__run_open(&first, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_open(&second, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(first));
    ck_assert_fails(wsr__run_make(second), WSR_BUSY, "process");
    wsr__run_close(second);
    ck_assert_ok(wsr__run_write(first, "config.yaml", ""));
    ck_assert_fails(wsr__run_open(&second, dir, true, NULL, NULL), WSR_BUSY,
                    "process");
    wsr__run_close(first);
    ck_assert_ok(wsr__run_open(&second, dir, true, NULL, NULL));
    wsr__run_close(second);
}
END_TEST

START_TEST(a_file_of_the_run_that_is_a_folder_is_refused)
{
    static const char *const files[] = {"log.jsonl", "checkpoint.safetensors",
                                        NULL};
    const char *const dir = scratch_folder("blocked-file");
    wsr__run *run = NULL;
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__folder_check_files(run->folder, files));
    ck_assert_ok(wsr__make_directory(path_in(dir, "checkpoint.safetensors")));
    ck_assert_fails(wsr__folder_check_files(run->folder, files), WSR_IO,
                    "checkpoint.safetensors");
    wsr__run_close(run);
}
END_TEST

START_TEST(a_folder_without_a_run_is_not_resumed)
{
    wsr__run *run = NULL;
    ck_assert_fails(
        wsr__run_open(&run, scratch_folder("none"), true, NULL, NULL),
        WSR_NOTFOUND, "config.yaml");
    ck_assert_ptr_null(run);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_reported)
{
    const char *const file = path_in(scratch_folder("blocked"), "file");
    bytes nothing = {0};
    wsr__run *run = NULL;
    put_file(file, &nothing);
    ck_assert_fails(
        wsr__run_open(&run, path_in(file, "run"), false, NULL, NULL), WSR_IO,
        "file");
    ck_assert_ptr_null(run);
}
END_TEST

START_TEST(the_hook_stops_a_run)
{
    size_t last = 4;
    wsr__run *run = NULL;
    ck_assert_ok(
        wsr__run_open(&run, scratch_folder("hook"), false, stop_at, &last));
    ck_assert_ok(wsr__run_progress(run, "work", 3, 9, "note"));
    ck_assert_fails(wsr__run_progress(run, "work", 4, 9, "note"), WSR_CANCELED,
                    "after step 4 of 9");
    wsr__run_close(run);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_run_goes_on_from_its_checkpoint_and_that_place_in_the_log,
        a_run_without_checkpoint_begins_again,
        a_new_run_does_not_take_the_folder_of_another,
        a_start_that_was_cut_short_does_not_block_the_folder,
        a_folder_is_made_when_everything_else_is_ready,
        one_run_at_a_time_works_in_a_folder,
        a_file_of_the_run_that_is_a_folder_is_refused,
        a_folder_without_a_run_is_not_resumed,
        a_folder_that_cannot_be_made_is_reported,
        the_hook_stops_a_run,
        NULL};
    return suite_of("folder", tests);
}
