// SPDX-License-Identifier: Apache-2.0
//
// Genotypes: the result of a search, checked once where they enter and
// immutable afterwards. A genotype has a normal and a reduction cell. A cell of
// n nodes is a list of 2n pairs (operation, state), two per node in node order,
// and the list of states that are concatenated to its output (Liu et al. 2019,
// arXiv:1806.09055). States 0 and 1 are the outputs of the two cells before,
// state i + 2 is node i. Published genotypes are data, share/genotypes/*.yaml.

#include "space/space.h"

#include "base/magic.h"
#include "cell/cell.h"
#include "config/config.h"

#include <string.h>

enum { MOST_OPS = 64 };

// Index: wsr_genotype_cell. Also the keys of both texts.
static const char *const cell_names[2] = {"normal", "reduce"};

// One of the two cells. ops are the names of the cell operations' classes, so
// operations are compared as pointers.
typedef struct half {
    size_t n_edges;
    const char *ops[WSR__GENOTYPE_EDGES]; // names of cell operations
    size_t states[WSR__GENOTYPE_EDGES];
    size_t n_concat;
    size_t concat[WSR__GENOTYPE_NODES];
} half;

struct wsr_genotype {
    char name[WSR__GENOTYPE_NAME];
    const wsr__space_class *single; // NULL: two cells as above
    size_t nodes;
    half cells[2]; // of a single space the first alone
};

// ---------------------------------------------------------------- checking

// Operations permitted in a genotype. "none" is one, although no search of ours
// chooses it: the searches of others do.
static size_t list_ops(const char *out[MOST_OPS])
{
    size_t n = 0;
    for (size_t i = 0; wsr__cells.classes[i] != NULL && n < MOST_OPS; i++) {
        const wsr__cell_class *const cls =
            (const wsr__cell_class *)wsr__cells.classes[i];
        if (!cls->codes_only) {
            out[n++] = cls->super.name;
        }
    }
    return n;
}

// The class's own string, not the text's.
static wsr_status find_op(const char **out, const wsr__genotype_edge *edge,
                          const char *list, const char *where)
{
    const char *ops[MOST_OPS];
    const size_t n = list_ops(ops);
    *out = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ops[i], edge->op) == 0) {
            *out = ops[i];
            return WSR_OK;
        }
    }
    const char *const near = wsr__suggest(edge->op, ops, n);
    return WSR_FAIL(WSR_FORMAT, "%s: operation '%s' is unknown%s%s%s (%s:%zu)",
                    list, edge->op, near != NULL ? ", did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'" : "", where,
                    edge->line);
}

// Pair k belongs to node k / 2, which may read the two inputs of the cell and
// the nodes before it: k / 2 + 2 states.
static wsr_status make_edges(half *out, const wsr__genotype_lists *lists,
                             const char *list, const char *where)
{
    wsr_status status = WSR_OK;
    for (size_t k = 0; k < lists->n_edges; k++) {
        const wsr__genotype_edge *const edge = &lists->edges[k];
        const int64_t states = (int64_t)(k / 2) + 2;
        WSR_TRY(find_op(&out->ops[k], edge, list, where));
        if (edge->state < 0 || edge->state >= states) {
            status = WSR_FAIL(WSR_FORMAT,
                              "%s: state %lld of pair %zu is outside [0, %lld] "
                              "(%s:%zu)",
                              list, (long long)edge->state, k,
                              (long long)(states - 1), where, edge->line);
            goto out;
        }
        out->states[k] = (size_t)edge->state;
    }
    out->n_edges = lists->n_edges;
out:
    return status;
}

// A reader of such cells gives every edge, in order, and operations that are
// candidates.
static wsr_status make_single(wsr_genotype *g, const wsr__genotype_draft *draft)
{
    wsr_status status = WSR_OK;
    half *const cell = &g->cells[0];
    const wsr__genotype_lists *const lists = &draft->cells[0];
    g->single = draft->single;
    g->nodes = draft->single->nodes;
    for (size_t e = 0; e < lists->n_edges; e++) {
        WSR_TRY(find_op(&cell->ops[e], &lists->edges[e], "cell", draft->where));
        cell->states[e] = (size_t)lists->edges[e].state;
    }
    cell->n_edges = lists->n_edges;
    cell->n_concat = 1;
    cell->concat[0] = g->nodes;
out:
    return status;
}

