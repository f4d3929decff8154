// SPDX-License-Identifier: Apache-2.0
//
// The resumable part of a running attack: the results of the strengths that
// are complete, and the rows of the current batch that the next strength or
// member needs. These are the images found, successes, numbers of passes, and
// the clean logits and first gradient, which are computed once and counted for
// the strength that needed them first.
//
// A part is a copy: the batch goes on while the part stays at the last point
// from which an attack can be resumed. docs/formats.md lists its arrays as an
// evaluation's checkpoint holds them.

#include "attack/engine/part.h"

#include <string.h>

// Indices of the arrays `flags` and `counts`.
enum { FLAG_SUCCESS, FLAG_NESTED, FLAG_KNOWN };
enum {
    COUNT_QUERIES,
    COUNT_GRADIENTS,
    COUNT_FLAT,
    COUNT_EXPONENT,
    COUNT_BREAKER,
    COUNT_STEP
};

// ---------------------------------------------------------------- lifetime

// Also frees a part that was made in part.
void wsr__attack_part_free(wsr__attack_part *part)
{
    if (part == NULL) {
        return;
    }
    wsr__attack_rows *const rows = &part->rows;
    wsr_attack_result_free(part->result);
    wsr__free(rows->found);
    wsr__free(rows->clean);
    wsr__free(rows->clean_grad);
    wsr__free(rows->clean_loss);
    for (size_t i = 0; i < WSR__ROW_FLAGS; i++) {
        wsr__free(rows->flags[i]);
    }
    for (size_t i = 0; i < WSR__ROW_COUNTS; i++) {
        wsr__free(rows->counts[i]);
    }
    wsr__free(part);
}

// All arrays have a row for every image of a whole batch, the last batch may
// use fewer.
static wsr_status make_rows(wsr__attack_rows *rows,
                            const wsr__attack_part *part)
{
    const size_t n = part->batch;
    rows->found = wsr__alloc(n, part->d * sizeof(*rows->found));
    rows->clean = wsr__alloc(n, part->classes * sizeof(*rows->clean));
    rows->clean_grad = wsr__alloc(n, part->d * sizeof(*rows->clean_grad));
    rows->clean_loss = wsr__alloc(n, sizeof(*rows->clean_loss));
    bool made = rows->found != NULL && rows->clean != NULL &&
                rows->clean_grad != NULL && rows->clean_loss != NULL;
    for (size_t i = 0; i < WSR__ROW_FLAGS; i++) {
        rows->flags[i] = wsr__alloc(n, sizeof(*rows->flags[i]));
        made = made && rows->flags[i] != NULL;
    }
    for (size_t i = 0; i < WSR__ROW_COUNTS; i++) {
        rows->counts[i] = wsr__alloc(n, sizeof(*rows->counts[i]));
        made = made && rows->counts[i] != NULL;
    }
    return made ? WSR_OK : WSR_NOMEM;
}

wsr_status wsr__attack_part_new(wsr__attack_part **out,
                                const wsr_attack *attack,
                                const wsr_model *model, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__attack_part *part = wsr__alloc(1, sizeof(*part));
    *out = NULL;
    if (part == NULL) {
        return WSR_NOMEM;
    }
    part->attack = attack;
    part->batch = wsr__attack_batch_size(attack, model, n);
    part->d = (size_t)model->pixels;
    part->classes = model->classes;
    WSR_TRY(make_rows(&part->rows, part));
    WSR_TRY(wsr__attack_result_new(&part->result, attack, model, n));
    *out = part;
    part = NULL;
out:
    wsr__attack_part_free(part);
    return status;
}

// Whether the rows hold anything: not at the beginning of a batch, when no
// strength and no member is complete.
static bool has_rows(const wsr__attack_position *position)
{
    return position->eps > 0 || position->members > 0;
}

bool wsr__attack_part_begun(const wsr__attack_part *part)
{
    return part->position.first > 0 || has_rows(&part->position);
}

// ------------------------------------------------------- taking, restoring

// Number of a loss from 1, 0 for none.
static size_t number_of(wsr__loss loss)
{
    size_t i = 0;
    while (loss != NULL && wsr__losses[i] != loss && wsr__losses[i] != NULL) {
        i++;
    }
    return loss != NULL && wsr__losses[i] != NULL ? i + 1 : 0;
}

