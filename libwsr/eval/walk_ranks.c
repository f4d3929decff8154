// SPDX-License-Identifier: Apache-2.0
//
// An evaluation among the processes of a job. Images differ in cost by a
// hundred times, so batches are handed out one by one: a process asks rank 0
// for the next one when it brings the results of the last. Rank 0 works as
// well, and looks for messages before each of its passes through the model; a
// process waits for one pass of a batch at most.
//
// A process takes its batch through all attacks, as a single process does, so
// the results are those of one, image by image. What is saved is what is done
// without a gap from the first batch on; a resumed run does the rest again.

#include "eval/eval.h"

#include <string.h>
#include <time.h>

enum { RESULT = 2, WORK = 3, STOP = 4 }; // tags
enum { ROOT = 0, DETAIL = 512 };

// What a process brings; behind it come lines for the log, and the rows.
typedef struct result {
    int64_t batch;  // -1: it asks for the first one
    int64_t status; // of the batch
    uint64_t lines; // bytes
    char detail[DETAIL];
} result;

// What it gets.
typedef struct work {
    int64_t batch;   // -1: there is no more
    int64_t stopped; // a message STOP was sent before this
} work;

typedef struct farm {
    wsr_eval *eval;
    wsr__run *run;
    wsr__eval_saver save;
    void *ctx;
    // Of rank 0:
    size_t batches;
    size_t next;       // batch that is handed out next
    size_t prefix;     // batches done without a gap
    uint8_t *done;     // (batches)
    size_t working;    // other processes that have not been sent home
    uint8_t *home;     // (processes)
    bool stopped;      // all were asked to stop
    wsr_status status; // the first failure
    char detail[DETAIL];
    // Of the others:
    bool stop; // rank 0 says so
    wsr__str lines;
} farm;

// ------------------------------------------------------------------- rank 0

static void note_failure(farm *f, wsr_status status, const char *detail)
{
    if (f->status == WSR_OK) {
        f->status = status;
        (void)snprintf(f->detail, sizeof(f->detail), "%s", detail);
    }
}

static void note_done(farm *f, size_t batch)
{
    f->done[batch] = 1;
    while (f->prefix < f->batches && f->done[f->prefix] != 0) {
        f->prefix++;
    }
}

// Everybody stops: nothing more is handed out, and passes in progress end.
static wsr_status stop_all(farm *f)
{
    wsr_status status = WSR_OK;
    f->next = f->batches;
    for (size_t r = 1; r < wsr_comm_size() && !f->stopped; r++) {
        const char nothing = 0;
        if (f->home[r] == 0) {
            WSR_TRY(wsr__comm_send(&nothing, 1, r, STOP));
        }
    }
    f->stopped = true;
out:
    return status;
}

static wsr_status answer(farm *f, size_t to)
{
    const bool more = f->next < f->batches;
    const work w = {.batch = more ? (int64_t)f->next++ : -1,
                    .stopped = f->stopped};
    if (!more) {
        f->home[to] = 1;
        f->working--;
    }
    return wsr__comm_send(&w, sizeof(w), to, WORK);
}

// Bytes of a batch's results under all attacks.
static size_t bytes_of(const farm *f, size_t batch)
{
    size_t bytes = 0;
    for (size_t a = 0; a < f->eval->n_attacks; a++) {
        const wsr__eval_rows rows =
            wsr__eval_rows_of(f->eval, batch * f->eval->n_attacks + a);
        bytes += wsr__eval_rows_bytes(f->eval, &rows);
    }
    return bytes;
}

static void move_batch(const farm *f, size_t batch, char *bytes, bool out)
{
    for (size_t a = 0; a < f->eval->n_attacks; a++) {
        const wsr__eval_rows rows =
            wsr__eval_rows_of(f->eval, batch * f->eval->n_attacks + a);
        if (out) {
            wsr__eval_rows_pack(bytes, f->eval, &rows);
        } else {
            wsr__eval_rows_unpack(f->eval, &rows, bytes);
        }
        bytes += wsr__eval_rows_bytes(f->eval, &rows);
    }
}

