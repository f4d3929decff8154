// SPDX-License-Identifier: Apache-2.0
//
// Decodes fidelity options ("released", "intended", "auto"), see fidelity.h.

#include "base/fidelity.h"

const char *const wsr__fidelity_words[] = {"released", "intended", NULL};

const char *const wsr__quirk_words[] = {"auto", "released", "intended", NULL};

bool wsr__is_released(const wsr__text *quirk, const wsr__text *fidelity)
{
    const bool own = !wsr__streq(quirk->s, "auto");
    return wsr__streq(own ? quirk->s : fidelity->s, "released");
}
