// SPDX-License-Identifier: Apache-2.0
//
// Batch norms over all parts of a batch (PyTorch's SyncBatchNorm): the parts
// advance from norm to norm together.
//
// A trainer's work on a part is one call, in the middle of which plans reach
// norms. So each part of this process is a fiber, a context with a stack of its
// own, and all run in turn in the calling thread: MPI and OpenMP know one
// thread. A fiber that reaches a norm leaves its sums and goes back. Once all
// have, the sums of all parts of all processes are added in the fixed tree
// (comm/tree.c), and the fibers go on in their order. The bits thus depend on
// the number of parts alone.
//
// Gradients of the parameters belong to a part until they are added, so the
// parameters point to those of the fiber that runs. Running statistics are the
// same in all parts; the first part of a process moves them for the others. It
// is ahead of them between two norms, and never by a norm.
//
// Each message begins with two numbers: how many parts have failed, and how
// many are done. All processes hear of a failure in the same exchange and
// leave.

#define _DEFAULT_SOURCE // MAP_ANONYMOUS

#include "train/lockstep.h"

#include "comm/comm.h"

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { FAILED, DONE, HEAD, DETAIL = 512 };

// Address space of a stack; memory is what is touched of it.
static const size_t stack_bytes = (size_t)8 << 20;

typedef enum state { RUNS, WAITS, ENDED } state;

// The gradient of a parameter that is not in use.
typedef struct gradient {
    float *grad;
    bool has_grad;
} gradient;

typedef struct fiber {
    wsr__norm_sync sync;
    wsr__lockstep *of;
    ucontext_t context;
    void *stack;
    state state;
    size_t n; // numbers of sync.room that are to be added
    wsr_status result;
    char detail[DETAIL];
    gradient *gradients; // of all parameters, NULL: those that are in use
} fiber;

struct wsr__lockstep {
    const wsr_params *params;
    size_t parts; // of all processes
    size_t room;  // numbers
    wsr__tree *tree;
    size_t n;
    fiber *fibers;
    ucontext_t scheduler;
    size_t running;
    bool stops; // a part has failed, here or elsewhere
    wsr_status (*body)(void *ctx, size_t part);
    void *ctx;
};

// ---------------------------------------------------------------- lifetime

// Channels of the widest norm: its buffers are running statistics.
static size_t widest(const wsr_params *params)
{
    int64_t most = 1;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        most = !p->trainable && p->count > most ? p->count : most;
    }
    return (size_t)most;
}

// The lowest page stays without access, so that too deep a stack is noticed.
static wsr_status make_stack(fiber *f)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    f->stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1,
                    0);
    if (f->stack == MAP_FAILED) {
        f->stack = NULL;
        return wsr__fail_at(WSR_NOMEM, "out of memory for the stack of a part");
    }
    return mprotect(f->stack, page, PROT_NONE) == 0
               ? WSR_OK
               : WSR_FAIL(WSR_BACKEND, "mprotect of a stack failed");
}

static wsr_status sum(const wsr__norm_sync *sync, size_t n);

static wsr_status make_fiber(wsr__lockstep *l, size_t i)
{
    wsr_status status = WSR_OK;
    fiber *const f = &l->fibers[i];
    f->of = l;
    f->sync.sum = sum;
    f->sync.ctx = f;
    f->sync.moves = i == 0;
    f->sync.room = wsr__alloc(l->room, sizeof(*f->sync.room));
    if (i > 0) {
        f->gradients =
            wsr__alloc(wsr_params_count(l->params), sizeof(*f->gradients));
    }
    if (f->sync.room == NULL || (i > 0 && f->gradients == NULL)) {
        return WSR_NOMEM;
    }
    WSR_TRY(make_stack(f));
out:
    return status;
}

// The tree gets its memory now: a process that lacked some in the middle of a
// batch would leave the others waiting.
static wsr_status warm(wsr__lockstep *l)
{
    wsr__tree_begin(l->tree, l->parts, l->parts);
    for (size_t i = 0; i < l->n; i++) {
        if (wsr__tree_leaf(l->tree) == NULL) {
            return WSR_NOMEM;
        }
    }
    return WSR_OK;
}