static wsr_status take_batch(farm *f, char *bytes, size_t size, size_t from)
{
    wsr_status status = WSR_OK;
    const result *const r = (const result *)(const void *)bytes;
    char *const lines = bytes + sizeof(*r);
    const size_t batch = (size_t)r->batch;
    if (size != sizeof(*r) + r->lines + bytes_of(f, batch)) {
        return WSR_FAIL(WSR_BACKEND, "rank %zu has another evaluation", from);
    }
    move_batch(f, batch, lines + r->lines, false);
    note_done(f, batch);
    if (r->lines > 1) {
        WSR_TRY(wsr__run_log_text(f->run->log, lines));
    }
out:
    return status;
}

static wsr_status take(farm *f, char *bytes, size_t size, size_t from)
{
    const result *const r = (const result *)(const void *)bytes;
    char detail[DETAIL];
    if (r->batch < 0) {
        return WSR_OK;
    }
    if (r->status == WSR_OK) {
        return take_batch(f, bytes, size, from);
    }
    (void)snprintf(detail, sizeof(detail), "rank %zu: %.480s", from, r->detail);
    note_failure(f, (wsr_status)r->status,
                 r->status == WSR_CANCELED ? r->detail : detail);
    return WSR_OK;
}

// Takes one message, if there is one.
static wsr_status serve_one(bool *there, farm *f)
{
    wsr_status status = WSR_OK;
    size_t from = 0;
    size_t size = 0;
    char *bytes = NULL;
    WSR_TRY(wsr__comm_probe(there, &from, &size, RESULT));
    if (!*there) {
        return WSR_OK;
    }
    bytes = wsr__alloc(size, 1);
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__comm_receive(bytes, size, from, RESULT));
    WSR_TRY(take(f, bytes, size, from));
    if (f->status != WSR_OK) {
        WSR_TRY(stop_all(f));
    }
    WSR_TRY(answer(f, from));
out:
    wsr__free(bytes);
    return status;
}

static wsr_status serve(void *ctx)
{
    wsr_status status = WSR_OK;
    farm *const f = ctx;
    bool there = true;
    while (there) {
        WSR_TRY(serve_one(&there, f));
    }
    // A failure elsewhere ends the step here.
    if (f->status != WSR_OK) {
        status = WSR_FAIL(f->status, "%s", f->detail);
    }
out:
    return status;
}

// What is done without a gap, in steps. In its own batch, where that is the
// next one, rank 0 knows the attacks that are done.
static size_t prefix_steps(const farm *f)
{
    const size_t own = f->eval->position / f->eval->n_attacks;
    return own == f->prefix ? f->eval->position
                            : f->prefix * f->eval->n_attacks;
}

// Of the step in hand a part is saved where it is the next one.
static wsr_status save_prefix(void *ctx)
{
    farm *const f = ctx;
    wsr_eval *const eval = f->eval;
    const size_t position = eval->position;
    wsr__attack_part *const part = eval->part;
    eval->position = prefix_steps(f);
    eval->part = eval->position == position ? part : NULL;
    const wsr_status status = f->save(f->ctx);
    eval->position = position;
    eval->part = part;
    return status;
}

// All steps of a batch that are left, from the evaluation's position on.
static wsr_status do_batch(wsr__eval_watch *w)
{
    wsr_status status = WSR_OK;
    const size_t n = w->eval->n_attacks;
    const size_t end = (w->eval->position / n + 1) * n;
    while (w->eval->position < end) {
        WSR_TRY(wsr__eval_watched_step(w));
    }
out:
    return status;
}

static wsr_status work_at_root(farm *f)
{
    wsr_status status = WSR_OK;
    wsr__eval_watch w = {.eval = f->eval,
                         .run = f->run,
                         .save = save_prefix,
                         .between = serve,
                         .ctx = f,
                         .saved = wsr__seconds()};
    const size_t first = f->next;
    while (f->next < f->batches) {
        const size_t batch = f->next++;
        if (batch != first) { // the first may be done in part
            f->eval->position = batch * f->eval->n_attacks;
        }
        WSR_TRY(do_batch(&w));
        note_done(f, batch);
        WSR_TRY(serve(f));
    }
out:
    wsr__eval_unwatch(&w);
    return status;
}

