// SPDX-License-Identifier: Apache-2.0
//
// Processes of one job (MPI). A program that mpirun or srun starts opens
// communication before anything else; wsr_train_run(), wsr_search_run() and
// wsr_eval_run() then share their work among the processes: each calls the same
// function with the same arguments. Without wsr_comm_open(), and where no
// launcher is, there is one process of rank 0.
//
//     wsr_comm_open();
//     status = wsr_train_run(...);
//     if (wsr_comm_rank() == 0) { ... print ... }
//     wsr_comm_close(status);

#ifndef WSR_COMM_H
#define WSR_COMM_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Join the job that a launcher started this process for. MPI is a plug-in: the
 * function loads the one of the launcher's library (Open MPI or MPICH), which
 * the environment variable WSR_MPI names where that cannot be seen. Without a
 * launcher the function does nothing. Call it once, before other functions and
 * before threads are started.
 *
 * Where all processes of a machine may use all of its processors, each gets its
 * share of them as threads; wsr_set_threads() says otherwise.
 *
 * @returns WSR_NOTFOUND when there is a launcher, but no plug-in for it;
 *          WSR_BACKEND when MPI does not start, or when the processes do not
 *          compute with the same kernels; WSR_ARG when it was open
 */
WSR_API WSR_MUST_USE wsr_status wsr_comm_open(void);

/** Number of this process, from 0. Process 0 writes files, log and progress. */
WSR_API size_t wsr_comm_rank(void);

/** Number of processes; 1 without a job. */
WSR_API size_t wsr_comm_size(void);

/**
 * Whether all processes know of the last failure, as they do when a run failed
 * on all of them. Process 0 then says what it was. Where they do not, the
 * process that failed does, and ends the job: wsr_comm_close().
 */
WSR_API bool wsr_comm_agreed(void);

/**
 * Leave the job. A failure that all processes know of, as those of runs that
 * ended on all of them, is waited for; any other ends all processes at once,
 * with exit code 1: MPI_Abort(). The caller has then said why.
 *
 * @param status what the work of this process ended with
 */
WSR_API void wsr_comm_close(wsr_status status);

#ifdef __cplusplus
}
#endif

#endif
