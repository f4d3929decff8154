// SPDX-License-Identifier: Apache-2.0
//
// Genotypes: the two cells that a search finds and a network is built from,
// and the cells of RobNet networks.

#ifndef WSR_GENOTYPE_H
#define WSR_GENOTYPE_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A normal and a reduction cell of four or five nodes. */
typedef struct wsr_genotype wsr_genotype;

/** One of the two cells of a genotype. */
typedef enum wsr_genotype_cell {
    WSR_GENOTYPE_NORMAL = 0, /**< keeps the image size */
    WSR_GENOTYPE_REDUCE = 1  /**< halves it */
} wsr_genotype_cell;

/**
 * Load a genotype that comes with the library, or a file.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param name of a shipped genotype ("cna_r"), else the path of a file as
 *        wsr_genotype_parse() understands it
 * @returns WSR_OK; WSR_NOTFOUND, with a suggestion and the names that exist,
 *          for what is neither a name nor a file;
 *          WSR_IO when a file cannot be read; else as wsr_genotype_parse()
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_load(wsr_genotype **out,
                                                  const char *name);

/**
 * Parse a genotype.
 *
 * Two forms are understood: YAML (or JSON) with the keys `name`, `normal`,
 * `normal_concat`, `reduce`, `reduce_concat`, the cells being lists of
 * [operation, state] or [operation, state, weight], two per node; and the text
 * `Genotype(normal=[...], ...)` as DARTS-style programs print it, which may
 * stand in other text, once. Weights are not kept. An operation may be "none",
 * which yields zeros. docs/formats.md lists the forms.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param text [borrowed]
 * @param where [borrowed] stands for the file in messages, and without a
 *        directory and suffix for a name that the text does not give
 * @returns WSR_OK; WSR_FORMAT, naming place and line, for what is not a
 *          genotype, and for an operation or a state that is not permitted
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_parse(wsr_genotype **out,
                                                   const char *text,
                                                   const char *where);

/**
 * Release a genotype.
 *
 * @param genotype NULL is legal
 */
WSR_API void wsr_genotype_free(wsr_genotype *genotype);

/**
 * Copy a genotype.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param genotype to be copied
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_copy(wsr_genotype **out,
                                                  const wsr_genotype *genotype);

/**
 * Print a genotype as YAML; equal genotypes of one name print equal bytes.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param genotype a genotype
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_genotype_print(char **out, const wsr_genotype *genotype);

/**
 * Write a genotype to a YAML file, which is replaced as a whole or not at all.
 *
 * @param genotype a genotype
 * @param path of the file
 * @returns WSR_OK, WSR_NOMEM, or WSR_IO when it cannot be written
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_save(const wsr_genotype *genotype,
                                                  const char *path);

/**
 * Take the genotype that architecture parameters stand for, as DARTS does
 * (arXiv:1806.09055): every node keeps its two strongest edges, and on each of
 * them the strongest candidate. The strength of an edge is the largest alpha
 * of its candidates, "none" apart. The stronger edge comes first; of equal
 * ones the lower state wins.
 *
 * One-hot rows stand for an architecture that was chosen otherwise: an edge
 * whose 1 stands at "none" is weaker than all others.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param alphas [borrowed] (edges, candidates): the edges of the normal cell
 *        and then those of the reduction cell; edge i (i + 3) / 2 + j of a
 *        cell leads from state j to node i
 * @param edges as wsr_supernet_edges() says, 28 for the space darts
 * @param candidates as wsr_supernet_candidates() says, 8 for the space darts
 * @param space [borrowed] name of a search space; NULL: "darts"
 * @param name [borrowed] of the genotype
 * @returns WSR_OK; WSR_NOTFOUND for another space; WSR_SHAPE for other numbers
 *          of edges or candidates; WSR_NUMERIC when an alpha is NaN; WSR_ARG
 *          for a name that is too long; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_from_alphas(
    wsr_genotype **out, const float *alphas, size_t edges, size_t candidates,
    const char *space, const char *name);

/**
 * Compare the cells of two genotypes, names apart. Order counts: it decides
 * the names of a network's parameters and the order of its channels.
 *
 * @returns whether both describe the same network
 */
WSR_API bool wsr_genotype_equal(const wsr_genotype *a, const wsr_genotype *b);

