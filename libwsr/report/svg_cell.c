// SPDX-License-Identifier: Apache-2.0
//
// A cell as a picture: the two previous cells on the left, nodes by depth,
// edges with the names of their operations, the output on the right.

#include "report/report.h"

#include <string.h>

enum {
    PAGE = 790,  // width that a drawing may have before it is scaled down
    MARGIN = 34, // around the middle of the outermost columns
    RADIUS = 16, // of a node
    REACH = 30,  // half the width of inputs and outputs
    LABEL = 48,  // half the width of a label
    AIR = 20     // between parts
};

// Operations of one kind share a colour; the first that begins so counts.
typedef struct family {
    const char *begin; // of an operation's name
    const char *style;
} family;

static const family families[] = {{"sep_conv", "sep"},     {"res_sep", "res"},
                                  {"dil_conv", "dil"},     {"avg_pool", "pool"},
                                  {"max_pool", "pool"},    {"skip", "skip"},
                                  {"conv_7x1", "factored"}};

static const char *style_of(const char *op)
{
    if (op == NULL) {
        return "concat";
    }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strncmp(op, families[i].begin, strlen(families[i].begin)) == 0) {
            return families[i].style;
        }
    }
    return "other";
}

// Middle of a column before it is stretched: inputs, then labels and nodes in
// turn, then a column that edges to the output pass, then the output.
static double place(const wsr__cell_layout *l, size_t column)
{
    const double first = REACH + AIR + LABEL;
    const double step = LABEL + AIR + RADIUS;
    const double end = RADIUS + 3 * AIR + REACH;
    const size_t deepest = l->columns - 3;
    if (column == 0) {
        return 0.0;
    }
    const size_t steps = (column < deepest ? column : deepest) - 1;
    return first + step * (double)steps +
           0.5 * end * (double)(column > deepest ? column - deepest : 0);
}

// What a small cell is stretched by, so that its drawing fills the page.
static double stretch(const wsr__cell_layout *l)
{
    const double factor = (PAGE - 2 * MARGIN) / place(l, l->columns - 1);
    return factor < 1.0 ? 1.0 : factor > 1.5 ? 1.5 : factor;
}

// The page's coordinate of a part.
static double x_of(const wsr__cell_layout *l, const wsr__part *part)
{
    return MARGIN + stretch(l) * place(l, part->column);
}

// Half the width of a state: nodes are circles, the rest is longer.
static double reach(const wsr__cell_layout *l, size_t state)
{
    return state < 2 || state + 1 == l->states ? REACH : RADIUS;
}

// A curve that leaves and enters every part horizontally.
static void draw_route(wsr__str *out, const wsr__cell_layout *l,
                       const wsr__route *route)
{
    const size_t last = route->n - 1;
    const char *const style = style_of(route->op);
    const wsr__part *at = &l->parts[route->parts[0]];
    double x = x_of(l, at) + reach(l, route->parts[0]);
    double y = at->y;
    wsr__str_addf(out, "<path class=\"edge %s\" d=\"M%.1f %.1f", style, x, y);
    for (size_t k = 1; k <= last; k++) {
        const wsr__part *const to = &l->parts[route->parts[k]];
        const double gap = k == last ? reach(l, route->parts[k]) + 6.0 : 0.0;
        const double end = x_of(l, to) - gap;
        const double middle = 0.5 * (x + end);
        wsr__str_addf(out, "C%.1f %.1f %.1f %.1f %.1f %.1f", middle, y, middle,
                      to->y, end, to->y);
        x = end;
        y = to->y;
    }
    wsr__str_addf(out,
                  "\"/><path class=\"tip %s\" d=\"M%.1f %.1fl-2 -4.5l8 4.5l-8 "
                  "4.5z\"/>\n",
                  style, x, y);
}

