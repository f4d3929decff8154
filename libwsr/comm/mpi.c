// SPDX-License-Identifier: Apache-2.0
//
// The plug-in: MPI's functions under the names of calls.h. It is built once for
// each MPI library that is found, and is no part of libwsr itself. Messages are
// bytes, cut into pieces that MPI's int can count. No operation of MPI adds
// numbers: in which order it would is its own affair.

#include "comm/calls.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>

static const size_t piece = (size_t)1 << 30;

enum { EXCHANGE = 1 << 14 }; // a tag that senders do not use

static int part_of(size_t bytes, size_t at)
{
    return (int)(bytes - at < piece ? bytes - at : piece);
}

// Errors come back instead of ending the job with MPI's own words. A program
// that has initialised MPI keeps it.
static bool open_mpi(int *rank, int *size, int *local_rank, int *local_size)
{
    MPI_Comm local = MPI_COMM_NULL;
    int begun = 0;
    int level = 0;
    if (MPI_Initialized(&begun) != MPI_SUCCESS ||
        (begun == 0 && MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED,
                                       &level) != MPI_SUCCESS) ||
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) !=
            MPI_SUCCESS ||
        MPI_Comm_rank(MPI_COMM_WORLD, rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, size) != MPI_SUCCESS ||
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, *rank,
                            MPI_INFO_NULL, &local) != MPI_SUCCESS) {
        return false;
    }
    const bool known = MPI_Comm_rank(local, local_rank) == MPI_SUCCESS &&
                       MPI_Comm_size(local, local_size) == MPI_SUCCESS;
    return MPI_Comm_free(&local) == MPI_SUCCESS && known;
}

static bool send_bytes(const void *data, size_t bytes, int to, int tag)
{
    size_t at = 0;
    do {
        const int n = part_of(bytes, at);
        if (MPI_Send((const char *)data + at, n, MPI_BYTE, to, tag,
                     MPI_COMM_WORLD) != MPI_SUCCESS) {
            return false;
        }
        at += (size_t)n;
    } while (at < bytes);
    return true;
}

static bool receive_bytes(void *data, size_t bytes, int from, int tag)
{
    size_t at = 0;
    do {
        const int n = part_of(bytes, at);
        if (MPI_Recv((char *)data + at, n, MPI_BYTE, from, tag, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return false;
        }
        at += (size_t)n;
    } while (at < bytes);
    return true;
}

static bool exchange_bytes(const void *out, size_t out_bytes, void *in,
                           size_t in_bytes, int with)
{
    size_t at = 0;
    do {
        const size_t o = at < out_bytes ? at : out_bytes;
        const size_t i = at < in_bytes ? at : in_bytes;
        if (MPI_Sendrecv((const char *)out + o, part_of(out_bytes, o), MPI_BYTE,
                         with, EXCHANGE, (char *)in + i, part_of(in_bytes, i),
                         MPI_BYTE, with, EXCHANGE, MPI_COMM_WORLD,
                         MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return false;
        }
        at += piece;
    } while (at < out_bytes || at < in_bytes);
    return true;
}

// An exchange that has begun.
typedef struct request {
    bool taken;
    MPI_Request sent;
    MPI_Request received;
} request;

static request under_way[WSR__COMM_UNDER_WAY];

static bool start_exchange(const wsr__exchange *what, int *number)
{
    int i = 0;
    while (i < WSR__COMM_UNDER_WAY && under_way[i].taken) {
        i++;
    }
    if (i == WSR__COMM_UNDER_WAY || what->out_bytes > INT_MAX ||
        what->in_bytes > INT_MAX) {
        return false;
    }
    request *const r = &under_way[i];
    r->taken = MPI_Irecv(what->in, (int)what->in_bytes, MPI_BYTE, what->with,
                         what->tag, MPI_COMM_WORLD,
                         &r->received) == MPI_SUCCESS &&
               MPI_Isend(what->out, (int)what->out_bytes, MPI_BYTE, what->with,
                         what->tag, MPI_COMM_WORLD, &r->sent) == MPI_SUCCESS;
    *number = i;
    return r->taken;
}

// One that is done is none afterwards, which is done, too. The checker does not
// see that it began in an earlier call.
static bool finish_exchange(int number, bool wait, bool *done)
{
    request *const r = &under_way[number];
    MPI_Request both[] = {r->received, r->sent};
    MPI_Status statuses[2]; // MPICH's word for none looks like a bad pointer
    int all = 1;
    // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
    const int result = wait ? MPI_Waitall(2, both, statuses)
                            : MPI_Testall(2, both, &all, statuses);
    *done = all != 0;
    r->received = both[0];
    r->sent = both[1];
    r->taken = !*done;
    return result == MPI_SUCCESS;
}

static bool probe_message(int *from, size_t *bytes, int tag)
{
    MPI_Status status;
    int there = 0;
    int count = 0;
    *from = -1;
    if (MPI_Iprobe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &there, &status) !=
        MPI_SUCCESS) {
        return false;
    }
    if (there != 0) {
        *from = status.MPI_SOURCE;
        if (MPI_Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS) {
            return false;
        }
    }
    *bytes = (size_t)count;
    return true;
}

static bool broadcast_bytes(void *data, size_t bytes, int root)
{
    for (size_t at = 0; at < bytes; at += piece) {
        if (MPI_Bcast((char *)data + at, part_of(bytes, at), MPI_BYTE, root,
                      MPI_COMM_WORLD) != MPI_SUCCESS) {
            return false;
        }
    }
    return true;
}

static bool all_gather(void *data, size_t bytes)
{
    int size = 0;
    if (MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS) {
        return false;
    }
    if (bytes <= (size_t)INT_MAX / (size_t)size) {
        return MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data,
                             (int)bytes, MPI_BYTE,
                             MPI_COMM_WORLD) == MPI_SUCCESS;
    }
    for (int r = 0; r < size; r++) {
        if (!broadcast_bytes((char *)data + (size_t)r * bytes, bytes, r)) {
            return false;
        }
    }
    return true;
}

static bool barrier(void)
{
    return MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS;
}

static void abort_all(int code)
{
    (void)MPI_Abort(MPI_COMM_WORLD, code);
}

static void close_mpi(void)
{
    int done = 0;
    if (MPI_Finalized(&done) == MPI_SUCCESS && done == 0) {
        (void)MPI_Finalize();
    }
}

// Of MPICH's description the first line is the version.
static void describe(char *out, size_t size)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n = 0;
    (void)MPI_Get_library_version(text, &n);
    for (n = 0; text[n] != '\0' && text[n] != '\n' && text[n] != ','; n++) {
    }
    (void)snprintf(out, size, "%.*s", n, text);
}

extern const wsr__comm_calls wsr_comm_calls
    __attribute__((visibility("default")));

const wsr__comm_calls wsr_comm_calls = {
    .version = WSR__COMM_VERSION,
    .open = open_mpi,
    .send = send_bytes,
    .receive = receive_bytes,
    .exchange = exchange_bytes,
    .start = start_exchange,
    .finish = finish_exchange,
    .probe = probe_message,
    .broadcast = broadcast_bytes,
    .all_gather = all_gather,
    .barrier = barrier,
    .abort = abort_all,
    .close = close_mpi,
    .describe = describe,
};
