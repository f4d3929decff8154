// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static void fill(wsr__ae_memory *memory, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        float *const at = wsr__ae_memory_push(memory);
        for (size_t k = 0; k < wsr__ae_memory_floats(memory); k++) {
            at[k] = (float)(100 * i) + (float)k;
        }
    }
}

START_TEST(the_oldest_sample_makes_room)
{
    wsr__ae_memory memory = {.capacity = 4, .pixels = 3};
    ck_assert_ok(wsr__ae_memory_reserve(&memory, 2));
    ck_assert_uint_eq(wsr__ae_memory_floats(&memory), 13);
    fill(&memory, 0, 3);
    ck_assert_int_eq(memory.counters[1], 3);
    fill(&memory, 3, 6);
    ck_assert_int_eq(memory.counters[1], 4);
    for (size_t i = 0; i < 4; i++) {
        const wsr__estimator_sample s = wsr__ae_memory_at(&memory, i);
        const float base = 100 * (float)(i + 2);
        ck_assert(s.image[0] == base);
        ck_assert(s.noise[0][0] == base + 3);
        ck_assert(s.noise[1][2] == base + 8);
        ck_assert(s.label[0] == base + 9);
        ck_assert(s.target[0] == base + 12);
    }
    wsr__ae_memory_free(&memory);
}
END_TEST

START_TEST(the_number_of_sources_is_fixed)
{
    wsr__ae_memory memory = {.capacity = 4, .pixels = 3};
    ck_assert_ok(wsr__ae_memory_reserve(&memory, 2));
    ck_assert_ok(wsr__ae_memory_reserve(&memory, 2));
    ck_assert_fails(wsr__ae_memory_reserve(&memory, 3), WSR_ARG,
                    "samples have 3 sources, the memory holds some with 2");
    wsr__ae_memory_free(&memory);
}
END_TEST

START_TEST(too_large_a_memory_is_named)
{
    wsr__ae_memory memory = {.capacity = SIZE_MAX / 1024, .pixels = 3};
    ck_assert_fails(wsr__ae_memory_reserve(&memory, 2), WSR_NOMEM,
                    "estimator.memory: 18014398509481983 samples of 4 images "
                    "of 3 numbers: out of memory");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_oldest_sample_makes_room,
        the_number_of_sources_is_fixed,
        too_large_a_memory_is_named,
        NULL,
    };
    return suite_of("memory", tests);
}
