// SPDX-License-Identifier: Apache-2.0
//
// All arithmetic of the library, in three headers:

#ifndef WSR_KERNEL_KERNEL_H
#define WSR_KERNEL_KERNEL_H

#include "kernel/dnnl.h"
#include "kernel/native.h"
#include "kernel/ref.h"

#endif
