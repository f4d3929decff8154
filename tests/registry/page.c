// SPDX-License-Identifier: Apache-2.0

#include "page.h"

#include <stdio.h>

static void print_permitted(const wsr_option *option)
{
    static const char *const kinds[] = {
        [WSR_OPTION_BOOL] = "true or false",
        [WSR_OPTION_INT] = "whole number",
        [WSR_OPTION_FLOAT] = "number",
        [WSR_OPTION_WORD] = "",
        [WSR_OPTION_TEXT] = "text",
        [WSR_OPTION_FLOATS] = "list of numbers",
        [WSR_OPTION_INTS] = "list of whole numbers",
    };
    double min = 0;
    double max = 0;
    printf("%s", kinds[wsr_option_type(option)]);
    for (size_t i = 0; wsr_option_word(option, i) != NULL; i++) {
        printf("%s`%s`", i == 0 ? "" : ", ", wsr_option_word(option, i));
    }
    if (wsr_option_bounds(&min, &max, option)) {
        printf(" in [%.10g, %.10g]", min, max);
    }
}

void print_options(const wsr_variant *variant)
{
    if (wsr_variant_options(variant) == 0) {
        return;
    }
    printf("\n| option | default | permitted | unit | meaning |\n"
           "|---|---|---|---|---|\n");
    for (size_t i = 0; i < wsr_variant_options(variant); i++) {
        const wsr_option *const option = wsr_variant_option(variant, i);
        printf("| `%s` | `%s` | ", wsr_option_key(option),
               wsr_option_default(option));
        print_permitted(option);
        printf(" | %s | %s |\n", wsr_option_unit(option),
               wsr_option_help(option));
    }
}

void print_summary(const wsr_variant *variant)
{
    const char *const paper = wsr_variant_reference(variant);
    printf("\n## %s\n\n%s%s%s%s.\n", wsr_variant_name(variant),
           wsr_variant_summary(variant), paper[0] != '\0' ? " (" : "", paper,
           paper[0] != '\0' ? ")" : "");
}