// The inputs of the cell are never part of its output; each node at most once.
static wsr_status make_concat(half *out, const wsr__genotype_lists *lists,
                              size_t nodes, const char *list, const char *where)
{
    if (lists->n_concat == 0) {
        return WSR_FAIL(WSR_FORMAT, "%s_concat: no states (%s:%zu)", list,
                        where, lists->concat_line);
    }
    for (size_t i = 0; i < lists->n_concat; i++) {
        const int64_t state = lists->concat[i];
        if (state < 2 || state > (int64_t)nodes + 1) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s_concat: state %lld is outside [2, %zu] "
                            "(%s:%zu)",
                            list, (long long)state, nodes + 1, where,
                            lists->concat_line);
        }
        for (size_t j = 0; j < i; j++) {
            if (lists->concat[j] == state) {
                return WSR_FAIL(
                    WSR_FORMAT, "%s_concat: state %lld is given twice (%s:%zu)",
                    list, (long long)state, where, lists->concat_line);
            }
        }
        out->concat[i] = (size_t)state;
    }
    out->n_concat = lists->n_concat;
    return WSR_OK;
}

// Four nodes as in DARTS, or five as in AmoebaNet and NASNet; both cells alike.
static wsr_status check_size(const wsr__genotype_draft *draft, size_t c)
{
    const wsr__genotype_lists *const lists = &draft->cells[c];
    const char *const list = cell_names[c];
    const size_t first = draft->cells[0].n_edges;
    if (!lists->given || !lists->concat_given) {
        return WSR_FAIL(WSR_FORMAT, "%s%s: is missing (%s)", list,
                        lists->given ? "_concat" : "", draft->where);
    }
    if (lists->n_edges != 8 && lists->n_edges != 10) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: %zu pairs are neither 8 (four nodes) nor 10 "
                        "(five nodes) (%s:%zu)",
                        list, lists->n_edges, draft->where, lists->line);
    }
    if (lists->n_edges != first) {
        return WSR_FAIL(WSR_FORMAT, "%s: %zu pairs, but %s has %zu (%s:%zu)",
                        list, lists->n_edges, cell_names[0], first,
                        draft->where, lists->line);
    }
    return WSR_OK;
}

// "dir/cna_r.yaml" stands for "cna_r" where the text gives no name.
void wsr__genotype_name_from(char *name, const char *where)
{
    const char *const slash = strrchr(where, '/');
    const char *const base = slash != NULL ? slash + 1 : where;
    const size_t n = strcspn(base, ".");
    const size_t most = WSR__GENOTYPE_NAME - 1;
    memcpy(name, base, n < most ? n : most);
    name[n < most ? n : most] = '\0';
}

