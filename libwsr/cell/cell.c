// SPDX-License-Identifier: Apache-2.0
//
// The table of cell operations, and sites, the places where layers are built.

#include "cell/cell.h"

#define WSR_REG(family, name) &wsr__cell_##name.super,
static const wsr__class *const classes[] = {
#include "cell/cells.def"
    NULL,
};
#undef WSR_REG

const wsr__family wsr__cells = {"cell operation", classes};

wsr_status wsr__cell_find(const wsr__cell_class **out, const char *name)
{
    const wsr__class *cls = NULL;
    const wsr_status status = wsr__class_find(&cls, &wsr__cells, name);
    *out = (const wsr__cell_class *)cls;
    return status;
}

// A prefix that does not fit fails the graph: a cut one could collide with
// another parameter's name.
wsr__site wsr__site_below(const wsr__site *site, const char *format, ...)
{
    wsr__site below = *site;
    va_list args;
    va_start(args, format);
    size_t len = 0;
    while (below.prefix[len] != '\0') {
        len++;
    }
    const int n =
        vsnprintf(below.prefix + len, sizeof(below.prefix) - len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(below.prefix) - len) {
        wsr__site_fail(site, WSR_INTERNAL, "parameter name is too long");
    }
    return below;
}

int64_t wsr__site_size(const wsr__site *site, wsr_value x, int axis)
{
    const wsr_shape *const shape = wsr_graph_shape(site->graph, x);
    // After a failure values mean nothing; any size will do then.
    return shape != NULL && axis < shape->ndims ? shape->dims[axis] : 1;
}

void wsr__site_fail(const wsr__site *site, wsr_status code, const char *what)
{
    if (site->graph->status == WSR_OK) {
        site->graph->status = WSR_FAIL(code, "%s", what);
    }
}

// Only the first failure gets a place, and want of memory has none.
void wsr__site_blame(const wsr__site *site, wsr_status before)
{
    const wsr_status status = site->graph->status;
    if (before == WSR_OK && status != WSR_OK && status != WSR_NOMEM) {
        (void)wsr__fail_at(status, "%s", site->prefix);
    }
}
