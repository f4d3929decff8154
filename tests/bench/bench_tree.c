// SPDX-License-Identifier: Apache-2.0
//
// The sum of gradients among processes, for the model of scaling.py. Prints one
// JSON object: for arrays of several sizes the median seconds of a sum, and of
// the message of a byte from each process to all.
//
//   mpirun -n 2 bench_tree [least=256] [most=4194304] [repeat=21]
//
// Sizes are numbers of floats, each 4 times the one before. With one process
// nothing is sent.

#include "bench/bench.h"
#include "comm/comm.h"

#include <stdio.h>
#include <stdlib.h>

// Seconds of one sum of n floats, without the time to make them.
static double time_sum(wsr__tree *tree, size_t n)
{
    const float *sum = NULL;
    const size_t parts = wsr_comm_size();
    bool flag = false;
    wsr__tree_begin(tree, parts, parts);
    float *const leaf = wsr__tree_leaf(tree);
    for (size_t i = 0; i < n; i++) {
        leaf[i] = (float)(i % 7);
    }
    bench_must(wsr__comm_any(&flag)); // all begin together
    const double begun = bench_seconds();
    bench_must(wsr__tree_sum(&sum, tree));
    return bench_seconds() - begun;
}

static double time_byte(void)
{
    bool flag = false;
    bench_must(wsr__comm_any(&flag));
    const double begun = bench_seconds();
    bench_must(wsr__comm_any(&flag));
    return bench_seconds() - begun;
}

int main(int argc, char **argv)
{
    const size_t least = (size_t)bench_number(argc, argv, "least", 256);
    const size_t most = (size_t)bench_number(argc, argv, "most", 4194304);
    const size_t repeat = (size_t)bench_number(argc, argv, "repeat", 21);
    double *const seconds = calloc(repeat, sizeof(*seconds));
    bench_must(wsr_comm_open());
    const bool first = wsr_comm_rank() == 0;
    for (size_t i = 0; i < repeat; i++) {
        seconds[i] = time_byte();
    }
    if (first) {
        printf("{\"ranks\":%zu,\"byte_seconds\":%.9f,\"sums\":[",
               wsr_comm_size(), bench_median(seconds, repeat));
    }
    for (size_t n = least; n <= most; n *= 4) {
        wsr__tree *tree = NULL;
        bench_must(wsr__tree_new(&tree, n));
        for (size_t i = 0; i < repeat; i++) {
            seconds[i] = time_sum(tree, n);
        }
        if (first) {
            printf("%s{\"bytes\":%zu,\"seconds\":%.9f}", n > least ? "," : "",
                   n * sizeof(float), bench_median(seconds, repeat));
        }
        wsr__tree_free(tree);
    }
    if (first) {
        printf("]}\n");
    }
    free(seconds);
    wsr_comm_close(WSR_OK);
    return 0;
}
