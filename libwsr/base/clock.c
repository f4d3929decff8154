// SPDX-License-Identifier: Apache-2.0
//
// Reads the monotonic clock: times measured with it do not change when the date
// is set.

#include "base/base.h"

#include <time.h>

double wsr__seconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