wsr_status wsr__lockstep_new(wsr__lockstep **out, const wsr_params *params,
                             size_t parts)
{
    wsr_status status = WSR_OK;
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    wsr__lockstep *l = wsr__alloc(1, sizeof(*l));
    *out = NULL;
    if (l == NULL) {
        return WSR_NOMEM;
    }
    l->params = params;
    l->parts = parts;
    l->room = 1 + 2 * widest(params);
    l->fibers = wsr__alloc(mine.end - mine.begin, sizeof(*l->fibers));
    if (l->fibers == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    l->n = mine.end - mine.begin;
    for (size_t i = 0; i < l->n; i++) {
        WSR_TRY(make_fiber(l, i));
    }
    WSR_TRY(wsr__tree_new_doubles(&l->tree, HEAD + l->room));
    WSR_TRY(warm(l));
    *out = l;
    l = NULL;
out:
    wsr__lockstep_free(l);
    return status;
}

static void free_fiber(fiber *f, size_t params)
{
    for (size_t i = 0; f->gradients != NULL && i < params; i++) {
        wsr__free(f->gradients[i].grad);
    }
    wsr__free(f->gradients);
    wsr__free(f->sync.room);
    if (f->stack != NULL) {
        (void)munmap(f->stack, stack_bytes);
    }
}

void wsr__lockstep_free(wsr__lockstep *lockstep)
{
    if (lockstep == NULL) {
        return;
    }
    for (size_t i = 0; i < lockstep->n; i++) {
        free_fiber(&lockstep->fibers[i], wsr_params_count(lockstep->params));
    }
    wsr__tree_free(lockstep->tree);
    wsr__free(lockstep->fibers);
    wsr__free(lockstep);
}

size_t wsr__lockstep_count(const wsr__lockstep *l)
{
    return l->n;
}

double wsr__lockstep_bytes(const wsr__lockstep *l)
{
    return (double)l->n * (double)l->room * sizeof(double) +
           wsr__tree_bytes(l->tree);
}

const wsr__norm_sync *wsr__lockstep_sync(const wsr__lockstep *l, size_t part)
{
    return &l->fibers[part].sync;
}

void wsr__lockstep_exchange(wsr__lockstep *l, size_t part)
{
    gradient *const kept = l->fibers[part].gradients;
    for (size_t i = 0; kept != NULL && i < wsr_params_count(l->params); i++) {
        wsr__param *const p = wsr__params_at(l->params, i);
        const gradient used = {p->grad, p->has_grad};
        p->grad = kept[i].grad;
        p->has_grad = kept[i].has_grad;
        kept[i] = used;
    }
}

// ------------------------------------------------------------------ fibers

// Of a fiber: wait for the sums of all parts.
static wsr_status sum(const wsr__norm_sync *sync, size_t n)
{
    fiber *const f = sync->ctx;
    wsr__lockstep *const l = f->of;
    if (!l->stops) {
        f->state = WAITS;
        f->n = n;
        (void)swapcontext(&f->context, &l->scheduler);
    }
    return l->stops ? WSR_FAIL(WSR_CANCELED, "another part has failed")
                    : WSR_OK;
}

// makecontext() passes ints alone.
static _Thread_local wsr__lockstep *starting;

static void begin(void)
{
    wsr__lockstep *const l = starting;
    fiber *const f = &l->fibers[l->running];
    f->result = l->body(l->ctx, l->running);
    if (f->result != WSR_OK && !l->stops) {
        (void)snprintf(f->detail, sizeof(f->detail), "%s", wsr_error_detail());
    } else {
        f->result = WSR_OK; // it was told to stop
    }
    f->state = ENDED;
}

// Whoever ends goes on behind the call that resumed it last.
static wsr_status prepare(wsr__lockstep *l, size_t i)
{
    fiber *const f = &l->fibers[i];
    f->state = RUNS;
    f->result = WSR_OK;
    f->n = 0;
    if (getcontext(&f->context) != 0) {
        return WSR_FAIL(WSR_BACKEND, "getcontext failed");
    }
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = stack_bytes;
    f->context.uc_link = &l->scheduler;
    makecontext(&f->context, begin, 0);
    return WSR_OK;
}

// Let all fibers run to their next norm or their end.
static void advance(wsr__lockstep *l)
{
    for (size_t i = 0; i < l->n; i++) {
        fiber *const f = &l->fibers[i];
        if (f->state == ENDED) {
            continue;
        }
        l->running = i;
        starting = l;
        wsr__lockstep_exchange(l, i);
        (void)swapcontext(&l->scheduler, &f->context);
        wsr__lockstep_exchange(l, i);
    }
}

// Whether all parts are done or some have failed: then there are no sums.
static wsr_status add_up(bool *over, wsr__lockstep *l)
{
    wsr_status status = WSR_OK;
    const double *total = NULL;
    wsr__tree_begin(l->tree, l->parts, l->parts);
    for (size_t i = 0; i < l->n; i++) {
        const fiber *const f = &l->fibers[i];
        double *const leaf = wsr__tree_leaf(l->tree);
        if (leaf == NULL) {
            return WSR_NOMEM;
        }
        memset(leaf, 0, (HEAD + l->room) * sizeof(*leaf));
        leaf[FAILED] = f->result != WSR_OK;
        leaf[DONE] = f->state == ENDED;
        if (f->state == WAITS) {
            memcpy(leaf + HEAD, f->sync.room, f->n * sizeof(*leaf));
        }
    }
    WSR_TRY(wsr__tree_sum_doubles(&total, l->tree));
    const double done = total[DONE];
    *over = total[FAILED] > 0 || done > 0;
    if (total[FAILED] == 0 && done > 0 && done < (double)l->parts) {
        return WSR_FAIL(WSR_INTERNAL,
                        "norms of a batch: %g of %zu parts are done "
                        "while others reach a norm",
                        done, l->parts);
    }
    for (size_t i = 0; !*over && i < l->n; i++) {
        memcpy(l->fibers[i].sync.room, total + HEAD,
               l->fibers[i].n * sizeof(*total));
    }
out:
    return status;
}

// The failure of the first part here that has one.
static wsr_status failure(const wsr__lockstep *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const fiber *const f = &l->fibers[i];
        if (f->result != WSR_OK) {
            return WSR_FAIL(f->result, "%s", f->detail);
        }
    }
    return WSR_OK;
}

wsr_status wsr__lockstep_run(wsr__lockstep *l,
                             wsr_status (*body)(void *ctx, size_t part),
                             void *ctx)
{
    wsr_status status = WSR_OK;
    bool over = false;
    l->body = body;
    l->ctx = ctx;
    l->stops = false;
    for (size_t i = 0; i < l->n; i++) {
        WSR_TRY(prepare(l, i));
    }
    while (status == WSR_OK && !over) {
        advance(l);
        status = add_up(&over, l);
    }
    l->stops = true;
    if (status != WSR_OK) {
        char detail[DETAIL];
        (void)snprintf(detail, sizeof(detail), "%s", wsr_error_detail());
        advance(l); // they come to their end, and release what they hold
        return WSR_FAIL(status, "%s", detail);
    }
    advance(l);
    status = failure(l);
out:
    return status;
}
