// SPDX-License-Identifier: Apache-2.0
//
// What can be saved from a page: files that the page holds itself, and numbers
// as rows with named columns.

#ifndef WSR_REPORT_ROWS_H
#define WSR_REPORT_ROWS_H

#include "base/base.h"
#include "io/io.h"

/// Begin, fill and end a line of links that save files.
void wsr__html_save_begin(wsr__str *out);
void wsr__html_save(wsr__str *out, const char *name, const char *type,
                    const wsr__str *text);
void wsr__html_save_end(wsr__str *out);

/// Append a name with "-" for all but letters, digits and dots.
void wsr__file_name(wsr__str *out, const char *name);

/// Rows with the same columns, {0} are none. A failure is kept until
/// wsr__rows_status().
typedef struct wsr__rows {
    wsr__str csv;       // finished rows below the names of their columns
    wsr__str json;      // finished rows, an object on a line
    wsr__str names;     // of the columns so far, in the first row
    wsr__str fields;    // of the row that is being filled
    wsr__json *row;     // the same
    size_t n;           // finished rows
    wsr_status failure; // the first
} wsr__rows;

/// The event that names the current row, in JSON alone. [static]
void wsr__rows_event(wsr__rows *rows, const char *event);

/// A field of the current row; NAN is an unknown number.
void wsr__rows_text(wsr__rows *rows, const char *key, const char *value);
void wsr__rows_number(wsr__rows *rows, const char *key, double value);
void wsr__rows_count(wsr__rows *rows, const char *key, size_t value);

/// End the current row.
void wsr__rows_next(wsr__rows *rows);

wsr_status wsr__rows_status(const wsr__rows *rows);
void wsr__rows_free(wsr__rows *rows); // {0} afterwards

/// Links that save the rows as NAME.csv and, as a list of objects, NAME.json;
/// nothing where there are none. Frees the rows.
wsr_status wsr__html_rows(wsr__str *out, wsr__rows *rows, const char *name);

#endif
