// SPDX-License-Identifier: Apache-2.0
//
// How many threads of the system a plan runs on, whichever thread runs it.

#include "graph/graph.h"
#include "support/support.h"

#include <dirent.h>
#include <pthread.h>
#include <time.h>

extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int n);

typedef struct work {
    wsr_params *params;
    wsr_plan *plan;
} work;

typedef struct visit {
    int own;    // what the thread sets for its own OpenMP loops, 0: nothing
    work *work; // NULL: make it in the thread
    wsr_status status;
    size_t before; // threads of the process
    size_t after;
    int own_after;
} visit;

static size_t threads_of_process(void)
{
    size_t n = 0;
    DIR *const tasks = opendir("/proc/self/task");
    if (tasks == NULL) {
        skip("there is no list of threads in /proc");
    }
    for (const struct dirent *e = readdir(tasks); e != NULL;
         e = readdir(tasks)) {
        n += e->d_name[0] != '.';
    }
    (void)closedir(tasks);
    return n;
}

// oneDNN's convolutions and products, and a loop of ours.
static wsr_status work_open(work *out)
{
    const wsr__init init = {.bound = 0.5F};
    wsr_graph *g = NULL;
    wsr_status status = WSR_OK;
    *out = (work){NULL, NULL};
    WSR_TRY(wsr_params_new(&out->params, 1));
    WSR_TRY(wsr_graph_new(&g, out->params));
    const wsr_value x = wsr__input(g, "x", wsr__shape4(1, 16, 32, 32));
    const wsr_value w =
        wsr__param_value(g, "w", wsr__shape4(16, 16, 3, 3), init);
    const wsr_value l = wsr__param_value(g, "l", wsr__shape2(64, 16384), init);
    const wsr_value conv =
        wsr__op1(g, "relu", NULL, wsr__op2(g, "conv2d", "pad=1", x, w));
    const wsr_value pool = wsr__op1(g, "max_pool", "pad=1", conv);
    const wsr_value rows = wsr__op1(g, "reshape", "dims=[16384]", pool);
    wsr__set_output(g, "y", wsr__op2(g, "linear", NULL, rows, l));
    WSR_TRY(wsr__graph_status(g));
    WSR_TRY(wsr_plan_new(&out->plan, g, 16, WSR_GRAD_INPUT | WSR_GRAD_PARAMS));
out:
    wsr_graph_free(g);
    return status;
}

static void work_close(work *w)
{
    wsr_plan_free(w->plan);
    wsr_params_free(w->params);
}

static wsr_status do_work(visit *v)
{
    wsr_status status = WSR_OK;
    work own = {NULL, NULL};
    if (v->work == NULL) {
        WSR_TRY(work_open(&own));
    }
    wsr_plan *const plan = v->work != NULL ? v->work->plan : own.plan;
    WSR_TRY(wsr_plan_forward(plan));
    WSR_TRY(wsr_plan_backward(plan));
out:
    work_close(&own);
    return status;
}

static void *pay_visit(void *user)
{
    visit *const v = user;
    if (v->own > 0) {
        omp_set_num_threads(v->own);
    }
    v->before = threads_of_process();
    v->status = do_work(v);
    v->after = threads_of_process();
    v->own_after = omp_get_max_threads();
    return NULL;
}

// Threads that a run adds in a new thread of the caller. The threads of OpenMP
// end some time after the thread that they worked for; the next count waits.
static size_t threads_added(visit *v)
{
    pthread_t thread;
    const size_t others = threads_of_process();
    ck_assert_int_eq(pthread_create(&thread, NULL, pay_visit, v), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(v->status, WSR_OK);
    for (int i = 0; i < 5000 && threads_of_process() > others; i++) {
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
    }
    return v->after - v->before;
}

START_TEST(one_thread_is_one_thread_in_every_thread)
{
    wsr_set_threads(1);
    for (int i = 0; i < 3; i++) {
        visit v = {0};
        ck_assert_uint_eq(threads_added(&v), 0);
    }
}
END_TEST

START_TEST(a_plan_may_run_in_another_thread_than_it_was_made_in)
{
    wsr_set_threads(1);
    work made;
    ck_assert_ok(work_open(&made));
    visit v = {.work = &made};
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(threads_added(&v), 0);
    }
    work_close(&made);
}
END_TEST

START_TEST(several_threads_are_as_many_in_every_thread)
{
    for (size_t n = 2; n <= 4; n++) {
        wsr_set_threads(n);
        for (int i = 0; i < 2; i++) {
            visit v = {0};
            ck_assert_uint_eq(threads_added(&v), n - 1);
        }
    }
}
END_TEST

START_TEST(what_a_caller_sets_for_its_own_loops_stays_its_own)
{
    wsr_set_threads(1);
    visit v = {.own = 3};
    ck_assert_uint_eq(threads_added(&v), 0);
    ck_assert_int_eq(v.own_after, 3);
    wsr_set_threads(2);
    ck_assert_uint_eq(threads_added(&v), 1);
    ck_assert_int_eq(v.own_after, 3);
    ck_assert_uint_eq(wsr_threads(), 2);
}
END_TEST

START_TEST(the_number_may_change_while_a_thread_lives)
{
    visit v = {0};
    wsr_set_threads(3);
    (void)pay_visit(&v);
    ck_assert_int_eq(v.status, WSR_OK);
    wsr_set_threads(1);
    (void)pay_visit(&v);
    ck_assert_int_eq(v.status, WSR_OK);
    ck_assert_uint_eq(v.after, v.before);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_thread_is_one_thread_in_every_thread,
        a_plan_may_run_in_another_thread_than_it_was_made_in,
        several_threads_are_as_many_in_every_thread,
        what_a_caller_sets_for_its_own_loops_stays_its_own,
        the_number_may_change_while_a_thread_lives,
        NULL,
    };
    return suite_of("threads", tests);
}
