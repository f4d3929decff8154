// SPDX-License-Identifier: Apache-2.0
//
// A program that knows nothing of the source tree; compiled as C and as C++.

#include <stdio.h>
#include <string.h>
#include <wsr.h>

int main(void)
{
    char expected[32];
    snprintf(expected, sizeof(expected), "%d.%d.%d", WSR_VERSION_MAJOR,
             WSR_VERSION_MINOR, WSR_VERSION_PATCH);
    if (strcmp(expected, wsr_version()) != 0) {
        printf("headers %s, library %s\n", expected, wsr_version());
        return 1;
    }
    printf("%s\n", wsr_build_info());
    return 0;
}
