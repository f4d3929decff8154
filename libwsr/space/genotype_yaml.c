// SPDX-License-Identifier: Apache-2.0
//
// Genotypes in YAML, the form in which this library writes them:
//
//   name: cna_r
//   normal: [[sep_conv_3x3, 0], [skip_connect, 1], ...]
//   normal_concat: [2, 3, 4, 5]
//   reduce: ...
//   reduce_concat: ...
//
// Fills a draft; genotype.c checks what the draft says.

#include "space/space.h"

#include "config/config.h"

#include <string.h>

// Whether the state exists is checked by make_edges().
static wsr_status read_state(int64_t *out, const wsr__yaml_node *node,
                             const char *list, const char *where)
{
    if (node->kind != WSR__YAML_SCALAR || !wsr__parse_int(out, node->text)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: state '%.40s' is not an integer "
                        "(%s:%zu)",
                        list, node->text != NULL ? node->text : "[...]", where,
                        node->line);
    }
    return WSR_OK;
}

// The weight is checked to be a number and then dropped: a genotype is
// discrete.
static wsr_status read_pair(wsr__genotype_edge *out, const wsr__yaml_node *pair,
                            const char *list, const char *where)
{
    double weight = 0;
    // A third item is the weight that the edge had in the search.
    if (pair->kind != WSR__YAML_SEQUENCE || pair->count < 2 ||
        pair->count > 3 || pair->first->kind != WSR__YAML_SCALAR ||
        (pair->count == 3 && (pair->last->kind != WSR__YAML_SCALAR ||
                              !wsr__parse_double(&weight, pair->last->text)))) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: entry is not [operation, state] or [operation, "
                        "state, weight] (%s:%zu)",
                        list, where, pair->line);
    }
    out->line = pair->line;
    // A text too long to be an operation is cut, and unknown all the more.
    (void)snprintf(out->op, sizeof(out->op), "%s", pair->first->text);
    return read_state(&out->state, pair->first->next, list, where);
}

// Lengths are bounded before anything is copied into arrays.
static wsr_status check_list(const wsr__yaml_node *node, size_t most,
                             const char *where)
{
    if (node->kind != WSR__YAML_SEQUENCE) {
        return WSR_FAIL(WSR_FORMAT, "%s: is not a list (%s:%zu)", node->key,
                        where, node->line);
    }
    if (node->count > most) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: %zu entries are more than %zu "
                        "(%s:%zu)",
                        node->key, node->count, most, where, node->line);
    }
    return WSR_OK;
}

// Lines are kept for the messages of later checks.
static wsr_status read_edges(wsr__genotype_lists *out,
                             const wsr__yaml_node *node, const char *where)
{
    wsr_status status = WSR_OK;
    WSR_TRY(check_list(node, WSR__GENOTYPE_EDGES, where));
    for (const wsr__yaml_node *e = node->first; e != NULL; e = e->next) {
        WSR_TRY(read_pair(&out->edges[out->n_edges++], e, node->key, where));
    }
    out->given = true;
    out->line = node->line;
out:
    return status;
}

// An empty list is noticed by make_concat(), which says so better.
static wsr_status read_concat(wsr__genotype_lists *out,
                              const wsr__yaml_node *node, const char *where)
{
    wsr_status status = WSR_OK;
    WSR_TRY(check_list(node, WSR__GENOTYPE_NODES, where));
    for (const wsr__yaml_node *e = node->first; e != NULL; e = e->next) {
        WSR_TRY(read_state(&out->concat[out->n_concat++], e, node->key, where));
    }
    out->concat_given = true;
    out->concat_line = node->line;
out:
    return status;
}

// Names are shown in one-line messages and written to files.
static wsr_status read_name(char *out, const wsr__yaml_node *node,
                            const char *where)
{
    if (node->kind != WSR__YAML_SCALAR || node->text[0] == '\0' ||
        strlen(node->text) >= WSR__GENOTYPE_NAME) {
        return WSR_FAIL(WSR_FORMAT,
                        "name: is not a word of 1 to %d bytes "
                        "(%s:%zu)",
                        WSR__GENOTYPE_NAME - 1, where, node->line);
    }
    return wsr__strcpy(out, WSR__GENOTYPE_NAME, node->text);
}

// Unknown keys are errors: a misspelt "reduce" must not go unnoticed.
static wsr_status read_entry(wsr__genotype_draft *draft,
                             const wsr__yaml_node *node)
{
    static const char *const keys[] = {
        "name", "normal", "normal_concat", "reduce", "reduce_concat", "cell"};
    const size_t n = sizeof(keys) / sizeof(*keys);
    const char *const key = node->key;
    if (wsr__streq(key, keys[0])) {
        return read_name(draft->name, node, draft->where);
    }
    if (wsr__streq(key, keys[5]) && node->kind == WSR__YAML_SCALAR) {
        return wsr__genotype_read_single(draft, &wsr__space_nb201, node->text,
                                         node->line);
    }
    for (size_t c = 0; c < 2; c++) {
        if (wsr__streq(key, keys[1 + 2 * c])) {
            return read_edges(&draft->cells[c], node, draft->where);
        }
        if (wsr__streq(key, keys[2 + 2 * c])) {
            return read_concat(&draft->cells[c], node, draft->where);
        }
    }
    const char *const near = wsr__suggest(key, keys, n);
    return WSR_FAIL(WSR_FORMAT, "%.80s: no key of a genotype%s%s%s (%s:%zu)",
                    key, near != NULL ? ", did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'" : "",
                    draft->where, node->line);
}

// Order and number of keys are free; check_size() finds what is missing.
wsr_status wsr__genotype_read_yaml(wsr__genotype_draft *draft, const char *text)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *root = NULL;
    status = wsr__yaml_parse(&root, text, strlen(text), draft->where);
    if (status != WSR_OK) {
        // A genotype that is no YAML is a bad file, not a bad configuration.
        status = status == WSR_CONFIG ? WSR_FORMAT : status;
        goto out;
    }
    if (root == NULL || root->kind != WSR__YAML_MAPPING) {
        status = WSR_FAIL(WSR_FORMAT,
                          "not a genotype: no keys normal, "
                          "normal_concat, reduce, reduce_concat (%s)",
                          draft->where);
        goto out;
    }
    for (const wsr__yaml_node *e = root->first; e != NULL; e = e->next) {
        WSR_TRY(read_entry(draft, e));
    }
out:
    wsr__yaml_free(root);
    return status;
}
