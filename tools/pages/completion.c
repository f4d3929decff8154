// SPDX-License-Identifier: Apache-2.0
//
// The words that a command line may consist of, for completion.sh: the array
// _wsr_words, whose keys are
//
//   TOOL               options of a program
//   TOOL/--OPTION      what an option takes
//   TOOL/keys          keys of the configuration
//   TOOL/KEY           what a key takes
//   TOOL/topics        of --help
//   FAMILY             variants; FAMILY:NAME options of one; FAMILY:NAME:KEY
//                      what an option of it permits
//   genotypes          names of genotypes
//
// and the array _wsr_help with a line for each TOOL/--OPTION. What is taken
// are words and "@spec:FAMILY", "@genotypes", "@keys", "@topics", "@file",
// "@dir".

#include "help_text.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Keys whose text is specs of a family, or names of files beside others. The
// schemas know them as text.
typedef struct source {
    const char *key;
    const char *words;
    bool used;
} source;

static source sources[] = {
    {"attack.list", "@spec:attack", false},
    {"eval.attack", "@spec:attack", false},
    {"train.eval_attack", "@spec:attack", false},
    {"data.spec", "@spec:dataset", false},
    {"train.trainer", "@spec:trainer", false},
    {"train.augment", "@spec:augment", false},
    {"search.augment", "@spec:augment", false},
    {"estimator.augment", "@spec:augment", false},
    {"train.optimizer", "@spec:optim", false},
    {"train.schedule", "@spec:sched", false},
    {"corruption.list", "@spec:corruption", false},
    {"variants", "@spec:estimator", false},
    {"net.genotype", "@genotypes @file", false},
    {"source.genotype", "@genotypes @file", false},
    {"networks", "@genotypes @file", false},
    {"data.split", "test train", false},
};

enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };

static const char *words_of_key(const char *key)
{
    for (size_t i = 0; key != NULL && i < SOURCES; i++) {
        if (strcmp(sources[i].key, key) == 0) {
            sources[i].used = true;
            return sources[i].words;
        }
    }
    return NULL;
}

// Inside single quotes of a shell.
static void quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            printf("'\\''");
        } else {
            putchar(*text == '\n' ? ' ' : *text);
        }
    }
}

// ------------------------------------------------------------------ programs

// Option names that say what they take.
static const char *words_of_option(const cli_option *o)
{
    const char *const words = words_of_key(o->key);
    const char *const value = o->value != NULL ? o->value : "";
    if (words != NULL) {
        return words;
    }
    if (strcmp(value, "KEY=VALUE") == 0) {
        return "@keys";
    }
    if (strcmp(value, "[TOPIC]") == 0) {
        return "@topics";
    }
    if (strstr(value, "DIR") != NULL) {
        return "@dir";
    }
    return strstr(value, "FILE") != NULL ? "@file" : NULL;
}

static bool print_option(const cli_tool *t, const cli_option *o)
{
    char *presets = NULL;
    const char *words = words_of_option(o);
    if (strcmp(o->name, "preset") == 0) {
        if (wsr_config_presets(&presets, t->presets) != WSR_OK) {
            (void)fprintf(stderr, "pages: %s\n", wsr_error_detail());
            return false;
        }
        words = presets;
    }
    if (o->value != NULL) {
        printf("_wsr_words[%s/--%s]='", t->name, o->name);
        quoted(words != NULL ? words : "");
        printf("'\n");
    }
    if (o->help != NULL) {
        printf("_wsr_help[%s/--%s]='", t->name, o->name);
        quoted(o->help + (o->help[0] == '~'));
        printf("'\n");
    }
    wsr_text_free(presets);
    return true;
}

static bool print_options(const cli_tool *t)
{
    const cli c = {.tool = t};
    const cli_option *o = NULL;
    bool done = true;
    printf("_wsr_words[%s]='", t->name);
    for (size_t i = 0; (o = cli_option_at(&c, i)) != NULL; i++) {
        if (!cli_is_hidden(&c, i)) {
            printf(" --%s", o->name);
        }
    }
    printf("'\n");
    for (size_t i = 0; (o = cli_option_at(&c, i)) != NULL; i++) {
        if (!cli_is_hidden(&c, i)) {
            done = print_option(t, o) && done;
        }
    }
    return done;
}

