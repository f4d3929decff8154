// SPDX-License-Identifier: Apache-2.0
//
// A whole step of a training: the attack of a trainer, the passes that learn,
// clipping, the optimiser. Prints one JSON object.
//
// bench_train [key=value...]
//   kind=network         kind of network, its options=KEY=VALUE,...
//   trainer=SPEC         fast:eps=4/255
//   with=KEY=VALUE,...   further options of the training
//   size=32 classes=10   of the images
//   batch=64 repeat=3 threads=2
//   peer=COMMAND         a command that prints the same field; both are run
//   pairs=5              that many times in turn, and ratios are medians

#include "bench/bench.h"
#include "waiting.h"
#include "wsr/train.h"

#include <stdio.h>
#include <string.h>

// Synthetic images have no more classes than that.
enum { MOST_PAIRS = 64, TEXT = 2048, MOST_LABELS = 20 };

typedef struct bench {
    wsr_dataset *data;
    wsr_net *net;
    wsr_trainer *trainer;
} bench;

// One batch of images is an epoch.
static void open_bench(bench *b, int argc, char **argv)
{
    char text[TEXT];
    const long size = bench_number(argc, argv, "size", 32);
    const long classes = bench_number(argc, argv, "classes", 10);
    const long batch = bench_number(argc, argv, "batch", 64);
    (void)snprintf(text, sizeof(text),
                   "synthetic:size=%ld,count=%ld,classes=%ld", size, batch,
                   classes < MOST_LABELS ? classes : MOST_LABELS);
    bench_must(wsr_dataset_open(&b->data, text, "train", NULL));
    (void)snprintf(text, sizeof(text), "classes=%ld,image_size=%ld,%s", classes,
                   size,
                   bench_text(argc, argv, "options",
                              "genotype=cna_r,channels=16,layers=8"));
    bench_must(wsr_net_new_kind(
        &b->net, bench_text(argc, argv, "kind", "network"), text, 1));
    (void)snprintf(text, sizeof(text),
                   "trainer=\"%s\",batch=%ld,epochs=1000,lr=0.01,augment=[],"
                   "eval_every=0%s%s",
                   bench_text(argc, argv, "trainer", "fast:eps=4/255"), batch,
                   bench_text(argc, argv, "with", NULL) == NULL ? "" : ",",
                   bench_text(argc, argv, "with", ""));
    bench_must(wsr_trainer_new(&b->trainer, b->net, b->data, NULL, text, 1));
}

static void close_bench(bench *b)
{
    wsr_trainer_free(b->trainer);
    wsr_net_free(b->net);
    wsr_dataset_free(b->data);
}

static void step(void *ctx)
{
    bench *const b = ctx;
    bench_must(wsr_trainer_step(b->trainer));
}

static void print_pairs(bench *b, const char *peer, long pairs)
{
    double ours[MOST_PAIRS];
    double theirs[MOST_PAIRS];
    double ratios[MOST_PAIRS];
    char text[4096] = "";
    const size_t n = (size_t)(pairs > MOST_PAIRS ? MOST_PAIRS : pairs);
    for (size_t p = 0; p < n; p++) {
        bench_peer(text, sizeof(text), peer);
        step(b);
        ours[p] = bench_best(step, b, 3);
        theirs[p] = bench_field(text, "step");
        ratios[p] = theirs[p] / ours[p];
    }
    printf("\"step\": {\"seconds\": %.4f, \"peer\": %.4f, \"ratio\": %.2f}, "
           "\"pairs\": %zu, \"peer_peak_mib\": %.0f, ",
           bench_median(ours, n), bench_median(theirs, n),
           bench_median(ratios, n), n, bench_field(text, "peak_rss_mib"));
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {
        "kind",  "options", "trainer", "with", "size",  "classes",
        "batch", "repeat",  "threads", "peer", "pairs", NULL};
    wait_briefly(argv);
    bench b = {0};
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    open_bench(&b, argc, argv);
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    printf("{");
    if (peer != NULL) {
        print_pairs(&b, peer, bench_number(argc, argv, "pairs", 5));
    } else {
        step(&b);
        printf("\"step\": %.4f, ",
               bench_best(step, &b, bench_number(argc, argv, "repeat", 3)));
    }
    printf("\"threads\": %zu, \"peak_mib\": %ld}\n", wsr_threads(),
           bench_peak_mib());
    close_bench(&b);
    return 0;
}
