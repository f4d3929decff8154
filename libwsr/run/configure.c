// SPDX-License-Identifier: Apache-2.0
//
// The configuration in the folder of a run: written when the run begins, read
// when it is resumed.

#include "run/run.h"

// A resumed run must go on as it began, so a configuration that is given again
// may not differ in any key that counts. Only the number of threads may, since
// the machine may be another one.
static wsr_status check_same(const wsr_config *stored, const wsr_config *given,
                             const wsr__section *sections, size_t n)
{
    for (size_t i = 0; given != NULL && i < wsr_config_count(given); i++) {
        const char *const key = wsr_config_key(given, i);
        const char *const value = wsr_config_value(given, i);
        const char *const old = wsr_config_text(stored, key);
        const bool may = wsr__streq(key, "threads") ||
                         wsr__config_passed_over(given, sections, n, i);
        if (!may &&
            (old == NULL || !wsr__config_same(sections, n, key, old, value))) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: %.80s is not %.80s, with which the run began "
                            "(%s)",
                            key, value, old == NULL ? "absent" : old,
                            wsr_config_where(given, i));
        }
    }
    return WSR_OK;
}

// Decodes the stored configuration into the sections, with the number of
// threads that is given now.
wsr_status wsr__run_stored(const wsr__run *run, wsr__section *sections,
                           size_t n, const wsr_config *given)
{
    wsr_status status = WSR_OK;
    wsr_config *stored = NULL;
    char *path = NULL;
    WSR_TRY(wsr__run_path(&path, run, "config.yaml"));
    WSR_TRY(wsr_config_new(&stored));
    WSR_TRY(wsr_config_load(stored, path));
    if (given != NULL && wsr_config_text(given, "threads") != NULL) {
        WSR_TRY(wsr_config_put(stored, "threads",
                               wsr_config_text(given, "threads"), "threads"));
    }
    WSR_TRY(wsr__config_decode(stored, sections, n));
    WSR_TRY(check_same(stored, given, sections, n));
out:
    wsr_config_free(stored);
    wsr__free(path);
    return status;
}

wsr_status wsr__run_store(const wsr__run *run, const wsr__section *sections,
                          size_t n)
{
    wsr__str text = {0};
    wsr__sections_print(&text, sections, n);
    wsr_status status = wsr__str_status(&text);
    if (status == WSR_OK) {
        status = wsr__run_write(run, "config.yaml", text.s);
    }
    wsr__str_free(&text);
    return status;
}