// All checks of a genotype are here, whichever text it came from.
wsr_status wsr__genotype_make(wsr_genotype **out,
                              const wsr__genotype_draft *draft)
{
    wsr_status status = WSR_OK;
    wsr_genotype *g = NULL;
    *out = NULL;
    for (size_t c = 0; c < 2 && draft->single == NULL; c++) {
        WSR_TRY(check_size(draft, c));
    }
    g = wsr__alloc(1, sizeof(*g));
    if (g == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    memcpy(g->name, draft->name, sizeof(g->name));
    if (g->name[0] == '\0') {
        wsr__genotype_name_from(g->name, draft->where);
    }
    g->nodes = draft->cells[0].n_edges / 2;
    if (draft->single != NULL) {
        WSR_TRY(make_single(g, draft));
    }
    for (size_t c = 0; c < 2 && draft->single == NULL; c++) {
        WSR_TRY(make_edges(&g->cells[c], &draft->cells[c], cell_names[c],
                           draft->where));
        WSR_TRY(make_concat(&g->cells[c], &draft->cells[c], g->nodes,
                            cell_names[c], draft->where));
    }
    *out = g;
    g = NULL;
out:
    wsr__free(g);
    return status;
}

// ---------------------------------------------------------------- reading

// A cell of NAS-Bench-201 by itself, or as that benchmark prints it,
// "Structure(4 nodes with |...|)". In YAML there is a key before it.
static bool is_bare_cell(const char *text)
{
    const char *const bar = strchr(text, '|');
    const char *const colon = strchr(text, ':');
    return bar != NULL && strchr(bar, '~') != NULL &&
           (colon == NULL || bar < colon);
}

// YAML, or the form in which DARTS-style programs print genotypes.
wsr_status wsr_genotype_parse(wsr_genotype **out, const char *text,
                              const char *where)
{
    wsr_status status = WSR_OK;
    wsr__genotype_draft draft = {.where = where};
    size_t size = strlen(text);
    *out = NULL;
    status = wsr__text_begin(&text, &size, where);
    WSR_TRY(status == WSR_CONFIG ? WSR_FORMAT : status);
    if (is_bare_cell(text)) {
        WSR_TRY(wsr__genotype_read_single(&draft, &wsr__space_nb201,
                                          strchr(text, '|'), 1));
    } else if (wsr__genotype_is_python(text)) {
        WSR_TRY(wsr__genotype_read_python(&draft, text));
    } else {
        WSR_TRY(wsr__genotype_read_yaml(&draft, text));
    }
    WSR_TRY(wsr__genotype_make(out, &draft));
out:
    return status;
}

// A name that is neither a shipped one nor a file's: both may have been meant.
// "cna_r.yaml" may mean the shipped "cna_r".
static wsr_status fail_absent(const char *what, const char *directory,
                              const char *name)
{
    char word[WSR__GENOTYPE_NAME];
    char *path = NULL;
    wsr__genotype_name_from(word, name);
    const wsr_status status = wsr__shipped_find(&path, what, directory, word);
    if (status == WSR_OK) {
        wsr__free(path);
        return WSR_FAIL(WSR_NOTFOUND,
                        "%s: there is no file '%.200s'; the shipped one is "
                        "called '%s'",
                        what, name, word);
    }
    return status == WSR_NOMEM
               ? status
               : wsr__fail_at(WSR_NOTFOUND, "there is no file '%.200s'", name);
}

// *path is the file that a name stands for.
static wsr_status find_text(char **path, const char *what,
                            const char *directory, const char *name)
{
    wsr_status status = WSR_OK;
    *path = NULL;
    // Shipped names come first; what looks like a path is one.
    if (strpbrk(name, "/.") == NULL) {
        status = wsr__shipped_find(path, what, directory, name);
        if (status == WSR_OK || status == WSR_NOMEM) {
            return status;
        }
    }
    if (strchr(name, '/') == NULL && !wsr__file_exists(name)) {
        return fail_absent(what, directory, name);
    }
    *path = wsr__strdup(name);
    return *path != NULL ? WSR_OK : WSR_NOMEM;
}

// A checkpoint given for a genotype is told by its first bytes.
static wsr_status fail_binary(const char *path, const unsigned char *data,
                              size_t size)
{
    const wsr__magic *const magic = wsr__magic_of(data, size);
    return WSR_FAIL(WSR_FORMAT, "%s: is %s, not a text file", path,
                    magic != NULL ? magic->what : "binary");
}

// Bytes of 0 within a text would hide what follows them.
wsr_status wsr__genotype_text(char **text, char **path, const char *what,
                              const char *directory, const char *name)
{
    wsr_status status = WSR_OK;
    unsigned char *data = NULL;
    size_t size = 0;
    *text = NULL;
    *path = NULL;
    WSR_TRY(find_text(path, what, directory, name));
    WSR_TRY(wsr__file_read(&data, &size, *path, WSR__YAML_SIZE));
    const char *begin = (const char *)data;
    size_t rest = size;
    if (wsr__magic_of(data, size) != NULL) {
        status = fail_binary(*path, data, size);
        goto out;
    }
    status = wsr__text_begin(&begin, &rest, *path);
    WSR_TRY(status == WSR_CONFIG ? WSR_FORMAT : status);
    if (strlen((const char *)data) != size) {
        status = fail_binary(*path, data, size);
        goto out;
    }
    *text = (char *)data;
    data = NULL;
out:
    wsr__free(data);
    if (status != WSR_OK) {
        wsr__free(*path);
        *path = NULL;
    }
    return status;
}

// The name that messages give is the path of the file that was read.
wsr_status wsr_genotype_load(wsr_genotype **out, const char *name)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    char *path = NULL;
    *out = NULL;
    WSR_TRY(wsr__genotype_text(&text, &path, "genotype", "genotypes", name));
    WSR_TRY(wsr_genotype_parse(out, text, path));
out:
    wsr__free(text);
    wsr__free(path);
    return status;
}

// ---------------------------------------------------------------- printing

// The YAML that read_yaml() reads back to an equal genotype.
static void print_cell(wsr__str *out, const wsr_genotype *g, size_t c)
{
    const half *const self = &g->cells[c];
    wsr__str_addf(out, "%s:\n", cell_names[c]);
    for (size_t k = 0; k < self->n_edges; k++) {
        wsr__str_addf(out, "  - [%s, %zu]\n", self->ops[k], self->states[k]);
    }
    wsr__str_addf(out, "%s_concat: [", cell_names[c]);
    for (size_t i = 0; i < self->n_concat; i++) {
        wsr__str_addf(out, "%s%zu", i != 0 ? ", " : "", self->concat[i]);
    }
    wsr__str_add(out, "]\n");
}

// YAML, which wsr_genotype_parse() reads back to an equal genotype.
wsr_status wsr_genotype_print(char **out, const wsr_genotype *genotype)
{
    wsr__str text = {0};
    wsr__str_add(&text, "name: ");
    wsr__yaml_add_scalar(&text, genotype->name);
    wsr__str_add(&text, "\n");
    if (genotype->single != NULL) {
        wsr__str_add(&text, "cell: \"");
        wsr__genotype_print_single(&text, genotype);
        wsr__str_add(&text, "\"\n");
        return wsr__str_give(out, &text);
    }
    print_cell(&text, genotype, 0);
    print_cell(&text, genotype, 1);
    return wsr__str_give(out, &text);
}