// "sep_conv_3x3" as "sep conv 3×3".
static void add_op(wsr__str *out, const char *op)
{
    for (const char *c = op; *c != '\0'; c++) {
        const bool times = *c == 'x' && c > op && c[-1] >= '0' && c[-1] <= '9';
        if (times) {
            wsr__str_add(out, "×");
        } else {
            wsr__str_addn(out, *c == '_' ? " " : c, 1);
        }
    }
}

// Widths are estimated from the number of letters: fonts differ.
static void draw_label(wsr__str *out, const wsr__cell_layout *l,
                       const wsr__route *route)
{
    const wsr__part *const part = &l->parts[route->parts[route->n - 2]];
    const double width = 6.3 * (double)strlen(route->op) + 14.0;
    const double x = x_of(l, part);
    wsr__str_addf(out,
                  "<g class=\"op %s\"><rect x=\"%.1f\" y=\"%.1f\" "
                  "width=\"%.1f\" height=\"20\" rx=\"10\"/>"
                  "<text x=\"%.1f\" y=\"%.1f\">",
                  style_of(route->op), x - 0.5 * width, part->y - 10.0, width,
                  x, part->y + 4.0);
    add_op(out, route->op);
    wsr__str_add(out, "</text></g>\n");
}

// Inputs are named c_k-1 and c_k-2, the output c_k, as in the papers; nodes are
// numbered from 0.
static void draw_state(wsr__str *out, const wsr__cell_layout *l, size_t state)
{
    const wsr__part *const part = &l->parts[state];
    const double x = x_of(l, part);
    const double half = reach(l, state);
    wsr__str_addf(out,
                  "<g class=\"state\"><rect x=\"%.1f\" y=\"%.1f\" "
                  "width=\"%.1f\" height=\"32\" rx=\"%d\"/>"
                  "<text x=\"%.1f\" y=\"%.1f\">",
                  x - half, part->y - 16.0, 2.0 * half,
                  half > RADIUS ? 6 : RADIUS, x, part->y + 4.5);
    if (state < 2) {
        wsr__str_addf(out, "c<tspan class=\"sub\">k−%zu</tspan>", 2 - state);
    } else if (state + 1 == l->states) {
        wsr__str_add(out, "c<tspan class=\"sub\">k</tspan>");
    } else {
        wsr__str_addf(out, "%zu", state - 2);
    }
    wsr__str_add(out, "</text></g>\n");
}

// Later routes are drawn first, and states last, so that labels and nodes cover
// the ends of the curves.
static void draw(wsr__figure *figure, const wsr__cell_layout *l)
{
    wsr__str *const out = &figure->body;
    figure->style = "cell";
    figure->top = l->top - 4.0;
    figure->width = 2.0 * MARGIN + stretch(l) * place(l, l->columns - 1);
    figure->height = l->bottom - l->top + 8.0;
    figure->fixed = true;
    for (size_t r = l->n_routes; r-- > 0;) {
        draw_route(out, l, &l->routes[r]);
    }
    for (size_t r = 0; r < l->n_routes; r++) {
        if (l->routes[r].op != NULL) {
            draw_label(out, l, &l->routes[r]);
        }
    }
    for (size_t s = 0; s < l->states; s++) {
        draw_state(out, l, s);
    }
}

wsr_status wsr__svg_cell(wsr__str *out, const wsr_genotype *genotype,
                         wsr_genotype_cell cell)
{
    wsr_status status = WSR_OK;
    const bool normal = cell == WSR_GENOTYPE_NORMAL;
    wsr__figure figure = {
        .label = normal ? "normal cell" : "reduction cell",
        .caption = normal ? "Normal cell: keeps the size of the image."
                          : "Reduction cell: halves it. Edges from the left "
                            "have stride 2."};
    wsr__cell_layout *const layout = wsr__alloc(1, sizeof(*layout));
    if (layout == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__layout_make(layout, genotype, cell));
    draw(&figure, layout);
    WSR_TRY(wsr__html_figure(out, &figure, figure.label));
out:
    wsr__figure_free(&figure);
    wsr__free(layout);
    return status;
}
