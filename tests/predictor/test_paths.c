// SPDX-License-Identifier: Apache-2.0
//
// What paths of a cell compute, counted here by visiting all of them, and that
// a predictor which counts them ranks cells that it never saw.

#include "net/net.h"
#include "predictor_support.h"
#include "space/space.h"

enum { LENGTH = 3, WORDS_MAX = 400, EDGES_MAX = 14 };

// Number of the candidate among those of words, -1 for "none", -2 for skip.
static int letter(const wsr__space_class *space, size_t k)
{
    int n = 0;
    for (size_t i = 0; i < space->n_primitives; i++) {
        const char *const name = space->primitives[i];
        const bool none = strcmp(name, "none") == 0;
        const bool skip = strcmp(name, "skip_connect") == 0;
        if (i == k) {
            return none ? -1 : skip ? -2 : n;
        }
        n += !none && !skip;
    }
    return -1;
}

// A walk from state `to` back to a source, that spells a word from its end:
// counts[word] gets the product of the weights of every walk.
typedef struct walk {
    const wsr__space_class *space;
    const float *table; // of the cell
    double *counts;
    int letters[8]; // from the last one
    int n;
    double weight;
} walk;

static size_t number(const walk *w)
{
    const size_t letters = w->space->n_primitives - 2;
    size_t word = 0;
    for (int i = w->n - 1; i >= 0; i--) {
        word = letters * word + 1 + (size_t)w->letters[i];
    }
    return word;
}

static void visit(walk w, size_t to)
{
    const size_t sources = wsr__space_sources(w.space);
    if (to < sources) {
        if (w.n <= LENGTH) {
            w.counts[number(&w)] += w.weight;
        }
        return;
    }
    size_t edge = 0;
    for (size_t j = sources; j < to; j++) {
        edge += j;
    }
    for (size_t from = 0; from < to; from++, edge++) {
        for (size_t k = 0; k < w.space->n_primitives; k++) {
            walk next = w;
            const int a = letter(w.space, k);
            next.weight *= (double)w.table[edge * w.space->n_primitives + k];
            if (a == -1 || next.weight == 0) {
                continue;
            }
            if (a >= 0) {
                next.letters[next.n++] = a;
            }
            visit(next, from);
        }
    }
}

// One-hot rows of a cell; weights between 0.5 and 1, so that they matter.
static void draw_cell(float *table, const wsr__space_class *space, uint64_t i)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, i, 0);
    const size_t cols = space->n_primitives;
    for (size_t e = 0; e < wsr__space_rows(space); e++) {
        memset(table + e * cols, 0, cols * sizeof(*table));
        table[e * cols + wsr__rng_below(&rng, (uint32_t)cols)] =
            0.5F + 0.5F * wsr__rng_uniform(&rng);
    }
}

static void count(double *counts, const wsr__space_class *space,
                  const float *table)
{
    const size_t sources = wsr__space_sources(space);
    walk w = {.space = space, .table = table, .counts = counts, .weight = 1};
    memset(counts, 0, WORDS_MAX * sizeof(*counts));
    for (size_t j = 0; j < space->nodes; j++) {
        if (!space->single || j + 1 == space->nodes) {
            visit(w, sources + j);
        }
    }
}

static wsr_predictor *of_space(const wsr__space_class *space, const char *spec)
{
    const wsr_shape table = wsr__shape2((int64_t)wsr__space_rows(space),
                                        (int64_t)space->n_primitives);
    wsr_predictor *p = NULL;
    ck_assert_ok(wsr_predictor_new(&p, spec, &table, 1, 5));
    return p;
}

// The prediction is bias + sum of weights times counts.
static void check_cell(const wsr__space_class *space, uint64_t i)
{
    float table[2 * EDGES_MAX * 8] = {0};
    double counts[WORDS_MAX];
    double loss = 0;
    size_t at = 0;
    wsr_predictor *const p = of_space(space, "paths");
    wsr_params *const params = wsr_predictor_params(p);
    ck_assert_ok(wsr_params_find(&at, params, "heads.weight"));
    const float *const weights = wsr__params_at(params, at)->data;
    const size_t all = (size_t)wsr__params_at(params, at)->count;
    const size_t words = all / (space->single ? 1 : 2);
    ck_assert_ok(wsr_params_find(&at, params, "heads.bias"));
    double wanted = (double)wsr__params_at(params, at)->data[0];
    draw_cell(table, space, i);
    for (size_t cell = 0; cell < all / words; cell++) {
        count(counts, space,
              table + cell * wsr__space_edges(space) * space->n_primitives);
        for (size_t k = 0; k < words; k++) {
            wanted += counts[k] * (double)weights[cell * words + k];
        }
    }
    ck_assert_ok(wsr_predictor_run(&loss, p, table, 1));
    ck_assert_double_eq_tol(loss, wanted, 1e-5);
    wsr_predictor_free(p);
}

START_TEST(words_are_counted_as_by_visiting_every_path)
{
    for (uint64_t i = 0; i < 20; i++) {
        check_cell(&wsr__space_nb201, i);
        check_cell(&wsr__space_darts, i);
    }
}
END_TEST

