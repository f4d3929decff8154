// SPDX-License-Identifier: Apache-2.0
//
// Fidelity: as released, or as intended. The research code of the method
// departs from its paper in places. For each of them a variant has an option
// with the words below: "released" computes what that code computes, "intended"
// what the paper says, and "auto" follows the variant's option `fidelity`,
// which sets all of them together.

#ifndef WSR_BASE_FIDELITY_H
#define WSR_BASE_FIDELITY_H

#include "base/param.h"

extern const char *const wsr__fidelity_words[]; // released, intended
extern const char *const wsr__quirk_words[];    // auto, released, intended

/// Row `fidelity` of a schema, for a field of that name.
#define WSR__FIDELITY(type)                                         \
    {                                                               \
        .key = "fidelity", .kind = WSR__WORD,                       \
        .offset = offsetof(type, fidelity), .fallback = "intended", \
        .help = "what options left at auto mean: as the released "  \
                "research code or as the paper says",               \
        .words = wsr__fidelity_words                                \
    }

/// Row of a quirk, for the field of that name.
#define WSR__QUIRK(type, field, text)                                      \
    {                                                                      \
        .key = #field, .kind = WSR__WORD, .offset = offsetof(type, field), \
        .fallback = "auto", .help = (text), .words = wsr__quirk_words      \
    }

/// Whether a quirk is on.
bool wsr__is_released(const wsr__text *quirk, const wsr__text *fidelity);

#endif
