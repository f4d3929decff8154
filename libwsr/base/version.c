// SPDX-License-Identifier: Apache-2.0
//
// Version of the library, made from the numbers in the public header.

#include "base/base.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *wsr_version(void)
{
    return TEXT(WSR_VERSION_MAJOR) "." TEXT(WSR_VERSION_MINOR) "." TEXT(
        WSR_VERSION_PATCH);
}

unsigned wsr_version_number(void)
{
    return WSR_VERSION_NUMBER;
}
