// SPDX-License-Identifier: Apache-2.0
//
// --help: a first page that fits on a screen, and a page for each topic, which
// the library writes. The tools use public headers only, so suggestions have
// their own edit distance here.

#include "cli.h"

#include <stdio.h>
#include <string.h>

// Levenshtein distance with one row of the table; words longer than any option
// count as far apart.
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 31 };
    size_t row[LONGEST + 1];
    const size_t n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            best = best < row[j] + 1 ? best : row[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

// A name is near if at most a third of its letters, and one more, differ.
const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    const char *near = NULL;
    size_t least = strlen(word) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        const size_t d = distance(word, names[i]);
        if (d < least) {
            least = d;
            near = names[i];
        }
    }
    return near;
}

// A line per option, first those of the tool, then the common ones.
static void print_options(const cli *c, size_t first, size_t end)
{
    const cli_option *o = NULL;
    for (size_t i = first; i < end && (o = cli_option_at(c, i)) != NULL; i++) {
        char left[48];
        if (cli_is_hidden(c, i) || o->help == NULL || o->help[0] == '~') {
            continue;
        }
        (void)snprintf(left, sizeof(left), "--%s %s", o->name,
                       o->value != NULL ? o->value : "");
        printf("  %-22s %s\n", left, o->help);
    }
}

// Names in lines of at most 79 columns.
static wsr_status print_presets(const cli *c)
{
    enum { MARGIN = 10, WIDTH = 79 };
    char *names = NULL;
    size_t column = MARGIN;
    if (c->tool->presets == NULL) {
        return WSR_OK;
    }
    const wsr_status status = wsr_config_presets(&names, c->tool->presets);
    printf("%s", status == WSR_OK ? "\nPresets:" : "");
    for (const char *s = names; s != NULL && *s != '\0';) {
        const size_t n = strcspn(s, "\n");
        const bool more = s[n] == '\n' && s[n + 1] != '\0';
        if (column + 1 + n + more > WIDTH) {
            printf("\n%*s", MARGIN - 1, "");
            column = MARGIN;
        }
        printf(" %.*s%s", (int)n, s, more ? "," : "\n");
        column += 1 + n + more;
        s += n + (s[n] == '\n');
    }
    wsr_text_free(names);
    // Help must not fail for want of data files.
    return status == WSR_NOTFOUND ? WSR_OK : status;
}

// Options, presets and topics, if the tool has them, and exit codes.
static wsr_status print_first_page(const cli *c, bool topics)
{
    printf("%s: %s\n\nUsage: %s %s\n\nOptions:\n", c->tool->name,
           c->tool->summary, c->tool->name, c->tool->usage);
    print_options(c, CLI_COMMON, SIZE_MAX);
    print_options(c, 0, CLI_COMMON);
    wsr_status status = print_presets(c);
    if (topics && status == WSR_OK && c->tool->help != NULL) {
        printf("\nTopics: all; a name below; NAME:MEMBER of a family, such as "
               "attack:pgd\n");
        status = c->tool->help("");
    }
    printf("\nExit status: 0 done, 1 failed, 2 wrong usage or configuration, "
           "130 interrupted.\n");
    return status;
}

// What the tool has no words for may be a family that none of its options
// names, such as "op" or "format:npz". Of two mistakes the tool's is told,
// unless only the other one has a suggestion.
static wsr_status print_topic(const cli *c, const char *topic, char *detail,
                              size_t size)
{
    char *text = NULL;
    wsr_status status = c->tool->help(topic);
    if (status != WSR_OK) {
        (void)snprintf(detail, size, "%s", wsr_error_detail());
    }
    if (status == WSR_NOTFOUND && wsr_registry_help(&text, topic) == WSR_OK) {
        printf("%s", text);
        status = WSR_OK;
    } else if (status == WSR_NOTFOUND && strstr(detail, "did you") == NULL) {
        (void)snprintf(detail, size, "%s", wsr_error_detail());
    }
    wsr_text_free(text);
    return status;
}

// A topic that does not exist is wrong usage (exit code 2), not a failure.
int cli_help(const cli *c, const char *topic)
{
    char detail[512] = "";
    wsr_status status = WSR_OK;
    const bool all = topic != NULL && strcmp(topic, "all") == 0;
    if (topic != NULL && (topic[0] == '\0' || c->tool->help == NULL)) {
        return cli_usage(c, "--help: there is no topic '%.64s'", topic);
    }
    if (topic == NULL || all) {
        status = print_first_page(c, !all);
    }
    if (all && status == WSR_OK) {
        printf("\nConfiguration (key=default, for --set and files):\n\n");
    }
    if (topic != NULL && status == WSR_OK) {
        status = print_topic(c, topic, detail, sizeof(detail));
    }
    if (status == WSR_NOTFOUND) {
        return cli_usage(c, "%s", detail);
    }
    return status == WSR_OK ? CLI_DONE : CLI_FAILED;
}
