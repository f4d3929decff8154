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
// power of 2, processes halve the arrays instead: at level l each keeps the
// half that its partner does not, and in the end they collect the parts
// (Rabenseifner 2004, "Optimization of collective reduction operations"). Each
// float is added in the same tree, and no process passes more than twice the
// array, however many there are. Short arrays, for which the number of messages
// counts, are exchanged as a whole at each level instead. MPI_Allreduce may do
// so as well, but promises no order.
//
// Arrays are of floats (gradients) or of doubles (sums of norms).

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
};

static wsr_status tree_new(wsr__tree **out, size_t n, size_t size)
{
    wsr__tree *const tree = wsr__alloc(1, sizeof(*tree));
    *out = NULL;
    if (tree == NULL) {
        return WSR_NOMEM;
    }
    tree->n = n;
    tree->size = size;
    if (wsr__comm_many()) {
        tree->incoming = wsr__alloc(n, size);
        if (tree->incoming == NULL) {
            wsr__tree_free(tree);
            return WSR_NOMEM;
        }
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
}

static void add_floats(float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] += b[i];
    }
}

static void add_doubles(double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] += b[i];
    }
}

static void add(const wsr__tree *t, void *a, const void *b, size_t n)
{
    if (t->size == sizeof(double)) {
        add_doubles(a, b, n);
    } else {
        add_floats(a, b, n);
    }
}

// Number i of an array.
static void *number_at(const wsr__tree *t, void *sum, size_t i)
{
    return (char *)sum + i * t->size;
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
            add(t, a->sum, b->sum, t->n);
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

static bool power_of_two(size_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

// Whether every process has one node, all of the same level.
static bool can_halve(const wsr__tree *t)
{
    const size_t size = wsr_comm_size();
    return power_of_two(size) && power_of_two(t->leaves) &&
           t->leaves == t->parts && t->leaves >= size;
}

// Part [begin, end) of the arrays, cut as each level cuts it.
typedef struct range {
    size_t begin;
    size_t end;
} range;

static range half_of(range r, bool upper)
{
    const size_t middle = r.begin + (r.end - r.begin) / 2;
    return upper ? (range){middle, r.end} : (range){r.begin, middle};
}

// What is left to this process after the levels up to 2^level = distance.
static range range_at(const wsr__tree *t, size_t distance)
{
    range r = {0, t->n};
    for (size_t d = 1; d < distance; d *= 2) {
        r = half_of(r, (wsr_comm_rank() & d) != 0);
    }
    return r;
}

// Adds what the partner has of this process's half. The sum of two floats does
// not depend on which is the first.
static wsr_status halve(wsr__tree *t, void *sum, size_t distance)
{
    wsr_status status = WSR_OK;
    const size_t rank = wsr_comm_rank();
    const range whole = range_at(t, distance);
    const bool upper = (rank & distance) != 0;
    const range kept = half_of(whole, upper);
    const range given = half_of(whole, !upper);
    WSR_TRY(wsr__comm_exchange(
        number_at(t, sum, given.begin), (given.end - given.begin) * t->size,
        t->incoming, (kept.end - kept.begin) * t->size, rank ^ distance));
    add(t, number_at(t, sum, kept.begin), t->incoming, kept.end - kept.begin);
out:
    return status;
}

static wsr_status collect(const wsr__tree *t, void *sum, size_t distance)
{
    const size_t rank = wsr_comm_rank();
    const range whole = range_at(t, distance);
    const bool upper = (rank & distance) != 0;
    const range mine = half_of(whole, upper);
    const range other = half_of(whole, !upper);
    return wsr__comm_exchange(
        number_at(t, sum, mine.begin), (mine.end - mine.begin) * t->size,
        number_at(t, sum, other.begin), (other.end - other.begin) * t->size,
        rank ^ distance);
}

static wsr_status sum_by_halves(wsr__tree *t)
{
    wsr_status status = WSR_OK;
    const size_t size = wsr_comm_size();
    void *const sum = t->nodes[0].sum;
    size_t distance = 1;
    for (; distance < size; distance *= 2) {
        WSR_TRY(halve(t, sum, distance));
    }
    for (distance /= 2; distance > 0; distance /= 2) {
        WSR_TRY(collect(t, sum, distance));
    }
out:
    return status;
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
        add(t, sum, t->incoming, t->n);
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
        add(t, a->sum, t->incoming, t->n);
    } else if (b != NULL) {
        add(t, a->sum, b->sum, t->n);
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

static wsr_status tree_sum(const void **out, wsr__tree *tree)
{
    wsr_status status = WSR_OK;
    const bool halves = can_halve(tree);
    close_leaf(tree);
    *out = NULL;
    if (tree->made == 0) { // a process without parts
        (void)wsr__tree_leaf(tree);
        tree->open = false;
        tree->used = 0;
        if (tree->made == 0) {
            return WSR_NOMEM;
        }
    }
    if (wsr__comm_many() && halves) {
        WSR_TRY(tree->n * tree->size <= SHORT ? sum_whole(tree)
                                              : sum_by_halves(tree));
    } else if (wsr__comm_many()) {
        WSR_TRY(sum_by_nodes(tree));
        // Part 0, and with it the root, is of the first process that has one.
        WSR_TRY(wsr__comm_broadcast(tree->nodes[0].sum, tree->n * tree->size,
                                    wsr__comm_owner(tree->parts, 0)));
    }
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
