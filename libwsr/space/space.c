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

// Node i has i + 2 incoming edges: their sum over the nodes.
size_t wsr__space_edges(const wsr__space_class *space)
{
    return space->nodes * (space->nodes + 3) / 2;
}
