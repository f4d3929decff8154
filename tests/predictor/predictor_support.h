// SPDX-License-Identifier: Apache-2.0
//
// What the tests of predictors share: random tables, near one-hot as a search
// samples them, and losses that depend on them.

#ifndef WSR_TESTS_PREDICTOR_SUPPORT_H
#define WSR_TESTS_PREDICTOR_SUPPORT_H

#include "predictor/predictor.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

/// Two cells of two nodes each have ten edges: what every predictor reads.
enum { ROWS = 10, COLS = 4, TABLE = ROWS * COLS, HEADS = 3 };

/// Strengths of the heads, which those that do not take them ignore.
static const double STRENGTHS[HEADS] = {0, 0.03, 0.1};

static inline wsr_predictor *predictor_new(const char *spec, size_t heads)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    wsr_predictor *p = NULL;
    ck_assert_ok(wsr_predictor_new(&p, spec, &table, heads, 5));
    ck_assert_ok(wsr_predictor_set_strengths(p, STRENGTHS));
    return p;
}

/// Table number i: per row one column of 0.9 and others that share 0.1.
static inline void make_table(float *table, uint64_t i)
{
    wsr__rng rng = wsr__rng_at(11, WSR__RNG_TEST, i, 0);
    for (size_t r = 0; r < ROWS; r++) {
        const uint32_t choice = wsr__rng_below(&rng, COLS);
        for (uint32_t c = 0; c < COLS; c++) {
            table[r * COLS + c] = c == choice ? 0.9F : 0.1F / (COLS - 1);
        }
    }
}

/// Losses of a table: each row's choice costs something, more with strength.
static inline void make_losses(double *losses, const float *table)
{
    double cost = 0;
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t c = 0; c < COLS; c++) {
            const double each = (double)((r * 7 + c * 5) % 11) / 11;
            cost += each * (double)table[r * COLS + c];
        }
    }
    losses[0] = 0.2 * cost;
    losses[1] = 1 + 0.5 * cost;
    losses[2] = 20 - 3 * cost; // the strengths may disagree
}

static inline void remember(wsr_predictor *p, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        float table[TABLE];
        double losses[HEADS];
        make_table(table, i);
        make_losses(losses, table);
        ck_assert_ok(wsr_predictor_remember(p, table, losses));
    }
}

/// Kendall's tau of a head over tables that were never remembered.
static inline double correlation(wsr_predictor *p, size_t head)
{
    enum { UNSEEN = 60 };
    double predicted[UNSEEN];
    double true_ones[UNSEEN];
    for (size_t i = 0; i < UNSEEN; i++) {
        float table[TABLE];
        double losses[HEADS];
        double guess[HEADS];
        make_table(table, 1000 + i);
        make_losses(losses, table);
        ck_assert_ok(wsr_predictor_run(guess, p, table, 1));
        predicted[i] = guess[head];
        true_ones[i] = losses[head];
    }
    return wsr_kendall_tau(predicted, true_ones, UNSEEN);
}

#endif