// Exponents are stored as unsigned offsets from their smallest value, since a
// checkpoint has no signed 32-bit state.
static void take_clean_gradient(wsr__attack_rows *rows,
                                const wsr__attack_batch *s)
{
    const struct wsr__attack_batch_own *const own = s->own;
    memcpy(rows->clean_grad, own->clean_grad,
           s->n * (size_t)s->d * sizeof(*rows->clean_grad));
    memcpy(rows->clean_loss, own->clean_loss, s->n * sizeof(*own->clean_loss));
    memcpy(rows->flags[FLAG_KNOWN], own->known, s->n);
    for (size_t i = 0; i < s->n; i++) {
        rows->counts[COUNT_EXPONENT][i] =
            (uint32_t)(own->clean_exponent[i] - WSR__EXPONENT_NONE);
    }
}

// A cached object of an attack (`estimator`) is not part of a checkpoint. A
// batch that used one is never divided and starts again.
void wsr__attack_part_take(wsr__attack_part *part, const wsr__attack_batch *s,
                           const wsr__attack_position *position, double seconds)
{
    wsr__attack_rows *const rows = &part->rows;
    const struct wsr__attack_batch_own *const own = s->own;
    const size_t words = s->n * sizeof(uint32_t);
    if (own->object_used) {
        return;
    }
    part->seconds = seconds;
    part->position = *position;
    part->position.loss = number_of(own->clean_of);
    part->taken++;
    memcpy(rows->found, own->found, s->n * (size_t)s->d * sizeof(*rows->found));
    memcpy(rows->clean, own->clean, s->n * s->classes * sizeof(*rows->clean));
    memcpy(rows->flags[FLAG_SUCCESS], own->success, s->n);
    memcpy(rows->flags[FLAG_NESTED], own->nested_success, s->n);
    memcpy(rows->counts[COUNT_QUERIES], own->queries, words);
    memcpy(rows->counts[COUNT_GRADIENTS], own->gradients, words);
    memcpy(rows->counts[COUNT_FLAT], own->flat, words);
    memcpy(rows->counts[COUNT_BREAKER], own->breaker, words);
    memcpy(rows->counts[COUNT_STEP], own->step, words);
    memcpy(part->member_seconds, own->member_seconds,
           sizeof(part->member_seconds));
    if (part->position.loss > 0) {
        take_clean_gradient(rows, s);
    }
}

// `seconds` are those of the strength so far, over all interruptions.
void wsr__attack_part_member_done(wsr__attack_batch *s)
{
    wsr__attack_counts *const p = &s->progress;
    p->members++;
    if (s->part != NULL) {
        const wsr__attack_position position = {
            .first = p->first, .eps = p->eps, .members = p->members};
        wsr__attack_part_take(s->part, s, &position,
                              p->before + wsr__seconds() - p->started);
    }
}

static wsr_status restore_clean_gradient(const wsr__attack_rows *rows,
                                         wsr__attack_batch *s)
{
    wsr_status status = WSR_OK;
    struct wsr__attack_batch_own *const own = s->own;
    WSR_TRY(wsr__attack_batch_make_clean_gradient(s));
    memcpy(own->clean_grad, rows->clean_grad,
           s->n * (size_t)s->d * sizeof(*rows->clean_grad));
    memcpy(own->clean_loss, rows->clean_loss, s->n * sizeof(*own->clean_loss));
    memcpy(own->known, rows->flags[FLAG_KNOWN], s->n);
    for (size_t i = 0; i < s->n; i++) {
        own->clean_exponent[i] = (int)rows->counts[COUNT_EXPONENT][i] +
                                 WSR__EXPONENT_NONE;
    }
out:
    return status;
}

