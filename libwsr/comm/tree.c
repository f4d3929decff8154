// SPDX-License-Identifier: Apache-2.0
//
// Sums of arrays in a fixed binary tree over parts 0, 1, ..., n - 1: node j of
// level l is the sum of the parts [j 2^l, (j + 1) 2^l) that there are,
//
//   node(l + 1, j) = node(l, 2j) + node(l, 2j + 1),
//
// or the left one alone at the right edge. A process adds its own parts as far
// as they form whole nodes, like a binary counter. Then a node whose children
// lie in two processes is added in the one that has the left child.
//
// Where every process has one node of the same level and their number is a
// power of 2, processes halve the arrays instead (buckets.c), in the same tree;
// that can begin while numbers are yet to be computed. Short arrays, for which
// the number of messages counts, are exchanged as a whole at each level.
// MPI_Allreduce may do so as well, but promises no order.
//
// Arrays are of floats (gradients) or of doubles (sums of norms).

#include "comm/buckets.h"
#include "comm/comm.h"

#include <string.h>

enum { TAG = 1, NODES = 48, SHORT = 16384 }; // SHORT: bytes

typedef struct node {
    void *sum; // (n)
    size_t level;
    size_t index;
} node;

struct wsr__tree {
    size_t n;
    size_t size; // of a number
    size_t parts;
    size_t leaves;
    size_t next;       // part of this process
    size_t end;        // of its parts that are leaves
    bool open;         // the last leaf waits to be added
    node nodes[NODES]; // in ascending order of their parts
    size_t used;
    size_t made; // nodes that have memory
    void *incoming;
    wsr__buckets *buckets; // NULL: processes or numbers are too few
    bool begun;            // the buckets have their arrays
};

