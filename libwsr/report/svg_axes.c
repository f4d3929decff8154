// SPDX-License-Identifier: Apache-2.0
//
// Draws the frame of a chart: round numbers on the axes, a grid, lines of data.

#include "report/figure.h"
#include "report/text.h"

#include <math.h>

enum {
    WIDTH = 640, // of the picture
    HEIGHT = 356,
    LEFT = 58, // of the frame inside the picture
    RIGHT = 624,
    TOP = 34,
    BOTTOM = 304
};

// Steps are 1, 2 or 5 times a power of ten. The small numbers forgive rounding:
// an end that is a multiple already stays one.
double wsr__chart_round(double *low, double *high, double parts)
{
    if (!(*high > *low)) {
        const double half = *low == 0.0 ? 0.5 : 0.5 * fabs(*low);
        *low -= half;
        *high += half;
    }
    const double raw = (*high - *low) / parts;
    const double power = pow(10.0, floor(log10(raw)));
    const double lead = raw / power;
    const double step = power * (lead <= 1.0   ? 1.0
                                 : lead <= 2.0 ? 2.0
                                 : lead <= 5.0 ? 5.0
                                               : 10.0);
    *low = step * floor(*low / step + 1e-9);
    *high = step * ceil(*high / step - 1e-9);
    return step;
}

// From the data's coordinates to the picture's; y grows downwards there.
double wsr__chart_x(const wsr__chart *chart, double x)
{
    return LEFT + (RIGHT - LEFT) * (x - chart->x0) / (chart->x1 - chart->x0);
}

double wsr__chart_y(const wsr__chart *chart, double y)
{
    return BOTTOM - (BOTTOM - TOP) * (y - chart->y0) / (chart->y1 - chart->y0);
}

// A tick's value: no digits beyond those of the step, no minus zero.
static void add_tick(wsr__str *out, double value, double step, bool percent)
{
    const double scale = percent ? 100.0 : 1.0;
    const double shown = fabs(value) < 1e-6 * step ? 0.0 : scale * value;
    const double exponent = floor(log10(scale * step) + 1e-9);
    const int digits = exponent < 0.0 ? (int)fmin(-exponent, 9.0) : 0;
    wsr__str_addf(out, "%.*f%s", digits, shown, percent ? " %" : "");
}

// A line and a number for each tick; the lowest line is the axis.
static void draw_rows(wsr__str *out, const wsr__chart *chart)
{
    const long n = lrint((chart->y1 - chart->y0) / chart->y_step);
    for (long i = 0; i <= n; i++) {
        const double value = chart->y0 + (double)i * chart->y_step;
        const double y = wsr__chart_y(chart, value);
        wsr__str_addf(out,
                      "<path class=\"%s\" d=\"M%d %.1fH%d\"/>"
                      "<text class=\"tick y\" x=\"%d\" y=\"%.1f\">",
                      i > 0 ? "grid" : "axis", LEFT, y, RIGHT, LEFT - 8,
                      y + 4.0);
        add_tick(out, value, chart->y_step, chart->percent);
        wsr__str_add(out, "</text>\n");
    }
}

// Ticks at multiples of the step within the frame, which need not begin or end
// at one.
static void draw_columns(wsr__str *out, const wsr__chart *chart)
{
    const long first = (long)ceil(chart->x0 / chart->x_step - 1e-9);
    const long last = (long)floor(chart->x1 / chart->x_step + 1e-9);
    for (long i = first; i <= last; i++) {
        const double value = (double)i * chart->x_step;
        const double x = wsr__chart_x(chart, value);
        // Narrow pages have room for every second number.
        wsr__str_addf(out,
                      "<path class=\"axis\" d=\"M%.1f %dv5\"/>"
                      "<text class=\"tick x%s\" x=\"%.1f\" y=\"%d\">",
                      x, BOTTOM, (i - first) % 2 != 0 ? " odd" : "", x,
                      BOTTOM + 22);
        add_tick(out, value, chart->x_step, false);
        wsr__str_add(out, "</text>\n");
    }
}

void wsr__chart_begin(wsr__figure *figure, const wsr__chart *chart)
{
    wsr__str *const out = &figure->body;
    figure->style = "chart";
    figure->label = chart->label;
    figure->width = WIDTH;
    figure->height = HEIGHT;
    draw_rows(out, chart);
    draw_columns(out, chart);
    wsr__str_addf(out, "<text class=\"name\" x=\"%d\" y=\"12\">", 2);
    wsr__html_name(out, chart->y_name);
    wsr__str_addf(out, "</text><text class=\"name x\" x=\"%d\" y=\"%d\">",
                  (LEFT + RIGHT) / 2, HEIGHT - 6);
    wsr__html_name(out, chart->x_name);
    wsr__str_add(out, "</text>\n");
}

// Dashes change when the colours are used up.
void wsr__series_style(wsr__str *out, size_t series)
{
    const size_t round = series / WSR__REPORT_COLOURS;
    wsr__str_addf(out, "c%zu d%zu", series % WSR__REPORT_COLOURS,
                  round % WSR__REPORT_DASHES);
}

void wsr__chart_line(wsr__str *out, const wsr__chart *chart,
                     const wsr__report_point *points, size_t n, size_t series)
{
    wsr__str_add(out, "<path class=\"line ");
    wsr__series_style(out, series);
    wsr__str_add(out, "\" d=\"");
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L',
                      wsr__chart_x(chart, points[i].x),
                      wsr__chart_y(chart, points[i].y));
    }
    wsr__str_add(out, "\"/>\n");
}

// A disc, a square, a diamond, a triangle; one step further when the dashes
// begin again.
const char *wsr__chart_mark(wsr__str *out, size_t series, double x, double y)
{
    static const char *const shapes[WSR__REPORT_MARKS] = {
        NULL, "m-4 -4h8v8h-8z", "m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
        "m0 -5l5 9h-10z"};
    const size_t round = series / WSR__REPORT_COLOURS;
    const char *const shape =
        shapes[(round + round / WSR__REPORT_DASHES) % WSR__REPORT_MARKS];
    const size_t colour = series % WSR__REPORT_COLOURS;
    if (shape == NULL) {
        wsr__str_addf(out,
                      "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" "
                      "r=\"4\">",
                      colour, x, y);
        return "circle";
    }
    wsr__str_addf(out, "<path class=\"dot c%zu\" d=\"M%.1f %.1f%s\">", colour,
                  x, y, shape);
    return "path";
}
