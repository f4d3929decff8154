// SPDX-License-Identifier: Apache-2.0
//
// Files of accuracies:
//
//   table.jsonl   of a run of our own (table_rows.c), any space
//   *.json        NAS-RobBench-201 (Wu et al. 2024, arXiv:2403.13134), networks
//   of
//                 NAS-Bench-201 trained adversarially. Object by cell:
//                   {"|..~0|+...": {"val_acc": {"threeseed": 0.5},
//                    "val_pgd_3.0_acc": {"threeseed": 0.4}, "autoattack": 0.3}}
//                 strengths in 1/255; that of autoattack is 8/255
//   a folder      the robustness dataset of Jung et al. 2023
//   (arXiv:2306.06712),
//                 of one image data set, such as cifar10: clean_accuracy.json
//                 and pgd@Linf_accuracy.json with
//                   {"cifar10": {"pgd@Linf": {"accuracy": {"12": [0.9, ...]}}}}
//                 and in the folder above meta.json with
//                   {"ids": {"12": {"nb201-string": "|...|", "isomorph":
//                   "12"}},
//                    "epsilons": {"pgd@Linf": [0.1, ...]}}, in 1/255

#include "search/lookup.h"
#include "search/table.h"

#include <string.h>
#include <sys/stat.h>

static wsr_status fail(const char *path, const char *what, const char *name)
{
    return WSR_FAIL(WSR_FORMAT, "%s: %s '%.80s'", path, what, name);
}

// ------------------------------------------------------------- our own table

static wsr_status read_rows(wsr__lookup *lookup, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__table table;
    WSR_TRY(wsr__table_read(&table, path));
    lookup->n_eps = table.n_eps;
    memcpy(lookup->eps, table.eps, sizeof(lookup->eps));
    for (size_t i = 0; i < table.n; i++) {
        double accuracies[1 + WSR__LIST_SIZE];
        accuracies[0] = table.rows[i].clean;
        memcpy(accuracies + 1, table.rows[i].robust,
               table.n_eps * sizeof(double));
        WSR_TRY(wsr__lookup_add(lookup, table.rows[i].genotype, accuracies));
    }
out:
    wsr__table_free(&table);
    return status;
}

// ---------------------------------------------------------- NAS-RobBench-201

static const double unit = 1.0 / 255;

// A number, or the member "threeseed" of an object, the mean over three seeds.
static double number_of(const wsr__json_value *value)
{
    return wsr__json_double(
        wsr__json_is_object(value) ? wsr__json_get(value, "threeseed") : value);
}

// The strength in "val_ATTACK_STRENGTH_acc", where the key is one.
static bool strength_of(double *eps, const char *key, const char *attack)
{
    static const char end[] = "_acc";
    char begin[WSR__TEXT_SIZE + 8];
    char number[16] = "";
    const size_t n = (size_t)snprintf(begin, sizeof(begin), "val_%s_", attack);
    const size_t length = strlen(key);
    const size_t rest = n + sizeof(end) - 1;
    if (length <= rest || length - rest >= sizeof(number) ||
        strncmp(key, begin, n) != 0 ||
        !wsr__streq(key + length - (sizeof(end) - 1), end)) {
        return false;
    }
    memcpy(number, key + n, length - rest);
    return wsr__parse_double(eps, number);
}

// The strengths of the attack among the keys of a cell, which are kept in
// `names`.
static void list_strengths(wsr__lookup *lookup, const char **names,
                           const wsr__json_value *cell)
{
    wsr__json_member member = {0};
    while (wsr__json_next(&member, cell)) {
        double eps = 0;
        if (lookup->n_eps < WSR__LIST_SIZE &&
            strength_of(&eps, member.key, lookup->attack)) {
            names[lookup->n_eps] = member.key;
            lookup->eps[lookup->n_eps++] = eps * unit;
        }
    }
    if (wsr__streq(lookup->attack, "autoattack") &&
        wsr__json_get(cell, "autoattack") != NULL) {
        names[0] = "autoattack";
        lookup->eps[lookup->n_eps++] = 8 * unit;
    }
}

static wsr_status read_robbench(wsr__lookup *lookup, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__json_value *root = NULL;
    wsr__json_member cell = {0};
    const char *names[WSR__LIST_SIZE] = {NULL};
    WSR_TRY(wsr__json_open(&root, path));
    while (wsr__json_next(&cell, root)) {
        double accuracies[1 + WSR__LIST_SIZE];
        if (lookup->n == 0) {
            list_strengths(lookup, names, cell.value);
        }
        if (lookup->n_eps == 0) {
            status = fail(path, "has no strengths of search.table_attack",
                          lookup->attack);
            goto out;
        }
        accuracies[0] = number_of(wsr__json_get(cell.value, "val_acc"));
        for (size_t i = 0; i < lookup->n_eps; i++) {
            accuracies[1 + i] = number_of(wsr__json_get(cell.value, names[i]));
        }
        WSR_TRY(wsr__lookup_add(lookup, cell.key, accuracies));
    }
out:
    wsr__json_close(root);
    return status;
}

// -------------------------------------------------------- Jung et al. (2023)