START_TEST(there_is_a_weight_for_every_word)
{
    static const struct {
        const char *spec;
        int64_t nb201;
        int64_t darts;
    } cases[] = {{"paths:length=1", 1 + 3, 2 * (1 + 6)},
                 {"paths:length=2", 1 + 3 + 9, 2 * (1 + 6 + 36)},
                 {"paths", 1 + 3 + 9 + 27, 2 * (1 + 6 + 36 + 216)}};
    for (size_t i = 0; i < 3; i++) {
        wsr_predictor *p = of_space(&wsr__space_nb201, cases[i].spec);
        ck_assert_int_eq(wsr_params_scalars(wsr_predictor_params(p)),
                         cases[i].nb201 + 1);
        wsr_predictor_free(p);
        p = of_space(&wsr__space_darts, cases[i].spec);
        ck_assert_int_eq(wsr_params_scalars(wsr_predictor_params(p)),
                         cases[i].darts + 1);
        wsr_predictor_free(p);
    }
}
END_TEST

// One convolution of 3x3 on the way from the source to the last node, on one
// edge or another; the second cell has one more, whose result nothing reads.
START_TEST(cells_that_compute_the_same_are_predicted_the_same)
{
    static const int same[2][6] = {{3, 0, 1, 0, 0, 1}, {2, 3, 0, 0, 0, 1}};
    static const int other[6] = {2, 3, 1, 0, 0, 1};
    double losses[3];
    wsr_predictor *const p = of_space(&wsr__space_nb201, "paths");
    for (int i = 0; i < 3; i++) {
        float table[6 * 5] = {0};
        for (int e = 0; e < 6; e++) {
            table[e * 5 + (i < 2 ? same[i][e] : other[e])] = 1;
        }
        ck_assert_ok(wsr_predictor_run(&losses[i], p, table, 1));
    }
    ck_assert_double_eq_tol(losses[0], losses[1], 1e-6);
    ck_assert(fabs(losses[0] - losses[2]) > 1e-4);
    wsr_predictor_free(p);
}
END_TEST

// The loss of a cell is how few of its paths have a convolution of 3x3.
static double true_loss(const float *table)
{
    double counts[WORDS_MAX];
    count(counts, &wsr__space_nb201, table);
    return 1 / (1 + counts[2] + counts[1 * 3 + 1 + 1] + counts[2 * 3 + 1]);
}

static double tau_of(const char *spec)
{
    enum { LEARNED = 100, UNSEEN = 60, CELL = 6 * 5 };
    double guess[UNSEEN];
    double truth[UNSEEN];
    float table[CELL] = {0};
    wsr_predictor *const p = of_space(&wsr__space_nb201, spec);
    for (uint64_t i = 0; i < LEARNED; i++) {
        draw_cell(table, &wsr__space_nb201, i);
        const double loss = true_loss(table);
        ck_assert_ok(wsr_predictor_remember(p, table, &loss));
    }
    ck_assert_ok(wsr_predictor_train(NULL, p, 200));
    for (uint64_t i = 0; i < UNSEEN; i++) {
        draw_cell(table, &wsr__space_nb201, 1000 + i);
        ck_assert_ok(wsr_predictor_run(&guess[i], p, table, 1));
        truth[i] = true_loss(table);
    }
    wsr_predictor_free(p);
    return wsr_kendall_tau(guess, truth, UNSEEN);
}

START_TEST(unseen_cells_are_ranked_better_than_by_their_table)
{
    const double paths = tau_of("paths:lr=1e-2");
    const double lstm = tau_of("lstm:lr=1e-2");
    printf("rank correlation: paths %.3f, lstm %.3f\n", paths, lstm);
    ck_assert_msg(paths > 0.8, "paths: %g", paths);
    ck_assert_msg(paths > lstm, "paths: %g, lstm: %g", paths, lstm);
}
END_TEST

START_TEST(gradients_are_those_of_the_prediction)
{
    enum { CELL = 6 * 5 };
    static const double weight = 1;
    float table[CELL] = {0};
    float diff[CELL];
    wsr_predictor *const p = of_space(&wsr__space_nb201, "paths");
    draw_cell(table, &wsr__space_nb201, 9);
    ck_assert_ok(wsr_predictor_gradient(NULL, diff, p, table, 1, &weight));
    for (size_t i = 0; i < CELL; i++) {
        const float step = 0.01F;
        const float kept = table[i];
        double losses[2];
        for (int side = 0; side < 2; side++) {
            table[i] = kept + (side == 0 ? -step : step);
            ck_assert_ok(wsr_predictor_run(&losses[side], p, table, 1));
        }
        table[i] = kept;
        ck_assert_double_eq_tol((losses[1] - losses[0]) / (2 * (double)step),
                                (double)diff[i], 1e-3);
    }
    wsr_predictor_free(p);
}
END_TEST

START_TEST(tables_of_no_space_are_refused)
{
    const wsr_shape tables[] = {wsr__shape2(ROWS, COLS), wsr__shape2(6, 6),
                                wsr__shape2(28, 5)};
    for (size_t i = 0; i < 3; i++) {
        wsr_predictor *p = NULL;
        ck_assert_fails(wsr_predictor_new(&p, "paths", &tables[i], 1, 1),
                        WSR_CONFIG, "search space");
        ck_assert_ptr_null(p);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        words_are_counted_as_by_visiting_every_path,
        there_is_a_weight_for_every_word,
        cells_that_compute_the_same_are_predicted_the_same,
        unseen_cells_are_ranked_better_than_by_their_table,
        gradients_are_those_of_the_prediction,
        tables_of_no_space_are_refused,
        NULL,
    };
    return suite_of("paths", tests);
}