// Until all others have brought their last results.
static wsr_status wait_for_all(farm *f)
{
    wsr_status status = WSR_OK;
    const struct timespec moment = {0, 1000000};
    while (f->working > 0) {
        bool there = false;
        WSR_TRY(serve_one(&there, f));
        if (!there) {
            (void)nanosleep(&moment, NULL);
        }
        if (f->status == WSR_OK &&
            wsr__run_progress(f->run, "eval", f->prefix, f->batches, "") !=
                WSR_OK) {
            note_failure(f, WSR_CANCELED, wsr_error_detail());
            WSR_TRY(stop_all(f));
        }
    }
out:
    return status;
}

static wsr_status root(farm *f)
{
    wsr_status status = WSR_OK;
    f->batches = wsr_eval_steps(f->eval) / f->eval->n_attacks;
    f->next = f->prefix = f->eval->position / f->eval->n_attacks;
    f->working = wsr_comm_size() - 1;
    f->done = wsr__alloc(f->batches, sizeof(*f->done));
    f->home = wsr__alloc(wsr_comm_size(), sizeof(*f->home));
    if (f->done == NULL || f->home == NULL) {
        return WSR_NOMEM;
    }
    status = work_at_root(f);
    if (status != WSR_OK) {
        note_failure(f, status, wsr_error_detail());
        WSR_TRY(stop_all(f));
    }
    WSR_TRY(wait_for_all(f));
    const size_t steps = prefix_steps(f);
    if (f->eval->position != steps) {
        wsr__attack_part_free(f->eval->part);
        f->eval->part = NULL;
        f->eval->position = steps;
    }
    status = f->status == WSR_OK ? WSR_OK
                                 : WSR_FAIL(f->status, "%s", f->detail);
out:
    return status;
}

// ------------------------------------------------------------------- others

static void collect_line(const char *line, void *ctx)
{
    wsr__str_addf(ctx, "%s\n", line);
}

static wsr_status look_for_stop(void *ctx)
{
    wsr_status status = WSR_OK;
    farm *const f = ctx;
    size_t from = 0;
    size_t size = 0;
    char nothing = 0;
    bool there = false;
    WSR_TRY(wsr__comm_probe(&there, &from, &size, STOP));
    if (there) {
        WSR_TRY(wsr__comm_receive(&nothing, 1, ROOT, STOP));
        f->stop = true;
        status = WSR_FAIL(WSR_CANCELED, "stopped");
    }
out:
    return status;
}

static wsr_status save_nothing(void *ctx)
{
    (void)ctx;
    return WSR_OK;
}

// A batch's results, or why there are none.
static wsr_status bring(farm *f, int64_t batch, wsr_status of_batch)
{
    wsr_status status = WSR_OK;
    const bool done = batch >= 0 && of_batch == WSR_OK;
    const char *const lines = f->lines.s == NULL ? "" : f->lines.s;
    result r = {.batch = batch,
                .status = (int64_t)of_batch,
                .lines = strlen(lines) + 1};
    const size_t size = sizeof(r) + r.lines +
                        (done ? bytes_of(f, (size_t)batch) : 0);
    if (of_batch != WSR_OK) {
        (void)snprintf(r.detail, sizeof(r.detail), "%s", wsr_error_detail());
    }
    char *const bytes = wsr__alloc(size, 1);
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    memcpy(bytes, &r, sizeof(r));
    memcpy(bytes + sizeof(r), lines, r.lines);
    if (done) {
        move_batch(f, (size_t)batch, bytes + sizeof(r) + r.lines, true);
    }
    WSR_TRY(wsr__comm_send(bytes, size, ROOT, RESULT));
out:
    wsr__free(bytes);
    return status;
}

