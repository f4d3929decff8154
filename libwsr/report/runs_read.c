// SPDX-License-Identifier: Apache-2.0
//
// Reads the ledger of an evaluation run, `images.jsonl`: image by image, and
// for each image all attacks at all strengths in the same order.

#include "report/runs.h"

#include "wsr/log.h"

#include <math.h>
#include <string.h>

void wsr__ledger_free(wsr__ledger *ledger)
{
    for (size_t i = 0; i < ledger->n_cells; i++) {
        wsr__ledger_cell *const cell = &ledger->cells[i];
        wsr__free(cell->attack);
        wsr__free(cell->options);
        wsr__free(cell->norm);
        wsr__free(cell->robust);
    }
    wsr__free(ledger->cells);
    wsr__free(ledger->images);
    *ledger = (wsr__ledger){0};
}

static bool same_strength(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool is_cell(const wsr__ledger_cell *cell, const wsr__ledger_key *key)
{
    return same_strength(cell->eps, key->eps) &&
           wsr__streq(cell->attack, key->attack) &&
           wsr__streq(cell->options, key->options) &&
           wsr__streq(cell->norm, key->norm);
}

const wsr__ledger_cell *wsr__ledger_find(const wsr__ledger *ledger,
                                         const wsr__ledger_key *key)
{
    for (size_t i = 0; i < ledger->n_cells; i++) {
        if (is_cell(&ledger->cells[i], key)) {
            return &ledger->cells[i];
        }
    }
    return NULL;
}

// Copies the texts of `key`, which belong to a line.
static wsr_status add_cell(wsr__ledger *ledger, const wsr__ledger_key *key)
{
    void *all = ledger->cells;
    const wsr_status status = wsr__reserve(&all, &ledger->cells_capacity,
                                           ledger->n_cells + 1,
                                           sizeof(*ledger->cells));
    ledger->cells = all;
    if (status != WSR_OK) {
        return status;
    }
    wsr__ledger_cell *const cell = &ledger->cells[ledger->n_cells++];
    *cell = (wsr__ledger_cell){.attack = wsr__strdup(key->attack),
                               .options = wsr__strdup(key->options),
                               .norm = wsr__strdup(key->norm),
                               .eps = key->eps};
    return cell->attack != NULL && cell->options != NULL && cell->norm != NULL
               ? WSR_OK
               : WSR_NOMEM;
}

// The next cell after that of the line before, mostly.
static wsr_status cell_of(wsr__ledger_cell **out, wsr__ledger *ledger,
                          const wsr__ledger_key *key)
{
    wsr_status status = WSR_OK;
    size_t at = 0;
    while (at < ledger->n_cells &&
           !is_cell(&ledger->cells[(ledger->last + 1 + at) % ledger->n_cells],
                    key)) {
        at++;
    }
    if (at == ledger->n_cells) {
        WSR_TRY(add_cell(ledger, key));
        ledger->last = ledger->n_cells - 1;
    } else {
        ledger->last = (ledger->last + 1 + at) % ledger->n_cells;
    }
    *out = &ledger->cells[ledger->last];
out:
    return status;
}

// A line about another image than the one before begins a new one.
static wsr_status take_image(wsr__ledger *ledger, const wsr_log_reader *line)
{
    const double number = wsr_log_reader_number(line, "image");
    if (ledger->n > 0 && ledger->images[ledger->n - 1].number == number) {
        return WSR_OK;
    }
    void *all = ledger->images;
    const wsr_status status = wsr__reserve(
        &all, &ledger->capacity, ledger->n + 1, sizeof(*ledger->images));
    ledger->images = all;
    if (status != WSR_OK) {
        return status;
    }
    const double label = wsr_log_reader_number(line, "class");
    const double predicted = wsr_log_reader_number(line, "predicted");
    wsr__ledger_image image = {
        .number = number, .label = label, .clean = label == predicted};
    (void)snprintf(image.crc32, sizeof(image.crc32), "%s",
                   wsr_log_reader_text(line, "crc32"));
    ledger->images[ledger->n++] = image;
    return WSR_OK;
}

// `robust` is a boolean, which the reader of logs has as neither number nor
// text: it stands where the attack did not break the image.
static wsr_status take_line(wsr__ledger *ledger, const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    wsr__ledger_cell *cell = NULL;
    const char *const broken = wsr_log_reader_text(line, "broken_by");
    const wsr__ledger_key key = {
        .attack = wsr_log_reader_text(line, "attack"),
        .options = wsr_log_reader_text(line, "options"),
        .norm = wsr_log_reader_text(line, "norm"),
        .eps = wsr_log_reader_number(line, "eps")};
    if (key.attack == NULL || key.options == NULL || key.norm == NULL ||
        broken == NULL || wsr_log_reader_text(line, "crc32") == NULL ||
        isnan(wsr_log_reader_number(line, "image"))) {
        return WSR_FAIL(WSR_FORMAT, "is no row of a ledger (line %zu)",
                        wsr_log_reader_line(line));
    }
    WSR_TRY(take_image(ledger, line));
    WSR_TRY(cell_of(&cell, ledger, &key));
    if (cell->n + 1 != ledger->n) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s is not done with all images (line %zu): resume the "
                        "run first",
                        cell->attack, wsr_log_reader_line(line));
    }
    void *robust = cell->robust;
    status = wsr__reserve(&robust, &cell->capacity, ledger->n,
                          sizeof(*cell->robust));
    cell->robust = robust;
    WSR_TRY(status);
    cell->robust[cell->n++] = ledger->images[ledger->n - 1].clean &&
                              broken[0] == '\0';
out:
    return status;
}

static wsr_status read_lines(wsr__ledger *out, const char *path)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    bool more = true;
    WSR_TRY(wsr_log_reader_open(&log, path));
    WSR_TRY(wsr_log_reader_next(&more, log));
    while (more) {
        WSR_TRY(take_line(out, log));
        WSR_TRY(wsr_log_reader_next(&more, log));
    }
    for (size_t i = 0; i < out->n_cells; i++) {
        if (out->cells[i].n < out->n) {
            status = WSR_FAIL(WSR_FORMAT,
                              "%s is done with %zu images of %zu: resume the "
                              "run first",
                              out->cells[i].attack, out->cells[i].n, out->n);
            goto out;
        }
    }
    if (out->n == 0) {
        status = WSR_FAIL(WSR_FORMAT, "holds no image");
    }
out:
    wsr_log_reader_close(log);
    return status;
}

wsr_status wsr__ledger_read(wsr__ledger *out, const char *dir)
{
    wsr_status status = WSR_OK;
    *out = (wsr__ledger){0};
    char *const path = wsr__path_join(dir, "images.jsonl");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    if (!wsr__file_exists(path)) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: is no folder of an evaluation: it has no "
                          "images.jsonl",
                          dir);
    } else {
        status = read_lines(out, path);
        // The reader of logs names the file itself.
        if (status == WSR_FORMAT && strstr(wsr_error_detail(), path) == NULL) {
            status = wsr__fail_at(status, "%s", path);
        }
    }
    wsr__free(path);
    return status;
}
