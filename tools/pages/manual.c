// SPDX-License-Identifier: Apache-2.0
//
// The manual page of a program, in the macros of man(7).

#include "help_text.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_head(const cli_tool *t, const char *date)
{
    printf(".TH ");
    for (const char *s = t->name; *s != '\0'; s++) {
        putchar(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s);
    }
    printf(" 1 %s \"libwsr %s\"\n", date, wsr_version());
    // Long keys and lists cannot be broken well at both margins.
    printf(".nh\n.ad l\n.SH NAME\n%s \\- ", t->name);
    roff_text(t->summary);
    printf("\n.SH SYNOPSIS\n.B %s\n", t->name);
    roff_text(t->usage);
    printf("\n.RI [ option \" ...]\"\n.br\n.B %s\n\\-\\-help\n.RI [ TOPIC ]\n",
           t->name);
    printf(".SH DESCRIPTION\n");
    roff_fill(t->about);
}

// What an option does. Its line on the first page may name others at the end,
// "network; --export FILE", which have entries of their own here. false: there
// is no text.
static bool option_text(char *out, size_t size, const cli_option *o,
                        const char *help)
{
    help_entry e;
    if (o->help != NULL) {
        const char *const text = o->help + (o->help[0] == '~');
        const char *end = strstr(text, "; --");
        end = end != NULL ? end : strstr(text, "; so --");
        end = end != NULL ? end : text + strlen(text);
        (void)snprintf(out, size, "%.*s", (int)(end - text), text);
        return true;
    }
    while (o->key != NULL && help_next(&e, &help)) {
        if (e.kind == HELP_KEY && strcmp(e.name, o->key) == 0) {
            (void)snprintf(out, size, "%s", e.text);
            return true;
        }
    }
    return false;
}

static bool print_option(const cli_tool *t, const cli_option *o,
                         const char *help)
{
    char text[2048];
    if (!option_text(text, sizeof(text), o, help)) {
        (void)fprintf(stderr, "pages: %s: no text for --%s\n", t->name,
                      o->name);
        return false;
    }
    printf(".TP\n.B ");
    roff_text("--");
    roff_text(o->name);
    if (o->value != NULL) {
        printf(" \\fI");
        roff_text(o->value);
        printf("\\fR");
    }
    printf("\n");
    roff_fill(text);
    if (o->key != NULL) {
        printf(".br\nKey: ");
        roff_text(o->key);
        printf("\n");
    }
    return true;
}

static bool print_options(const cli_tool *t, const char *help)
{
    const cli c = {.tool = t};
    const cli_option *o = NULL;
    bool done = true;
    printf(".SH OPTIONS\n");
    for (size_t i = CLI_COMMON; (o = cli_option_at(&c, i)) != NULL; i++) {
        done = print_option(t, o, help) && done;
    }
    for (size_t i = 0; i < CLI_COMMON; i++) {
        if (!cli_is_hidden(&c, i)) {
            done = print_option(t, cli_option_at(&c, i), help) && done;
        }
    }
    return done;
}

// Names in one paragraph.
static bool print_presets(const cli_tool *t)
{
    char *names = NULL;
    if (t->presets == NULL) {
        return true;
    }
    if (wsr_config_presets(&names, t->presets) != WSR_OK) {
        (void)fprintf(stderr, "pages: %s\n", wsr_error_detail());
        return false;
    }
    printf(".SH PRESETS\nThe names that \\fB\\-\\-preset\\fR takes:\n");
    for (char *s = strtok(names, "\n"); s != NULL;) {
        char *const next = strtok(NULL, "\n");
        roff_text(s);
        printf("%s\n", next != NULL ? "," : ".");
        s = next;
    }
    wsr_text_free(names);
    return true;
}

static void print_entry(const help_entry *e)
{
    switch (e->kind) {
    case HELP_SECTION:
        printf(".SS %s\n", e->name);
        break;
    case HELP_MEMBER:
        printf(".PP\n");
        roff_fill(e->text);
        break;
    case HELP_KEY:
        printf(".TP\n.BR ");
        roff_text(e->name);
        printf("= \"");
        roff_text(e->value);
        printf("\"\n");
        roff_fill(e->text);
        break;
    default: // families have a page of their own
        break;
    }
}

static bool print_keys(const cli_tool *t, const char *help)
{
    help_entry e;
    printf(".SH CONFIGURATION\n"
           "A configuration comes from %s\\fB\\-\\-config\\fR;\n"
           "\\fB\\-\\-set\\fR changes one key of it.\n"
           "Keys are shown with their defaults. Values that name attacks,\n"
           "data sets and the like are specs, see\n.BR wsr\\-specs (7).\n",
           t->presets != NULL ? "\\fB\\-\\-preset\\fR or " : "");
    while (help_next(&e, &help)) {
        print_entry(&e);
    }
    if (*help != '\0') {
        (void)fprintf(stderr, "pages: %s: help not understood: %.60s\n",
                      t->name, help);
        return false;
    }
    return true;
}

static void print_examples(const cli_tool *t)
{
    printf(".SH EXAMPLES\n");
    for (const cli_example *e = t->examples; e->what != NULL; e++) {
        printf("%s", e == t->examples ? "" : ".PP\n");
        roff_fill(e->what);
        roff_example(e->call);
    }
}

static const char tail[] =
    ".SH EXIT STATUS\n"
    "0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.\n"
    "An error is one line on stderr.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B WSR_SHARE\n"
    "Folder of presets, genotypes and RobNet codes, in place of the one that\n"
    "is installed beside the program.\n"
    ".TP\n.BR OMP_WAIT_POLICY \", \" GOMP_SPINCOUNT\n"
    "How long idle threads spin. Where neither is set, the program sets\n"
    "\\fBGOMP_SPINCOUNT\\fR to 1000.\n"
    ".SH FILES\n"
    "The folder of a run has\n"
    "\\fIconfig.yaml\\fR (every setting in force),\n"
    "\\fIlog.jsonl\\fR,\n"
    "\\fIcheckpoint.safetensors\\fR,\n"
    "\\fIreport.html\\fR,\n"
    "and the results of the program.\n";

static void print_tail(const cli_tool *t)
{
    const cli_tool *other = NULL;
    printf("%s.SH SEE ALSO\n", tail);
    for (size_t i = 0; (other = pages_tool(i)) != NULL; i++) {
        if (other != t) {
            printf(".BR ");
            roff_text(other->name);
            printf(" (1),\n");
        }
    }
    printf(".BR wsr\\-specs (7)\n");
}

bool manual_tool(const cli_tool *t, const char *date)
{
    char *const help = pages_help(t);
    if (help == NULL) {
        return false;
    }
    print_head(t, date);
    bool done = print_options(t, help);
    done = print_presets(t) && done;
    print_examples(t);
    done = print_keys(t, help) && done;
    print_tail(t);
    free(help);
    return done;
}
