// SPDX-License-Identifier: Apache-2.0
//
// A network from a file, for example an ONNX file, under PGD. Prints one JSON
// object.
//
// bench_onnx [net=FILE] [batch=8] [steps=10] [repeat=3] [threads=2]
//            [peer=COMMAND] [pairs=5]
//   net: without it, a small network of cells
//   peer: peer_onnx.py of this directory and its arguments

#include "bench/bench.h"
#include "bench/bench_model.h"
#include "waiting.h"
#include "wsr/net.h"

#include <stdio.h>

enum { PAIRS = 64, TIMES = 2 };

static const char *const names[TIMES] = {"forward", "attack"};
static void (*const what[TIMES])(void *) = {bench_model_forward,
                                            bench_model_attack};

static double time_of(size_t k, bench_model *m, long repeat)
{
    what[k](m);
    return bench_best(what[k], m, repeat);
}

static void print_pairs(bench_model *m, const char *peer, long pairs,
                        long repeat)
{
    double ours[TIMES][PAIRS];
    double theirs[TIMES][PAIRS];
    double ratio[TIMES][PAIRS];
    char text[4096];
    pairs = pairs > PAIRS ? PAIRS : pairs;
    for (long p = 0; p < pairs; p++) {
        bench_peer(text, sizeof(text), peer);
        for (size_t k = 0; k < TIMES; k++) {
            ours[k][p] = time_of(k, m, repeat);
            theirs[k][p] = bench_field(text, names[k]);
            ratio[k][p] = theirs[k][p] / ours[k][p];
        }
    }
    for (size_t k = 0; k < TIMES; k++) {
        printf("\"%s\": {\"seconds\": %.4f, \"peer\": %.4f, \"ratio\": %.2f}, ",
               names[k], bench_median(ours[k], (size_t)pairs),
               bench_median(theirs[k], (size_t)pairs),
               bench_median(ratio[k], (size_t)pairs));
    }
    printf("\"pairs\": %ld, ", pairs);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"net",     "batch", "steps", "repeat",
                                       "threads", "peer",  "pairs", NULL};
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    bench_model m;
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    const char *const file = bench_text(argc, argv, "net", NULL);
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    const size_t batch = (size_t)bench_number(argc, argv, "batch", 8);
    const long repeat = bench_number(argc, argv, "repeat", 3);
    bench_must(
        file != NULL
            ? wsr_net_load(&net, file, NULL)
            : wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=3", 1));
    bench_must(wsr_model_from_net(&model, net, batch));
    bench_model_new(&m, model, batch,
                    (size_t)bench_number(argc, argv, "steps", 10));
    printf("{");
    if (peer != NULL) {
        print_pairs(&m, peer, bench_number(argc, argv, "pairs", 5), repeat);
    } else {
        for (size_t k = 0; k < TIMES; k++) {
            printf("\"%s\": %.4f, ", names[k], time_of(k, &m, repeat));
        }
    }
    printf("\"threads\": %zu, \"batch\": %zu, \"peak_mib\": %ld}\n",
           wsr_threads(), batch, bench_peak_mib());
    bench_model_free(&m);
    wsr_net_free(net);
    return 0;
}
