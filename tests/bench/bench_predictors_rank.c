// SPDX-License-Identifier: Apache-2.0
//
// How well predictors rank architectures that they never saw. Every predictor
// learns from the same architectures of a file of collect_architectures and
// predicts the rest. Prints Kendall's tau with its bootstrap interval for each
// strength, as rows of a Markdown table; the first row names the strengths.
// Where the file has cells that were trained alone, the last column is that of
// the mean predicted loss and their mean robust accuracy.
//
// bench_predictors_rank data=FILE [train=100] [passes=500] [threads=2]
//     [seed=1] [spec=SPEC] [unseen=0]
//   spec: one predictor instead of the list below
//   unseen: 1 to learn from every second strength only and to predict all; for
//           predictors that take the strength
// Without data it makes up architectures, to show that it works.

#include "base/base.h"
#include "bench/bench.h"
#include "io/io.h"
#include "waiting.h"
#include "wsr/predictor.h"

#include <stdio.h>
#include <string.h>

static const char *const specs[] = {
    "lstm",
    "lstm:form=predictor3",
    "gae",
    "gae:pretrain=100",
    "strength",
    "lstm:fidelity=released",
    "lstm:form=predictor3,fidelity=released",
    "gae:fidelity=released",
    "gae:fidelity=released,pretrain=100",
};
enum { SPECS = sizeof(specs) / sizeof(specs[0]), HEADS = 65 };

typedef struct data {
    size_t n;
    size_t rows;
    size_t cols;
    size_t heads;
    float *tables;  // (n, rows, cols)
    double *losses; // (n, heads)
    double eps[HEADS];
    // Cells that were trained alone.
    size_t n_trained;
    float *trained;     // (n_trained, rows, cols)
    double *accuracies; // (n_trained)
} data;

static void allocate(data *d)
{
    d->tables = wsr__alloc(d->n * d->rows * d->cols, sizeof(float));
    d->losses = wsr__alloc(d->n * d->heads, sizeof(double));
    if (d->tables == NULL || d->losses == NULL || d->heads > HEADS) {
        bench_must(WSR_FAIL(WSR_NOMEM, "no room for the architectures"));
    }
}

static void read_trained(data *d, const wsr__st *st)
{
    const wsr__st_tensor *const tensor = wsr__st_find(st, "accuracies");
    if (tensor == NULL) {
        return;
    }
    const size_t n = tensor->count;
    d->n_trained = n;
    d->trained = wsr__alloc(n * d->rows * d->cols, sizeof(float));
    d->accuracies = wsr__alloc(n, sizeof(double));
    if (d->trained == NULL || d->accuracies == NULL) {
        bench_must(WSR_FAIL(WSR_NOMEM, "no room for the trained cells"));
    }
    bench_must(wsr__st_read_f32(d->trained, st, "trained_tables",
                                n * d->rows * d->cols));
    bench_must(wsr__st_read_f64(d->accuracies, st, "accuracies", n));
}

static void read_file(data *d, const char *path)
{
    wsr__st *st = NULL;
    bench_must(wsr__st_open(&st, path));
    const wsr__st_tensor *const tables = wsr__st_find(st, "tables");
    const wsr__st_tensor *const losses = wsr__st_find(st, "losses");
    if (tables == NULL || losses == NULL || tables->ndims != 3) {
        bench_must(WSR_FAIL(WSR_FORMAT, "%s: holds no architectures", path));
        return; // bench_must() ended the program
    }
    d->n = (size_t)tables->dims[0];
    d->rows = (size_t)tables->dims[1];
    d->cols = (size_t)tables->dims[2];
    d->heads = losses->count / d->n;
    allocate(d);
    bench_must(
        wsr__st_read_f32(d->tables, st, "tables", d->n * d->rows * d->cols));
    bench_must(wsr__st_read_f64(d->losses, st, "losses", d->n * d->heads));
    bench_must(wsr__st_read_f64(d->eps, st, "eps", d->heads));
    read_trained(d, st);
    wsr__st_free(st);
}

// One-hot tables; a loss is the number of choices that are 0, and noise.
static void make_up(data *d)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    *d = (data){.n = 40, .rows = 10, .cols = 4, .heads = 3};
    allocate(d);
    for (size_t i = 0; i < d->n * d->rows; i++) {
        const uint32_t choice = wsr__rng_below(&rng, (uint32_t)d->cols);
        d->tables[i * d->cols + choice] = 1;
        for (size_t h = 0; choice == 0 && h < d->heads; h++) {
            d->losses[i / d->rows * d->heads + h] += 1;
        }
    }
    for (size_t i = 0; i < d->n * d->heads; i++) {
        d->losses[i] += 0.1 * wsr__rng_normal(&rng);
        d->eps[i % d->heads] = 0.03 * (double)(i % d->heads);
    }
}

