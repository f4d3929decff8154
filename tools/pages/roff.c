// SPDX-License-Identifier: Apache-2.0
//
// Text for roff. A dash is escaped, since "-" alone is a hyphen, which cannot
// be copied to a command line.

#include "pages.h"

#include <stdio.h>
#include <string.h>

// How a character is written; NULL: as it is.
static const char *escape(char c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    default:
        return NULL;
    }
}

// An address is longer than a line; it may be broken behind a slash.
static bool is_address(const char *text, size_t n)
{
    const char *const at = strstr(text, "://");
    return at != NULL && at < text + n;
}

// Prints n characters and returns the columns that they take in the source.
static size_t print_word(const char *text, size_t n)
{
    const bool address = is_address(text, n);
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        const char *const escaped = escape(text[i]);
        if (escaped == NULL) {
            putchar(text[i]);
        } else {
            printf("%s", escaped);
        }
        width += escaped == NULL ? 1 : strlen(escaped);
        if (address && text[i] == '/') {
            width += (size_t)printf("\\:");
        }
    }
    return width;
}

void roff_text(const char *text)
{
    (void)print_word(text, strlen(text));
}

// Length up to the next place where a line may be broken: a blank, of an
// example one before an option.
static size_t piece(const char *text, bool example)
{
    const char *const end = strstr(text, example ? " --" : " ");
    return end != NULL ? (size_t)(end - text) : strlen(text);
}

// A line has 79 columns at most, unless a piece is longer.
static void fill(const char *text, bool example)
{
    enum { WIDTH = 79, MARGIN = 4 };
    const size_t margin = example ? MARGIN : 0;
    size_t column = 0;
    while (*text != '\0') {
        const size_t n = piece(text, example);
        if (column > 0 && column + 1 + n + margin > WIDTH - MARGIN) {
            printf("%s\n%*s", example ? " \\e" : "", (int)margin, "");
            column = 0;
        } else if (column > 0) {
            column += (size_t)printf(" ");
        }
        if (column == 0 && (text[0] == '.' || text[0] == '\'')) {
            printf("\\&"); // no request
        }
        column += print_word(text, n);
        text += n;
        text += *text == ' ';
    }
    printf("\n");
}

void roff_fill(const char *text)
{
    fill(text, false);
}

void roff_example(const char *call)
{
    printf(".PP\n.in +4n\n.EX\n");
    fill(call, true);
    printf(".EE\n.in\n");
}
