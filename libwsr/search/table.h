// SPDX-License-Identifier: Apache-2.0
//
// Tables of architectures that were each trained alone, by which searches are
// judged. table.c is the run that makes one, table_cells.c chooses its
// architectures, table_rows.c reads a table and says how far its rows depend on
// the architecture and how far on the seed.

#ifndef WSR_SEARCH_TABLE_H
#define WSR_SEARCH_TABLE_H

#include "search/search.h"

// ------------------------------------------------------------ architectures

/// An architecture of a table.
typedef struct wsr__table_cell {
    char name[WSR__GENOTYPE_NAME];
    wsr_genotype *genotype;
    bool repeated; // trained with every seed
} wsr__table_cell;

/// Those of a whole table, {0}: none.
typedef struct wsr__table_cells {
    wsr__table_cell *list;
    size_t n;
    size_t capacity;
} wsr__table_cells;

/// Choose the architectures that the options ask for: files, random ones, and
/// edge cases. [out, owned]
wsr_status wsr__table_cells_choose(wsr__table_cells *out,
                                   const wsr__table_params *params,
                                   const wsr__space_class *space,
                                   uint64_t seed);
/// Write them as text, one a line, and read that back. [out, owned]
wsr_status wsr__table_cells_print(char **out, const wsr__table_cells *cells);
wsr_status wsr__table_cells_parse(wsr__table_cells *out, char *text,
                                  const char *where);
void wsr__table_cells_free(wsr__table_cells *cells); // {0} afterwards

// --------------------------------------------------------------------- rows

/// A network that was trained alone.
typedef struct wsr__table_row {
    char cell[WSR__GENOTYPE_NAME];
    char *genotype; // owned
    double seed;
    double clean;                  // accuracy on clean images
    double robust[WSR__LIST_SIZE]; // at each strength, worst case over attacks
    double mean;                   // over the strengths above 0
    double parameters;
} wsr__table_row;

typedef struct wsr__table {
    wsr__table_row *rows;
    size_t n;
    double eps[WSR__LIST_SIZE]; // strengths of all rows
    size_t n_eps;
} wsr__table;

/// Read the rows of a table, or of the log of the run that made it; other
/// lines are passed over. [out, owned] FORMAT, naming file and line, for a row
/// that lacks something or has other strengths than the first.
wsr_status wsr__table_read(wsr__table *out, const char *path);
void wsr__table_free(wsr__table *table); // {0} afterwards

/// How far a measure depends on the architecture, of those with all seeds; not
/// a number where there are fewer than two architectures or seeds.
typedef struct wsr__table_spread {
    size_t n; // architectures with all seeds
    double mean;
    double cells; // variance between architectures
    double seeds; // between seeds, the same for all architectures
    double rest;  // of what neither explains
    double tau;   // Kendall's, mean over pairs of seeds
} wsr__table_spread;

enum { WSR__TABLE_CLEAN = -2, WSR__TABLE_MEAN = -1 }; // else a strength

double wsr__table_measure(const wsr__table_row *row, int which);
wsr_status wsr__table_spread_of(wsr__table_spread *out, const wsr__table *table,
                                int which);

// ---------------------------------------------------------------------- run

/// The run that trains the architectures of a table.
extern const wsr__run_class wsr__tabling;

#endif