// The heads that are learned: all, or every second one.
static wsr_predictor *learn(const data *d, const char *spec, size_t train,
                            size_t step, size_t passes, uint64_t seed)
{
    const wsr_shape table = {2, {(int64_t)d->rows, (int64_t)d->cols}};
    const size_t heads = (d->heads + step - 1) / step;
    wsr_predictor *p = NULL;
    double row[HEADS];
    bench_must(wsr_predictor_new(&p, spec, &table, heads, seed));
    for (size_t h = 0; h < heads; h++) {
        row[h] = d->eps[h * step];
    }
    bench_must(wsr_predictor_set_strengths(p, row));
    for (size_t i = 0; i < train; i++) {
        for (size_t h = 0; h < heads; h++) {
            row[h] = d->losses[i * d->heads + h * step];
        }
        bench_must(
            wsr_predictor_remember(p, d->tables + i * d->rows * d->cols, row));
    }
    bench_must(wsr_predictor_train(NULL, p, passes));
    return p;
}

static void predict(double *guess, wsr_predictor *p, const data *d, size_t i,
                    bool at)
{
    const float *const table = d->tables + i * d->rows * d->cols;
    bench_must(at ? wsr_predictor_run_at(guess, p, table, 1, d->eps, d->heads)
                  : wsr_predictor_run(guess, p, table, 1));
}

// A row of the table: tau and its interval for each head over the held out.
static void print_row(wsr_predictor *p, const data *d, const char *spec,
                      size_t train, bool at)
{
    const size_t n = d->n - train;
    double *const both = wsr__alloc(2 * n * d->heads, sizeof(*both));
    double sum = 0;
    if (both == NULL) {
        bench_must(WSR_NOMEM);
    }
    for (size_t i = 0; i < n; i++) {
        double guess[HEADS];
        predict(guess, p, d, train + i, at);
        for (size_t h = 0; h < d->heads; h++) {
            both[h * n + i] = guess[h];
            both[(d->heads + h) * n + i] =
                d->losses[(train + i) * d->heads + h];
        }
    }
    printf("| `%s` ", spec);
    for (size_t h = 0; h < d->heads; h++) {
        const double *const a = both + h * n;
        const double *const b = both + (d->heads + h) * n;
        double range[2];
        bench_must(wsr_kendall_tau_interval(range, a, b, n, 1));
        sum += wsr_kendall_tau(a, b, n);
        printf("| %.2f [%.2f, %.2f] ", wsr_kendall_tau(a, b, n), range[0],
               range[1]);
    }
    printf("| %.2f ", sum / (double)d->heads);
    wsr__free(both);
}

// Tau of the mean predicted loss and the accuracy that was trained alone.
static void print_trained(wsr_predictor *p, const data *d)
{
    const size_t n = d->n_trained;
    double *const guess = wsr__alloc(n, sizeof(*guess));
    double range[2];
    if (guess == NULL) {
        bench_must(WSR_NOMEM);
        return; // bench_must() ended the program
    }
    for (size_t i = 0; i < n; i++) {
        double losses[HEADS];
        bench_must(wsr_predictor_run(losses, p,
                                     d->trained + i * d->rows * d->cols, 1));
        guess[i] = 0;
        for (size_t h = 0; h < d->heads; h++) {
            guess[i] -= losses[h] / (double)d->heads;
        }
    }
    bench_must(wsr_kendall_tau_interval(range, guess, d->accuracies, n, 1));
    printf("| %.2f [%.2f, %.2f] ", wsr_kendall_tau(guess, d->accuracies, n),
           range[0], range[1]);
    wsr__free(guess);
}

static void print_head(const data *d)
{
    const size_t columns = d->heads + (d->n_trained > 0 ? 3 : 2);
    printf("| predictor ");
    for (size_t h = 0; h < d->heads; h++) {
        printf("| eps %g ", d->eps[h]);
    }
    printf("| mean %s| seconds |\n|---", d->n_trained > 0 ? "| trained " : "");
    for (size_t h = 0; h < columns; h++) {
        printf("|---");
    }
    printf("|\n");
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"data",    "train", "passes", "unseen",
                                       "threads", "seed",  "spec",   NULL};
    data d = {0};
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    const char *const path = bench_text(argc, argv, "data", NULL);
    const char *const only = bench_text(argc, argv, "spec", NULL);
    const size_t passes = (size_t)bench_number(argc, argv, "passes", 500);
    const bool unseen = bench_number(argc, argv, "unseen", 0) != 0;
    if (path != NULL) {
        read_file(&d, path);
    } else {
        make_up(&d);
    }
    const size_t most = (size_t)bench_number(argc, argv, "train", 100);
    const size_t train = most < d.n ? most : d.n / 2;
    print_head(&d);
    for (size_t i = 0; i < (only != NULL ? 1 : SPECS); i++) {
        const char *const spec = only != NULL ? only : specs[i];
        const double start = bench_seconds();
        wsr_predictor *const p =
            learn(&d, spec, train, unseen ? 2 : 1, passes,
                  (uint64_t)bench_number(argc, argv, "seed", 1));
        const double seconds = bench_seconds() - start;
        print_row(p, &d, spec, train, unseen);
        if (d.n_trained > 0) {
            print_trained(p, &d);
        }
        printf("| %.1f |\n", seconds);
        (void)fflush(stdout);
        wsr_predictor_free(p);
    }
    wsr__free(d.tables);
    wsr__free(d.losses);
    wsr__free(d.trained);
    wsr__free(d.accuracies);
    return 0;
}
