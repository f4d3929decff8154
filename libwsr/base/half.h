// SPDX-License-Identifier: Apache-2.0
//
// Floats of 16 bits, widened exactly: IEEE 754 binary16, and bfloat16, the
// upper half of a binary32.

#ifndef WSR_BASE_HALF_H
#define WSR_BASE_HALF_H

#include <stdint.h>

double wsr__from_float16(uint16_t bits);
double wsr__from_bfloat16(uint16_t bits);

#endif
