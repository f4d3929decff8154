// SPDX-License-Identifier: Apache-2.0
//
// Where presets and genotypes lie: the folder that WSR_SHARE names, the one
// beside a program that was installed anywhere ("../share/wsr"), the one that
// the library was configured for, or the source tree that it was built from.

#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// "<folder of the program>/../share/wsr", or an empty text.
static void beside_program(char *out, size_t size)
{
    static const char tail[] = "/../share/wsr";
    const ssize_t got = readlink("/proc/self/exe", out, size - 1);
    out[got > 0 ? got : 0] = '\0';
    char *const slash = strrchr(out, '/');
    if (slash == NULL || (size_t)(slash - out) + sizeof(tail) > size) {
        out[0] = '\0';
        return;
    }
    memcpy(slash, tail, sizeof(tail));
}

wsr_status wsr__share_find(char **path, const char *name)
{
    char beside[4096];
    beside_program(beside, sizeof(beside));
    const char *const named = getenv("WSR_SHARE");
    const char *const places[] = {named != NULL ? named : "", beside,
                                  WSR_SHARE_INSTALLED, WSR_SHARE_SOURCE};
    *path = NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (places[i][0] == '\0') {
            continue;
        }
        char *const candidate = wsr__path_join(places[i], name);
        if (candidate == NULL) {
            return WSR_NOMEM;
        }
        if (wsr__file_exists(candidate)) {
            *path = candidate;
            return WSR_OK;
        }
        wsr__free(candidate);
    }
    return WSR_FAIL(WSR_NOTFOUND, "%s: is not in %s", name,
                    named != NULL ? named : WSR_SHARE_INSTALLED);
}
