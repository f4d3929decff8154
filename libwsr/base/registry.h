// SPDX-License-Identifier: Apache-2.0
//
// Registries: each family of variants (attacks, ops, ...) is a NULL-ended
// table of classes whose first member is a wsr__class. The table of a family
// is generated from its <family>s.def, see docs/adding-a-variant.md.

#ifndef WSR_BASE_REGISTRY_H
#define WSR_BASE_REGISTRY_H

#include "base/param.h"

/// What all classes of all families have in common; always the first member.
/// Callers know it as a variant, see wsr/registry.h.
typedef struct wsr_variant {
    const char *name;          // as spelled in YAML and on the command line
    const char *summary;       // one line
    const char *reference;     // paper, or ""
    const wsr__option *schema; // NULL: no options
    size_t params_size;        // bytes of the params struct, 0: none
} wsr__class;

/// A family: its name for messages and its table.
typedef struct wsr_family {
    const char *name;                 // singular: "attack"
    const wsr__class *const *classes; // ended by NULL
} wsr__family;

/// Find a class. NOTFOUND with a suggestion otherwise.
wsr_status wsr__class_find(const wsr__class **out, const wsr__family *family,
                           const char *name);

/// Allocate the params of a class, set defaults, then apply "k=v,..." text.
/// [out, owned] NULL for a class without params.
wsr_status wsr__class_params(void **out, const wsr__class *cls,
                             const char *options);

/// Copy the params of a class; NULL stands for its defaults. This is how an
/// object is made of a struct, without text. [out, owned] NULL for a class
/// without params.
wsr_status wsr__class_copy(void **out, const wsr__class *cls,
                           const void *params);

/// Find a class by a spec "name:k=v,..." and make its params.
wsr_status wsr__class_spec(const wsr__class **cls, void **params,
                           const wsr__family *family, const char *spec);

/// Print the spec that wsr__class_spec reads back: the name, and the options
/// that differ from their defaults.
void wsr__class_print(wsr__str *out, const wsr__class *cls, const void *params);

#endif
