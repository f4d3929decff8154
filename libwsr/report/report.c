// SPDX-License-Identifier: Apache-2.0
//
// Turns the folder of a run into a page: reads the files that are there and
// writes report.html. Numbers in pictures must have a decimal point whatever
// the locale says, so the page is made in the neutral locale.

#include "report/report.h"

#include <math.h>

static wsr_status read_config(wsr__report *report, const char *path)
{
    wsr_status status = wsr_config_new(&report->config);
    if (status == WSR_OK) {
        status = wsr_config_load(report->config, path);
    }
    return status;
}

static wsr_status read_images(wsr__report *report, const char *path)
{
    return wsr__st_open(&report->images, path);
}

static wsr_status read_genotype(wsr__report *report, const char *path)
{
    return wsr_genotype_load(&report->genotype, path);
}

typedef wsr_status (*reader)(wsr__report *report, const char *path);

// Runs of different kinds have different files; none of them is required.
static wsr_status read_if_there(wsr__report *report, const char *dir,
                                const char *name, reader read)
{
    wsr_status status = WSR_OK;
    char *const path = wsr__path_join(dir, name);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    if (wsr__file_exists(path)) {
        status = read(report, path);
    }
    wsr__free(path);
    return status;
}

// Atomic: an older page stays until the new one is complete.
static wsr_status write_page(const wsr__report *report, const char *dir)
{
    wsr_status status = WSR_OK;
    wsr__str page = {0};
    char *const path = wsr__path_join(dir, "report.html");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    const wsr__locale locale = wsr__locale_enter();
    status = wsr__report_page(&page, report);
    wsr__locale_leave(locale);
    WSR_TRY(status);
    WSR_TRY(wsr__file_write(path, page.s, page.len));
out:
    wsr__str_free(&page);
    wsr__free(path);
    return status;
}

// A search writes its genotype into the log before the file exists; the file
// goes before the log.
wsr_status wsr_report_write(const char *dir)
{
    wsr_status status = WSR_OK;
    wsr__report report = {.seconds = NAN};
    WSR_TRY(read_if_there(&report, dir, "log.jsonl", wsr__report_log));
    WSR_TRY(read_if_there(&report, dir, "config.yaml", read_config));
    WSR_TRY(read_if_there(&report, dir, "genotype.yaml", read_genotype));
    WSR_TRY(read_if_there(&report, dir, "images.safetensors", read_images));
    if (report.genotype == NULL && report.text != NULL) {
        WSR_TRY(wsr_genotype_parse(&report.genotype, report.text, "log.jsonl"));
    }
    WSR_TRY(write_page(&report, dir));
out:
    wsr__report_clear(&report);
    return status;
}
