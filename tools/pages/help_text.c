// SPDX-License-Identifier: Apache-2.0

#include "help_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// Appends a line to a text with one blank between them.
static void join(char *text, size_t size, const char *line, size_t n)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, size - used, "%s%.*s", used > 0 ? " " : "",
                   (int)n, line);
}

// Length of "train.epochs" in "train.epochs=100", 0 where no key begins.
static size_t key_length(const char *line)
{
    size_t n = 0;
    while (isalnum((unsigned char)line[n]) != 0 || line[n] == '_' ||
           line[n] == '.') {
        n++;
    }
    return line[n] == '=' ? n : 0;
}

static void next_line(const char **rest)
{
    *rest += strcspn(*rest, "\n");
    *rest += **rest == '\n';
}

// Lines with this margin or a larger one, which begin neither a key nor a
// member, go on with the text of the entry.
static void read_text(help_entry *e, const char **rest, size_t margin)
{
    while (strspn(*rest, " ") == margin) {
        const char *const line = *rest + margin;
        if (margin == 2 &&
            (strncmp(line, "with ", 5) == 0 || key_length(line) > 0)) {
            return;
        }
        join(e->text, sizeof(e->text), line, strcspn(line, "\n"));
        next_line(rest);
    }
}

static bool read_heading(help_entry *e, const char **rest)
{
    const char *const line = *rest;
    const size_t n = strcspn(line, "\n");
    const size_t name = strcspn(line, ":");
    const char *const family = strstr(line, " (name:key=value,...):\n");
    if (family != NULL && family < line + n) {
        e->kind = HELP_FAMILY;
        (void)snprintf(e->name, sizeof(e->name), "%.*s", (int)(family - line),
                       line);
        // Its members have entries in the registry.
        do {
            next_line(rest);
            const size_t end = strcspn(*rest, "\n");
            if (end > 2 && strncmp(*rest + end - 2, "):", 2) == 0 &&
                (*rest)[0] != ' ') {
                return true;
            }
        } while (**rest != '\0');
        return true;
    }
    e->kind = HELP_SECTION;
    (void)snprintf(e->name, sizeof(e->name), "%.*s", (int)name, line);
    next_line(rest);
    return name + 1 == n;
}

bool help_next(help_entry *e, const char **rest)
{
    *e = (help_entry){.kind = HELP_KEY};
    *rest += strspn(*rest, "\n");
    if (**rest == '\0') {
        return false;
    }
    if (**rest != ' ') {
        return read_heading(e, rest);
    }
    const char *const line = *rest + strspn(*rest, " ");
    const size_t n = strcspn(line, "\n");
    const size_t key = key_length(line);
    if (strncmp(line, "with ", 5) == 0) {
        e->kind = HELP_MEMBER;
        join(e->text, sizeof(e->text), line, n);
        next_line(rest);
        read_text(e, rest, 2);
        return true;
    }
    (void)snprintf(e->name, sizeof(e->name), "%.*s", (int)key, line);
    (void)snprintf(e->value, sizeof(e->value), "%.*s", (int)(n - key - 1),
                   line + key + 1);
    next_line(rest);
    read_text(e, rest, 6);
    return key > 0;
}

// A word has no blanks, brackets or colons: "[1, 2]" is a range.
static bool all_words(const char *text)
{
    return text[0] != '\0' && strpbrk(text, "[]():;") == NULL;
}

void help_words(char *out, unsigned long size, const help_entry *key)
{
    const char *begin = strrchr(key->text, '(');
    const char *const last = strstr(key->text, " or ");
    char list[512];
    out[0] = '\0';
    if (last == NULL) {
        return;
    }
    // The names of a family are the whole text.
    begin = begin != NULL ? begin + 1 : key->text;
    (void)snprintf(list, sizeof(list), "%.*s", (int)strcspn(begin, ")"), begin);
    char *const tail = strstr(list, " or ");
    if (tail == NULL || !all_words(list)) {
        return;
    }
    memcpy(tail, ",   ", 4);
    for (const char *s = list + strspn(list, ", "); *s != '\0';) {
        const size_t n = strcspn(s, ",");
        if (memchr(s, ' ', n) != NULL) {
            out[0] = '\0';
            return;
        }
        join(out, size, s, n);
        s += n;
        s += strspn(s, ", ");
    }
}
