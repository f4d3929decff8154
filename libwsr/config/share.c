// SPDX-License-Identifier: Apache-2.0
//
// Finds the data files of the library (presets, genotypes, RobNet codes) and
// its plug-ins, for which there is no variable. It
// looks at these places in order:
//
//   1. $WSR_SHARE, so that a package or a test can point elsewhere;
//   2. beside the library, or beside the program, at the distance that the
//      installation gives them: an installed tree may be moved;
//   3. the source tree, so that a build under development never reads the
//      files of an older installation;
//   4. where the build was to be installed.

#define _GNU_SOURCE // dladdr()

#include "config/config.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// "/p/lib/libwsr.so.0" and "../share/wsr" -> "/p/lib/../share/wsr", if that is
// there; symbolic links of the file are followed first.
static bool beside(char out[PATH_MAX], const char *file, const char *distance)
{
    char real[PATH_MAX];
    if (file == NULL || realpath(file, real) == NULL) {
        return false;
    }
    const char *const slash = strrchr(real, '/');
    const int length = slash == NULL ? 0 : (int)(slash - real);
    const int n = snprintf(out, PATH_MAX, "%.*s/%s", length, real, distance);
    return n > 0 && n < PATH_MAX && wsr__file_exists(out);
}

// File of the shared library; of the program where that holds the code.
static const char *own_file(void)
{
    static const char here;
    Dl_info info = {0};
    return dladdr(&here, &info) != 0 ? info.dli_fname : NULL;
}

// Where a folder of an installation or of the build is. [owned]
static char *path_of(const char *from_lib, const char *from_bin,
                     const char *const others[2], const char *relative)
{
    char moved[PATH_MAX];
    const char *root = moved;
    if (!beside(moved, own_file(), from_lib) &&
        !beside(moved, "/proc/self/exe", from_bin)) {
        root = wsr__file_exists(others[0]) ? others[0] : others[1];
    }
    return wsr__path_join(root, relative);
}

char *wsr__share_path(const char *relative)
{
    static const char *const others[] = {WSR_SHARE_BUILD, WSR_SHARE_INSTALL};
    const char *const root = getenv("WSR_SHARE");
    if (root != NULL && root[0] != '\0') {
        return wsr__path_join(root, relative);
    }
    return path_of(WSR_SHARE_FROM_LIB, WSR_SHARE_FROM_BIN, others, relative);
}

char *wsr__plugin_path(const char *name)
{
    static const char *const others[] = {WSR_PLUGIN_BUILD, WSR_PLUGIN_INSTALL};
    return path_of("wsr", WSR_PLUGIN_FROM_BIN, others, name);
}