// Atomic: the file is the old one or the new one.
wsr_status wsr_genotype_save(const wsr_genotype *genotype, const char *path)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    WSR_TRY(wsr_genotype_print(&text, genotype));
    WSR_TRY(wsr__file_write(path, text, strlen(text)));
out:
    wsr__free(text);
    return status;
}

// Names of shipped genotypes, one a line.
wsr_status wsr_genotype_names(char **out)
{
    return wsr__shipped_list(out, "genotypes");
}

// --------------------------------------------------------------- accessors

// A genotype is one block of memory.
void wsr_genotype_free(wsr_genotype *genotype)
{
    wsr__free(genotype);
}

// Operations are pointers into a constant table, so a copy of the bytes will
// do.
wsr_status wsr_genotype_copy(wsr_genotype **out, const wsr_genotype *genotype)
{
    *out = wsr__alloc(1, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    **out = *genotype;
    return WSR_OK;
}

static bool cells_equal(const half *a, const half *b)
{
    const size_t edges = a->n_edges;
    // Operations come from one table, so that equal names are one pointer.
    return edges == b->n_edges &&
           memcmp(a->ops, b->ops, edges * sizeof(*a->ops)) == 0 &&
           memcmp(a->states, b->states, edges * sizeof(*a->states)) == 0 &&
           a->n_concat == b->n_concat &&
           memcmp(a->concat, b->concat, a->n_concat * sizeof(*a->concat)) == 0;
}

// Names do not count, and the order of pairs and of states does: it decides the
// names of parameters.
bool wsr_genotype_equal(const wsr_genotype *a, const wsr_genotype *b)
{
    return a->single == b->single && cells_equal(&a->cells[0], &b->cells[0]) &&
           cells_equal(&a->cells[1], &b->cells[1]);
}

const char *wsr_genotype_name(const wsr_genotype *genotype)
{
    return genotype->name;
}

size_t wsr_genotype_nodes(const wsr_genotype *genotype)
{
    return genotype->nodes;
}

size_t wsr_genotype_edges(const wsr_genotype *genotype, wsr_genotype_cell cell)
{
    return genotype->cells[cell].n_edges;
}

const char *wsr_genotype_space(const wsr_genotype *genotype)
{
    return genotype->single != NULL ? genotype->single->super.name : NULL;
}

const wsr__space_class *wsr__genotype_single(const wsr_genotype *genotype)
{
    return genotype->single;
}

// Edges are in the order of their nodes, so one pass finds what is reached.
static bool half_connected(const wsr_genotype *g, const half *cell)
{
    const size_t sources = g->single != NULL ? 1 : 2;
    bool reached[WSR__GENOTYPE_NODES + 2] = {true, sources == 2};
    size_t edge = 0;
    for (size_t node = 0; node < g->nodes; node++) {
        const size_t into = g->single != NULL ? node + 1 : 2;
        for (size_t k = 0; k < into; k++, edge++) {
            const bool carries = !wsr__streq(cell->ops[edge], "none");
            reached[sources + node] = reached[sources + node] ||
                                      (carries && reached[cell->states[edge]]);
        }
    }
    for (size_t i = 0; i < cell->n_concat; i++) {
        if (reached[cell->concat[i]]) {
            return true;
        }
    }
    return false;
}

bool wsr__genotype_connected(const wsr_genotype *genotype)
{
    return half_connected(genotype, &genotype->cells[0]) &&
           (genotype->single != NULL ||
            half_connected(genotype, &genotype->cells[1]));
}

// NULL behind the last edge.
const char *wsr_genotype_op(const wsr_genotype *genotype,
                            wsr_genotype_cell cell, size_t edge)
{
    const half *const self = &genotype->cells[cell];
    return edge < self->n_edges ? self->ops[edge] : NULL;
}

// 0 behind the last edge, like the concatenation below.
size_t wsr_genotype_state(const wsr_genotype *genotype, wsr_genotype_cell cell,
                          size_t edge)
{
    const half *const self = &genotype->cells[cell];
    return edge < self->n_edges ? self->states[edge] : 0;
}

size_t wsr_genotype_concat_count(const wsr_genotype *genotype,
                                 wsr_genotype_cell cell)
{
    return genotype->cells[cell].n_concat;
}

size_t wsr_genotype_concat(const wsr_genotype *genotype, wsr_genotype_cell cell,
                           size_t i)
{
    const size_t n = genotype->cells[cell].n_concat;
    return i < n ? genotype->cells[cell].concat[i] : 0;
}
