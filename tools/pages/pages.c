// SPDX-License-Identifier: Apache-2.0
//
// wsr_pages man TOOL DATE | specs DATE | words
//
// Prints what is generated at build time: manual pages and the words of the
// completion. It is not installed.

#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_tool *const tools[] = {
#define TOOL(name) &name##_tool,
#include "tools.def"
#undef TOOL
};

const cli_tool *pages_tool(size_t i)
{
    return i < sizeof(tools) / sizeof(tools[0]) ? tools[i] : NULL;
}

static char *read_all(FILE *file)
{
    const long size = ftell(file);
    char *const text = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

// The programs print their help, so stdout is a file for as long.
char *pages_help(const cli_tool *tool)
{
    char *text = NULL;
    FILE *const file = tmpfile();
    const int out = dup(STDOUT_FILENO);
    if (file == NULL || out < 0 || fflush(stdout) != 0 ||
        dup2(fileno(file), STDOUT_FILENO) < 0) {
        perror("pages");
        exit(EXIT_FAILURE);
    }
    const wsr_status status = tool->help("all");
    (void)fflush(stdout);
    (void)fseek(file, 0, SEEK_END);
    text = status == WSR_OK ? read_all(file) : NULL;
    (void)fclose(file);
    (void)dup2(out, STDOUT_FILENO);
    (void)close(out);
    if (text == NULL) {
        (void)fprintf(stderr, "pages: %s: %s\n", tool->name,
                      status == WSR_OK ? "no help" : wsr_error_detail());
    }
    return text;
}

static bool print_manual(const char *name, const char *date)
{
    const cli_tool *tool = NULL;
    for (size_t i = 0; (tool = pages_tool(i)) != NULL; i++) {
        if (strcmp(tool->name, name) == 0) {
            return manual_tool(tool, date);
        }
    }
    (void)fprintf(stderr, "pages: there is no %s\n", name);
    return false;
}

int main(int argc, char **argv)
{
    bool done = false;
    const char *const what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "man") == 0 && argc == 4) {
        done = print_manual(argv[2], argv[3]);
    } else if (strcmp(what, "specs") == 0 && argc == 3) {
        done = manual_specs(argv[2]);
    } else if (strcmp(what, "words") == 0 && argc == 2) {
        done = completion_words();
    } else {
        (void)fprintf(stderr, "usage: wsr_pages man TOOL DATE | specs DATE | "
                              "words\n");
    }
    return done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
