// SPDX-License-Identifier: Apache-2.0
//
// Comparison of evaluation runs over the same images: runs_read.c reads their
// ledgers, runs.c compares them, runs_table.c draws the table.

#ifndef WSR_REPORT_RUNS_H
#define WSR_REPORT_RUNS_H

#include "report/report.h"
#include "report/rows.h"

/// An image of a run.
typedef struct wsr__ledger_image {
    double number; // in the data set
    double label;
    bool clean;     // recognised without an attack
    char crc32[16]; // of its pixels
} wsr__ledger_image;

/// An attack at a strength; texts are borrowed.
typedef struct wsr__ledger_key {
    const char *attack;
    const char *options;
    const char *norm;
    double eps; // NAN: infinity
} wsr__ledger_key;

/// Whether each image stands under one attack at one strength.
typedef struct wsr__ledger_cell {
    char *attack;
    char *options;
    char *norm;
    double eps;
    uint8_t *robust; // (n) of the images so far
    size_t n;
    size_t capacity;
} wsr__ledger_cell;

static inline wsr__ledger_key wsr__ledger_key_of(const wsr__ledger_cell *cell)
{
    return (wsr__ledger_key){cell->attack, cell->options, cell->norm,
                             cell->eps};
}

/// What became of the images of one run.
typedef struct wsr__ledger {
    wsr__ledger_image *images;
    size_t n;
    size_t capacity;
    wsr__ledger_cell *cells;
    size_t n_cells;
    size_t cells_capacity;
    size_t last; // cell of the line before
} wsr__ledger;

/// Read DIR/images.jsonl. NOTFOUND when the folder has none, FORMAT for a line
/// that is no row of a ledger, and for a run that is not complete. [out, owned]
/// wsr__ledger_free(), also on failure
wsr_status wsr__ledger_read(wsr__ledger *out, const char *dir);
void wsr__ledger_free(wsr__ledger *ledger); // {0} afterwards

/// The cell of an attack at a strength, NULL: there is none.
const wsr__ledger_cell *wsr__ledger_find(const wsr__ledger *ledger,
                                         const wsr__ledger_key *key);

/// The differences of two runs as a table; nothing where there are none.
wsr_status wsr__html_differences(wsr__str *out, const wsr__report *report);

/// The same as rows.
void wsr__rows_differences(wsr__rows *rows, const wsr__report *report);

#endif