// The batch was begun, so its clean logits are computed already; equal ones
// overwrite them.
wsr_status wsr__attack_part_restore(const wsr__attack_part *part,
                                    wsr__attack_batch *s)
{
    wsr_status status = WSR_OK;
    const wsr__attack_rows *const rows = &part->rows;
    struct wsr__attack_batch_own *const own = s->own;
    const size_t words = s->n * sizeof(uint32_t);
    if (!has_rows(&part->position)) {
        return WSR_OK;
    }
    memcpy(own->found, rows->found, s->n * (size_t)s->d * sizeof(*rows->found));
    memcpy(own->clean, rows->clean, s->n * s->classes * sizeof(*rows->clean));
    memcpy(own->success, rows->flags[FLAG_SUCCESS], s->n);
    memcpy(own->nested_success, rows->flags[FLAG_NESTED], s->n);
    memcpy(own->queries, rows->counts[COUNT_QUERIES], words);
    memcpy(own->gradients, rows->counts[COUNT_GRADIENTS], words);
    memcpy(own->flat, rows->counts[COUNT_FLAT], words);
    memcpy(own->breaker, rows->counts[COUNT_BREAKER], words);
    memcpy(own->step, rows->counts[COUNT_STEP], words);
    memcpy(own->member_seconds, part->member_seconds,
           sizeof(own->member_seconds));
    own->clean_of = NULL;
    if (part->position.loss > 0) {
        own->clean_of = wsr__losses[part->position.loss - 1];
        WSR_TRY(restore_clean_gradient(rows, s));
    }
    s->skip = part->position.members;
out:
    return status;
}

// -------------------------------------------------------------- as states

// Arrays of the rows in the order floats, flags, counts; count 0 after the
// last.
static wsr__state of_rows(const wsr__attack_part *part, size_t i)
{
    static const char *const flags[] = {"success", "nested", "known"};
    static const char *const counts[] = {"queries",  "gradients", "flat",
                                         "exponent", "breaker",   "step"};
    const wsr__attack_rows *const rows = &part->rows;
    const size_t n = part->batch;
    const wsr__state floats[] = {
        {"found", WSR__STATE_F32, rows->found, n * part->d},
        {"clean", WSR__STATE_F32, rows->clean, n * part->classes},
        {"clean_grad", WSR__STATE_F32, rows->clean_grad, n * part->d},
        {"clean_loss", WSR__STATE_F64, rows->clean_loss, n}};
    const size_t first = sizeof(floats) / sizeof(floats[0]);
    if (i < first) {
        return floats[i];
    }
    const size_t k = i - first;
    if (k < WSR__ROW_FLAGS) {
        return (wsr__state){flags[k], WSR__STATE_FLAGS, rows->flags[k], n};
    }
    const size_t c = k - WSR__ROW_FLAGS;
    return c < WSR__ROW_COUNTS
               ? (wsr__state){counts[c], WSR__STATE_U32, rows->counts[c], n}
               : (wsr__state){0};
}

// Arrays of the record of a strength.
static wsr__state of_record(const wsr__attack_part *part, wsr__attack_record *r,
                            size_t i)
{
    const size_t n = part->result->n;
    const wsr__state all[] = {
        {"robust", WSR__STATE_FLAGS, r->robust, n},
        {"success", WSR__STATE_FLAGS, r->success, n},
        {"linf", WSR__STATE_F32, r->norms[WSR__LINF], n},
        {"l2", WSR__STATE_F32, r->norms[WSR__L2], n},
        {"l1", WSR__STATE_F32, r->norms[WSR__L1], n},
        {"low", WSR__STATE_F32, r->ends[0], n},
        {"high", WSR__STATE_F32, r->ends[1], n},
        {"queries", WSR__STATE_U32, r->queries, n},
        {"gradients", WSR__STATE_U32, r->gradients, n},
        {"flat", WSR__STATE_U32, r->flat, n},
        {"outside", WSR__STATE_FLAGS, r->outside, n},
        {"member", WSR__STATE_U32, r->member, n},
        {"step", WSR__STATE_U32, r->step, n},
        {"member_seconds", WSR__STATE_F64, r->member_seconds, WSR__MEMBERS},
        {"seconds", WSR__STATE_F64, &r->seconds, 1},
        {"images", WSR__STATE_F32, r->images, n * part->d}};
    return i < sizeof(all) / sizeof(all[0]) ? all[i] : (wsr__state){0};
}

// Number of arrays in of_record(), of_rows() and of_part().
enum { RECORD_ARRAYS = 16, ROW_ARRAYS = 13, OWN_ARRAYS = 7 };

