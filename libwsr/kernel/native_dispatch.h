// SPDX-License-Identifier: Apache-2.0
//
// Dispatch of the native kernels. Each kernel file is compiled once per
// instruction set, with WSR_ISA defined as base, avx2 or avx512, and puts that
// word into the names of what it exports. native_table.c, compiled likewise,
// collects the kernels of one instruction set in a table. native_dispatch.c
// chooses a table when a kernel is first called; the functions of native.h call
// through it. All of this is generated from kernels.def.

#ifndef WSR_KERNEL_NATIVE_DISPATCH_H
#define WSR_KERNEL_NATIVE_DISPATCH_H

#include "kernel/native.h"

// Names and lists of parameters are declared, not computed with: parentheses
// around them would mean something else.
// NOLINTBEGIN(bugprone-macro-parentheses)

/// The kernels of one instruction set.
typedef struct wsr__kernels {
#define WSR_KERNEL(file, name, parameters, arguments) void(*name) parameters;
#include "kernel/kernels.def"
#undef WSR_KERNEL
} wsr__kernels;

extern const wsr__kernels wsr__kernels_base;
extern const wsr__kernels wsr__kernels_avx2;
extern const wsr__kernels wsr__kernels_avx512;

#ifdef WSR_ISA
#define WSR_PASTE_(a, b) a##_##b
#define WSR_PASTE(a, b) WSR_PASTE_(a, b)
/// A name of the instruction set that is being compiled: WSR_NAME(wsr__x) is
/// wsr__x_base, wsr__x_avx2 or wsr__x_avx512.
#define WSR_NAME(name) WSR_PASTE(name, WSR_ISA)

// What the kernel files define.
#define WSR_KERNEL(file, name, parameters, arguments) \
    void WSR_NAME(wsr__##name) parameters;
#include "kernel/kernels.def"
#undef WSR_KERNEL
#endif

// NOLINTEND(bugprone-macro-parentheses)

#endif
