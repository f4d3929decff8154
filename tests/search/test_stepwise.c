// SPDX-License-Identifier: Apache-2.0
//
// A search in a caller's hands: step by step it is the run, bit for bit,
// however it is interrupted, evaluated in between, or written and read.

#include "search/runs.h"
#include "search/search.h"
#include "support/oom.h"

#include <math.h>

enum { SIZE = 28 * 8, RANDOM = 2 };

static wsr_dataset *make_data(const char *options)
{
    wsr_dataset *data = NULL;
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", options));
    return data;
}

typedef struct fixture {
    wsr_dataset *data;
    wsr_config *config;
    wsr_search *search;
} fixture;

static void setup(fixture *f, const char *extra)
{
    f->data = make_data("limit=64");
    f->config = make_config(extra);
    ck_assert_ok(wsr_search_new(&f->search, f->data, f->config));
}

static void teardown(fixture *f)
{
    wsr_search_free(f->search);
    wsr_config_free(f->config);
    wsr_dataset_free(f->data);
}

static void finish(wsr_search *search)
{
    while (wsr_search_phase(search) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(search));
    }
}

// Everything that a checkpoint of the run holds of the search.
static void same_as_run(const wsr_search *search, const char *dir)
{
    char *path = wsr__path_join(dir, "checkpoint.safetensors");
    wsr__st *run = NULL;
    wsr__st_builder *builder = NULL;
    wsr__str header = {0};
    size_t n = 0;
    ck_assert_ok(wsr__st_open(&run, path));
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__search_add_state(search, builder));
    ck_assert_ok(wsr__st_header(&header, builder));
    for (const wsr__st_tensor *mine = NULL;
         (mine = wsr__st_builder_at(builder, n)) != NULL; n++) {
        const wsr__st_tensor *const other = wsr__st_find(run, mine->name);
        ck_assert_msg(other != NULL, "%s is missing", mine->name);
        ck_assert_uint_eq(mine->bytes, other->bytes);
        ck_assert_msg(memcmp(mine->data, other->data, mine->bytes) == 0,
                      "%s differs", mine->name);
    }
    ck_assert_uint_gt(n, 100);
    wsr__str_free(&header);
    wsr__st_builder_free(builder);
    wsr__st_free(run);
    wsr__free(path);
}

static void same_genotype_as_run(const wsr_search *search, const char *dir)
{
    char *path = wsr__path_join(dir, "genotype.yaml");
    wsr_genotype *mine = NULL;
    wsr_genotype *other = NULL;
    ck_assert_ok(wsr_genotype_load(&other, path));
    ck_assert_ok(wsr_search_genotype(&mine, search, "found"));
    ck_assert(wsr_genotype_equal(mine, other));
    wsr_genotype_free(mine);
    wsr_genotype_free(other);
    wsr__free(path);
}

static const char *const searchers[] = {
    "searcher.name=wsr_nas",    "searcher.name=naive",
    "searcher.name=random",     "searcher.name=rsws",
    "searcher.name=evolution",  "searcher.name=regularized_evolution",
    "searcher.name=controller", "searcher.name=std_const_adv"};

START_TEST(steps_are_those_of_a_run)
{
    fixture f;
    const char *const dir = scratch_folder("run");
    setup(&f, searchers[_i]);
    ck_assert_ok(wsr_search_run(NULL, f.config, dir, false, NULL, NULL));
    finish(f.search);
    same_as_run(f.search, dir);
    same_genotype_as_run(f.search, dir);
    teardown(&f);
}
END_TEST

START_TEST(released_steps_are_those_of_a_run)
{
    fixture f;
    const char *const dir = scratch_folder("released");
    setup(&f, "fidelity=released");
    ck_assert_ok(wsr_search_run(NULL, f.config, dir, false, NULL, NULL));
    finish(f.search);
    same_as_run(f.search, dir);
    teardown(&f);
}
END_TEST

