// SPDX-License-Identifier: Apache-2.0

#include "out.h"

#include <stdio.h>

const char *out_path(const cli *c, const char *name)
{
    enum { BUFFERS = 4, PATH = 4096 };
    static char buffers[BUFFERS][PATH];
    static size_t turn;
    char *const path = buffers[turn++ % BUFFERS];
    (void)snprintf(path, PATH, "%s/%s", c->out, name);
    return path;
}
