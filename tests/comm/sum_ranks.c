// SPDX-License-Identifier: Apache-2.0
//
// sum_ranks PARTS LEAVES FLOATS: adds arrays of random floats in the tree and
// prints a checksum of the sum; all ranks must have the same, also where parts
// of arrays are added while others are yet to come. With the argument
// "fail RANK" that rank fails and all must learn why; with "die RANK" it ends.
//
// sum_ranks PARTS together PART ROUND: parts advance together through four sums
// of doubles, and PART fails before ROUND, or ends where ROUND is "early".

#include "comm/comm.h"
#include "io/crc32.h"
#include "support/files.h"
#include "train/lockstep.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fill(float *out, size_t n, size_t part)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_INIT, part, 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = (wsr__rng_uniform(&rng) - 0.5f) * (float)(1 + i % 7);
    }
}

// Numbers become complete in pieces, as those of a backward pass: from the end,
// in each process of another size. What is not complete yet is not a number.
static void fill_by_and_by(wsr__tree *tree, float *leaf, size_t n, size_t part)
{
    const size_t piece = 1000 + 77777 * wsr_comm_rank();
    float *const all = malloc(n * sizeof(*all));
    fill(all, n, part);
    for (size_t i = 0; i < n; i++) {
        leaf[i] = NAN;
    }
    for (size_t end = n; end > 0;) {
        const size_t begin = end > piece ? end - piece : 0;
        memcpy(leaf + begin, all + begin, (end - begin) * sizeof(*all));
        MUST_HOLD(wsr__tree_ready(tree, begin, end - begin) == WSR_OK);
        MUST_HOLD(wsr__tree_poll(tree) == WSR_OK);
        end = begin;
    }
    free(all);
}

enum { AT_ONCE, BY_AND_BY, FAILING, HOWS };

static void fill_leaves(wsr__tree *tree, size_t parts, size_t leaves, size_t n,
                        int how)
{
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    const size_t end = mine.end < leaves ? mine.end : leaves;
    for (size_t k = mine.begin; k < end; k++) {
        MUST_HOLD(wsr__comm_owner(parts, k) == wsr_comm_rank());
        float *const leaf = wsr__tree_leaf(tree);
        if (how == BY_AND_BY && k + 1 == end) {
            fill_by_and_by(tree, leaf, n, k);
        } else {
            fill(leaf, n, k);
        }
    }
}

// All ways give the same sum; between two of them a process fails, where others
// may have begun.
static void sum(size_t parts, size_t leaves, size_t n)
{
    wsr__tree *tree = NULL;
    const float *out = NULL;
    const size_t failing = wsr_comm_size() - 1;
    uint32_t sums[HOWS] = {0};
    MUST_HOLD(wsr__tree_new(&tree, n) == WSR_OK);
    for (int how = HOWS - 1; how >= 0; how--) {
        wsr__tree_begin(tree, parts, leaves);
        const bool fails = how == FAILING && wsr_comm_size() > 1;
        if (!fails || wsr_comm_rank() != failing) {
            fill_leaves(tree, parts, leaves, n, fails ? BY_AND_BY : how);
        }
        if (!fails || wsr__tree_overlaps(tree)) {
            MUST_HOLD(wsr__tree_sum(&out, tree) == WSR_OK);
            sums[how] = wsr__crc32(out, n * sizeof(*out));
        }
    }
    MUST_HOLD(sums[AT_ONCE] == sums[BY_AND_BY]);
    const uint32_t own = wsr__crc32(out, n * sizeof(*out));
    uint32_t *const all = calloc(wsr_comm_size(), sizeof(*all));
    all[wsr_comm_rank()] = own;
    MUST_HOLD(wsr__comm_all_gather(all, sizeof(*all)) == WSR_OK);
    for (size_t r = 0; r < wsr_comm_size(); r++) {
        MUST_HOLD(all[r] == own);
    }
    if (wsr_comm_rank() == 0) {
        printf("%08lx\n", (unsigned long)own);
    }
    free(all);
    wsr__tree_free(tree);
}

