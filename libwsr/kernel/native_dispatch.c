// SPDX-License-Identifier: Apache-2.0
//
// Choice of the instruction set of the native kernels, made once and kept in
// one pointer, and the functions of native.h, which call through it.

#include "kernel/native_dispatch.h"

#include <stdatomic.h>

typedef struct variant {
    const char *name;
    const wsr__kernels *kernels;
} variant;

#define VARIANT(isa)                                  \
    {                                                 \
        .name = #isa, .kernels = &wsr__kernels_##isa, \
    }

// From plain to best: the last one that the processor supports is chosen.
static const variant variants[] = {
    VARIANT(base),
#if WSR_HAVE_X86_VARIANTS
    VARIANT(avx2),
    VARIANT(avx512),
#endif
};

// The processor must have every extension that cmake compiles the variant with.
static bool supported(const variant *v)
{
#if WSR_HAVE_X86_VARIANTS
    __builtin_cpu_init();
    if (v == &variants[1]) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    if (v == &variants[2]) {
        return __builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    }
#endif
    return v == &variants[0];
}

// NULL until the first call. Threads that come at once find the same answer, so
// it does not matter whose store wins.
static _Atomic(const variant *) chosen;

static const variant *native(void)
{
    const variant *v = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (v == NULL) {
        size_t best = sizeof(variants) / sizeof(variants[0]) - 1;
        while (!supported(&variants[best])) {
            best--;
        }
        v = &variants[best];
        atomic_store_explicit(&chosen, v, memory_order_relaxed);
    }
    return v;
}

// A part of wsr_build_info() as well: results of different instruction sets
// differ in rounding.
const char *wsr__native_name(void)
{
    return native()->name;
}

wsr_status wsr__native_force(const char *name)
{
    if (name == NULL) {
        atomic_store_explicit(&chosen, NULL, memory_order_relaxed);
        return WSR_OK;
    }
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        if (wsr__streq(name, variants[i].name) && supported(&variants[i])) {
            atomic_store_explicit(&chosen, &variants[i], memory_order_relaxed);
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "native kernels: this processor cannot run '%s'", name);
}

// ----------------------------------------------------------------- kernels

#define WSR_KERNEL(file, name, parameters, arguments) \
    void wsr__##name parameters                       \
    {                                                 \
        native()->kernels->name arguments;            \
    }
#include "kernel/kernels.def"
#undef WSR_KERNEL
