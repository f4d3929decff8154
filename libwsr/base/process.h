// SPDX-License-Identifier: Apache-2.0
//
// A program that another process runs, with pipes to its standard input and
// from its standard output. Its standard error is the caller's.

#ifndef WSR_BASE_PROCESS_H
#define WSR_BASE_PROCESS_H

#include "base/base.h"

typedef struct wsr__process wsr__process;

/// Bytes to a program and from it, as part of one exchange with a time limit.
typedef struct wsr__transfer {
    const unsigned char *send;
    size_t to_send;
    unsigned char *receive;
    size_t room; // of `receive`
    size_t sent;
    size_t received;
    double until;   // on the clock of wsr__seconds()
    double seconds; // the time limit, for the detail of its failure
} wsr__transfer;

/// Start a command: a program and its arguments between blanks, or, with
/// characters that mean something to it, a command of /bin/sh. [out, owned]
/// NULL on failure: NOTFOUND, IO, NOMEM.
wsr_status wsr__process_start(wsr__process **out, const char *command);

/// What failures call the program: its command, cut to some bytes. [borrowed]
const char *wsr__process_name(const wsr__process *process);

/// Send everything and receive until `received` has reached `wanted`, both at
/// once: a program may answer before it has read everything. What comes beyond
/// `wanted` is taken as long as there is room. IO when the program ends or
/// closes its output first, and when the time is over. A failed program is
/// ended at once; every further transfer fails.
wsr_status wsr__process_transfer(wsr__process *process, wsr__transfer *transfer,
                                 size_t wanted);

/// End a program without waiting for what it does; it is not freed.
void wsr__process_kill(wsr__process *process);

/// Close the pipes, by which the program knows the end, and wait for it. One
/// that does not end within two seconds is killed. NULL is legal.
void wsr__process_free(wsr__process *process);

#endif
