// SPDX-License-Identifier: Apache-2.0

#include "io/io.h"
#include "support/oom.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char logged[1024];

static void keep_line(wsr_log_level level, const char *line, void *user)
{
    (void)user;
    if (level == WSR_LOG_WARNING) {
        (void)snprintf(logged, sizeof(logged), "%s", line);
    }
}

static const char *path_in(const char *folder)
{
    static char path[600];
    (void)snprintf(path, sizeof(path), "%s/c.safetensors",
                   scratch_folder(folder));
    return path;
}

static wsr_status save(const char *path, float value)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__st_add_f32(b, "v", &value, 1));
    WSR_TRY(wsr__st_set(b, "a", "\"crc32\":\"11111111\""));
    WSR_TRY(wsr__checkpoint_save(b, path));
out:
    wsr__st_builder_free(b);
    return status;
}

// The value in the checkpoint that is loaded.
static double load(const char *path)
{
    wsr__st *st = NULL;
    float value = 0.0f;
    logged[0] = '\0';
    wsr_set_log_hook(keep_line, NULL);
    ck_assert_ok(wsr__checkpoint_load(&st, path));
    wsr_set_log_hook(NULL, NULL);
    ck_assert_ok(wsr__st_read_f32(&value, st, "v", 1));
    wsr__st_free(st);
    return (double)value;
}

static void flip(const char *path, long at, unsigned char mask)
{
    FILE *const f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    (void)fseek(f, at, SEEK_SET);
    const int c = fgetc(f);
    (void)fseek(f, at, SEEK_SET);
    (void)fputc(c ^ mask, f);
    (void)fclose(f);
}

static long size_of(const char *path)
{
    FILE *const f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    (void)fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    (void)fclose(f);
    return size;
}

START_TEST(the_newest_checkpoint_is_loaded)
{
    const char *const path = path_in("newest");
    ck_assert_ok(save(path, 1.0f));
    ck_assert_double_eq(load(path), 1.0);
    ck_assert_ok(save(path, 2.0f));
    ck_assert_ok(save(path, 3.0f));
    ck_assert_double_eq(load(path), 3.0);
    ck_assert_str_eq(logged, "");
}
END_TEST

START_TEST(equal_content_is_equal_bytes)
{
    const char *const path = path_in("equal");
    unsigned char *first = NULL;
    unsigned char *second = NULL;
    size_t n = 0;
    size_t m = 0;
    ck_assert_ok(save(path, 1.0f));
    ck_assert_ok(wsr__file_read(&first, &n, path, 1 << 20));
    ck_assert_ok(save(path, 1.0f));
    ck_assert_ok(wsr__file_read(&second, &m, path, 1 << 20));
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(first, second, n);
    wsr__free(first);
    wsr__free(second);
}
END_TEST

// A checkpoint of 2 with a predecessor of 1, whatever was there.
static void save_both(const char *path)
{
    ck_assert_ok(save(path, 1.0f));
    ck_assert_ok(save(path, 2.0f));
}

START_TEST(every_flipped_bit_is_noticed)
{
    const char *const path = path_in("flip");
    save_both(path);
    const long size = size_of(path);
    for (long at = 0; at < size; at++) {
        save_both(path);
        flip(path, at, (unsigned char)(1u << (at % 8)));
        ck_assert_double_eq(load(path), 1.0);
        ck_assert_ptr_nonnull(strstr(logged, "its predecessor"));
    }
}
END_TEST

START_TEST(a_truncated_checkpoint_is_replaced_by_its_predecessor)
{
    const char *const path = path_in("cut");
    save_both(path);
    for (long n = size_of(path) - 1; n >= 0; n -= 7) {
        save_both(path);
        ck_assert_int_eq(truncate(path, n), 0);
        ck_assert_double_eq(load(path), 1.0);
    }
    save_both(path);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_double_eq(load(path), 1.0);
    ck_assert_ptr_nonnull(strstr(logged, "there is no checkpoint"));
}
END_TEST