static bool power_of_two(size_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

// The first node has its memory from the beginning: a process that lacked some
// in the middle of a sum would leave the others waiting.
static wsr_status tree_new(wsr__tree **out, size_t n, size_t size)
{
    wsr_status status = WSR_OK;
    wsr__tree *const tree = wsr__alloc(1, sizeof(*tree));
    *out = NULL;
    if (tree == NULL) {
        return WSR_NOMEM;
    }
    tree->n = n;
    tree->size = size;
    if (wsr__comm_many()) {
        tree->incoming = wsr__alloc(n, size);
        tree->nodes[0].sum = wsr__alloc(n, size);
        tree->made = tree->nodes[0].sum != NULL;
        status = tree->incoming == NULL || tree->made == 0 ? WSR_NOMEM : WSR_OK;
    }
    if (status == WSR_OK && wsr__comm_many() && n * size > SHORT &&
        power_of_two(wsr_comm_size())) {
        status = wsr__buckets_new(&tree->buckets, n, size, tree->incoming);
    }
    if (status != WSR_OK) {
        wsr__tree_free(tree);
        return status;
    }
    *out = tree;
    return WSR_OK;
}

wsr_status wsr__tree_new(wsr__tree **out, size_t n)
{
    return tree_new(out, n, sizeof(float));
}

wsr_status wsr__tree_new_doubles(wsr__tree **out, size_t n)
{
    return tree_new(out, n, sizeof(double));
}

void wsr__tree_free(wsr__tree *tree)
{
    if (tree != NULL) {
        for (size_t i = 0; i < tree->made; i++) {
            wsr__free(tree->nodes[i].sum);
        }
        wsr__buckets_free(tree->buckets);
        wsr__free(tree->incoming);
        wsr__free(tree);
    }
}

double wsr__tree_bytes(const wsr__tree *tree)
{
    return (double)(tree->made + (tree->incoming != NULL)) * (double)tree->n *
           (double)tree->size;
}

void wsr__tree_begin(wsr__tree *tree, size_t parts, size_t leaves)
{
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    tree->parts = parts;
    tree->leaves = leaves;
    tree->next = mine.begin;
    tree->end = mine.end < leaves ? mine.end : leaves;
    tree->open = false;
    tree->used = 0;
    tree->begun = false;
}

// Nodes of a level, those at the right edge included.
static size_t nodes_at(const wsr__tree *t, size_t level)
{
    return (t->leaves + ((size_t)1 << level) - 1) >> level;
}

// The last two nodes become their parent while they are siblings; a node
// without a sibling becomes its parent alone.
static void fold(wsr__tree *t)
{
    while (t->used > 0) {
        node *const b = &t->nodes[t->used - 1];
        node *const a = t->used > 1 ? b - 1 : NULL;
        const bool alone = b->index % 2 == 0 &&
                           b->index + 1 == nodes_at(t, b->level) &&
                           nodes_at(t, b->level) > 1;
        if (alone) {
            b->level++;
            b->index /= 2;
        } else if (a != NULL && a->level == b->level && a->index % 2 == 0 &&
                   a->index + 1 == b->index) {
            wsr__add_numbers(a->sum, b->sum, t->n, t->size);
            a->level++;
            a->index /= 2;
            t->used--;
        } else {
            break;
        }
    }
}

static void close_leaf(wsr__tree *t)
{
    if (t->open) {
        t->open = false;
        fold(t);
    }
}

// The memory of nodes is kept from sum to sum.
void *wsr__tree_leaf(wsr__tree *tree)
{
    close_leaf(tree);
    if (tree->used == tree->made) {
        void *const sum = wsr__alloc(tree->n, tree->size);
        if (sum == NULL || tree->made == NODES) {
            wsr__free(sum);
            return NULL;
        }
        tree->nodes[tree->made++].sum = sum;
    }
    node *const leaf = &tree->nodes[tree->used++];
    leaf->level = 0;
    leaf->index = tree->next++;
    tree->open = true;
    return leaf->sum;
}

// ------------------------------------------------------------ among processes

// Whether every process has one node, all of the same level.
static bool can_halve(const wsr__tree *t)
{
    const size_t size = wsr_comm_size();
    return power_of_two(size) && power_of_two(t->leaves) &&
           t->leaves == t->parts && t->leaves >= size;
}

bool wsr__tree_overlaps(const wsr__tree *tree)
{
    return tree->buckets != NULL && can_halve(tree);
}

// The nodes of a process become one with its last leaf: they are all that is
// added here. One that has failed gives what there is.
static void begin_buckets(wsr__tree *t)
{
    if (!t->begun) {
        t->begun = true;
        wsr__buckets_begin(t->buckets);
        for (size_t i = 0; i == 0 || i < t->used; i++) {
            wsr__buckets_add(t->buckets, t->nodes[i].sum);
        }
    }
}

wsr_status wsr__tree_ready(wsr__tree *tree, size_t begin, size_t n)
{
    const bool last = tree->open && tree->next == tree->end;
    if (!last || !wsr__tree_overlaps(tree)) {
        return WSR_OK;
    }
    begin_buckets(tree);
    return wsr__buckets_ready(tree->buckets, begin, n);
}

wsr_status wsr__tree_poll(wsr__tree *tree)
{
    return tree->begun ? wsr__buckets_poll(tree->buckets) : WSR_OK;
}

static wsr_status sum_by_halves(wsr__tree *t)
{
    begin_buckets(t);
    t->open = false;
    return wsr__buckets_finish(t->buckets);
}

// Each process adds at each level what its partner has: all have all in the
// end.
static wsr_status sum_whole(wsr__tree *t)
{
    wsr_status status = WSR_OK;
    const size_t bytes = t->n * t->size;
    void *const sum = t->nodes[0].sum;
    for (size_t d = 1; d < wsr_comm_size(); d *= 2) {
        WSR_TRY(wsr__comm_exchange(sum, bytes, t->incoming, bytes,
                                   wsr_comm_rank() ^ d));
        wsr__add_numbers(sum, t->incoming, t->n, t->size);
    }
out:
    return status;
}

// The node of this process with that place, NULL: it is elsewhere or a part of
// a larger one.
static node *find(wsr__tree *t, size_t level, size_t index)
{
    for (size_t i = 0; i < t->used; i++) {
        if (t->nodes[i].level == level && t->nodes[i].index == index) {
            return &t->nodes[i];
        }
    }
    return NULL;
}

// Brings a node and its right sibling together. Their memory stays where it
// is: what was added is marked by a level beyond all.
static wsr_status join(wsr__tree *t, size_t level, size_t index)
{
    wsr_status status = WSR_OK;
    const size_t bytes = t->n * t->size;
    const size_t left = wsr__comm_owner(t->parts, index << level);
    const size_t right = wsr__comm_owner(t->parts, (index + 1) << level);
    node *const a = find(t, level, index);
    node *const b = find(t, level, index + 1);
    if (left != right && wsr_comm_rank() == right) {
        return wsr__comm_send(b->sum, bytes, left, TAG);
    }
    if (a == NULL) {
        return WSR_OK; // another's, or added before
    }
    if (left != right) {
        WSR_TRY(wsr__comm_receive(t->incoming, bytes, right, TAG));
        wsr__add_numbers(a->sum, t->incoming, t->n, t->size);
    } else if (b != NULL) {
        wsr__add_numbers(a->sum, b->sum, t->n, t->size);
        b->level = SIZE_MAX;
    }
    a->level++;
    a->index /= 2;
out:
    return status;
}

static wsr_status sum_by_nodes(wsr__tree *t)
{
    wsr_status status = WSR_OK;
    for (size_t level = 0; nodes_at(t, level) > 1; level++) {
        const size_t n = nodes_at(t, level);
        for (size_t j = 0; j + 1 < n; j += 2) {
            WSR_TRY(join(t, level, j));
        }
        node *const edge = n % 2 == 1 ? find(t, level, n - 1) : NULL;
        if (edge != NULL) {
            edge->level++;
            edge->index /= 2;
        }
    }
out:
    return status;
}

static wsr_status sum_among(wsr__tree *tree)
{
    wsr_status status = WSR_OK;
    if (wsr__tree_overlaps(tree)) {
        return sum_by_halves(tree);
    }
    close_leaf(tree);
    if (can_halve(tree)) {
        return sum_whole(tree);
    }
    WSR_TRY(sum_by_nodes(tree));
    // Part 0, and with it the root, is of the first process that has one.
    WSR_TRY(wsr__comm_broadcast(tree->nodes[0].sum, tree->n * tree->size,
                                wsr__comm_owner(tree->parts, 0)));
out:
    return status;
}

static wsr_status tree_sum(const void **out, wsr__tree *tree)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    if (wsr__comm_many()) {
        WSR_TRY(sum_among(tree));
    }
    close_leaf(tree);
    *out = tree->nodes[0].sum;
out:
    return status;
}

wsr_status wsr__tree_sum(const float **out, wsr__tree *tree)
{
    const void *sum = NULL;
    const wsr_status status = tree_sum(&sum, tree);
    *out = sum;
    return status;
}

wsr_status wsr__tree_sum_doubles(const double **out, wsr__tree *tree)
{
    const void *sum = NULL;
    const wsr_status status = tree_sum(&sum, tree);
    *out = sum;
    return status;
}
