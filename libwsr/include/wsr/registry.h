// SPDX-License-Identifier: Apache-2.0
//
// The registry lists the variants of each family (attacks, ops, optimisers,
// ...) and their options. A spec such as "pgd:steps=20" consists of the name of
// a variant and values of its options.
//
//     const wsr_family *family = NULL;
//     wsr_family_find(&family, "attack");
//     for (size_t i = 0; i < wsr_family_size(family); i++) {
//         const wsr_variant *const attack = wsr_family_variant(family, i);
//         printf("%s: %s\n", wsr_variant_name(attack),
//                wsr_variant_summary(attack));
//     }
//
// The registry is constant. Its pointers are borrowed and remain valid until
// the program ends, and several threads may read it at the same time.

#ifndef WSR_REGISTRY_H
#define WSR_REGISTRY_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A family: variants with one purpose, such as all attacks. */
typedef struct wsr_family wsr_family;

/** A member of a family, such as the attack "pgd". */
typedef struct wsr_variant wsr_variant;

/** An option of a variant, such as "steps". */
typedef struct wsr_option wsr_option;

/** Number of families. */
WSR_API size_t wsr_family_count(void);

/**
 * Family number `i`.
 *
 * @param i from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const wsr_family *wsr_family_at(size_t i);

/**
 * Find a family by its name: "attack", "op", "cell operation", "dataset",
 * "augment", "corruption", "optim", "sched", "estimator", "predictor",
 * "trainer", "searcher", "network kind", "search space".
 *
 * @param out [out, static] NULL on failure
 * @param name [borrowed]
 * @returns WSR_NOTFOUND, with a suggestion or all names
 */
WSR_API WSR_MUST_USE wsr_status wsr_family_find(const wsr_family **out,
                                                const char *name);

/** Name of a family, singular. @returns [borrowed, static] "attack" */
WSR_API const char *wsr_family_name(const wsr_family *family);

/** What the variants of a family are, in one line. @returns [borrowed, static]
 */
WSR_API const char *wsr_family_summary(const wsr_family *family);

/** Number of variants of a family. */
WSR_API size_t wsr_family_size(const wsr_family *family);

/**
 * Variant number `i` of a family.
 *
 * @param family a family
 * @param i from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const wsr_variant *wsr_family_variant(const wsr_family *family,
                                              size_t i);

/**
 * Find a variant by its name.
 *
 * @param out [out, static] NULL on failure
 * @param family a family
 * @param name [borrowed] such as "pgd"
 * @returns WSR_NOTFOUND, with a suggestion or all names
 */
WSR_API WSR_MUST_USE wsr_status wsr_variant_find(const wsr_variant **out,
                                                 const wsr_family *family,
                                                 const char *name);

/** Name of a variant, as specs spell it. @returns [borrowed, static] */
WSR_API const char *wsr_variant_name(const wsr_variant *variant);

/** What a variant does, in one line. @returns [borrowed, static] */
WSR_API const char *wsr_variant_summary(const wsr_variant *variant);

/** Paper that describes a variant. @returns [borrowed, static] "" for none */
WSR_API const char *wsr_variant_reference(const wsr_variant *variant);

/** Number of options of a variant. */
WSR_API size_t wsr_variant_options(const wsr_variant *variant);

/**
 * Option number `i` of a variant.
 *
 * @param variant a variant
 * @param i from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const wsr_option *wsr_variant_option(const wsr_variant *variant,
                                             size_t i);

/** Type of the value of an option. */
typedef enum wsr_option_kind {
    WSR_OPTION_BOOL = 0,   /**< true or false */
    WSR_OPTION_INT = 1,    /**< a whole number */
    WSR_OPTION_FLOAT = 2,  /**< a number; "8/255" is one */
    WSR_OPTION_WORD = 3,   /**< one of wsr_option_word() */
    WSR_OPTION_TEXT = 4,   /**< any text */
    WSR_OPTION_FLOATS = 5, /**< a list of numbers, "[0.1,0.2]" */
    WSR_OPTION_INTS = 6    /**< a list of whole numbers */
} wsr_option_kind;

/** Key of an option. @returns [borrowed, static] "steps" */
WSR_API const char *wsr_option_key(const wsr_option *option);

/** Type of the value of an option. */
WSR_API wsr_option_kind wsr_option_type(const wsr_option *option);

/**
 * Default of an option.
 *
 * @returns [borrowed, static] the default as text
 */
WSR_API const char *wsr_option_default(const wsr_option *option);

/**
 * Bounds of an option's number, or of each number of its list.
 *
 * @param min, max [out] smallest and largest permitted number; 0 when the
 *        function returns false
 * @param option an option
 * @returns whether the option has bounds; false also when its value is no
 * number
 */
WSR_API bool wsr_option_bounds(double *min, double *max,
                               const wsr_option *option);

/**
 * Word number `i` that the option permits.
 *
 * @param option an option
 * @param i from 0
 * @returns [borrowed, static] NULL beyond the end, and for other kinds
 */
WSR_API const char *wsr_option_word(const wsr_option *option, size_t i);

/** Unit of the value. @returns [borrowed, static] "pixels"; "" for none */
WSR_API const char *wsr_option_unit(const wsr_option *option);

/** What an option means, in one line. @returns [borrowed, static] */
WSR_API const char *wsr_option_help(const wsr_option *option);

/**
 * Write a help text about families and variants, with lines of at most 79
 * characters.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] "attack" lists the variants of a family, one a line;
 *        "attack:pgd" describes one with its options; NULL or "all" describes
 *        everything; "" lists the families
 * @returns WSR_NOTFOUND, with a suggestion, for another topic; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_registry_help(char **out,
                                                  const char *topic);

/**
 * The sources of an op, with their shapes for a batch of n.
 *
 * @param op [borrowed] name of an op
 * @returns [borrowed, static] "src (n, k), weights (m, k), bias (m) or none";
 *          NULL when there is no such op
 */
WSR_API const char *wsr_op_sources(const char *op);

/**
 * The shape of an op's result.
 *
 * @param op [borrowed] name of an op
 * @returns [borrowed, static] "(n, m)" or "as src"; NULL when there is no such
 *          op
 */
WSR_API const char *wsr_op_result(const char *op);

#ifdef __cplusplus
}
#endif

#endif