START_TEST(without_a_good_file_the_first_failure_is_reported)
{
    const char *const path = path_in("bad");
    char old[700];
    wsr__st *st = NULL;
    (void)snprintf(old, sizeof(old), "%s.old", path);
    ck_assert_fails(wsr__checkpoint_load(&st, path), WSR_NOTFOUND,
                    "c.safetensors: there is no checkpoint");
    ck_assert_ok(save(path, 1.0f));
    ck_assert_ok(save(path, 2.0f));
    flip(path, size_of(path) - 1, 1);
    flip(old, 100, 1);
    ck_assert_fails(wsr__checkpoint_load(&st, path), WSR_FORMAT,
                    "c.safetensors: is damaged: checksum ");
    ck_assert_ptr_null(st);
    ck_assert_ok(wsr__file_write(path, "hello", 5));
    ck_assert_ok(wsr__file_write(old, "hello", 5));
    ck_assert_fails(wsr__checkpoint_load(&st, path), WSR_FORMAT,
                    "c.safetensors: no checkpoint: it has no checksum");
}
END_TEST

START_TEST(a_damaged_checkpoint_does_not_become_the_predecessor)
{
    const char *const path = path_in("kept");
    save_both(path);
    flip(path, size_of(path) - 1, 1);
    ck_assert_double_eq(load(path), 1.0);
    ck_assert_ok(save(path, 3.0f));
    flip(path, size_of(path) - 1, 1);
    ck_assert_double_eq(load(path), 1.0);
}
END_TEST

START_TEST(a_ring_that_cannot_be_is_refused)
{
    const char *const path = path_in("ring");
    wsr__st *st = NULL;
    ck_assert_ok(save(path, 1.0f));
    ck_assert_ok(wsr__checkpoint_load(&st, path));
    static const int64_t good[][2] = {{0, 0}, {0, 4}, {3, 4}};
    static const int64_t bad[][2] = {{0, 5}, {4, 4}, {-1, 2}, {2, -1}};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_ok(wsr__checkpoint_ring(st, "memory", good[i], 4));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(wsr__checkpoint_ring(st, "memory", bad[i], 4),
                        WSR_FORMAT, "memory of 4 places holds");
    }
    wsr__st_free(st);
}
END_TEST

// A file with a valid checksum may still hold anything.
static wsr_status read_count(const char *path, int64_t stored)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    wsr__st *st = NULL;
    int64_t value[] = {7, stored};
    wsr__state state = {"steps", WSR__STATE_I64, value, 2};
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__st_add_state(b, "optim.", &state));
    WSR_TRY(wsr__checkpoint_save(b, path));
    WSR_TRY(wsr__checkpoint_load(&st, path));
    WSR_TRY(wsr__st_read_state(&state, st, "optim."));
    ck_assert_int_eq(value[1], stored);
out:
    wsr__st_builder_free(b);
    wsr__st_free(st);
    return status;
}

START_TEST(a_count_that_cannot_be_counted_on_is_refused)
{
    const char *const path = path_in("count");
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 1,
                                  WSR__COUNT_MOST + 1};
    ck_assert_ok(read_count(path, 0));
    ck_assert_ok(read_count(path, WSR__COUNT_MOST));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(read_count(path, bad[i]), WSR_FORMAT,
                        "c.safetensors: optim.steps: ");
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "(element 1)"));
    }
}
END_TEST

static wsr_status save_and_load(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    WSR_TRY(save(ctx, 1.0f));
    WSR_TRY(wsr__checkpoint_load(&st, ctx));
out:
    wsr__st_free(st);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s", path_in("oom"));
    ck_assert_uint_gt(oom_sweep(save_and_load, path), 10);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_newest_checkpoint_is_loaded,
        equal_content_is_equal_bytes,
        every_flipped_bit_is_noticed,
        a_truncated_checkpoint_is_replaced_by_its_predecessor,
        without_a_good_file_the_first_failure_is_reported,
        a_damaged_checkpoint_does_not_become_the_predecessor,
        a_ring_that_cannot_be_is_refused,
        a_count_that_cannot_be_counted_on_is_refused,
        short_memory_is_reported_without_a_leak,
        NULL,
    };
    return suite_of("io/checkpoint", tests);
}
