// SPDX-License-Identifier: Apache-2.0
//
// The table of the kernels of one instruction set, see native_dispatch.h.

#include "kernel/native_dispatch.h"

const wsr__kernels WSR_NAME(wsr__kernels) = {
#define WSR_KERNEL(file, name, parameters, arguments) \
    .name = WSR_NAME(wsr__##name),
#include "kernel/kernels.def"
#undef WSR_KERNEL
};
