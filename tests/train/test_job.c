// SPDX-License-Identifier: Apache-2.0

#include "support/files.h"
#include "support/support.h"
#include "train/train.h"

#include <string.h>
#include <unistd.h>

static wsr_status add_number(wsr__st_builder *builder, void *ctx)
{
    return wsr__st_add_u64(builder, "number", ctx, 1);
}

static bool stop_at(const char *phase, size_t done, size_t total,
                    const char *note, void *user)
{
    const size_t *const last = user;
    ck_assert_str_eq(phase, "work");
    ck_assert_uint_eq(total, 9);
    ck_assert_str_eq(note, "note");
    return done < *last;
}

START_TEST(a_job_goes_on_from_its_checkpoint_and_that_place_in_the_log)
{
    const char *const dir = scratch_folder("goes-on");
    wsr__job *job = NULL;
    wsr__st *st = NULL;
    uint64_t number = 42;
    ck_assert_ok(wsr__job_open(&job, dir, false, NULL, NULL));
    ck_assert_ok(wsr__job_write(job, "config.yaml", "seed: 1\n"));
    ck_assert_ok(wsr__job_begin(job, NULL));
    job->state = add_number;
    job->ctx = &number;
    ck_assert_ok(wsr__journal_text(job->journal, "a", "{}"));
    ck_assert_ok(wsr__job_checkpoint(job));
    ck_assert_ok(wsr__journal_text(job->journal, "b", "{}"));
    wsr__job_close(job);

    number = 0;
    ck_assert_ok(wsr__job_open(&job, dir, true, NULL, NULL));
    ck_assert_ok(wsr__job_load(&st, job));
    ck_assert_ptr_nonnull(st);
    ck_assert_ok(wsr__st_read_u64(&number, st, "number", 1));
    ck_assert_uint_eq(number, 42);
    ck_assert_ok(wsr__job_begin(job, st));
    ck_assert_uint_eq(wsr__journal_lines(job->journal), 1);
    wsr__st_free(st);
    wsr__job_close(job);
}
END_TEST

START_TEST(a_run_without_checkpoint_begins_again)
{
    const char *const dir = scratch_folder("again");
    wsr__job *job = NULL;
    wsr__st *st = NULL;
    ck_assert_ok(wsr__job_open(&job, dir, false, NULL, NULL));
    ck_assert_ok(wsr__job_write(job, "config.yaml", ""));
    wsr__job_close(job);
    ck_assert_ok(wsr__job_open(&job, dir, true, NULL, NULL));
    ck_assert_ok(wsr__job_load(&st, job));
    ck_assert_ptr_null(st);
    wsr__job_close(job);
}
END_TEST

START_TEST(a_new_run_does_not_take_the_folder_of_another)
{
    const char *const dir = scratch_folder("taken");
    uint64_t number = 1;
    wsr__job *job = NULL;
    ck_assert_ok(wsr__job_open(&job, dir, false, NULL, NULL));
    ck_assert_ok(wsr__job_begin(job, NULL));
    job->state = add_number;
    job->ctx = &number;
    ck_assert_ok(wsr__job_checkpoint(job));
    wsr__job_close(job);
    ck_assert_fails(wsr__job_open(&job, dir, false, NULL, NULL), WSR_ARG,
                    "resume it");
    ck_assert_ptr_null(job);
}
END_TEST

START_TEST(a_folder_without_a_run_is_not_resumed)
{
    wsr__job *job = NULL;
    ck_assert_fails(
        wsr__job_open(&job, scratch_folder("none"), true, NULL, NULL),
        WSR_NOTFOUND, "config.yaml");
    ck_assert_ptr_null(job);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_reported)
{
    const char *const file = path_in(scratch_folder("blocked"), "file");
    bytes nothing = {0};
    wsr__job *job = NULL;
    put_file(file, &nothing);
    ck_assert_fails(
        wsr__job_open(&job, path_in(file, "run"), false, NULL, NULL), WSR_IO,
        "file");
    ck_assert_ptr_null(job);
}
END_TEST

START_TEST(the_hook_stops_a_job)
{
    size_t last = 4;
    wsr__job *job = NULL;
    ck_assert_ok(
        wsr__job_open(&job, scratch_folder("hook"), false, stop_at, &last));
    ck_assert_ok(wsr__job_progress(job, "work", 3, 9, "note"));
    ck_assert_fails(wsr__job_progress(job, "work", 4, 9, "note"), WSR_CANCELED,
                    "after step 4 of 9");
    wsr__job_close(job);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_job_goes_on_from_its_checkpoint_and_that_place_in_the_log,
        a_run_without_checkpoint_begins_again,
        a_new_run_does_not_take_the_folder_of_another,
        a_folder_without_a_run_is_not_resumed,
        a_folder_that_cannot_be_made_is_reported,
        the_hook_stops_a_job,
        NULL};
    return suite_of("job", tests);
}
