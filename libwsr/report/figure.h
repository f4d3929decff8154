// SPDX-License-Identifier: Apache-2.0
//
// Pictures: a frame with axes, lines of data, a legend. A page holds a picture
// twice: drawn with the style sheet of the page, and as a file of its own with
// the legend inside, for papers.

#ifndef WSR_REPORT_FIGURE_H
#define WSR_REPORT_FIGURE_H

#include "base/base.h"

/// A picture under construction; {0} is an empty one.
typedef struct wsr__figure {
    const char *style;   // class of the picture
    const char *label;   // what it shows, for those who do not see it
    const char *caption; // NULL: none
    double top;          // of the rectangle that it fills, from x = 0 on
    double width, height;
    bool fixed;          // never larger than it is drawn
    wsr__str body;       // the picture without its frame
    wsr__str entry;      // HTML of the entry of the legend that is being filled
    wsr__str legend;     // finished entries as HTML
    wsr__str keys;       // the same as SVG, from (0, 0) on
    double key_x, key_y; // where the next entry stands
    wsr__str key;        // its key
} wsr__figure;

/// Append the figure to a page with a link that saves it as NAME.svg; parts of
/// the name that a file cannot have become "-". Frees the figure.
wsr_status wsr__html_figure(wsr__str *out, wsr__figure *figure,
                            const char *name);

void wsr__figure_free(wsr__figure *figure); // {0} afterwards

/// Begin an entry of the legend: of an area, or of a line with marks. Its text,
/// with <b> and <small>, goes to figure->entry.
void wsr__legend_area(wsr__figure *figure, size_t colour);
void wsr__legend_line(wsr__figure *figure, size_t series);
void wsr__legend_end(wsr__figure *figure);

/// Number of distinct colours of series, and of the dashes and marks that tell
/// series of one colour apart; style.c defines colours and dashes.
enum { WSR__REPORT_COLOURS = 8, WSR__REPORT_DASHES = 4, WSR__REPORT_MARKS = 4 };

/// A rectangle with axes.
typedef struct wsr__chart {
    double x0, x1, y0, y1; // of the data
    double x_step, y_step; // of the ticks
    bool percent;          // y is a share
    const char *x_name;
    const char *y_name;
    const char *label; // what it shows, for those who do not see it
} wsr__chart;

/// Widen a range to multiples of a round step that divides it into about
/// `parts`; returns the step. An empty range becomes one around its value.
double wsr__chart_round(double *low, double *high, double parts);

double wsr__chart_x(const wsr__chart *chart, double x);
double wsr__chart_y(const wsr__chart *chart, double y);

/// Begin the picture: axes, grid, names.
void wsr__chart_begin(wsr__figure *figure, const wsr__chart *chart);

/// Append the classes of a line's colour and dashes: "c3 d1".
void wsr__series_style(wsr__str *out, size_t series);

typedef struct wsr__report_point {
    double x; // epoch, strength, ...
    double y;
} wsr__report_point;

/// A polygonal line as series number `series` looks.
void wsr__chart_line(wsr__str *out, const wsr__chart *chart,
                     const wsr__report_point *points, size_t n, size_t series);

/// Begin the mark of a series around (x, y) of the picture. Returns the name
/// of the element, which the caller ends. [static]
const char *wsr__chart_mark(wsr__str *out, size_t series, double x, double y);

/// Append the style sheet of a picture that stands alone.
void wsr__figure_style(wsr__str *out);

#endif
