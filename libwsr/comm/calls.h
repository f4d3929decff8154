// SPDX-License-Identifier: Apache-2.0
//
// What a plug-in of a message passing library has, in MPI's terms. It is
// compiled with the headers of one such library (mpi.c), the library without
// any. Numbers of bytes may exceed what MPI's counts hold.

#ifndef WSR_COMM_CALLS_H
#define WSR_COMM_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    WSR__COMM_VERSION = 2, // of this struct
    WSR__COMM_UNDER_WAY = 1024
};

/// An exchange between two processes; its messages have a tag.
typedef struct wsr__exchange {
    const void *out;
    size_t out_bytes;
    void *in;
    size_t in_bytes;
    int with;
    int tag;
} wsr__exchange;

/// Functions return whether they worked. All processes are one communicator.
typedef struct wsr__comm_calls {
    unsigned version;
    /// MPI_Init; rank and size, and those among the processes of this machine.
    bool (*open)(int *rank, int *size, int *local_rank, int *local_size);
    bool (*send)(const void *data, size_t bytes, int to, int tag);
    bool (*receive)(void *data, size_t bytes, int from, int tag);
    /// Send to a process and receive as much or less from the same.
    bool (*exchange)(const void *out, size_t out_bytes, void *in,
                     size_t in_bytes, int with);
    /// Begin an exchange of less than 2 GB each way. Both arrays belong to it
    /// until finish() says that it is done. At most WSR__COMM_UNDER_WAY at a
    /// time.
    bool (*start)(const wsr__exchange *what, int *number);
    /// Whether an exchange is done; `wait` until it is. Its number is then
    /// free.
    bool (*finish)(int number, bool wait, bool *done);
    /// A message that waits to be received, of a tag: from -1 when none does.
    bool (*probe)(int *from, size_t *bytes, int tag);
    bool (*broadcast)(void *data, size_t bytes, int root);
    /// `data` holds the parts of all ranks, of `bytes` each, own part in place.
    bool (*all_gather)(void *data, size_t bytes);
    bool (*barrier)(void);
    void (*abort)(int code);
    void (*close)(void); // MPI_Finalize
    /// Name and version of the library.
    void (*describe)(char *out, size_t size);
} wsr__comm_calls;

#define WSR__COMM_SYMBOL "wsr_comm_calls" // of type wsr__comm_calls

#endif
