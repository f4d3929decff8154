// SPDX-License-Identifier: Apache-2.0
//
// Compares evaluation runs over the same images: the folders of wsr-attack
// become one page with all curves, and numbers for each pair of runs, attack
// and strength. Two runs see the same images if number, label and checksum of
// the pixels agree image by image.

#include "report/runs.h"

#include "base/paired.h"
#include "report/collect.h"
#include "wsr/run.h"

#include <math.h>
#include <string.h>

enum { MOST_RUNS = 32 };

typedef struct work {
    const char *const *dirs;
    size_t n;
    char **names; // of the runs: their folders
    wsr__ledger *ledgers;
    wsr__report report;
} work;

// ------------------------------------------------------------------- checks

static bool same_image(const wsr__ledger_image *a, const wsr__ledger_image *b)
{
    return a->number == b->number && a->label == b->label &&
           wsr__streq(a->crc32, b->crc32);
}

static wsr_status check_images(const work *w, size_t i)
{
    const wsr__ledger *const a = &w->ledgers[0];
    const wsr__ledger *const b = &w->ledgers[i];
    if (a->n != b->n) {
        return WSR_FAIL(WSR_ARG,
                        "%s and %s: are over %zu and %zu images, only runs "
                        "over the same images compare",
                        w->dirs[0], w->dirs[i], a->n, b->n);
    }
    for (size_t k = 0; k < a->n; k++) {
        if (!same_image(&a->images[k], &b->images[k])) {
            return WSR_FAIL(WSR_ARG,
                            "%s and %s: are over different images: number %.0f "
                            "of class %.0f (%s) and number %.0f of class %.0f "
                            "(%s)",
                            w->dirs[0], w->dirs[i], a->images[k].number,
                            a->images[k].label, a->images[k].crc32,
                            b->images[k].number, b->images[k].label,
                            b->images[k].crc32);
        }
    }
    return WSR_OK;
}

// -------------------------------------------------------------- differences

static void count(wsr__paired *out, bool a, bool b)
{
    out->both += a && b;
    out->only_a += a && !b;
    out->only_b += b && !a;
    out->neither += !a && !b;
}

// `key` names attack and strength; the texts are copied.
static wsr_status add_difference(work *w, const wsr__ledger_key *key,
                                 const char *a, const char *b,
                                 const wsr__paired *of)
{
    wsr__report *const report = &w->report;
    void *all = report->differences;
    const wsr_status status = wsr__reserve(&all, &report->differences_capacity,
                                           report->n_differences + 1,
                                           sizeof(*report->differences));
    report->differences = all;
    if (status != WSR_OK) {
        return status;
    }
    const double n = (double)w->ledgers[0].n;
    wsr__report_difference *const d =
        &report->differences[report->n_differences++];
    *d =
        (wsr__report_difference){.a = wsr__strdup(a),
                                 .b = wsr__strdup(b),
                                 .attack = wsr__strdup(key->attack),
                                 .options = wsr__strdup(key->options),
                                 .norm = wsr__strdup(key->norm),
                                 .eps = key->eps,
                                 .count = w->ledgers[0].n,
                                 .share_a = (double)(of->both + of->only_a) / n,
                                 .share_b = (double)(of->both + of->only_b) / n,
                                 .only_a = of->only_a,
                                 .only_b = of->only_b};
    wsr__newcombe(&d->low, &d->high, of);
    wsr__mcnemar(&d->exact, &d->mid, of->only_a, of->only_b);
    return d->a != NULL && d->b != NULL && d->attack != NULL &&
                   d->options != NULL && d->norm != NULL
               ? WSR_OK
               : WSR_NOMEM;
}

// Accuracy without an attack comes first.
static wsr_status compare_clean(work *w, size_t i, size_t k)
{
    wsr__paired pairs = {0};
    const wsr__ledger_key key = {.attack = "clean", .options = "", .norm = ""};
    for (size_t m = 0; m < w->ledgers[0].n; m++) {
        count(&pairs, w->ledgers[i].images[m].clean,
              w->ledgers[k].images[m].clean);
    }
    return add_difference(w, &key, w->names[i], w->names[k], &pairs);
}

static wsr_status compare_pair(work *w, size_t i, size_t k)
{
    wsr_status status = WSR_OK;
    const wsr__ledger *const a = &w->ledgers[i];
    size_t common = 0;
    WSR_TRY(compare_clean(w, i, k));
    for (size_t c = 0; c < a->n_cells; c++) {
        const wsr__ledger_cell *const x = &a->cells[c];
        const wsr__ledger_key key = wsr__ledger_key_of(x);
        const wsr__ledger_cell *const y =
            wsr__ledger_find(&w->ledgers[k], &key);
        wsr__paired pairs = {0};
        for (size_t m = 0; y != NULL && m < a->n; m++) {
            count(&pairs, x->robust[m], y->robust[m]);
        }
        if (y != NULL) {
            common++;
            WSR_TRY(add_difference(w, &key, w->names[i], w->names[k], &pairs));
        }
    }
    if (common == 0) {
        status = WSR_FAIL(WSR_ARG,
                          "%s and %s: have no attack and strength in common",
                          w->dirs[i], w->dirs[k]);
    }
out:
    return status;
}

void wsr__report_clear_differences(wsr__report *report)
{
    for (size_t i = 0; i < report->n_differences; i++) {
        wsr__report_difference *const d = &report->differences[i];
        wsr__free(d->a);
        wsr__free(d->b);
        wsr__free(d->attack);
        wsr__free(d->options);
        wsr__free(d->norm);
    }
    wsr__free(report->differences);
}

