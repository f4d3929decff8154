// SPDX-License-Identifier: Apache-2.0
//
// Prints the reference of a family of the registry as Markdown:
//
//     reference attack        all attacks with their options
//     reference               the names of all families

#include "page.h"

#include <stdio.h>
#include <stdlib.h>

static void print_family(const wsr_family *family)
{
    printf("# Reference: %s\n\n%s. Printed from the registry "
           "(`wsr/registry.h`).\n\n| name | what it does | paper |\n"
           "|---|---|---|\n",
           wsr_family_name(family), wsr_family_summary(family));
    for (size_t i = 0; i < wsr_family_size(family); i++) {
        const wsr_variant *const variant = wsr_family_variant(family, i);
        const char *const name = wsr_variant_name(variant);
        printf("| [%s](#%s) | %s | %s |\n", name, name,
               wsr_variant_summary(variant), wsr_variant_reference(variant));
    }
    for (size_t i = 0; i < wsr_family_size(family); i++) {
        print_summary(wsr_family_variant(family, i));
        print_options(wsr_family_variant(family, i));
    }
}

int main(int argc, char **argv)
{
    const wsr_family *family = NULL;
    if (argc < 2) {
        for (size_t i = 0; i < wsr_family_count(); i++) {
            puts(wsr_family_name(wsr_family_at(i)));
        }
        return EXIT_SUCCESS;
    }
    if (wsr_family_find(&family, argv[1]) != WSR_OK) {
        (void)fprintf(stderr, "reference: %s\n", wsr_error_detail());
        return EXIT_FAILURE;
    }
    print_family(family);
    return EXIT_SUCCESS;
}
