// SPDX-License-Identifier: Apache-2.0
//
// Version text, made from the numbers in the public header.

#include "base/base.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *wsr_version(void)
{
    return TEXT(WSR_VERSION_MAJOR) "." TEXT(WSR_VERSION_MINOR) "." TEXT(
        WSR_VERSION_PATCH);
}
