// SPDX-License-Identifier: Apache-2.0
//
// Headings and tables of a page, and the list of its sections.

#include "report/report.h"

#include <string.h>

// Titles are constants of letters, digits and spaces; their names in links have
// dashes for spaces.
void wsr__html_heading(wsr__str *out, const char *title)
{
    wsr__str_add(out, "<h2 id=\"");
    for (const char *c = title; *c != '\0'; c++) {
        const bool capital = *c >= 'A' && *c <= 'Z';
        const char lower = (char)(capital ? *c - 'A' + 'a' : *c);
        wsr__str_addn(out, *c == ' ' ? "-" : &lower, 1);
    }
    wsr__str_addf(out, "\">%s</h2>\n", title);
}

// What moves sideways must be reachable by keys, and what is reachable must
// have a name.
void wsr__html_table_begin(wsr__str *out, const char *style, const char *label)
{
    wsr__str_add(out, "<div class=\"wide\" role=\"group\" tabindex=\"0\" "
                      "aria-label=\"");
    wsr__html_text(out, label);
    wsr__str_add(out, "\"><table");
    if (style[0] != '\0') {
        wsr__str_addf(out, " class=\"%s\"", style);
    }
    wsr__str_add(out, ">\n");
}

void wsr__html_table_end(wsr__str *out)
{
    wsr__str_add(out, "</table></div>\n");
}

void wsr__html_column(wsr__str *out, const char *name, bool number)
{
    wsr__str_addf(out, "<th scope=\"col\"%s>%s</th>",
                  number ? " class=\"n\"" : "", name);
}

// One link a heading, found in the page itself: texts of the run are escaped,
// so that only headings look like headings.
void wsr__html_contents(wsr__str *out, const char *body)
{
    static const char open[] = "<h2 id=\"";
    const char *h = strstr(body, open);
    if (h == NULL || strstr(h + 1, open) == NULL) {
        return; // one section needs no list
    }
    wsr__str_add(out, "<nav aria-label=\"Sections\"><ul>\n");
    for (; h != NULL; h = strstr(h, open)) {
        h += sizeof(open) - 1;
        const size_t id = strcspn(h, "\"");
        const char *const title = h + id + strlen("\">");
        wsr__str_add(out, "<li><a href=\"#");
        wsr__str_addn(out, h, id);
        wsr__str_add(out, "\">");
        wsr__str_addn(out, title, strcspn(title, "<"));
        wsr__str_add(out, "</a></li>\n");
    }
    wsr__str_add(out, "</ul></nav>\n");
}
