// SPDX-License-Identifier: Apache-2.0
//
// Puts pictures and their legends into a page, and beside each a link that
// saves it as an SVG file. The file has the colours of the light page and the
// legend below the picture, and needs no other file.

#include "report/figure.h"

#include "report/rows.h"
#include "report/text.h"

#include <string.h>

enum {
    KEY = 48,     // width of a key and the space behind it
    LETTER = 6,   // of a text of 12 px, roughly
    BETWEEN = 18, // entries
    ROW = 20,     // height of a line of the legend
    ABOVE = 14    // between picture and legend
};

// ------------------------------------------------------------------- legend

// A square in the colour, at the left of an entry.
void wsr__legend_area(wsr__figure *figure, size_t colour)
{
    wsr__str_addf(&figure->legend, "<li class=\"c%zu\"><i></i>",
                  colour % WSR__REPORT_COLOURS);
    wsr__str_addf(&figure->key,
                  "<rect class=\"share c%zu\" x=\"28\" width=\"12\" "
                  "height=\"12\" rx=\"3\"/>",
                  colour % WSR__REPORT_COLOURS);
}

// A short piece of the line, with its mark in the middle.
void wsr__legend_line(wsr__figure *figure, size_t series)
{
    wsr__str_add(&figure->key, "<path class=\"line ");
    wsr__series_style(&figure->key, series);
    wsr__str_add(&figure->key, "\" d=\"M1 6H39\"/>");
    const char *const mark = wsr__chart_mark(&figure->key, series, 20.0, 6.0);
    wsr__str_addf(&figure->key, "</%s>", mark);
    wsr__str_addf(&figure->legend,
                  "<li><svg class=\"key\" aria-hidden=\"true\" "
                  "viewBox=\"0 0 40 12\" "
                  "xmlns=\"http://www.w3.org/2000/svg\">%s</svg>",
                  figure->key.s == NULL ? "" : figure->key.s);
}

// The letters of a text with tags and entities.
static size_t letters(const char *html)
{
    size_t n = 0;
    for (const char *c = html; *c != '\0'; c++) {
        const char *const end = *c == '<'   ? strchr(c, '>')
                                : *c == '&' ? strchr(c, ';')
                                            : NULL;
        n += *c != '<' && ((unsigned char)*c & 0xc0) != 0x80;
        c = end == NULL ? c : end;
    }
    return n;
}

// SVG has no <b> and <small>. All other text is escaped, so that a "<" begins
// one of the two.
static void add_spans(wsr__str *out, const char *html)
{
    static const char *const spans[][2] = {
        {"<b>", "<tspan class=\"strong\">"},
        {"<small>", "<tspan class=\"note\">"},
        {"</", "</tspan>"}};
    while (*html != '\0') {
        const size_t plain = strcspn(html, "<");
        wsr__str_addn(out, html, plain);
        html += plain;
        for (size_t i = 0; *html == '<' && i < 3; i++) {
            if (strncmp(html, spans[i][0], strlen(spans[i][0])) == 0) {
                wsr__str_add(out, spans[i][1]);
                html += strcspn(html, ">") + 1;
                break;
            }
        }
    }
}

// A new line where the entry does not fit; a long one has a line of its own.
void wsr__legend_end(wsr__figure *figure)
{
    const char *const text = figure->entry.s == NULL ? "" : figure->entry.s;
    const double width = KEY + LETTER * (double)letters(text);
    wsr__str_addf(&figure->legend, "%s</li>\n", text);
    if (figure->key_x > 0 && figure->key_x + width > figure->width) {
        figure->key_x = 0;
        figure->key_y += ROW;
    }
    wsr__str_addf(&figure->keys,
                  "<g transform=\"translate(%.0f %.0f)\">%s"
                  "<text x=\"%d\" y=\"10\">",
                  figure->key_x, figure->key_y,
                  figure->key.s == NULL ? "" : figure->key.s, KEY);
    add_spans(&figure->keys, text);
    wsr__str_add(&figure->keys, "</text></g>\n");
    figure->key_x += width + BETWEEN;
    wsr__str_free(&figure->entry);
    wsr__str_free(&figure->key);
}

