// SPDX-License-Identifier: Apache-2.0
//
// Cells of RobNet networks (Guo et al. 2020, arXiv:1911.10695). Each of the 14
// edges of a four-node cell has a code of two bits: the low one stands for a
// separable convolution, the high one for an identity; both bits mean the sum
// of the two. All edges are kept, unlike in a genotype. Either one cell is
// shared by all places of the network (`share`), or each place has its own. The
// published codes are data, share/robnet/*.yaml.

#include "space/space.h"

#include "config/config.h"

#include <string.h>

enum { CELLS_MAX = 256 };

// Edges in the order of a supernet cell: node by node, state by state.
struct wsr_robnet_codes {
    char name[WSR__GENOTYPE_NAME];
    bool share;
    size_t count;
    unsigned char codes[CELLS_MAX][WSR__ROBNET_EDGES];
};

// Codes are texts ("01"), since YAML would read them as numbers.
static wsr_status read_cell(unsigned char *out, const wsr__yaml_node *node,
                            const char *where)
{
    if (node->kind != WSR__YAML_SEQUENCE || node->count != WSR__ROBNET_EDGES) {
        return WSR_FAIL(WSR_FORMAT,
                        "codes: entry is not a list of %d codes "
                        "(%s:%zu)",
                        WSR__ROBNET_EDGES, where, node->line);
    }
    for (const wsr__yaml_node *e = node->first; e != NULL; e = e->next) {
        const char *const bits = e->text != NULL ? e->text : "[...]";
        if (strlen(bits) != 2 || strspn(bits, "01") != 2) {
            return WSR_FAIL(WSR_FORMAT,
                            "codes: '%.40s' is none of 00, 01, "
                            "10, 11 (%s:%zu)",
                            bits, where, e->line);
        }
        *out++ = (unsigned char)(2 * (bits[0] - '0') + (bits[1] - '0'));
    }
    return WSR_OK;
}

// CELLS_MAX bounds the array; no network is that deep.
static wsr_status read_codes(wsr_robnet_codes *out, const wsr__yaml_node *node,
                             const char *where)
{
    wsr_status status = WSR_OK;
    if (node->kind != WSR__YAML_SEQUENCE || node->count == 0 ||
        node->count > CELLS_MAX) {
        status = WSR_FAIL(WSR_FORMAT,
                          "codes: is not a list of 1 to %d cells "
                          "(%s:%zu)",
                          CELLS_MAX, where, node->line);
        goto out;
    }
    for (const wsr__yaml_node *e = node->first; e != NULL; e = e->next) {
        WSR_TRY(read_cell(out->codes[out->count], e, where));
        out->count++;
    }
out:
    return status;
}

// One key of the file.
static wsr_status read_entry(wsr_robnet_codes *out, const wsr__yaml_node *node,
                             const char *where)
{
    static const char *const keys[] = {"name", "share", "codes"};
    // A list where a text is expected counts as an empty text.
    const char *const text = node->text != NULL ? node->text : "";
    const size_t line = node->line;
    if (wsr__streq(node->key, "name")) {
        if (text[0] == '\0' || strlen(text) >= sizeof(out->name)) {
            return WSR_FAIL(WSR_FORMAT,
                            "name: is not a word of 1 to %d bytes "
                            "(%s:%zu)",
                            WSR__GENOTYPE_NAME - 1, where, line);
        }
        return wsr__strcpy(out->name, sizeof(out->name), text);
    }
    if (wsr__streq(node->key, "share")) {
        out->share = wsr__streq(text, "true");
        if (!out->share && !wsr__streq(text, "false")) {
            return WSR_FAIL(WSR_FORMAT,
                            "share: '%.40s' is neither true nor "
                            "false (%s:%zu)",
                            text, where, line);
        }
        return WSR_OK;
    }
    if (wsr__streq(node->key, "codes")) {
        return read_codes(out, node, where);
    }
    const char *const near = wsr__suggest(node->key, keys, 3);
    const bool found = near != NULL;
    return WSR_FAIL(WSR_FORMAT,
                    "%.80s: is no key of RobNet codes%s%s%s "
                    "(%s:%zu)",
                    node->key, found ? ", did you mean '" : "",
                    found ? near : "", found ? "'" : "", where, line);
}

