// SPDX-License-Identifier: Apache-2.0
//
// Fair paths: every candidate of every edge equally often, and runs that were
// stopped.

#include "search/runs.h"
#include "search/search.h"

enum { GROUPS = 25 };

static wsr_search *search_of(wsr_dataset **data, const char *space)
{
    wsr_search *s = NULL;
    wsr_config *const config = make_config(space);
    ck_assert_ok(wsr_config_set(config, "supernet.layers=4"));
    ck_assert_ok(wsr_config_set(config, "search.sampling=fair"));
    ck_assert_ok(
        wsr_dataset_open(data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&s, *data, config));
    wsr_config_free(config);
    return s;
}

START_TEST(each_candidate_once_in_as_many_paths_as_there_are_candidates)
{
    static const char *const spaces[] = {"supernet.space=darts",
                                         "supernet.space=nb201"};
    wsr_dataset *data = NULL;
    wsr_search *const s = search_of(&data, spaces[_i]);
    const size_t cols = s->arch.cols;
    const size_t rows = s->arch.rows;
    size_t same = 0; // neighbouring edges that take the same candidate
    for (size_t group = 0; group < GROUPS; group++) {
        size_t count[WSR__EDGES][WSR__CANDIDATES] = {{0}};
        for (size_t k = 0; k < cols; k++) {
            wsr__path_fair(&s->path, s, group * cols + k);
            for (size_t r = 0; r < rows; r++) {
                const size_t choice = s->path.choices[r];
                ck_assert_uint_lt(choice, cols);
                count[r][choice]++;
                ck_assert_float_eq(s->path.weights[r * cols + choice], 1);
                ck_assert_float_eq(s->path.top[r], 1);
                same += r > 0 && choice == s->path.choices[r - 1];
            }
        }
        for (size_t r = 0; r < rows; r++) {
            for (size_t k = 0; k < cols; k++) {
                ck_assert_uint_eq(count[r][k], 1);
            }
        }
    }
    // One in `cols` by chance; the orders of edges are independent.
    const double chance = (double)(GROUPS * (rows - 1));
    ck_assert_double_ge((double)same, 0.6 * chance);
    ck_assert_double_le((double)same, 1.4 * chance);
    wsr_search_free(s);
    wsr_dataset_free(data);
}
END_TEST

// Number n of the search, wherever it is in an epoch.
START_TEST(the_search_trains_on_them)
{
    wsr_dataset *data = NULL;
    wsr_search *const s = search_of(&data, "supernet.space=nb201");
    const size_t batches = wsr__search_train_batches(s);
    unsigned char last[6];
    ck_assert_ok(wsr_search_step(s));
    ck_assert_ok(wsr_search_step(s));
    memcpy(last, s->path.choices, sizeof(last));
    wsr__path_fair(&s->path, s, 2 * batches - 1);
    ck_assert(same_bits(last, s->path.choices, sizeof(last)));
    wsr_search_free(s);
    wsr_dataset_free(data);
}
END_TEST

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = make_config(extras[_i]);
    ck_assert_ok(wsr_config_set(config, "search.sampling=fair"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("path");
    TCase *const t = tcase_create("path");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(
        t, each_candidate_once_in_as_many_paths_as_there_are_candidates, 0, 2);
    tcase_add_test(t, the_search_trains_on_them);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