static wsr_status other(farm *f)
{
    wsr_status status = WSR_OK;
    wsr_status of_batch = WSR_OK;
    work w = {.batch = -1};
    wsr__eval_watch watch = {.eval = f->eval,
                             .run = f->run,
                             .save = save_nothing,
                             .between = look_for_stop,
                             .ctx = f,
                             .saved = wsr__seconds()};
    WSR_TRY(wsr__run_log_watch(f->run->log, collect_line, &f->lines));
    for (;;) {
        WSR_TRY(bring(f, w.batch, of_batch));
        WSR_TRY(wsr__comm_receive(&w, sizeof(w), ROOT, WORK));
        if (w.batch < 0) {
            break;
        }
        wsr__eval_clear_times(f->eval);
        f->lines.len = 0;
        wsr__str_add(&f->lines, "");
        f->eval->position = (size_t)w.batch * f->eval->n_attacks;
        of_batch = do_batch(&watch);
    }
    if (w.stopped != 0 && !f->stop) {
        char nothing = 0;
        WSR_TRY(wsr__comm_receive(&nothing, 1, ROOT, STOP));
    }
out:
    wsr__eval_unwatch(&watch);
    (void)wsr__run_log_watch(f->run->log, NULL, NULL);
    return status;
}

// ---------------------------------------------------------------------- all

// Rank 0's results and its position to all.
static wsr_status share(wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    uint64_t position = eval->position;
    char *bytes = NULL;
    WSR_TRY(wsr__comm_broadcast(&position, sizeof(position), ROOT));
    if (wsr_comm_rank() != ROOT) {
        wsr__attack_part_free(eval->part);
        eval->part = NULL;
        eval->position = (size_t)position;
        wsr__eval_clear_times(eval);
    }
    for (size_t a = 0; a < eval->n_attacks; a++) {
        const wsr__eval_rows all = {.attack = a, .n = eval->n};
        const size_t size = wsr__eval_rows_bytes(eval, &all);
        wsr__free(bytes);
        bytes = wsr__alloc(size, 1);
        if (bytes == NULL) {
            return WSR_NOMEM;
        }
        if (wsr_comm_rank() == ROOT) {
            wsr__eval_rows_pack(bytes, eval, &all);
        }
        WSR_TRY(wsr__comm_broadcast(bytes, size, ROOT));
        if (wsr_comm_rank() != ROOT) {
            wsr__eval_rows_unpack(eval, &all, bytes);
        }
    }
    WSR_TRY(wsr__comm_broadcast(&eval->random, sizeof(eval->random), ROOT));
out:
    wsr__free(bytes);
    return status;
}

// What rank 0 ended with is the end of all.
static wsr_status share_status(wsr_status status)
{
    int64_t code = (int64_t)status;
    char detail[DETAIL] = "";
    if (status != WSR_OK) {
        (void)snprintf(detail, sizeof(detail), "%s", wsr_error_detail());
    }
    wsr_status passing = wsr__comm_broadcast(&code, sizeof(code), ROOT);
    if (passing == WSR_OK) {
        passing = wsr__comm_broadcast(detail, sizeof(detail), ROOT);
    }
    if (passing != WSR_OK || code == WSR_OK) {
        return passing;
    }
    return wsr__comm_agree(WSR_FAIL((wsr_status)code, "%s", detail));
}

wsr_status wsr__eval_walk_ranks(wsr_eval *eval, wsr__run *run,
                                wsr__eval_saver save, void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_status ended = WSR_OK;
    farm f = {.eval = eval, .run = run, .save = save, .ctx = ctx};
    run->alone = true;
    ended = wsr_comm_rank() == ROOT ? root(&f) : other(&f);
    run->alone = false;
    ended = share_status(ended);
    WSR_TRY(share(eval));
    status = ended == WSR_OK ? WSR_OK
                             : WSR_FAIL(ended, "%s", wsr_error_detail());
out:
    wsr__free(f.done);
    wsr__free(f.home);
    wsr__str_free(&f.lines);
    return status;
}