/**
 * Name of a genotype.
 *
 * @returns [borrowed]
 */
WSR_API const char *wsr_genotype_name(const wsr_genotype *genotype);

/**
 * Number of nodes of each cell.
 *
 * @returns 4 or 5
 */
WSR_API size_t wsr_genotype_nodes(const wsr_genotype *genotype);

/**
 * Operation of an edge. Edges 2i and 2i + 1 enter node i, whose state number
 * is i + 2; states 0 and 1 are the outputs of the two previous cells.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @param edge below twice the number of nodes
 * @returns [borrowed] name of a cell operation, NULL beyond the end
 */
WSR_API const char *wsr_genotype_op(const wsr_genotype *genotype,
                                    wsr_genotype_cell cell, size_t edge);

/**
 * State that an edge comes from.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @param edge below twice the number of nodes
 * @returns number of a state, 0 beyond the end
 */
WSR_API size_t wsr_genotype_state(const wsr_genotype *genotype,
                                  wsr_genotype_cell cell, size_t edge);

/**
 * Number of states that make the output of a cell.
 *
 * @returns at least 1
 */
WSR_API size_t wsr_genotype_concat_count(const wsr_genotype *genotype,
                                         wsr_genotype_cell cell);

/**
 * A state that is part of the output of a cell.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @param i below wsr_genotype_concat_count()
 * @returns number of a state, 0 beyond the end
 */
WSR_API size_t wsr_genotype_concat(const wsr_genotype *genotype,
                                   wsr_genotype_cell cell, size_t i);

/**
 * Names of the genotypes that come with the library, one a line, sorted.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @returns WSR_OK, WSR_NOMEM, or WSR_NOTFOUND when the library's data files
 *          are not where they should be
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_names(char **out);

/** Cells of a RobNet network: an operation code for each of 14 edges. */
typedef struct wsr_robnet_codes wsr_robnet_codes;

/**
 * Load the codes of a RobNet that comes with the library, or a file.
 *
 * @param out [out, owned] release with wsr_robnet_codes_free()
 * @param name "robnet_small", ..., else the path of a YAML file
 * @returns as wsr_genotype_load()
 */
WSR_API WSR_MUST_USE wsr_status wsr_robnet_codes_load(wsr_robnet_codes **out,
                                                      const char *name);

/**
 * Parse RobNet codes: YAML (or JSON) with the keys `name`, `share` and
 * `codes`, one list of 14 two-bit strings per cell.
 *
 * @param out [out, owned] release with wsr_robnet_codes_free()
 * @param text [borrowed]
 * @param where [borrowed] as in wsr_genotype_parse()
 * @returns WSR_OK, or WSR_FORMAT, naming place and line
 */
WSR_API WSR_MUST_USE wsr_status wsr_robnet_codes_parse(wsr_robnet_codes **out,
                                                       const char *text,
                                                       const char *where);

/**
 * Print codes so that wsr_robnet_codes_parse() reads them back.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param codes a set of codes
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_robnet_codes_print(char **out, const wsr_robnet_codes *codes);

/**
 * Release codes.
 *
 * @param codes NULL is legal
 */
WSR_API void wsr_robnet_codes_free(wsr_robnet_codes *codes);

/**
 * Name of a set of codes.
 *
 * @returns [borrowed]
 */
WSR_API const char *wsr_robnet_codes_name(const wsr_robnet_codes *codes);

/**
 * Whether all cells of a network, of either kind, take the first list.
 *
 * @returns false when cell i takes list i
 */
WSR_API bool wsr_robnet_codes_share(const wsr_robnet_codes *codes);

/**
 * Number of lists.
 *
 * @returns at least 1
 */
WSR_API size_t wsr_robnet_codes_count(const wsr_robnet_codes *codes);

/**
 * Code of an edge; edge i (i + 3) / 2 + j leads from state j to node i.
 *
 * @param codes a set of codes
 * @param cell list, below wsr_robnet_codes_count(); ignored when shared
 * @param edge below 14
 * @returns 0 zero, 1 separable convolution, 2 identity, 3 both
 */
WSR_API unsigned wsr_robnet_codes_at(const wsr_robnet_codes *codes, size_t cell,
                                     size_t edge);

#ifdef __cplusplus
}
#endif

#endif
