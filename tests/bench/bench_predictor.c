// SPDX-License-Identifier: Apache-2.0
//
// Training of the predictor: 500 passes over a memory of 100 architectures,
// as in a search epoch. Prints one JSON object.
//
// bench_predictor [passes=500] [threads=2] [spec=lstm:fidelity=released]
//     [peer=COMMAND] [pairs=5]
//   peer: peer_predictor.py of this directory, or peer_gae.py for spec=gae,
//         with the same number of passes

#include "base/base.h"
#include "bench/bench.h"
#include "waiting.h"
#include "wsr/predictor.h"

#include <math.h>
#include <stdio.h>

enum { ROWS = 28, COLS = 8, HEADS = 7, MEMORY = 100, PAIRS = 64 };

typedef struct work {
    wsr_predictor *predictor;
    size_t passes;
} work;

static void fill(wsr_predictor *predictor)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < MEMORY; i++) {
        float table[ROWS * COLS];
        double losses[HEADS];
        for (size_t r = 0; r < ROWS; r++) {
            double sum = 0;
            for (size_t c = 0; c < COLS; c++) {
                const double e = exp(5 * wsr__rng_normal(&rng));
                table[r * COLS + c] = (float)e;
                sum += e;
            }
            for (size_t c = 0; c < COLS; c++) {
                table[r * COLS + c] /= (float)sum;
            }
        }
        for (size_t k = 0; k < HEADS; k++) {
            losses[k] = 2 * (double)wsr__rng_uniform(&rng);
        }
        bench_must(wsr_predictor_remember(predictor, table, losses));
    }
}

static void train(void *ctx)
{
    const work *const w = ctx;
    bench_must(wsr_predictor_train(NULL, w->predictor, w->passes));
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    static const char *const keys[] = {"passes", "threads", "peer",
                                       "pairs",  "spec",    NULL};
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    work w = {.passes = (size_t)bench_number(argc, argv, "passes", 500)};
    const wsr_shape table = {2, {ROWS, COLS}};
    bench_must(wsr_predictor_new(
        &w.predictor, bench_text(argc, argv, "spec", "lstm:fidelity=released"),
        &table, HEADS, 1));
    fill(w.predictor);
    train(&w);
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    const long pairs =
        peer == NULL ? 1 : bench_number(argc, argv, "pairs", 5) % PAIRS;
    double ours[PAIRS];
    double theirs[PAIRS];
    double ratios[PAIRS];
    for (long p = 0; p < pairs; p++) {
        char text[4096] = "{\"seconds\": 0}";
        if (peer != NULL) {
            bench_peer(text, sizeof(text), peer);
        }
        ours[p] = bench_best(train, &w, 3);
        theirs[p] = bench_field(text, "seconds");
        ratios[p] = theirs[p] / ours[p];
    }
    printf("{\"seconds\": %.4f, ", bench_median(ours, (size_t)pairs));
    if (peer != NULL) {
        printf("\"peer\": %.4f, \"ratio\": %.2f, \"pairs\": %ld, ",
               bench_median(theirs, (size_t)pairs),
               bench_median(ratios, (size_t)pairs), pairs);
    }
    printf("\"passes\": %zu, \"threads\": %zu, \"peak_mib\": %ld}\n", w.passes,
           wsr_threads(), bench_peak_mib());
    wsr_predictor_free(w.predictor);
    return 0;
}