// ------------------------------------------------------------------ reading

// Whether two paths end in the same name.
static bool same_end(const char *a, size_t n, const char *b, size_t m)
{
    while (n > 0 && m > 0 && a[n - 1] == b[m - 1] && a[n - 1] != '/') {
        n--;
        m--;
    }
    return (n == 0 || a[n - 1] == '/') && (m == 0 || b[m - 1] == '/');
}

// Without slashes at its end.
static size_t length_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    return n;
}

// The last part of the path, unless another folder has the same.
static wsr_status name_run(work *w, size_t i)
{
    wsr__str name = {0};
    const char *const dir = w->dirs[i];
    const size_t end = length_of(dir);
    size_t begin = end;
    bool unique = true;
    for (size_t k = 0; k < w->n; k++) {
        const bool same = same_end(dir, end, w->dirs[k], length_of(w->dirs[k]));
        unique = unique && (k == i || !same);
    }
    while (begin > 0 && (begin == end || dir[begin - 1] != '/')) {
        begin--;
    }
    begin = unique ? begin : 0;
    wsr__str_addn(&name, dir + begin, end - begin);
    return wsr__str_give(&w->names[i], &name);
}

// The curves of a run, under its name.
static wsr_status take_curves(work *w, wsr__report *from, const char *name)
{
    wsr_status status = WSR_OK;
    void *all = w->report.curves;
    status = wsr__reserve(&all, &w->report.curves_capacity,
                          w->report.n_curves + from->n_curves,
                          sizeof(*w->report.curves));
    w->report.curves = all;
    WSR_TRY(status);
    for (size_t i = 0; i < from->n_curves; i++) {
        char *const net = wsr__strdup(name);
        if (net == NULL) {
            return WSR_NOMEM;
        }
        wsr__free(from->curves[i].net);
        from->curves[i].net = net;
    }
    for (size_t i = 0; i < from->n_curves; i++) {
        w->report.curves[w->report.n_curves++] = from->curves[i];
    }
    from->n_curves = 0;
    w->report.classes = from->classes;
out:
    return status;
}

static wsr_status read_curves(work *w, size_t i)
{
    wsr_status status = WSR_OK;
    wsr__report run = {.seconds = NAN};
    char *const path = wsr__path_join(w->dirs[i], "log.jsonl");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__report_log(&run, path));
    WSR_TRY(take_curves(w, &run, w->names[i]));
out:
    wsr__report_clear(&run);
    wsr__free(path);
    return status;
}

static wsr_status read_runs(work *w)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < w->n; i++) {
        WSR_TRY(name_run(w, i));
        WSR_TRY(wsr__ledger_read(&w->ledgers[i], w->dirs[i]));
        WSR_TRY(check_images(w, i));
        WSR_TRY(read_curves(w, i));
    }
    for (size_t i = 0; i < w->n; i++) {
        for (size_t k = i + 1; k < w->n; k++) {
            WSR_TRY(compare_pair(w, i, k));
        }
    }
out:
    return status;
}

// ------------------------------------------------------------------ writing

static wsr_status write_all(const work *w, const wsr_folder *folder)
{
    wsr_status status = WSR_OK;
    wsr__rows rows = {0};
    wsr__str page = {0};
    wsr__rows_differences(&rows, &w->report);
    WSR_TRY(wsr__rows_status(&rows));
    const wsr__locale locale = wsr__locale_enter();
    status = wsr__report_page(&page, &w->report);
    wsr__locale_leave(locale);
    WSR_TRY(status);
    WSR_TRY(wsr_folder_write(folder, "differences.csv", rows.csv.s));
    WSR_TRY(wsr_folder_write(folder, "differences.jsonl", rows.json.s));
    WSR_TRY(wsr_folder_write(folder, "report.html", page.s));
out:
    wsr__rows_free(&rows);
    wsr__str_free(&page);
    return status;
}

static wsr_status make_work(work *w, const char *const *dirs, size_t n)
{
    *w = (work){.dirs = dirs, .report = {.seconds = NAN}};
    if (n < 2 || n > MOST_RUNS) {
        return WSR_FAIL(WSR_ARG, "compare: %zu runs are outside [2, %d]", n,
                        MOST_RUNS);
    }
    w->n = n;
    w->names = wsr__alloc(n, sizeof(*w->names));
    w->ledgers = wsr__alloc(n, sizeof(*w->ledgers));
    w->report.tool = wsr__strdup("compare");
    return w->names != NULL && w->ledgers != NULL && w->report.tool != NULL
               ? WSR_OK
               : WSR_NOMEM;
}

static void release(work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->names != NULL) {
            wsr__free(w->names[i]);
        }
        if (w->ledgers != NULL) {
            wsr__ledger_free(&w->ledgers[i]);
        }
    }
    wsr__free(w->names);
    wsr__free(w->ledgers);
    wsr__report_clear(&w->report);
}

wsr_status wsr_report_compare(const char *const *dirs, size_t n,
                              const char *out)
{
    wsr_status status = WSR_OK;
    wsr_folder *folder = NULL;
    work w;
    WSR_TRY(make_work(&w, dirs, n));
    WSR_TRY(wsr_folder_open(&folder, out, false));
    WSR_TRY(read_runs(&w));
    WSR_TRY(wsr_folder_make(folder));
    WSR_TRY(write_all(&w, folder));
out:
    wsr_folder_close(folder);
    release(&w);
    return status;
}
