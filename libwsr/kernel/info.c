// SPDX-License-Identifier: Apache-2.0
//
// Describes version, oneDNN, instruction set and threads in one line, for logs
// and reports.

#include "base/base.h"
#include "kernel/native.h"

#include <oneapi/dnnl/dnnl.h>

const char *wsr_build_info(void)
{
    static _Thread_local char line[160]; // the number of threads may change
    const dnnl_version_t *const dnnl = dnnl_version();
    (void)snprintf(line, sizeof(line),
                   "libwsr %s, oneDNN %d.%d.%d, %s kernels, %zu threads",
                   wsr_version(), dnnl->major, dnnl->minor, dnnl->patch,
                   wsr__native_name(), wsr_threads());
    return line;
}