// Stopped at every call of the hook, asked for losses, and written to a file
// and read from it: nothing of that changes the results, of any searcher.
START_TEST(what_is_done_in_between_changes_nothing)
{
    fixture f;
    const char *const dir = scratch_folder("between");
    char *const path = wsr__path_join(dir, "state.safetensors");
    char whole[600];
    unsigned char choices[28] = {4};
    double losses[7];
    (void)snprintf(whole, sizeof(whole), "%s/whole", dir);
    setup(&f, searchers[_i]);
    ck_assert_ok(wsr_search_run(NULL, f.config, whole, false, NULL, NULL));
    size_t stops = 0;
    while (wsr_search_phase(f.search) != WSR_PHASE_DONE) {
        size_t left = 1;
        wsr_search_set_hook(f.search, stop_after, &left);
        const wsr_status status = wsr_search_step(f.search);
        // OK where the epoch lacked nothing but its end.
        ck_assert(status == WSR_OK || status == WSR_CANCELED);
        stops += status == WSR_CANCELED;
        wsr_search_set_hook(f.search, NULL, NULL);
        ck_assert_ok(wsr_search_evaluate(losses, f.search, choices));
        ck_assert_ok(wsr_search_save(f.search, path));
        wsr_search_free(f.search);
        ck_assert_ok(wsr_search_load(&f.search, path, f.data));
    }
    // Two batches an epoch; a stop elsewhere takes effect at the epoch's end.
    ck_assert(stops >= 6 || _i == RANDOM);   // which has nothing to stop
    ck_assert_ok(wsr_search_step(f.search)); // nothing is left to do
    same_as_run(f.search, whole);
    wsr__free(path);
    teardown(&f);
}
END_TEST

START_TEST(the_position_is_told)
{
    fixture f;
    setup(&f, "search.warm_up=2");
    ck_assert_int_eq(wsr_search_phase(f.search), WSR_PHASE_WARM_UP);
    ck_assert_uint_eq(wsr_search_epochs(f.search), 2);
    ck_assert(isnan(wsr_search_train_loss(f.search)));
    ck_assert_ok(wsr_search_step(f.search));
    ck_assert_uint_eq(wsr_search_epoch(f.search), 1);
    ck_assert(wsr_search_train_loss(f.search) > 0);
    ck_assert(wsr_search_train_accuracy(f.search) >= 0);
    ck_assert(wsr_search_train_accuracy(f.search) <= 1);
    ck_assert_ok(wsr_search_step(f.search));
    ck_assert_int_eq(wsr_search_phase(f.search), WSR_PHASE_POPULATION);
    ck_assert_uint_eq(wsr_search_epoch(f.search), 0);
    finish(f.search);
    ck_assert_uint_eq(wsr_search_epochs(f.search), 0);
    teardown(&f);
    setup(&f, "search.warm_up=0");
    ck_assert_int_eq(wsr_search_phase(f.search), WSR_PHASE_POPULATION);
    teardown(&f);
}
END_TEST

START_TEST(losses_belong_to_strengths)
{
    static const double eps[] = {0, 0.03, 0.045, 0.06, 0.075, 0.09, 0.105};
    fixture f;
    unsigned char choices[28];
    double losses[2][7];
    memset(choices, 4, sizeof(choices)); // sep_conv_3x3
    setup(&f, _i == 0 ? searchers[0] : searchers[1]);
    ck_assert_uint_eq(wsr_search_losses(f.search), 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_double_eq_tol(wsr_search_eps(f.search, i), eps[i], 1e-9);
    }
    ck_assert_double_eq(wsr_search_eps(f.search, 7), 0);
    ck_assert_ok(wsr_search_step(f.search));
    for (size_t k = 0; k < 2; k++) { // the same twice
        ck_assert_ok(wsr_search_evaluate(losses[k], f.search, choices));
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof(losses[0]));
    // Attacked strengths raise the loss; with naive those are all of them.
    for (size_t i = 1; i < 7; i += _i == 0 ? 2 : 1) {
        ck_assert_msg(losses[0][i] > losses[0][i - (i > 1 && _i == 0 ? 2 : 1)],
                      "%zu: %g, %g", i, losses[0][i], losses[0][i - 1]);
    }
    ck_assert(wsr_search_objective(f.search, losses[0]) > losses[0][0]);
    choices[14 + 5] = 6; // both cells of so small a supernet are reductions
    ck_assert_ok(wsr_search_evaluate(losses[1], f.search, choices));
    ck_assert_double_ne(losses[0][0], losses[1][0]);
    choices[27] = 8;
    const double before = losses[1][0];
    ck_assert_fails(wsr_search_evaluate(losses[1], f.search, choices), WSR_ARG,
                    "choices: 8 is outside [0, 7]");
    ck_assert_double_eq(losses[1][0], before);
    teardown(&f);
}
END_TEST

