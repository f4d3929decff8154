// SPDX-License-Identifier: Apache-2.0
//
// Parts of the pages that are printed from the registry, as Markdown.

#ifndef WSR_TESTS_REGISTRY_PAGE_H
#define WSR_TESTS_REGISTRY_PAGE_H

#include <wsr.h>

/// The heading of a variant, what it does, its paper.
void print_summary(const wsr_variant *variant);

/// Its options as a table; nothing where there are none.
void print_options(const wsr_variant *variant);

#endif
