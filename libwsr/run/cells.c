// SPDX-License-Identifier: Apache-2.0
//
// What the cells of a run's network are made of, in a file of the folder whose
// name is that of the kind's option: genotype.yaml, codes.yaml. A resumed run
// reads it there, for the file that the option named may change or move.

#include "run/run.h"

enum { NAME_SIZE = 64, LIMIT = 1 << 20 };

static void name_of(char out[NAME_SIZE], const wsr__net_class *cls)
{
    (void)snprintf(out, NAME_SIZE, "%s.yaml", cls->cells.key);
}

static bool has_file(const wsr__net_class *cls)
{
    return cls->cells.key != NULL && cls->cells.print != NULL;
}

wsr_status wsr__run_store_cells(const wsr__run *run, const wsr_net *net)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    char *text = NULL;
    if (!has_file(net->cls)) {
        return WSR_OK;
    }
    name_of(name, net->cls);
    WSR_TRY(net->cls->cells.print(&text, net->cells));
    WSR_TRY(wsr__run_write(run, name, text));
out:
    wsr_text_free(text);
    return status;
}

wsr_status wsr__run_load_cells(void **out, const wsr__run *run,
                               const wsr__net_class *cls)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    char *path = NULL;
    unsigned char *text = NULL;
    size_t size = 0;
    *out = NULL;
    if (!has_file(cls)) {
        return WSR_OK;
    }
    name_of(name, cls);
    WSR_TRY(wsr__run_path(&path, run, name));
    WSR_TRY(wsr__file_read(&text, &size, path, LIMIT));
    WSR_TRY(cls->cells.parse(out, (const char *)text, path));
out:
    wsr__free(text);
    wsr__free(path);
    return status;
}

bool wsr__is_cells_file(const char *name)
{
    for (size_t i = 0; wsr__nets.classes[i] != NULL; i++) {
        const wsr__net_class *const cls =
            (const wsr__net_class *)wsr__nets.classes[i];
        char own[NAME_SIZE];
        name_of(own, cls);
        if (has_file(cls) && wsr__streq(name, own)) {
            return true;
        }
    }
    return false;
}