START_TEST(alphas_go_in_and_out)
{
    fixture f;
    float alphas[SIZE] = {0};
    wsr_genotype *genotype = NULL;
    setup(&f, NULL);
    ck_assert_uint_eq(wsr_supernet_edges(wsr_search_net(f.search)), 28);
    ck_assert_uint_eq(wsr_supernet_candidates(wsr_search_net(f.search)), 8);
    alphas[8 + 3] = 2;
    ck_assert_ok(wsr_search_set_alphas(f.search, alphas));
    ck_assert_mem_eq(wsr_search_alphas(f.search), alphas, sizeof(alphas));
    ck_assert_ok(wsr_search_genotype(&genotype, f.search, "mine"));
    ck_assert_str_eq(wsr_genotype_name(genotype), "mine");
    ck_assert_str_eq(wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, 0),
                     "skip_connect");
    wsr_genotype_free(genotype);
    float broken[SIZE] = {0};
    broken[13] = INFINITY;
    ck_assert_fails(wsr_search_set_alphas(f.search, broken), WSR_NUMERIC,
                    "inf of edge 1, candidate 5");
    ck_assert_mem_eq(wsr_search_alphas(f.search), alphas, sizeof(alphas));
    teardown(&f);
}
END_TEST

START_TEST(architectures_are_sampled_from_the_alphas)
{
    fixture f;
    float alphas[SIZE] = {0};
    unsigned char some[3][28];
    unsigned char fixed[28];
    setup(&f, NULL);
    ck_assert_ok(wsr_search_set_alphas(f.search, alphas));
    wsr_search_sample(some[0], f.search, 1);
    wsr_search_sample(some[1], f.search, 2);
    wsr_search_sample(some[2], f.search, 1);
    ck_assert_mem_eq(some[0], some[2], 28);
    ck_assert_mem_ne(some[0], some[1], 28);
    for (size_t i = 0; i < 28; i++) {
        alphas[8 * i + i % 8] = 1000;
    }
    ck_assert_ok(wsr_search_set_alphas(f.search, alphas));
    wsr_search_sample(fixed, f.search, 1);
    for (size_t i = 0; i < 28; i++) {
        ck_assert_uint_eq(fixed[i], i % 8);
    }
    teardown(&f);
}
END_TEST

// "none" everywhere is an architecture, too, and searches come across it.
START_TEST(an_architecture_may_ignore_its_images)
{
    fixture f;
    float alphas[SIZE] = {0};
    const unsigned char none[28] = {0};
    double losses[7];
    for (size_t i = 0; i < SIZE; i += 8) {
        alphas[i] = 1000;
    }
    setup(&f, searchers[_i]);
    ck_assert_ok(wsr_search_set_alphas(f.search, alphas));
    finish(f.search);
    ck_assert_ok(wsr_search_evaluate(losses, f.search, none));
    for (size_t i = 1; i < 7; i++) {
        ck_assert_double_eq(losses[i], losses[0]);
    }
    teardown(&f);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    fixture f;
    wsr_search *search = NULL;
    setup(&f, NULL);
    ck_assert_ok(wsr_config_set(f.config, "search.bach=3"));
    ck_assert_fails(wsr_search_new(&search, f.data, f.config), WSR_CONFIG,
                    "search.bach");
    ck_assert_ptr_null(search);
    wsr_config_free(f.config);
    f.config = make_config("search.batch=48");
    ck_assert_fails(wsr_search_new(&search, f.data, f.config), WSR_CONFIG,
                    "search.batch: 48 is above");
    // The batch of the defaults is larger than half of these images.
    ck_assert_fails(wsr_search_new(&search, f.data, NULL), WSR_CONFIG,
                    "search.batch: 64 is above");
    teardown(&f);
}
END_TEST

