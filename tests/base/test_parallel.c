// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST = 1000, PARTS = 16 };

typedef struct trace {
    atomic_int visits[MOST];
    int64_t begin[PARTS];
    int64_t end[PARTS];
    atomic_int calls;
} trace;

static void visit(void *ctx, int64_t begin, int64_t end, size_t part)
{
    trace *const t = ctx;
    ck_assert_uint_lt(part, PARTS);
    t->begin[part] = begin;
    t->end[part] = end;
    atomic_fetch_add(&t->calls, 1);
    for (int64_t i = begin; i < end; i++) {
        atomic_fetch_add(&t->visits[i], 1);
    }
}

START_TEST(every_index_is_visited_once)
{
    static const int64_t sizes[] = {0, 1, 2, 7, 16, 17, MOST};
    for (size_t threads = 1; threads <= 8; threads++) {
        wsr_set_threads(threads);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            static trace t;
            t = (trace){0};
            wsr__parallel(sizes[s], visit, &t);
            for (int64_t i = 0; i < MOST; i++) {
                ck_assert_int_eq(atomic_load(&t.visits[i]), i < sizes[s]);
            }
        }
    }
}
END_TEST

// The first element waits for all that its thread has not begun with: they are
// done only if another thread takes them over.
static void wait_for_others(void *ctx, int64_t begin, int64_t end, size_t part)
{
    trace *const t = ctx;
    if (begin == 0) {
        const double start = wsr__seconds();
        for (int64_t i = end; i < MOST; i++) {
            while (atomic_load(&t->visits[i]) == 0 &&
                   wsr__seconds() < start + 20.0) {
            }
        }
    }
    visit(ctx, begin, end, part);
}

START_TEST(a_slow_thread_is_relieved)
{
    static trace t;
    t = (trace){0};
    wsr_set_threads(2);
    const double start = wsr__seconds();
    wsr__parallel(MOST, wait_for_others, &t);
    ck_assert_double_lt(wsr__seconds() - start, 20.0);
    ck_assert_int_eq(t.begin[0], 0); // and was not called again
}
END_TEST

typedef struct apart {
    atomic_int running[PARTS];
    atomic_int twice;
    atomic_int most;
} apart;

static void run_apart(void *ctx, int64_t begin, int64_t end, size_t part)
{
    apart *const a = ctx;
    atomic_fetch_add(&a->twice, atomic_fetch_add(&a->running[part], 1));
    const double start = wsr__seconds();
    while (wsr__seconds() < start + 1e-5 * (double)(end - begin)) {
    }
    if ((int)part > atomic_load(&a->most)) {
        atomic_store(&a->most, (int)part);
    }
    atomic_fetch_sub(&a->running[part], 1);
}

START_TEST(a_part_runs_one_body_at_a_time)
{
    for (size_t threads = 1; threads <= 8; threads++) {
        apart a = {0};
        wsr_set_threads(threads);
        wsr__parallel_among(MOST, 3, run_apart, &a);
        ck_assert_int_eq(atomic_load(&a.twice), 0);
        ck_assert_int_lt(atomic_load(&a.most), 3);
    }
}
END_TEST

START_TEST(one_element_runs_in_the_calling_thread)
{
    static trace t;
    t = (trace){0};
    wsr_set_threads(4);
    wsr__parallel(1, visit, &t);
    ck_assert_int_eq(atomic_load(&t.calls), 1);
    ck_assert_int_eq(t.end[0], 1);
}
END_TEST

static void nested(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        trace own = {0};
        wsr__parallel(100, visit, &own);
        if (atomic_load(&own.calls) == 1) {
            atomic_fetch_add((atomic_int *)ctx, 1);
        }
    }
}

START_TEST(a_loop_inside_a_loop_is_not_split)
{
    atomic_int whole = 0;
    wsr_set_threads(3);
    wsr__parallel(6, nested, &whole);
    ck_assert_int_eq(atomic_load(&whole), 6);
}
END_TEST

START_TEST(the_number_of_threads_is_what_was_set)
{
    wsr_set_threads(3);
    ck_assert_uint_eq(wsr_threads(), 3);
    wsr_set_threads(0);
    ck_assert_uint_ge(wsr_threads(), 1);
}
END_TEST

extern int omp_get_max_threads(void); // what the backend will ask
extern void omp_set_num_threads(int n);

typedef struct answer {
    int inside;
    int after;
} answer;

static void *ask_backend(void *user)
{
    answer *const a = user;
    omp_set_num_threads(3);
    const size_t before = wsr__threads_enter();
    a->inside = omp_get_max_threads();
    wsr__threads_leave(before);
    a->after = omp_get_max_threads();
    return NULL;
}

START_TEST(the_backend_uses_the_number_in_every_thread)
{
    wsr_set_threads(5);
    answer a = {0, 0};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_backend, &a), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(a.inside, 5);
    ck_assert_int_eq(a.after, 3);
}
END_TEST

#if !SANITIZED
// In a thread of its own, so that no others have been started for it.
static void *start_in_vain(void *user)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    const struct rlimit none = {.rlim_cur = 1 << 20,
                                .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
    *(wsr_status *)user = wsr__threads_start();
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "900 threads"));
    ck_assert_ok(wsr__threads_start());
    return NULL;
}
#endif

START_TEST(threads_that_cannot_be_had_are_a_status)
{
#if !SANITIZED // ends programs whose memory is limited
    wsr_set_threads(900);
    wsr_status status = WSR_OK;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, start_in_vain, &status), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(status, WSR_NOMEM);
    wsr_set_threads(2);
#endif
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_index_is_visited_once,
        a_slow_thread_is_relieved,
        a_part_runs_one_body_at_a_time,
        one_element_runs_in_the_calling_thread,
        a_loop_inside_a_loop_is_not_split,
        the_number_of_threads_is_what_was_set,
        the_backend_uses_the_number_in_every_thread,
        threads_that_cannot_be_had_are_a_status,
        NULL,
    };
    return suite_of("parallel", tests);
}
