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

/**
 * A normal and a reduction cell of four or five nodes; or the one cell of a
 * network of NAS-Bench-201 (arXiv:2001.00326), which has three nodes behind its
 * source and an edge from every state to each node behind it.
 */
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
 * @param name name of a shipped genotype ("cna_r"), or path of a file that
 *        wsr_genotype_parse() can parse
 * @returns WSR_OK; WSR_NOTFOUND, with a suggestion and the names that exist,
 *          when there is neither such a genotype nor such a file; WSR_IO when
 *          the file cannot be read; the statuses of wsr_genotype_parse()
 */
WSR_API WSR_MUST_USE wsr_status wsr_genotype_load(wsr_genotype **out,
                                                  const char *name);

/**
 * Parse a genotype.
 *
 * The text has one of three forms. The first is YAML (or JSON) with the keys
 * `name`, `normal`, `normal_concat`, `reduce`, `reduce_concat`; a cell is a
 * list with two entries per node, [operation, state] or [operation, state,
 * weight]. The second is `Genotype(normal=[...], ...)`, as programs in the
 * style of DARTS print it; other text may surround it, but it must occur only
 * once. The parser drops the weights. The operation "none" yields zeros. The
 * third is a cell of NAS-Bench-201,
 * `|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|`, by
 * itself or in YAML under the key `cell`; edges that are missing are "none".
 * docs/formats.md lists all variants.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param text [borrowed] the text
 * @param where [borrowed] file name for error messages. Without its directory
 *        and suffix it also becomes the genotype's name, if the text has none
 * @returns WSR_OK; WSR_FORMAT, naming file and line, for text that is not a
 *          genotype and for an operation or a state that is not permitted
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
 * Derive a genotype from architecture parameters, as DARTS does
 * (arXiv:1806.09055): every node keeps its two strongest edges, and each of
 * these keeps its candidate with the largest alpha. The strength of an edge is
 * the largest alpha of its candidates other than "none". The stronger edge
 * comes first; of two equal edges the one from the lower state does.
 *
 * One-hot rows of alphas describe a single architecture. An edge whose 1 is at
 * "none" is then weaker than all other edges.
 *
 * In the space nb201 every edge keeps its candidate with the largest alpha,
 * "none" included; where nothing would then pass through the cell, the edge
 * from its source to its result keeps its best candidate other than "none".
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
 * Compare the cells of two genotypes, without their names. The order of edges
 * counts, since it determines the names of a network's parameters and the order
 * of its channels.
 *
 * @param a, b [borrowed] genotypes
 * @returns true when both describe the same network
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
 * @returns 4 or 5; 3 for a cell of NAS-Bench-201
 */
WSR_API size_t wsr_genotype_nodes(const wsr_genotype *genotype);

/**
 * Space whose cells are not a pair of cells with two edges for each node.
 *
 * @param genotype a genotype
 * @returns [borrowed, static] "nb201" for a cell of NAS-Bench-201, which is the
 *          normal cell; NULL for other genotypes
 */
WSR_API const char *wsr_genotype_space(const wsr_genotype *genotype);

/**
 * Number of edges of a cell.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @returns twice the number of nodes; of a cell of NAS-Bench-201 6, and 0 for
 *          the reduction cell, which it has not
 */
WSR_API size_t wsr_genotype_edges(const wsr_genotype *genotype,
                                  wsr_genotype_cell cell);

/**
 * Operation of an edge. Edges 2i and 2i + 1 enter node i, whose state number
 * is i + 2; states 0 and 1 are the outputs of the two previous cells. In a cell
 * of NAS-Bench-201 node i has state number i + 1, state 0 is the output of the
 * previous cell, and edge i (i + 1) / 2 + j leads from state j to node i.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @param edge below wsr_genotype_edges()
 * @returns [borrowed] name of a cell operation, NULL beyond the end
 */
WSR_API const char *wsr_genotype_op(const wsr_genotype *genotype,
                                    wsr_genotype_cell cell, size_t edge);

/**
 * State that an edge comes from.
 *
 * @param genotype a genotype
 * @param cell which of its cells
 * @param edge below wsr_genotype_edges()
 * @returns number of a state, 0 beyond the end
 */
WSR_API size_t wsr_genotype_state(const wsr_genotype *genotype,
                                  wsr_genotype_cell cell, size_t edge);

/**
 * Number of states that a cell concatenates to its output.
 *
 * @param genotype a genotype
 * @param cell normal or reduction cell
 * @returns at least 1
 */
WSR_API size_t wsr_genotype_concat_count(const wsr_genotype *genotype,
                                         wsr_genotype_cell cell);

/**
 * State number `i` of those that a cell concatenates to its output.
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
 * Whether all cells of a network share the first list of codes.
 *
 * @returns true when they do; false when cell i has list i
 */
WSR_API bool wsr_robnet_codes_share(const wsr_robnet_codes *codes);

/**
 * Number of lists of codes.
 *
 * @returns at least 1
 */
WSR_API size_t wsr_robnet_codes_count(const wsr_robnet_codes *codes);

/**
 * Code of an edge; edge i (i + 3) / 2 + j leads from state j to node i.
 *
 * @param codes a set of codes
 * @param cell number of a list, below wsr_robnet_codes_count(); ignored when
 *        all cells share the first list
 * @param edge below 14
 * @returns 0 zero, 1 separable convolution, 2 identity, 3 both
 */
WSR_API unsigned wsr_robnet_codes_at(const wsr_robnet_codes *codes, size_t cell,
                                     size_t edge);

#ifdef __cplusplus
}
#endif

#endif