START_TEST(files_that_do_not_fit_are_refused)
{
    fixture f;
    wsr_search *again = NULL;
    wsr_dataset *const fewer = make_data("limit=60");
    wsr_dataset *const grey = make_data("limit=64,size=20");
    const char *const dir = scratch_folder("files");
    char *const path = wsr__path_join(dir, "state.safetensors");
    char *const net = wsr__path_join(dir, "net.safetensors");
    setup(&f, NULL);
    ck_assert_ok(wsr_search_save(f.search, path));
    ck_assert_ok(wsr_net_save(wsr_search_net(f.search), net));
    ck_assert_fails(wsr_search_load(&again, path, fewer), WSR_ARG,
                    "train: 60 images are not the 64");
    ck_assert_fails(wsr_search_load(&again, path, grey), WSR_ARG,
                    "train: 20 rows are not the 16");
    ck_assert_int_ne(wsr_search_load(&again, net, f.data), WSR_OK);
    ck_assert_fails(wsr_search_load(&again, dir, f.data), WSR_IO, dir);
    ck_assert_fails(wsr_search_load(&again, "no/such/file", f.data),
                    WSR_NOTFOUND, "no/such/file");
    ck_assert_ptr_null(again);
    wsr__free(net);
    wsr__free(path);
    wsr_dataset_free(grey);
    wsr_dataset_free(fewer);
    teardown(&f);
}
END_TEST

static wsr_status make_and_free(void *ctx)
{
    const fixture *const f = ctx;
    wsr_search *search = NULL;
    const wsr_status status = wsr_search_new(&search, f->data, f->config);
    wsr_search_free(search);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    fixture f;
    setup(&f, "threads=1");
    wsr_search_free(f.search); // its threads would meet the other allocator
    f.search = NULL;
    if (_i == 1) { // also its network is made in another way
        ck_assert_ok(wsr_config_set(f.config, "searcher.name=std_const_adv"));
    }
    // The first requests, and some later ones: all would take minutes.
    const size_t last = _i == 0 ? 4000 : 40000;
    for (size_t nth = 1; nth < last; nth += nth < 60 ? 1 : last / 20 - 3) {
        oom_begin(nth);
        const wsr_status status = make_and_free(&f);
        ck_assert_msg(status == WSR_NOMEM || oom_requests() < nth,
                      "request %zu: %s", nth, wsr_error_detail());
        ck_assert_uint_eq(oom_live(), 0);
        oom_end();
    }
    teardown(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("stepwise");
    TCase *const t = tcase_create("stepwise");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, steps_are_those_of_a_run, 0, 8);
    tcase_add_test(t, released_steps_are_those_of_a_run);
    tcase_add_loop_test(t, what_is_done_in_between_changes_nothing, 0, 8);
    tcase_add_test(t, the_position_is_told);
    tcase_add_loop_test(t, losses_belong_to_strengths, 0, 2);
    tcase_add_test(t, alphas_go_in_and_out);
    tcase_add_test(t, architectures_are_sampled_from_the_alphas);
    tcase_add_loop_test(t, an_architecture_may_ignore_its_images, 0, 2);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, files_that_do_not_fit_are_refused);
    tcase_add_loop_test(t, short_memory_is_reported_without_a_leak, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
