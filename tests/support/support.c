// SPDX-License-Identifier: Apache-2.0

#include "support/support.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    (void)fflush(stdout);
    _Exit(77); // leaves what Check holds, without the leak checker's report
}

bool same_bits(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

const char *shared_folder(void)
{
    const char *const path = getenv("WSR_SHARED");
    struct stat info;
    if (path == NULL || stat(path, &info) != 0) {
        skip("the folder of shared files that WSR_SHARED names is absent");
    }
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

const char *scratch_folder(const char *name)
{
    static char path[512];
    const char *const base = getenv("WSR_SCRATCH");
    if (base != NULL) {
        (void)mkdir(base, 0777);
    }
    (void)snprintf(path, sizeof(path), "%s/scratch-%s",
                   base != NULL ? base : ".", name);
    (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        skip("no scratch folder can be made");
    }
    return path;
}

Suite *suite_with(const char *name, const TTest *const *tests,
                  void (*setup)(void))
{
    Suite *const made = suite_create(name);
    TCase *const tcase = tcase_create(name);
    tcase_set_timeout(tcase, 0); // ctest has one
    tcase_add_unchecked_fixture(tcase, setup, NULL);
    for (size_t i = 0; tests[i] != NULL; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(made, tcase);
    return made;
}

static void nothing(void)
{
}

Suite *suite_of(const char *name, const TTest *const *tests)
{
    return suite_with(name, tests, nothing);
}
