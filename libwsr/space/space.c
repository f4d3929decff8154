// SPDX-License-Identifier: Apache-2.0
//
// The table of search spaces.

#include "space/space.h"

#define WSR_REG(family, name) &wsr__space_##name.super,
static const wsr__class *const classes[] = {
#include "space/spaces.def"
    NULL,
};
#undef WSR_REG

const wsr__family wsr__spaces = {"search space", classes};

wsr_status wsr__space_find(const wsr__space_class **out, const char *name)
{
    const wsr__class *cls = NULL;
    const wsr_status status = wsr__class_find(&cls, &wsr__spaces, name);
    *out = (const wsr__space_class *)cls;
    return status;
}

size_t wsr__space_sources(const wsr__space_class *space)
{
    return space->single ? 1 : 2;
}

// Node i has as many incoming edges as there are states before it: their sum
// over the nodes.
size_t wsr__space_edges(const wsr__space_class *space)
{
    const size_t n = space->nodes;
    return n * wsr__space_sources(space) + n * (n - 1) / 2;
}

size_t wsr__space_rows(const wsr__space_class *space)
{
    return (space->single ? 1 : 2) * wsr__space_edges(space);
}
