// SPDX-License-Identifier: Apache-2.0
//
// Configurations. A configuration is an ordered list of dotted keys with text
// values, which come from presets, YAML files and assignments. A later value of
// a key replaces an earlier one.

#ifndef WSR_CONFIG_H
#define WSR_CONFIG_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A configuration. */
typedef struct wsr_config wsr_config;

/**
 * Make an empty configuration.
 *
 * @param out [out, owned] release with wsr_config_free()
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_new(wsr_config **out);

/**
 * Release a configuration.
 *
 * @param cfg NULL is legal
 */
WSR_API void wsr_config_free(wsr_config *cfg);

/**
 * Add the keys of a YAML file. Nested mappings become dotted keys, a sequence
 * of scalars becomes one value "a,b,c".
 *
 * @param cfg keeps its keys when the call fails
 * @param path of a file of at most 1 MiB
 * @returns WSR_OK; WSR_IO when the file cannot be read; WSR_CONFIG, naming
 *          file and line, when it is not a mapping of such values
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_load(wsr_config *cfg,
                                                const char *path);

/**
 * Add the keys of YAML text.
 *
 * @param cfg keeps its keys when the call fails
 * @param text [borrowed]
 * @param name [borrowed] name that error messages give in place of a file name
 * @returns as wsr_config_load()
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_load_text(wsr_config *cfg,
                                                     const char *text,
                                                     const char *name);

/**
 * Add the keys of a preset that comes with the library.
 *
 * @param cfg keeps its keys when the call fails
 * @param tool "search" or "train"
 * @param name of the preset
 * @returns as wsr_config_load(); WSR_NOTFOUND, listing the presets of the
 *          tool, when there is none of that name
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_load_preset(wsr_config *cfg,
                                                       const char *tool,
                                                       const char *name);

/**
 * Set one key.
 *
 * @param cfg keeps its keys when the call fails
 * @param assignment "key=value"
 * @returns WSR_OK, WSR_NOMEM, or WSR_CONFIG when it is not an assignment
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_set(wsr_config *cfg,
                                               const char *assignment);

/**
 * Set one key and record where its value comes from.
 *
 * @param cfg keeps its keys when the call fails
 * @param key dotted, of letters, digits, "_" and "-"
 * @param value any text on one line
 * @param where origin of the value for error messages, such as "--seed"
 * @returns WSR_OK, WSR_NOMEM, or WSR_CONFIG for a bad key or value
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_put(wsr_config *cfg, const char *key,
                                               const char *value,
                                               const char *where);

/**
 * Value of a key.
 *
 * @param cfg a configuration
 * @param key dotted
 * @returns [borrowed] text, or NULL when the key is not set
 */
WSR_API const char *wsr_config_text(const wsr_config *cfg, const char *key);

/**
 * Number of keys.
 *
 * @param cfg a configuration
 * @returns the number of keys that are set
 */
WSR_API size_t wsr_config_count(const wsr_config *cfg);

/**
 * Key of an entry, in the order in which keys were first set.
 *
 * @param cfg a configuration
 * @param i below wsr_config_count()
 * @returns [borrowed] dotted key, NULL beyond the end
 */
WSR_API const char *wsr_config_key(const wsr_config *cfg, size_t i);

/**
 * Value of an entry.
 *
 * @param cfg a configuration
 * @param i below wsr_config_count()
 * @returns [borrowed] text, NULL beyond the end
 */
WSR_API const char *wsr_config_value(const wsr_config *cfg, size_t i);

/**
 * Origin of an entry.
 *
 * @param cfg a configuration
 * @param i below wsr_config_count()
 * @returns [borrowed] "file.yaml:14" or "--set", NULL beyond the end
 */
WSR_API const char *wsr_config_where(const wsr_config *cfg, size_t i);

/**
 * Print the keys as YAML. wsr_config_load_text() reads the same configuration
 * from it.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param cfg a configuration
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_print(char **out,
                                                 const wsr_config *cfg);

/**
 * Names of the presets of a tool, one a line, sorted.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param tool "search" or "train"
 * @returns WSR_OK, WSR_NOMEM, or WSR_NOTFOUND when the library's data files
 *          are not installed where the library looks for them
 */
WSR_API WSR_MUST_USE wsr_status wsr_config_presets(char **out,
                                                   const char *tool);

#ifdef __cplusplus
}
#endif

#endif
