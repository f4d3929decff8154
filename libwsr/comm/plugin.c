// SPDX-License-Identifier: Apache-2.0
//
// Finds out whether a launcher started this process, and loads the plug-in of
// its MPI library. What launchers set:
//
//   mpirun of Open MPI       OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
//   mpiexec of MPICH         PMI_RANK, PMI_SIZE
//   srun --mpi=pmi2          PMI_RANK, PMI_SIZE
//   srun --mpi=pmix          PMIX_RANK, SLURM_STEP_NUM_TASKS
//
// Only Open MPI takes part in a job of PMIX; in one of PMI it is MPICH here,
// and WSR_MPI=openmpi says otherwise.

#define _GNU_SOURCE // dladdr()

#include "comm/comm.h"
#include "config/config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *const value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool is_one(const char *name)
{
    const char *const value = variable(name);
    return value != NULL && wsr__streq(value, "1");
}

// NULL: no launcher, or a job of one process.
static const char *library_of_launcher(void)
{
    const bool ompi = variable("OMPI_COMM_WORLD_RANK") != NULL;
    const bool pmi = variable("PMI_RANK") != NULL;
    const bool pmix = variable("PMIX_RANK") != NULL;
    const char *const named = variable("WSR_MPI");
    const bool alone = ompi  ? is_one("OMPI_COMM_WORLD_SIZE")
                       : pmi ? is_one("PMI_SIZE")
                             : is_one("SLURM_STEP_NUM_TASKS");
    if ((!ompi && !pmi && !pmix) || alone) {
        return NULL;
    }
    return named != NULL ? named : ompi || !pmi ? "openmpi" : "mpich";
}

// The plug-in stays loaded: MPI libraries do not like to be unloaded. Their
// parts look for symbols of the library in the program.
static const wsr__comm_calls *load(const char *path)
{
    void *const handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    return handle == NULL ? NULL : dlsym(handle, WSR__COMM_SYMBOL);
}

wsr_status wsr__comm_plugin(const wsr__comm_calls **out)
{
    wsr_status status = WSR_OK;
    const char *const library = library_of_launcher();
    char name[64];
    char *path = NULL;
    *out = NULL;
    if (library == NULL) {
        return WSR_OK;
    }
    (void)snprintf(name, sizeof(name), "wsr_comm_%.32s.so", library);
    path = wsr__plugin_path(name);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    *out = load(path);
    if (*out == NULL || (*out)->version != WSR__COMM_VERSION) {
        *out = NULL;
        const char *const why = dlerror();
        status = WSR_FAIL(
            WSR_NOTFOUND,
            "a launcher of MPI started this process, and %s cannot be loaded "
            "(%.120s); build libwsr where this MPI is installed, or name "
            "openmpi or mpich in WSR_MPI",
            path, why == NULL ? "of another version" : why);
    }
    wsr__free(path);
    return status;
}