static void put_position(wsr__attack_part *part)
{
    const wsr__attack_position *const p = &part->position;
    part->words[0] = (int64_t)p->first;
    part->words[1] = (int64_t)p->eps;
    part->words[2] = (int64_t)p->members;
    part->words[3] = (int64_t)p->loss;
}

// `right` is the outcome of the clean images, of those of the whole call.
static wsr__state of_part(wsr__attack_part *part, size_t i)
{
    const size_t n = part->result->n;
    const wsr__state all[OWN_ARRAYS] = {
        {"position", WSR__STATE_I64, part->words, WSR__POSITION_WORDS},
        {"seconds", WSR__STATE_F64, &part->seconds, 1},
        {"member_seconds", WSR__STATE_F64, part->member_seconds, WSR__MEMBERS},
        {"right", WSR__STATE_FLAGS, part->result->clean, n},
        {"predicted", WSR__STATE_U32, part->result->predicted, n},
        {"margin", WSR__STATE_F32, part->result->margin, n},
        {"smallest", WSR__STATE_F64, part->result->smallest, n}};
    return all[i];
}

// The list is: part, rows, then the records of all strengths, whose names
// begin with the number of the strength. Records of incomplete strengths are
// zero. Images are the last array of a record, so that the list is shorter
// without them.
wsr__state wsr__attack_part_state(wsr__attack_part *part, size_t i)
{
    if (i == 0) {
        put_position(part); // and not later, when it may have been read
    }
    if (i < OWN_ARRAYS) {
        return of_part(part, i);
    }
    const size_t k = i - OWN_ARRAYS;
    if (k < ROW_ARRAYS) {
        return of_rows(part, k);
    }
    const bool keep = part->attack->settings.images;
    const size_t each = RECORD_ARRAYS - (keep ? 0u : 1u);
    const size_t e = (k - ROW_ARRAYS) / each;
    if (e >= part->result->n_eps) {
        return (wsr__state){0};
    }
    wsr__state state =
        of_record(part, &part->result->records[e], (k - ROW_ARRAYS) % each);
    (void)snprintf(part->name, sizeof(part->name), "%zu.%s", e, state.name);
    state.name = part->name;
    return state;
}

static size_t count_losses(void)
{
    size_t n = 0;
    while (wsr__losses[n] != NULL) {
        n++;
    }
    return n;
}

// An exponent from a damaged file must not reach ldexp(): the step would
// silently be wrong.
static wsr_status check_exponents(const wsr__attack_part *part)
{
    const uint32_t most = (uint32_t)(WSR__EXPONENT_MOST - WSR__EXPONENT_NONE);
    for (size_t i = 0; i < part->batch; i++) {
        if (part->rows.counts[COUNT_EXPONENT][i] > most) {
            return WSR_FAIL(WSR_FORMAT,
                            "exponent of image %zu: %lu is outside [0, %lu]", i,
                            (unsigned long)part->rows.counts[COUNT_EXPONENT][i],
                            (unsigned long)most);
        }
    }
    return WSR_OK;
}

// A file may hold anything: every index is checked before it is used. A batch
// begins at a multiple of its size.
wsr_status wsr__attack_part_loaded(wsr__attack_part *part)
{
    const int64_t most[WSR__POSITION_WORDS] = {
        (int64_t)part->result->n - 1, (int64_t)part->result->n_eps - 1,
        INT32_MAX, (int64_t)count_losses()};
    for (size_t i = 0; i < WSR__POSITION_WORDS; i++) {
        if (part->words[i] < 0 || part->words[i] > most[i]) {
            return WSR_FAIL(WSR_FORMAT,
                            "position of the attack: %lld is outside [0, %lld]",
                            (long long)part->words[i], (long long)most[i]);
        }
    }
    if ((size_t)part->words[0] % part->batch != 0) {
        return WSR_FAIL(WSR_FORMAT,
                        "position of the attack: %lld is not the first image "
                        "of a batch",
                        (long long)part->words[0]);
    }
    part->position =
        (wsr__attack_position){(size_t)part->words[0], (size_t)part->words[1],
                               (size_t)part->words[2], (size_t)part->words[3]};
    return check_exponents(part);
}
