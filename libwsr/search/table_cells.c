// SPDX-License-Identifier: Apache-2.0
//
// The architectures of a table. Random ones are drawn like those of the random
// baseline of a search. Edge cases are what a uniform sample hardly has: cells
// of one operation, and cells of mostly pools or mostly "none".

#include "search/table.h"

#include <string.h>

// What an edge case draws more often than others.
typedef struct taste {
    const char *word;   // in the names of operations
    uint32_t per_cent;  // of the edges that take one of these
    bool chain;         // nodes take the two states before them
    const char *prefix; // of the architecture's name
} taste;

enum { EDGE_CASES = 3 }; // of the random kinds each

static const taste tastes[] = {{"none", 50, false, "none_heavy"},
                               {"pool", 75, false, "pool_heavy"}};

// ------------------------------------------------------------------ drawing

// An operation whose name has the word.
static uint32_t draw_op(const wsr__space_class *space, const char *word,
                        wsr__rng *rng)
{
    uint32_t list[WSR__CANDIDATES];
    uint32_t n = 0;
    for (uint32_t i = 0; i < space->n_primitives; i++) {
        if (strstr(space->primitives[i], word) != NULL) {
            list[n++] = i;
        }
    }
    return list[wsr__rng_below(rng, n)];
}

// Changes a random architecture to the taste.
static void season(wsr__pairs *pairs, const wsr__space_class *space,
                   const taste *t, wsr__rng *rng)
{
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        if (wsr__rng_below(rng, 100) < t->per_cent) {
            pairs->ops[e] = draw_op(space, t->word, rng);
        }
        if (t->chain && !space->single) {
            pairs->states[e] = (uint32_t)(e / 2 % space->nodes + e % 2);
        }
    }
}

// Appends an empty architecture.
static wsr_status append(wsr__table_cell **out, wsr__table_cells *cells)
{
    void *list = cells->list;
    const wsr_status status = wsr__reserve(&list, &cells->capacity,
                                           cells->n + 1, sizeof(*cells->list));
    if (status == WSR_OK) {
        cells->list = list;
        *out = &cells->list[cells->n++];
        **out = (wsr__table_cell){0};
    }
    return status;
}

// Small spaces are drawn from without replacement. Cells through which nothing
// passes have no accuracy but that of guesses.
static bool has(const wsr__table_cells *cells, const wsr_genotype *genotype)
{
    for (size_t i = 0; i + 1 < cells->n; i++) {
        if (wsr_genotype_equal(cells->list[i].genotype, genotype)) {
            return true;
        }
    }
    return false;
}

enum { DRAWS = 1000 };

static wsr_status add_drawn(wsr__table_cells *cells, const char *name,
                            const wsr__space_class *space, const taste *t,
                            wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    wsr__table_cell *cell = NULL;
    size_t draws = 0;
    WSR_TRY(append(&cell, cells));
    (void)snprintf(cell->name, sizeof(cell->name), "%s", name);
    do {
        wsr__pairs pairs;
        wsr_genotype_free(cell->genotype);
        wsr__pairs_random(&pairs, space, rng);
        season(&pairs, space, t, rng);
        WSR_TRY(wsr__pairs_genotype(&cell->genotype, &pairs, space, name));
    } while ((has(cells, cell->genotype) ||
              !wsr__genotype_connected(cell->genotype)) &&
             ++draws < DRAWS);
    if (draws == DRAWS) {
        status = WSR_FAIL(WSR_CONFIG,
                          "table.random: %s: the space %s has no further "
                          "architectures",
                          name, space->super.name);
    }
out:
    return status;
}

// Each architecture has random numbers of its own: a larger table begins with
// the rows of a smaller one.
static wsr_status add_random(wsr__table_cells *cells,
                             const wsr__table_params *params,
                             const wsr__space_class *space, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const taste none = {0};
    for (int64_t i = 0; i < params->random; i++) {
        char name[WSR__GENOTYPE_NAME];
        wsr__rng rng = wsr__rng_at(seed, WSR__RNG_GUMBEL, (uint64_t)i,
                                   WSR__SAMPLE_BASELINE);
        (void)snprintf(name, sizeof(name), "random_%03lld", (long long)i);
        WSR_TRY(add_drawn(cells, name, space, &none, &rng));
        cells->list[cells->n - 1].repeated = i < params->repeated;
    }
out:
    return status;
}