enum { CHANNELS = 5, ROUNDS = 4 };

typedef struct together {
    wsr__lockstep *lockstep;
    size_t first; // part of this process
    size_t failing;
    const char *round;
    double last; // what the sums end with
} together;

static wsr_status advance(void *ctx, size_t own)
{
    together *const t = ctx;
    const wsr__norm_sync *const sync = wsr__lockstep_sync(t->lockstep, own);
    const size_t part = t->first + own;
    const bool early = strcmp(t->round, "early") == 0;
    double last = 0;
    for (size_t r = 0; r < ROUNDS; r++) {
        if (part == t->failing && early && r == 1) {
            return WSR_OK;
        }
        if (part == t->failing && !early && r == (size_t)atol(t->round)) {
            return WSR_FAIL(WSR_NUMERIC, "part %zu is not finite", part);
        }
        for (size_t i = 0; i < 1 + 2 * CHANNELS; i++) {
            sync->room[i] = 1.0 / (double)(3 + part * 7 + i) + last;
        }
        const wsr_status status = sync->sum(sync, 1 + 2 * CHANNELS);
        if (status != WSR_OK) {
            return status;
        }
        last = sync->room[2 * CHANNELS];
    }
    t->last = last;
    return WSR_OK;
}

static wsr_status go_together(size_t parts, size_t failing, const char *round)
{
    wsr_params *params = NULL;
    wsr__param *buffer = NULL;
    const wsr_shape shape = wsr__shape1(CHANNELS);
    together t = {.first = wsr__comm_share(parts, wsr_comm_rank()).begin,
                  .failing = failing,
                  .round = round};
    MUST_HOLD(wsr_params_new(&params, 1) == WSR_OK);
    MUST_HOLD(wsr__params_buffer(&buffer, params, "mean", &shape, 0) == WSR_OK);
    MUST_HOLD(wsr__lockstep_new(&t.lockstep, params, parts) == WSR_OK);
    const wsr_status status =
        wsr__comm_agree(wsr__lockstep_run(t.lockstep, advance, &t));
    if (wsr_comm_rank() == 0 && status == WSR_OK) {
        printf("%a\n", t.last);
    } else if (wsr_comm_rank() == 0) {
        printf("%s\n", wsr_error_detail());
    }
    (void)fflush(stdout);
    wsr__lockstep_free(t.lockstep);
    wsr_params_free(params);
    return status;
}

int main(int argc, char **argv)
{
    wsr_status status = wsr_comm_open();
    if (status != WSR_OK) {
        (void)fprintf(stderr, "%s\n", wsr_error_detail());
    } else if (argc == 3 && strcmp(argv[1], "fail") == 0) {
        const bool mine = wsr_comm_rank() == (size_t)atol(argv[2]);
        status = wsr__comm_agree(mine ? WSR_FAIL(WSR_NUMERIC, "not finite")
                                      : WSR_OK);
        MUST_HOLD(status == WSR_NUMERIC);
        if (wsr_comm_rank() == 0) {
            printf("%s\n", wsr_error_detail());
            (void)fflush(stdout); // a launcher may kill it at the exit
        }
    } else if (argc == 3 && strcmp(argv[1], "die") == 0) {
        printf("begun\n");
        (void)fflush(stdout);
        MUST_HOLD(wsr__comm_agree(WSR_OK) == WSR_OK); // all have begun
        if (wsr_comm_rank() == (size_t)atol(argv[2])) {
            (void)kill(getpid(), SIGKILL);
        }
        status = wsr__comm_agree(WSR_OK); // nobody comes
        printf("agreed\n");
        (void)fflush(stdout);
    } else if (argc == 5 && strcmp(argv[2], "together") == 0) {
        status =
            go_together((size_t)atol(argv[1]), (size_t)atol(argv[3]), argv[4]);
    } else if (argc == 4) {
        sum((size_t)atol(argv[1]), (size_t)atol(argv[2]),
            (size_t)atol(argv[3]));
    }
    wsr_comm_close(status);
    return status == WSR_OK ? 0 : 1;
}
