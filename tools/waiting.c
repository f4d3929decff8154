// SPDX-License-Identifier: Apache-2.0
//
// How long idle threads spin. OpenMP's run-time library spins for milliseconds
// before it sleeps; where other programs use the processors as well, threads
// then take from each other the time that they wait for, and a run becomes
// twenty times slower. The library reads its settings when it is loaded,
// before main(), so that a program that wants others must start over.

#include "waiting.h"

#include <stdlib.h>
#include <unistd.h>

void wait_briefly(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) {
        return;
    }
    // By its own path, so that the process keeps its name.
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n > 0 && setenv("GOMP_SPINCOUNT", "1000", 1) == 0) {
        path[n] = '\0';
        (void)execv(path, argv); // as before if that cannot be
    }
}
