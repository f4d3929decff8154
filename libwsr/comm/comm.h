// SPDX-License-Identifier: Apache-2.0
//
// Communication among the processes of a job, in MPI's terms: rank, size,
// broadcast, gather. comm.c joins the job and passes bytes, plugin.c finds the
// plug-in, tree.c adds floats in an order that does not depend on the number of
// processes, buckets.c does so while the process computes. With one process
// everything returns at once.
//
// Collective functions are called by all processes in the same order. A process
// that fails between two of them does not know what the others wait for; so
// whoever may fail alone takes part in wsr__comm_agree() first.

#ifndef WSR_COMM_COMM_H
#define WSR_COMM_COMM_H

#include "base/base.h"
#include "comm/calls.h"
#include "wsr/comm.h"

/// Load the plug-in that the environment asks for. [out] NULL without a
/// launcher. NOTFOUND when there is one but no plug-in.
wsr_status wsr__comm_plugin(const wsr__comm_calls **out);

/// Whether there is more than one process.
bool wsr__comm_many(void);

/// Collective. The failure of the process of the lowest rank that has one is
/// that of all, with its detail; where others have none it names the rank.
wsr_status wsr__comm_agree(wsr_status status);

/// Collective. Whether `flag`, which asks to stop, is set in any process.
wsr_status wsr__comm_any(bool *flag);

/// Collective. Each process has filled its own part of data, of `bytes` for
/// each rank; afterwards all have all parts.
wsr_status wsr__comm_all_gather(void *data, size_t bytes);

/// Collective. Bytes of the process `root` to all.
wsr_status wsr__comm_broadcast(void *data, size_t bytes, size_t root);

/// Collective. `items` items of `bytes` each lie in the order of their numbers;
/// each process has filled those of its share, wsr__comm_share(); afterwards
/// all have all.
wsr_status wsr__comm_gather_shares(void *data, size_t bytes, size_t items);

/// A range of items, [begin, end).
typedef struct wsr__items {
    size_t begin;
    size_t end;
} wsr__items;

/// The items of a rank, of so many altogether.
wsr__items wsr__comm_share(size_t items, size_t rank);
/// The rank that has an item.
size_t wsr__comm_owner(size_t items, size_t item);

/// Messages between two processes. BACKEND.
wsr_status wsr__comm_send(const void *data, size_t bytes, size_t to, int tag);
wsr_status wsr__comm_receive(void *data, size_t bytes, size_t from, int tag);
/// Whether a message of a tag waits, and whose.
wsr_status wsr__comm_probe(bool *there, size_t *from, size_t *bytes, int tag);
/// Send to a process and receive from it.
wsr_status wsr__comm_exchange(const void *out, size_t out_bytes, void *in,
                              size_t in_bytes, size_t with);

/// Begin an exchange and go on with other work; its arrays are borrowed until
/// it is done. Messages only move in calls of these functions. `number` is for
/// wsr__comm_finish(). BACKEND.
wsr_status wsr__comm_start(int *number, const wsr__exchange *what);
/// Whether an exchange is done; `wait` until it is.
wsr_status wsr__comm_finish(bool *done, int number, bool wait);

/// Seconds that this process has spent in communication, waiting included, and
/// bytes that it sent to others since it was opened.
typedef struct wsr__comm_cost {
    double seconds;
    double bytes;
} wsr__comm_cost;

wsr__comm_cost wsr__comm_spent(void);

// -------------------------------------------------------------------- tree

/// The sum of arrays, one for each of `parts` parts, in a fixed binary tree:
///
///   sum of [0, 2^k) = sum of [0, 2^(k-1)) + sum of [2^(k-1), 2^k), ...
///
/// so that its bits depend on the number of parts alone. Parts are divided
/// among processes as wsr__comm_share() says.
typedef struct wsr__tree wsr__tree;

/// Room for arrays of n floats, or of n doubles. [out, owned] NULL on failure.
wsr_status wsr__tree_new(wsr__tree **out, size_t n);
wsr_status wsr__tree_new_doubles(wsr__tree **out, size_t n);
void wsr__tree_free(wsr__tree *tree); // NULL is legal
double wsr__tree_bytes(const wsr__tree *tree);

/// Begin a sum. `leaves`, at most `parts`, have an array; the others have none.
void wsr__tree_begin(wsr__tree *tree, size_t parts, size_t leaves);
/// Room for the array of the next part of this process, to be filled before
/// the next call. [borrowed] NULL for want of memory.
void *wsr__tree_leaf(wsr__tree *tree);

/// Whether numbers can be added among the processes while others are yet to be
/// computed: processes and parts must be powers of 2, all parts must have an
/// array, and it must not be short. All processes have the same answer.
bool wsr__tree_overlaps(const wsr__tree *tree);
/// n numbers from `begin` of the leaf of this process's last part are complete.
/// Where the tree overlaps, they are added to those of the other parts, in
/// buckets, as soon as one is full. BACKEND.
wsr_status wsr__tree_ready(wsr__tree *tree, size_t begin, size_t n);
/// Let messages that are under way go on. BACKEND.
wsr_status wsr__tree_poll(wsr__tree *tree);

/// Collective. The sum, in all processes. [borrowed until the next begin]
/// A process that has failed calls it all the same where the tree overlaps:
/// others may have begun. Whatever it has is added then.
wsr_status wsr__tree_sum(const float **out, wsr__tree *tree);
wsr_status wsr__tree_sum_doubles(const double **out, wsr__tree *tree);

#endif