static wsr_status add_edge_cases(wsr__table_cells *cells,
                                 const wsr__space_class *space, uint64_t seed)
{
    wsr_status status = WSR_OK;
    char name[WSR__GENOTYPE_NAME];
    for (size_t i = 0; i < space->n_primitives; i++) {
        wsr__rng rng =
            wsr__rng_at(seed, WSR__RNG_GUMBEL, i, WSR__SAMPLE_HOLDOUT);
        const taste all = {
            .word = space->primitives[i], .per_cent = 100, .chain = true};
        if (!wsr__streq(all.word, "none")) {
            (void)snprintf(name, sizeof(name), "all_%.40s", all.word);
            WSR_TRY(add_drawn(cells, name, space, &all, &rng));
        }
    }
    for (size_t i = 0; i < EDGE_CASES * sizeof(tastes) / sizeof(*tastes); i++) {
        const taste *const t = &tastes[i / EDGE_CASES];
        wsr__rng rng = wsr__rng_at(seed, WSR__RNG_GUMBEL, WSR__CANDIDATES + i,
                                   WSR__SAMPLE_HOLDOUT);
        (void)snprintf(name, sizeof(name), "%s_%zu", t->prefix, i % EDGE_CASES);
        WSR_TRY(add_drawn(cells, name, space, t, &rng));
    }
out:
    return status;
}

// ------------------------------------------------------------------- others

// The end of a path, as far as there is room for it. Names stand on lines.
static void name_after(char *name, const char *path)
{
    const size_t length = strlen(path);
    const size_t most = WSR__GENOTYPE_NAME - 1;
    (void)snprintf(name, WSR__GENOTYPE_NAME, "%s",
                   path + (length > most ? length - most : 0));
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
}

// Genotypes that the caller wants to see in the table, with every seed. They
// are named after their files: all that searches find have one name.
static wsr_status add_files(wsr__table_cells *cells,
                            const wsr__table_params *params)
{
    wsr_status status = WSR_OK;
    char *list = NULL;
    char *file = NULL;
    WSR_TRY(wsr__spec_list(&list, params->genotypes.s));
    for (const char *rest = list; *rest != '\0';) {
        wsr__table_cell *cell = NULL;
        wsr__free(file);
        file = NULL;
        WSR_TRY(wsr__spec_next(&file, &rest));
        WSR_TRY(append(&cell, cells));
        cell->repeated = true;
        status = wsr_genotype_load(&cell->genotype, file);
        if (status != WSR_OK) {
            status = wsr__fail_at(status, "table.genotypes");
            goto out;
        }
        name_after(cell->name, file);
    }
out:
    wsr__free(file);
    wsr__free(list);
    return status;
}

wsr_status wsr__table_cells_choose(wsr__table_cells *out,
                                   const wsr__table_params *params,
                                   const wsr__space_class *space, uint64_t seed)
{
    wsr_status status = WSR_OK;
    *out = (wsr__table_cells){0};
    WSR_TRY(add_files(out, params));
    WSR_TRY(add_random(out, params, space, seed));
    if (params->edge_cases) {
        WSR_TRY(add_edge_cases(out, space, seed));
    }
out:
    if (status != WSR_OK) {
        wsr__table_cells_free(out);
    }
    return status;
}

// "* name = Genotype(...)": a star for those with every seed.
wsr_status wsr__table_cells_print(char **out, const wsr__table_cells *cells)
{
    wsr__str text = {0};
    for (size_t i = 0; i < cells->n; i++) {
        const wsr__table_cell *const cell = &cells->list[i];
        wsr__str_addf(&text, "%s%s = ", cell->repeated ? "* " : "", cell->name);
        wsr__genotype_print_line(&text, cell->genotype);
        wsr__str_add(&text, "\n");
    }
    return wsr__str_give(out, &text);
}

static wsr_status parse_line(wsr__table_cells *cells, const char *line,
                             const char *where)
{
    wsr_status status = WSR_OK;
    wsr__table_cell *cell = NULL;
    WSR_TRY(append(&cell, cells));
    cell->repeated = line[0] == '*';
    const char *const name = line + (cell->repeated ? 2 : 0);
    const char *const two = strstr(name, " = Genotype(");
    const char *const end = two != NULL ? two : strstr(name, " = |");
    if (end == NULL || (size_t)(end - name) >= sizeof(cell->name)) {
        return WSR_FAIL(WSR_FORMAT, "'%.40s' is no name = genotype (%s)", line,
                        where);
    }
    memcpy(cell->name, name, (size_t)(end - name));
    WSR_TRY(wsr_genotype_parse(&cell->genotype, line, where));
out:
    return status;
}

// Ends lines in `text`.
wsr_status wsr__table_cells_parse(wsr__table_cells *out, char *text,
                                  const char *where)
{
    wsr_status status = WSR_OK;
    *out = (wsr__table_cells){0};
    for (char *line = text; *line != '\0';) {
        char *const end = line + strcspn(line, "\n");
        char *const next = end + (*end == '\n');
        *end = '\0';
        WSR_TRY(parse_line(out, line, where));
        line = next;
    }
out:
    if (status != WSR_OK) {
        wsr__table_cells_free(out);
    }
    return status;
}

void wsr__table_cells_free(wsr__table_cells *cells)
{
    for (size_t i = 0; i < cells->n; i++) {
        wsr_genotype_free(cells->list[i].genotype);
    }
    wsr__free(cells->list);
    *cells = (wsr__table_cells){0};
}