// All entries of a kind in one line.
static void print_names(const char *tool, const char *what, const char *help,
                        help_kind kind, help_kind other)
{
    help_entry e;
    printf("_wsr_words[%s/%s]='", tool, what);
    while (help_next(&e, &help)) {
        if (e.kind == kind || e.kind == other) {
            printf(" %s", e.name);
        }
    }
    printf("'\n");
}

static void print_values(const char *tool, const char *help)
{
    help_entry e;
    while (help_next(&e, &help)) {
        char choice[1024];
        const char *const words = words_of_key(e.name);
        if (e.kind != HELP_KEY) {
            continue;
        }
        help_words(choice, sizeof(choice), &e);
        if (words != NULL || choice[0] != '\0') {
            printf("_wsr_words[%s/%s]='%s'\n", tool, e.name,
                   words != NULL ? words : choice);
        }
    }
}

static bool print_tool(const cli_tool *t)
{
    char *const help = pages_help(t);
    if (help == NULL) {
        return false;
    }
    const bool done = print_options(t);
    print_names(t->name, "keys", help, HELP_KEY, HELP_KEY);
    print_names(t->name, "topics", help, HELP_SECTION, HELP_FAMILY);
    print_values(t->name, help);
    free(help);
    return done;
}

// ------------------------------------------------------------------ families

static void print_variant(const char *family, const wsr_variant *v)
{
    const wsr_option *o = NULL;
    const char *const name = wsr_variant_name(v);
    if (wsr_variant_options(v) == 0) {
        return;
    }
    printf("_wsr_words[%s:%s]='", family, name);
    for (size_t i = 0; (o = wsr_variant_option(v, i)) != NULL; i++) {
        printf(" %s", wsr_option_key(o));
    }
    printf("'\n");
    for (size_t i = 0; (o = wsr_variant_option(v, i)) != NULL; i++) {
        const bool yes_no = wsr_option_type(o) == WSR_OPTION_BOOL;
        if (!yes_no && wsr_option_word(o, 0) == NULL) {
            continue;
        }
        printf("_wsr_words[%s:%s:%s]='%s", family, name, wsr_option_key(o),
               yes_no ? "true false" : "");
        for (size_t k = 0; wsr_option_word(o, k) != NULL; k++) {
            printf(" %s", wsr_option_word(o, k));
        }
        printf("'\n");
    }
}

// Names of families with blanks are no words.
static void print_family(const wsr_family *family)
{
    const char *const name = wsr_family_name(family);
    if (strchr(name, ' ') != NULL) {
        return;
    }
    printf("_wsr_words[%s]='", name);
    for (size_t i = 0; i < wsr_family_size(family); i++) {
        printf(" %s", wsr_variant_name(wsr_family_variant(family, i)));
    }
    printf("'\n");
    for (size_t i = 0; i < wsr_family_size(family); i++) {
        print_variant(name, wsr_family_variant(family, i));
    }
}

bool completion_words(void)
{
    const cli_tool *t = NULL;
    char *genotypes = NULL;
    bool done = true;
    printf("typeset -gA _wsr_words _wsr_help\n");
    for (size_t i = 0; (t = pages_tool(i)) != NULL; i++) {
        done = print_tool(t) && done;
    }
    for (size_t i = 0; i < wsr_family_count(); i++) {
        print_family(wsr_family_at(i));
    }
    if (wsr_genotype_names(&genotypes) != WSR_OK) {
        (void)fprintf(stderr, "pages: %s\n", wsr_error_detail());
        return false;
    }
    printf("_wsr_words[genotypes]='");
    quoted(genotypes);
    printf("'\n");
    wsr_text_free(genotypes);
    for (size_t i = 0; i < SOURCES; i++) {
        if (!sources[i].used) {
            (void)fprintf(stderr, "pages: no program has the key %s\n",
                          sources[i].key);
            done = false;
        }
    }
    return done;
}
