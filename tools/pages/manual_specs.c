// SPDX-License-Identifier: Apache-2.0
//
// wsr-specs(7): every family and its variants with their options, from the
// registry.

#include "pages.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    ".nh\n.ad l\n.SH NAME\n"
    "wsr\\-specs \\- attacks, trainers, data sets and other variants of "
    "libwsr\n"
    ".SH DESCRIPTION\n"
    "A spec is the name of a variant and values of its options:\n"
    ".PP\n.in +4n\n.EX\npgd\npgd:steps=20,restarts=5\n.EE\n.in\n"
    ".PP\n"
    "A value with one of the characters , [ ] \\(dq \\e is put in double\n"
    "quotes, and a list in brackets: eps=[0.1,0.2]. Where a list of specs is\n"
    "taken, a comma begins the next spec if a name follows, and the next\n"
    "option of the same spec if \\fIKEY\\fR= follows.\n"
    ".PP\n"
    "Each family is a section here. Options are shown with their defaults and\n"
    "with what they permit.\n";

enum { LONGEST = 2048 };

// Appends to a text of LONGEST bytes.
static void add(char *out, const char *format, const char *word)
{
    const size_t n = strlen(out);
    (void)snprintf(out + n, LONGEST - n, format, word);
}

// What an option means, and "(in [1, 100] steps)", "(linf, l2)".
static void describe(char *out, const wsr_option *o)
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
    add(out, "%s (", wsr_option_help(o));
    add(out, "%s", kinds[wsr_option_type(o)]);
    for (size_t i = 0; wsr_option_word(o, i) != NULL; i++) {
        add(out, i == 0 ? "%s" : ", %s", wsr_option_word(o, i));
    }
    if (wsr_option_bounds(&min, &max, o)) {
        char bounds[80];
        (void)snprintf(bounds, sizeof(bounds), " in [%.10g, %.10g]", min, max);
        add(out, "%s", bounds);
    }
    add(out, wsr_option_unit(o)[0] != '\0' ? " %s)" : ")", wsr_option_unit(o));
}

static void print_option(const wsr_option *o)
{
    char text[LONGEST] = "";
    describe(text, o);
    printf(".TP\n.BR ");
    roff_text(wsr_option_key(o));
    printf("= \"");
    roff_text(wsr_option_default(o));
    printf("\"\n");
    roff_fill(text);
}

static void print_variant(const wsr_variant *v)
{
    const char *const paper = wsr_variant_reference(v);
    const size_t n = wsr_variant_options(v);
    char text[LONGEST] = "";
    add(text, "%s", wsr_variant_summary(v));
    add(text, paper[0] != '\0' ? " (%s)" : "%s", paper);
    printf(".TP\n.B ");
    roff_text(wsr_variant_name(v));
    printf("\n");
    roff_fill(text);
    printf("%s", n > 0 ? ".RS\n" : "");
    for (size_t i = 0; i < n; i++) {
        print_option(wsr_variant_option(v, i));
    }
    printf("%s", n > 0 ? ".RE\n" : "");
}

bool manual_specs(const char *date)
{
    const cli_tool *t = NULL;
    printf(".TH WSR-SPECS 7 %s \"libwsr %s\"\n%s", date, wsr_version(), head);
    for (size_t i = 0; i < wsr_family_count(); i++) {
        const wsr_family *const family = wsr_family_at(i);
        printf(".SH ");
        for (const char *s = wsr_family_name(family); *s != '\0'; s++) {
            putchar(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s);
        }
        printf("\nThese are ");
        roff_text(wsr_family_summary(family));
        printf(".\n");
        for (size_t k = 0; k < wsr_family_size(family); k++) {
            print_variant(wsr_family_variant(family, k));
        }
    }
    printf(".SH SEE ALSO\n");
    for (size_t i = 0; (t = pages_tool(i)) != NULL; i++) {
        printf(".BR ");
        roff_text(t->name);
        printf(" (1)%s\n", pages_tool(i + 1) != NULL ? "," : "");
    }
    return true;
}