// ------------------------------------------------------------------ pictures

// viewBox instead of a size: the picture shrinks with the page.
static void add_inline(wsr__str *out, const wsr__figure *f)
{
    wsr__str_addf(out, "<svg class=\"%s\" role=\"img\" aria-label=\"",
                  f->style);
    wsr__html_name(out, f->label);
    wsr__str_addf(out, "\" viewBox=\"0 %.1f %.1f %.1f\" ", f->top, f->width,
                  f->height);
    if (f->fixed) {
        wsr__str_addf(out, "style=\"max-width:%.0fpx\" ", f->width);
    }
    wsr__str_addf(out, "xmlns=\"http://www.w3.org/2000/svg\">\n%s</svg>\n",
                  f->body.s == NULL ? "" : f->body.s);
}

// With a size in pixels, which programs for drawing ask for.
static void add_alone(wsr__str *out, const wsr__figure *f)
{
    const bool keys = f->keys.len > 0;
    const double more = keys ? ABOVE + f->key_y + ROW : 0;
    wsr__str_addf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
                  "height=\"%.0f\" viewBox=\"0 %.1f %.1f %.1f\">\n<title>",
                  f->width, f->height + more, f->top, f->width,
                  f->height + more);
    wsr__html_name(out, f->label);
    wsr__str_add(out, "</title>\n<style>\n");
    wsr__figure_style(out);
    wsr__str_addf(out, "</style>\n%s", f->body.s == NULL ? "" : f->body.s);
    if (keys) {
        wsr__str_addf(out, "<g transform=\"translate(0 %.1f)\">\n%s</g>\n",
                      f->top + f->height + ABOVE, f->keys.s);
    }
    wsr__str_add(out, "</svg>\n");
}

static wsr_status failures(const wsr__figure *f)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__str_status(&f->body));
    WSR_TRY(wsr__str_status(&f->legend));
    WSR_TRY(wsr__str_status(&f->keys));
out:
    return status;
}

// The part that may be too wide for the page can be moved by keys.
static void add_figure(wsr__str *out, const wsr__figure *f)
{
    wsr__str_add(out, "<figure>\n");
    if (f->legend.len > 0) {
        wsr__str_addf(out, "<ul class=\"legend\">\n%s</ul>\n", f->legend.s);
    }
    if (f->fixed) {
        wsr__str_addf(out,
                      "<div class=\"wide\" role=\"group\" tabindex=\"0\" "
                      "aria-label=\"%s\">\n",
                      f->label);
        add_inline(out, f);
        wsr__str_add(out, "</div>\n");
    } else {
        add_inline(out, f);
    }
    if (f->caption != NULL) {
        wsr__str_addf(out, "<figcaption>%s</figcaption>\n", f->caption);
    }
}

wsr_status wsr__html_figure(wsr__str *out, wsr__figure *figure,
                            const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str file = {0};
    wsr__str alone = {0};
    WSR_TRY(failures(figure));
    add_figure(out, figure);
    add_alone(&alone, figure);
    wsr__file_name(&file, name);
    wsr__str_add(&file, ".svg");
    WSR_TRY(wsr__str_status(&alone));
    WSR_TRY(wsr__str_status(&file));
    wsr__html_save_begin(out);
    wsr__html_save(out, file.s, "image/svg+xml", &alone);
    wsr__html_save_end(out);
    wsr__str_add(out, "</figure>\n");
out:
    wsr__str_free(&file);
    wsr__str_free(&alone);
    wsr__figure_free(figure);
    return status;
}

void wsr__figure_free(wsr__figure *figure)
{
    wsr__str_free(&figure->body);
    wsr__str_free(&figure->entry);
    wsr__str_free(&figure->legend);
    wsr__str_free(&figure->keys);
    wsr__str_free(&figure->key);
    *figure = (wsr__figure){0};
}
