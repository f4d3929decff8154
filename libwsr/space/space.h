// SPDX-License-Identifier: Apache-2.0
//
// Search spaces (cells, edges, candidate operations), and genotypes, which
// choose operations and edges from one.

#ifndef WSR_SPACE_SPACE_H
#define WSR_SPACE_SPACE_H

#include "base/registry.h"
#include "wsr/genotype.h"

// ------------------------------------------------------------------- spaces

/// A space of cells: `nodes` nodes, an edge from each of the states before a
/// node, numbered node by node and state by state, and candidates on each edge.
///
/// Usually a cell has two sources, so that edge i (i + 3) / 2 + j leads from
/// state j to node i; there is a normal and a reduction cell, and a genotype
/// keeps two edges for each node. In a `single` space a cell has one source,
/// all places share one cell, and a genotype keeps every edge, so that "none"
/// is a candidate like others.
typedef struct wsr__space_class {
    wsr__class super;
    bool single;
    size_t nodes;
    const char *const *primitives; // names of cell operations
    size_t n_primitives;
} wsr__space_class;

#define WSR_REG(family, name) extern const wsr__space_class wsr__space_##name;
#include "space/spaces.def"
#undef WSR_REG

extern const wsr__family wsr__spaces;

/// Find a space by name.
wsr_status wsr__space_find(const wsr__space_class **out, const char *name);

/// States before the first node.
size_t wsr__space_sources(const wsr__space_class *space);
/// Edges of a cell.
size_t wsr__space_edges(const wsr__space_class *space);
/// Edges of all cells that differ: rows of the architecture parameters.
size_t wsr__space_rows(const wsr__space_class *space);

// --------------------------------------------------------------- genotypes

enum {
    WSR__GENOTYPE_NODES = 5, // most nodes of a cell
    WSR__GENOTYPE_EDGES = 2 * WSR__GENOTYPE_NODES,
    WSR__GENOTYPE_NAME = 64, // bytes of a name or an operation
    WSR__ROBNET_EDGES = 14
};

/// An edge as text gives it, before it is checked.
typedef struct wsr__genotype_edge {
    char op[WSR__GENOTYPE_NAME];
    int64_t state;
    size_t line;
} wsr__genotype_edge;

/// A cell as text gives it, before it is checked.
typedef struct wsr__genotype_lists {
    bool given, concat_given;
    size_t line, concat_line;
    size_t n_edges, n_concat;
    wsr__genotype_edge edges[WSR__GENOTYPE_EDGES];
    int64_t concat[WSR__GENOTYPE_NODES + 2];
} wsr__genotype_lists;

/// A genotype as text gives it, before it is checked.
typedef struct wsr__genotype_draft {
    char name[WSR__GENOTYPE_NAME];
    const char *where;              // the file or what stands for it
    const wsr__space_class *single; // space of the one cell, cells[0]; NULL:
                                    // there are two
    wsr__genotype_lists cells[2];
} wsr__genotype_draft;

/// Check a draft and make a genotype of it. FORMAT for whatever is not
/// permitted, with "(where:line)".
wsr_status wsr__genotype_make(wsr_genotype **out,
                              const wsr__genotype_draft *draft);

/// The name that a text without one gets from where it comes from:
/// "dir/cna_r.yaml" gives "cna_r". `name` has room for WSR__GENOTYPE_NAME.
void wsr__genotype_name_from(char *name, const char *where);

/// Read the text of a shipped file "directory/name.yaml", or of the file
/// `name`, and say which it was. [out, owned]
wsr_status wsr__genotype_text(char **text, char **path, const char *what,
                              const char *directory, const char *name);

/// Read the text `Genotype(normal=[...], ...)` that stands in `text` once.
wsr_status wsr__genotype_read_python(wsr__genotype_draft *draft,
                                     const char *text);

/// Append a genotype on one line and without its name: in that form, or as
/// wsr__genotype_print_single() does.
void wsr__genotype_print_line(wsr__str *out, const wsr_genotype *genotype);

/// Read a cell of a single space in the notation of NAS-Bench-201,
/// |op~0|+|op~0|op~1|+|op~0|op~1|op~2|; an edge that is missing is "none".
/// `line` is that of the text.
wsr_status wsr__genotype_read_single(wsr__genotype_draft *draft,
                                     const wsr__space_class *space,
                                     const char *text, size_t line);

/// Append a genotype of a single space in that notation.
void wsr__genotype_print_single(wsr__str *out, const wsr_genotype *genotype);

/// Append what cells of NAS-Bench-201 that it counts as the same have in
/// common.
void wsr__nb201_unique(wsr__str *out, const wsr_genotype *genotype);

/// The single space of a genotype, NULL: it has two cells.
const wsr__space_class *wsr__genotype_single(const wsr_genotype *genotype);

/// Whether something passes through both cells, or the one there is, from a
/// source to the result: not where "none" cuts every way.
bool wsr__genotype_connected(const wsr_genotype *genotype);

/// Read a genotype in YAML.
wsr_status wsr__genotype_read_yaml(wsr__genotype_draft *draft,
                                   const char *text);

/// Whether the text holds the form of wsr__genotype_read_python().
bool wsr__genotype_is_python(const char *text);

/// Take the genotype that architecture parameters stand for: for each node the
/// two strongest edges, strength being the largest alpha over the primitives
/// except "none", stronger first, ties to the lower state; on each edge the
/// first largest primitive. `alphas` is (2 edges, primitives): the normal and
/// then the reduction cell. NUMERIC when an alpha is NaN.
wsr_status wsr__genotype_derive(wsr_genotype **out, const char *name,
                                const wsr__space_class *space,
                                const float *alphas);

#endif
