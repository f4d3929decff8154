// SPDX-License-Identifier: Apache-2.0

#include "base/half.h"

#include <math.h>
#include <string.h>

// Sign, 5 bits of exponent with a bias of 15, 10 bits of fraction.
double wsr__from_float16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    double size = 0;
    if (exponent == 31) {
        size = fraction != 0 ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        size = ldexp(fraction, -24);
    } else {
        size = ldexp(1024 + fraction, exponent - 25);
    }
    return bits >> 15 != 0 ? -size : size;
}

// The lower half of the binary32 is zeros.
double wsr__from_bfloat16(uint16_t bits)
{
    const uint32_t whole = (uint32_t)bits << 16;
    float value = 0;
    memcpy(&value, &whole, sizeof(value));
    return (double)value;
}
