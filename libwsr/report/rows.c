// SPDX-License-Identifier: Apache-2.0
//
// Numbers as comma-separated values (RFC 4180) and as JSON, written field by
// field into both, and links that save files from a page. Unknown numbers are
// empty fields, and null in JSON.

#include "report/rows.h"

#include <ctype.h>
#include <math.h>

void wsr__html_save_begin(wsr__str *out)
{
    wsr__str_add(out, "<p class=\"save\">Save:");
}

// The page holds the file itself, as base64: it needs no server.
void wsr__html_save(wsr__str *out, const char *name, const char *type,
                    const wsr__str *text)
{
    wsr__str_addf(out,
                  " <a download=\"%s\" "
                  "href=\"data:%s;charset=utf-8;base64,",
                  name, type);
    wsr__add_base64(out, (const unsigned char *)text->s, text->len);
    wsr__str_addf(out, "\">%s</a>", name);
}

void wsr__html_save_end(wsr__str *out)
{
    wsr__str_add(out, "</p>\n");
}

// Runs of other characters become one dash.
void wsr__file_name(wsr__str *out, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        const bool plain = isalnum((unsigned char)*c) || *c == '.';
        const bool dash = out->len > 0 && out->s[out->len - 1] == '-';
        wsr__str_addn(out, plain ? c : "-", plain || !dash);
    }
}

// The first failure counts.
static void keep(wsr__rows *rows, wsr_status status)
{
    rows->failure = rows->failure == WSR_OK ? status : rows->failure;
}

static void begin_row(wsr__rows *rows)
{
    if (rows->row == NULL && rows->failure == WSR_OK) {
        keep(rows, wsr__json_new(&rows->row));
    }
}

void wsr__rows_event(wsr__rows *rows, const char *event)
{
    begin_row(rows);
    if (rows->failure == WSR_OK) {
        wsr__json_text(rows->row, "event", event);
    }
}

// Begin a field; whether there is room for it.
static bool begin(wsr__rows *rows, const char *key)
{
    begin_row(rows);
    const char *const comma = rows->fields.len > 0 ? "," : "";
    if (rows->n == 0) {
        wsr__str_addf(&rows->names, "%s%s", comma, key);
    }
    wsr__str_add(&rows->fields, comma);
    return rows->failure == WSR_OK;
}

// Quoted, since options hold commas.
void wsr__rows_text(wsr__rows *rows, const char *key, const char *value)
{
    if (begin(rows, key)) {
        wsr__str_add_csv(&rows->fields, value);
        wsr__json_text(rows->row, key, value);
    }
}

// The shortest text that reads back to the same double.
void wsr__rows_number(wsr__rows *rows, const char *key, double value)
{
    char text[32];
    if (begin(rows, key)) {
        wsr__format_double(text, value);
        wsr__str_add(&rows->fields, isnan(value) ? "" : text);
        wsr__json_number(rows->row, key, value);
    }
}

void wsr__rows_count(wsr__rows *rows, const char *key, size_t value)
{
    if (begin(rows, key)) {
        wsr__str_addf(&rows->fields, "%zu", value);
        wsr__json_integer(rows->row, key, (int64_t)value);
    }
}

void wsr__rows_next(wsr__rows *rows)
{
    char *line = NULL;
    if (rows->failure == WSR_OK && rows->row != NULL) {
        keep(rows, wsr__json_line(&line, rows->row));
    }
    if (line != NULL) {
        if (rows->n++ == 0) {
            wsr__str_addf(&rows->csv, "%s\n",
                          rows->names.s == NULL ? "" : rows->names.s);
        }
        wsr__str_addf(&rows->csv, "%s\n",
                      rows->fields.s == NULL ? "" : rows->fields.s);
        wsr__str_addf(&rows->json, "%s\n", line);
        keep(rows, wsr__str_status(&rows->names));
        keep(rows, wsr__str_status(&rows->fields));
    }
    wsr_text_free(line);
    wsr__json_free(rows->row);
    rows->row = NULL;
    wsr__str_free(&rows->fields);
}

wsr_status wsr__rows_status(const wsr__rows *rows)
{
    wsr_status status = rows->failure;
    WSR_TRY(status);
    WSR_TRY(wsr__str_status(&rows->csv));
    WSR_TRY(wsr__str_status(&rows->json));
out:
    return status;
}

void wsr__rows_free(wsr__rows *rows)
{
    wsr__str_free(&rows->csv);
    wsr__str_free(&rows->json);
    wsr__str_free(&rows->names);
    wsr__str_free(&rows->fields);
    wsr__json_free(rows->row);
    *rows = (wsr__rows){0};
}

// "[", a row a line with commas between, "]".
static void add_list(wsr__str *out, const wsr__str *lines)
{
    wsr__str_add(out, "[\n");
    for (size_t i = 0; i < lines->len; i++) {
        const bool more = lines->s[i] == '\n' && i + 1 < lines->len;
        wsr__str_addn(out, more ? "," : "", more);
        wsr__str_addn(out, &lines->s[i], 1);
    }
    wsr__str_add(out, "]\n");
}

wsr_status wsr__html_rows(wsr__str *out, wsr__rows *rows, const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str list = {0};
    wsr__str file = {0};
    WSR_TRY(wsr__rows_status(rows));
    if (rows->n > 0) {
        add_list(&list, &rows->json);
        wsr__str_addf(&file, "%s.csv", name);
        WSR_TRY(wsr__str_status(&list));
        WSR_TRY(wsr__str_status(&file));
        wsr__html_save_begin(out);
        wsr__html_save(out, file.s, "text/csv", &rows->csv);
        file.len = 0;
        wsr__str_addf(&file, "%s.json", name);
        WSR_TRY(wsr__str_status(&file));
        wsr__html_save(out, file.s, "application/json", &list);
        wsr__html_save_end(out);
    }
out:
    wsr__rows_free(rows);
    wsr__str_free(&list);
    wsr__str_free(&file);
    return status;
}
