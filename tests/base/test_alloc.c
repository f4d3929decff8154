// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

START_TEST(memory_is_aligned_to_a_cache_line)
{
    for (size_t n = 1; n < 300; n += 7) {
        void *const ptr = wsr__alloc_raw(n, 1);
        ck_assert_ptr_nonnull(ptr);
        ck_assert_uint_eq((uintptr_t)ptr % WSR__ALIGN, 0);
        wsr__free(ptr);
    }
}
END_TEST

START_TEST(memory_is_zeroed)
{
    for (int round = 0; round < 4; round++) {
        unsigned char *const bytes = wsr__alloc(333, 3);
        ck_assert_ptr_nonnull(bytes);
        for (size_t i = 0; i < 999; i++) {
            ck_assert_uint_eq(bytes[i], 0);
        }
        memset(bytes, 0xee, 999);
        wsr__free(bytes);
    }
}
END_TEST

// The system would promise it and end the process that uses it.
START_TEST(more_than_the_machine_has_is_refused)
{
    const double have = wsr__memory_free();
    if (have < 1e15) {
        ck_assert_ptr_null(wsr__alloc_raw((size_t)(1.1 * have), 1));
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "could not be had"));
    }
}
END_TEST

START_TEST(a_product_beyond_size_t_is_refused)
{
    ck_assert_ptr_null(wsr__alloc(SIZE_MAX / 4 + 1, 4));
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "memory"));
    ck_assert_ptr_null(wsr__alloc_raw(2, SIZE_MAX));
}
END_TEST

START_TEST(a_count_of_zero_yields_one_element)
{
    int64_t *const one = wsr__alloc(0, sizeof(*one));
    ck_assert_ptr_nonnull(one);
    ck_assert_int_eq(*one, 0);
    *one = 7;
    wsr__free(one);
}
END_TEST

START_TEST(freeing_nothing_is_legal)
{
    wsr__free(NULL);
}
END_TEST

START_TEST(the_hook_sees_every_request_and_release)
{
    oom_begin(0);
    void *const a = wsr__alloc(3, 5);
    char *const b = wsr__strdup("text");
    const size_t held = oom_live();
    wsr__free(a);
    wsr__free(b);
    const size_t left = oom_live();
    const size_t requests = oom_requests();
    oom_end();
    ck_assert_uint_eq(held, 2);
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(requests, 2);
}
END_TEST

START_TEST(a_refused_request_names_the_bytes)
{
    oom_begin(1);
    void *const ptr = wsr__alloc(12, 10);
    oom_end();
    ck_assert_ptr_null(ptr);
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "120 bytes"));
}
END_TEST

START_TEST(a_growing_array_keeps_its_content)
{
    void *array = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        const size_t need = (size_t)i + 1;
        ck_assert_ok(wsr__reserve(&array, &capacity, need, sizeof(int)));
        ck_assert_uint_ge(capacity, need);
        ((int *)array)[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(((const int *)array)[i], i);
    }
    wsr__free(array);
}
END_TEST

START_TEST(an_array_that_cannot_grow_stays_as_it_is)
{
    void *array = NULL;
    size_t capacity = 0;
    ck_assert_ok(wsr__reserve(&array, &capacity, 4, 1));
    memcpy(array, "abc", 4);
    void *const before = array;
    const size_t size = capacity;
    oom_begin(1);
    const wsr_status status = wsr__reserve(&array, &capacity, size + 1, 1);
    oom_end();
    ck_assert_int_eq(status, WSR_NOMEM);
    ck_assert_ptr_eq(array, before);
    ck_assert_uint_eq(capacity, size);
    ck_assert_str_eq(array, "abc");
    wsr__free(array);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        memory_is_aligned_to_a_cache_line,
        memory_is_zeroed,
        more_than_the_machine_has_is_refused,
        a_product_beyond_size_t_is_refused,
        a_count_of_zero_yields_one_element,
        freeing_nothing_is_legal,
        the_hook_sees_every_request_and_release,
        a_refused_request_names_the_bytes,
        a_growing_array_keeps_its_content,
        an_array_that_cannot_grow_stays_as_it_is,
        NULL,
    };
    return suite_of("alloc", tests);
}