// A file of the folder, and the object below DATA / KEY / "accuracy" in it,
// where DATA is the only member.
typedef struct measured {
    wsr__json_value *root;
    const wsr__json_value *accuracies; // by id
} measured;

static wsr_status open_measured(measured *m, const char *folder,
                                const char *key)
{
    wsr_status status = WSR_OK;
    wsr__json_member only = {0};
    char name[WSR__TEXT_SIZE + 32];
    char *path = NULL;
    (void)snprintf(name, sizeof(name), "%s_accuracy.json", key);
    path = wsr__path_join(folder, name);
    WSR_TRY(path == NULL ? WSR_NOMEM : wsr__json_open(&m->root, path));
    (void)wsr__json_next(&only, m->root);
    m->accuracies = wsr__json_get(wsr__json_get(only.value, key), "accuracy");
    if (!wsr__json_is_object(m->accuracies)) {
        status = fail(path, "has no DATA / KEY / accuracy of", key);
        goto out;
    }
out:
    wsr__free(path);
    return status;
}

// Accuracies of an id: clean, then the strengths. NAN: there is none.
static void take_id(double *accuracies, const wsr__lookup *lookup,
                    const measured *clean, const measured *attacked,
                    const char *id)
{
    const wsr__json_value *const list = wsr__json_get(attacked->accuracies, id);
    const wsr__json_value *const first = wsr__json_get(clean->accuracies, id);
    accuracies[0] =
        number_of(wsr__json_length(first) > 0 ? wsr__json_at(first, 0) : first);
    for (size_t i = 0; i < lookup->n_eps; i++) {
        accuracies[1 + i] = number_of(wsr__json_at(list, i));
    }
}

static wsr_status take_epsilons(wsr__lookup *lookup,
                                const wsr__json_value *meta, const char *key)
{
    const wsr__json_value *const list =
        wsr__json_get(wsr__json_get(meta, "epsilons"), key);
    const size_t n = wsr__json_length(list);
    if (n == 0 || n > WSR__LIST_SIZE) {
        return fail(lookup->path, "meta.json has no list epsilons /", key);
    }
    for (size_t i = 0; i < n; i++) {
        lookup->eps[i] = number_of(wsr__json_at(list, i)) * unit;
    }
    lookup->n_eps = n;
    return WSR_OK;
}

// Cells that are isomorphic to others were not measured.
static wsr_status add_ids(wsr__lookup *lookup, const wsr__json_value *meta,
                          const measured *clean, const measured *attacked)
{
    wsr_status status = WSR_OK;
    const wsr__json_value *const ids = wsr__json_get(meta, "ids");
    wsr__json_member id = {0};
    while (wsr__json_is_object(ids) && wsr__json_next(&id, ids)) {
        const char *const same =
            wsr__json_string(wsr__json_get(id.value, "isomorph"));
        const char *const cell =
            wsr__json_string(wsr__json_get(id.value, "nb201-string"));
        double accuracies[1 + WSR__LIST_SIZE];
        if (same == NULL || cell == NULL) {
            return fail(lookup->path,
                        "meta.json lacks isomorph or nb201-string of", id.key);
        }
        if (wsr__streq(same, id.key)) {
            take_id(accuracies, lookup, clean, attacked, id.key);
            WSR_TRY(wsr__lookup_add(lookup, cell, accuracies));
        }
    }
out:
    return status;
}

static wsr_status read_folder(wsr__lookup *lookup, const char *path)
{
    wsr_status status = WSR_OK;
    measured clean = {0};
    measured attacked = {0};
    wsr__json_value *meta = NULL;
    char key[WSR__TEXT_SIZE + 8];
    char *const meta_path = wsr__path_join(path, "../meta.json");
    (void)snprintf(key, sizeof(key), "%s@Linf", lookup->attack);
    WSR_TRY(meta_path == NULL ? WSR_NOMEM : wsr__json_open(&meta, meta_path));
    WSR_TRY(take_epsilons(lookup, meta, key));
    WSR_TRY(open_measured(&clean, path, "clean"));
    WSR_TRY(open_measured(&attacked, path, key));
    WSR_TRY(add_ids(lookup, meta, &clean, &attacked));
out:
    wsr__json_close(meta);
    wsr__json_close(clean.root);
    wsr__json_close(attacked.root);
    wsr__free(meta_path);
    return status;
}

// ---------------------------------------------------------------- all of them

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_object_by_cell(const char *path)
{
    const size_t n = strlen(path);
    return n > 5 && wsr__streq(path + n - 5, ".json");
}

static bool is_any(const char *path)
{
    (void)path;
    return true;
}

wsr_status wsr__lookup_read(wsr__lookup *lookup, const char *path)
{
    static const struct {
        bool (*tells)(const char *path);
        wsr_status (*read)(wsr__lookup *lookup, const char *path);
    } formats[] = {{is_folder, read_folder},
                   {is_object_by_cell, read_robbench},
                   {is_any, read_rows}};
    size_t i = 0;
    while (!formats[i].tells(path)) {
        i++;
    }
    return formats[i].read(lookup, path);
}
