// SPDX-License-Identifier: Apache-2.0
//
// Wilson's interval for a probability (Wilson, "Probable inference, the law of
// succession, and statistical inference", 1927).

#include "base/base.h"

#include <math.h>

// At shares of 0 and 1 the formula's end is off by rounding only; it is set
// exactly, so that an interval always holds the share.
void wsr__wilson(double *low, double *high, double share, double n)
{
    const double z = 1.959963984540054; // 97.5 % of a normal variable are below
    const double zz = z * z / n;
    const double centre = share + zz / 2;
    const double width = z * sqrt(share * (1 - share) / n + zz / (4 * n));
    *low = share <= 0 ? 0 : (centre - width) / (1 + zz);
    *high = share >= 1 ? 1 : (centre + width) / (1 + zz);
}