// The name comes from the file unless the file gives one.
wsr_status wsr_robnet_codes_parse(wsr_robnet_codes **out, const char *text,
                                  const char *where)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *root = NULL;
    wsr_robnet_codes *codes = wsr__alloc(1, sizeof(*codes));
    *out = NULL;
    if (codes == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    status = wsr__yaml_parse(&root, text, strlen(text), where);
    // Codes that are no YAML are a bad file, not a bad configuration.
    WSR_TRY(status == WSR_CONFIG ? WSR_FORMAT : status);
    if (root == NULL || root->kind != WSR__YAML_MAPPING ||
        wsr__yaml_find(root, "codes") == NULL) {
        status = WSR_FAIL(WSR_FORMAT, "codes: is missing (%s)", where);
        goto out;
    }
    wsr__genotype_name_from(codes->name, where);
    for (const wsr__yaml_node *e = root->first; e != NULL; e = e->next) {
        WSR_TRY(read_entry(codes, e, where));
    }
    if (codes->share && codes->count != 1) {
        status = WSR_FAIL(WSR_FORMAT,
                          "codes: %zu lists, but a shared cell has one (%s)",
                          codes->count, where);
        goto out;
    }
    *out = codes;
    codes = NULL;
out:
    wsr__yaml_free(root);
    wsr__free(codes);
    return status;
}

// A shipped name or a path, as for genotypes.
wsr_status wsr_robnet_codes_load(wsr_robnet_codes **out, const char *name)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    char *path = NULL;
    *out = NULL;
    WSR_TRY(wsr__genotype_text(&text, &path, "RobNet", "robnet", name));
    WSR_TRY(wsr_robnet_codes_parse(out, text, path));
out:
    wsr__free(text);
    wsr__free(path);
    return status;
}

// In quotes, so that they stay texts.
static void print_cell(wsr__str *out, const unsigned char *codes)
{
    for (size_t i = 0; i < WSR__ROBNET_EDGES; i++) {
        wsr__str_addf(out, "%s\"%u%u\"", i == 0 ? "  - [" : ", ",
                      codes[i] >> 1U, codes[i] & 1U);
    }
    wsr__str_add(out, "]\n");
}

// Reads back to the same codes; network files carry this text.
wsr_status wsr_robnet_codes_print(char **out, const wsr_robnet_codes *codes)
{
    wsr__str text = {0};
    wsr__str_add(&text, "name: ");
    wsr__yaml_add_scalar(&text, codes->name);
    wsr__str_addf(&text, "\nshare: %s\ncodes:\n",
                  codes->share ? "true" : "false");
    for (size_t i = 0; i < codes->count; i++) {
        print_cell(&text, codes->codes[i]);
    }
    return wsr__str_give(out, &text);
}

void wsr_robnet_codes_free(wsr_robnet_codes *codes)
{
    wsr__free(codes);
}

const char *wsr_robnet_codes_name(const wsr_robnet_codes *codes)
{
    return codes->name;
}

// One cell for all places of the network.
bool wsr_robnet_codes_share(const wsr_robnet_codes *codes)
{
    return codes->share;
}

// Lists of codes in the file, 1 for a shared cell.
size_t wsr_robnet_codes_count(const wsr_robnet_codes *codes)
{
    return codes->count;
}

// A shared cell answers for every place.
unsigned wsr_robnet_codes_at(const wsr_robnet_codes *codes, size_t cell,
                             size_t edge)
{
    return codes->codes[codes->share ? 0 : cell][edge];
}
