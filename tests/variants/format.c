// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: files that begin with "dummy" and hold nothing.

#include "io/format.h"

#include <string.h>

static bool is_dummy(const unsigned char *bytes, size_t size)
{
    return size >= 5 && memcmp(bytes, "dummy", 5) == 0;
}

static wsr_status read(wsr__st *st)
{
    (void)st;
    return WSR_OK;
}

static const char *const endings[] = {".dummy", NULL};

const wsr__format_class wsr__format_dummy = {
    .super = {"dummy", "no tensors", "", NULL, 0},
    .endings = endings,
    .is = is_dummy,
    .read = read,
};
