// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic. Three sources of it:
//   ref.h     plain C on plain tensors, the oracle of everything else
//   native.h  our own kernels on blocked tensors, dispatched by instruction set
//   dnnl.h    oneDNN, for dense convolutions and matrix products
// No other directory calls oneDNN.

#ifndef WSR_KERNEL_KERNEL_H
#define WSR_KERNEL_KERNEL_H

#include "kernel/dnnl.h"
#include "kernel/native.h"
#include "kernel/ref.h"

#endif
