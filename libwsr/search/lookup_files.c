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

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

static wsr_status parse(json_t **out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *text = NULL;
    size_t size = 0;
    json_error_t error;
    *out = NULL;
    WSR_TRY(wsr__file_read(&text, &size, path, 1U << 30));
    *out = json_loadb((const char *)text, size, 0, &error);
    if (*out == NULL || !json_is_object(*out)) {
        status = WSR_FAIL(WSR_FORMAT, "%s: is no JSON object%s%s", path,
                          *out == NULL ? ": " : "",
                          *out == NULL ? error.text : "");
        goto out;
    }
out:
    wsr__free(text);
    if (status != WSR_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

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
static double number_of(const json_t *value)
{
    const json_t *const mean =
        json_is_object(value) ? json_object_get(value, "threeseed") : value;
    return json_is_number(mean) ? json_number_value(mean) : -1;
}

// The strengths of "val_ATTACK_STRENGTH_acc" among the keys of a cell. The keys
// are kept in `names`.
static void list_strengths(wsr__lookup *lookup, const char **names,
                           json_t *cell)
{
    const char *key = NULL;
    json_t *value = NULL;
    char begin[WSR__TEXT_SIZE + 8];
    const int n = snprintf(begin, sizeof(begin), "val_%s_", lookup->attack);
    json_object_foreach(cell, key, value)
    {
        double eps = 0;
        char end[8] = "";
        if (strncmp(key, begin, (size_t)n) == 0 &&
            sscanf(key + n, "%lf_%3s", &eps, end) == 2 &&
            wsr__streq(end, "acc") && lookup->n_eps < WSR__LIST_SIZE) {
            names[lookup->n_eps] = key;
            lookup->eps[lookup->n_eps++] = eps * unit;
        }
    }
    if (wsr__streq(lookup->attack, "autoattack") &&
        json_object_get(cell, "autoattack") != NULL) {
        names[0] = "autoattack";
        lookup->eps[lookup->n_eps++] = 8 * unit;
    }
}

static wsr_status read_robbench(wsr__lookup *lookup, const char *path)
{
    wsr_status status = WSR_OK;
    json_t *root = NULL;
    const char *cell = NULL;
    json_t *value = NULL;
    const char *names[WSR__LIST_SIZE];
    WSR_TRY(parse(&root, path));
    json_object_foreach(root, cell, value)
    {
        double accuracies[1 + WSR__LIST_SIZE];
        if (lookup->n == 0) {
            list_strengths(lookup, names, value);
        }
        if (lookup->n_eps == 0) {
            status = fail(path, "has no strengths of search.table_attack",
                          lookup->attack);
            goto out;
        }
        accuracies[0] = number_of(json_object_get(value, "val_acc"));
        for (size_t i = 0; i < lookup->n_eps; i++) {
            accuracies[1 + i] = number_of(json_object_get(value, names[i]));
        }
        WSR_TRY(wsr__lookup_add(lookup, cell, accuracies));
    }
out:
    json_decref(root);
    return status;
}

// -------------------------------------------------------- Jung et al. (2023)

// A file of the folder, and the object below DATA / KEY / "accuracy" in it,
// where DATA is the only member.
typedef struct measured {
    json_t *root;
    const json_t *accuracies; // by id
} measured;

static wsr_status open_measured(measured *m, const char *folder,
                                const char *key)
{
    wsr_status status = WSR_OK;
    char name[WSR__TEXT_SIZE + 32];
    char *path = NULL;
    (void)snprintf(name, sizeof(name), "%s_accuracy.json", key);
    path = wsr__path_join(folder, name);
    WSR_TRY(path == NULL ? WSR_NOMEM : parse(&m->root, path));
    void *const only = json_object_iter(m->root);
    m->accuracies = json_object_get(
        json_object_get(json_object_iter_value(only), key), "accuracy");
    if (!json_is_object(m->accuracies)) {
        status = fail(path, "has no DATA / KEY / accuracy of", key);
        goto out;
    }
out:
    wsr__free(path);
    return status;
}

// Accuracies of an id: clean, then the strengths. Below 0: there is none.
static void take_id(double *accuracies, const wsr__lookup *lookup,
                    const measured *clean, const measured *attacked,
                    const char *id)
{
    const json_t *const list = json_object_get(attacked->accuracies, id);
    const json_t *const first = json_object_get(clean->accuracies, id);
    accuracies[0] =
        number_of(json_is_array(first) ? json_array_get(first, 0) : first);
    for (size_t i = 0; i < lookup->n_eps; i++) {
        accuracies[1 + i] = number_of(json_array_get(list, i));
    }
}

static wsr_status take_epsilons(wsr__lookup *lookup, const json_t *meta,
                                const char *key)
{
    const json_t *const list =
        json_object_get(json_object_get(meta, "epsilons"), key);
    const size_t n = json_array_size(list);
    if (n == 0 || n > WSR__LIST_SIZE) {
        return fail(lookup->path, "meta.json has no list epsilons /", key);
    }
    for (size_t i = 0; i < n; i++) {
        lookup->eps[i] = number_of(json_array_get(list, i)) * unit;
    }
    lookup->n_eps = n;
    return WSR_OK;
}

// Cells that are isomorphic to others were not measured.
static wsr_status add_ids(wsr__lookup *lookup, json_t *meta,
                          const measured *clean, const measured *attacked)
{
    wsr_status status = WSR_OK;
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(meta, "ids"), id, value)
    {
        const char *const same =
            json_string_value(json_object_get(value, "isomorph"));
        const char *const cell =
            json_string_value(json_object_get(value, "nb201-string"));
        double accuracies[1 + WSR__LIST_SIZE];
        if (same == NULL || cell == NULL) {
            return fail(lookup->path,
                        "meta.json lacks isomorph or "
                        "nb201-string of",
                        id);
        }
        if (wsr__streq(same, id)) {
            take_id(accuracies, lookup, clean, attacked, id);
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
    json_t *meta = NULL;
    char key[WSR__TEXT_SIZE + 8];
    char *const meta_path = wsr__path_join(path, "../meta.json");
    (void)snprintf(key, sizeof(key), "%s@Linf", lookup->attack);
    WSR_TRY(meta_path == NULL ? WSR_NOMEM : parse(&meta, meta_path));
    WSR_TRY(take_epsilons(lookup, meta, key));
    WSR_TRY(open_measured(&clean, path, "clean"));
    WSR_TRY(open_measured(&attacked, path, key));
    WSR_TRY(add_ids(lookup, meta, &clean, &attacked));
out:
    json_decref(meta);
    json_decref(clean.root);
    json_decref(attacked.root);
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
