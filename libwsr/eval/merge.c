// SPDX-License-Identifier: Apache-2.0
//
// Results of images as arrays: the rows of a step as bytes, for another
// process, and one evaluation of those of its shards. Each shard's checkpoint
// is read as if its run were resumed, so all that makes a checkpoint one of
// another evaluation, model or data set is refused here, too. Then its rows are
// copied to where the undivided evaluation has them.

#include "eval/eval.h"
#include "io/io.h"

#include <stdio.h>
#include <string.h>

// ------------------------------------------------------------------- arrays

// An array of results: `rows` rows of `width` bytes; data NULL: there is none.
typedef struct array_of_rows {
    void *data;
    size_t width;
    size_t rows;
} array_of_rows;

enum { COMMON = 4, OF_CELL = 15 };

// Array `i` of what is known without an attack, then of smallest changes.
static array_of_rows common_array(const wsr_eval *s, size_t i)
{
    const array_of_rows all[COMMON] = {
        {s->clean, sizeof(*s->clean), s->n},
        {s->predicted, sizeof(*s->predicted), s->n},
        {s->margin, sizeof(*s->margin), s->n},
        {s->crc32, sizeof(*s->crc32), s->n}};
    return i < COMMON
               ? all[i]
               : (array_of_rows){s->smallest[i - COMMON], sizeof(double), s->n};
}

static array_of_rows cell_array(const wsr_eval *s, const wsr__eval_cell *c,
                                size_t i)
{
    const size_t image = (size_t)s->model->pixels * sizeof(float);
    const array_of_rows all[OF_CELL] = {
        {c->robust, sizeof(*c->robust), s->n},
        {c->success, sizeof(*c->success), s->n},
        {c->norms[0], sizeof(float), s->n},
        {c->norms[1], sizeof(float), s->n},
        {c->norms[2], sizeof(float), s->n},
        {c->ends[0], sizeof(float), s->n},
        {c->ends[1], sizeof(float), s->n},
        {c->queries, sizeof(*c->queries), s->n},
        {c->gradients, sizeof(*c->gradients), s->n},
        {c->flat, sizeof(*c->flat), s->n},
        {c->outside, sizeof(*c->outside), s->n},
        {c->member, sizeof(*c->member), s->n},
        {c->step, sizeof(*c->step), s->n},
        {c->quantized, sizeof(*c->quantized), s->n},
        {c->images, image, s->keep}};
    return all[i];
}

// The arrays in a fixed order, with those that are NULL.
static size_t array_slots(const wsr_eval *s)
{
    return COMMON + s->n_attacks + s->n_attacks * s->n_eps * OF_CELL;
}

static array_of_rows slot(const wsr_eval *s, size_t i)
{
    const size_t before = COMMON + s->n_attacks;
    return i < before ? common_array(s, i)
                      : cell_array(s, &s->cells[(i - before) / OF_CELL],
                                   (i - before) % OF_CELL);
}

// Whether a slot is one of attack a, or common to all.
static bool is_of(const wsr_eval *s, size_t i, size_t a)
{
    const size_t before = COMMON + s->n_attacks;
    return i < COMMON || i == COMMON + a ||
           (i >= before && (i - before) / OF_CELL / s->n_eps == a);
}

// --------------------------------------------------------------- rows as bytes

enum { TIMES = WSR__MEMBERS + 1 }; // numbers of a cell that are no rows

size_t wsr__eval_rows_bytes(const wsr_eval *eval, const wsr__eval_rows *rows)
{
    size_t bytes = eval->n_eps * TIMES * sizeof(double);
    for (size_t i = 0; i < array_slots(eval); i++) {
        const array_of_rows array = slot(eval, i);
        const size_t end = rows->first + rows->n;
        const size_t last = end < array.rows ? end : array.rows;
        if (array.data != NULL && is_of(eval, i, rows->attack) &&
            last > rows->first) {
            bytes += (last - rows->first) * array.width;
        }
    }
    return bytes;
}

// Copies the rows out of the arrays, or into them.
static void move_rows(const wsr_eval *s, const wsr__eval_rows *rows,
                      char *bytes, bool out)
{
    for (size_t i = 0; i < array_slots(s); i++) {
        const array_of_rows array = slot(s, i);
        const size_t end = rows->first + rows->n;
        const size_t last = end < array.rows ? end : array.rows;
        if (array.data == NULL || !is_of(s, i, rows->attack) ||
            last <= rows->first) {
            continue;
        }
        char *const at = (char *)array.data + rows->first * array.width;
        const size_t size = (last - rows->first) * array.width;
        memcpy(out ? bytes : at, out ? at : bytes, size);
        bytes += size;
    }
}

// Times are those of the step alone: they begin at 0 before it.
void wsr__eval_rows_pack(char *out, const wsr_eval *eval,
                         const wsr__eval_rows *rows)
{
    for (size_t e = 0; e < eval->n_eps; e++) {
        const wsr__eval_cell *const cell = wsr__eval_at(eval, rows->attack, e);
        memcpy(out, cell->member_seconds, sizeof(cell->member_seconds));
        out += sizeof(cell->member_seconds);
        memcpy(out, &cell->seconds, sizeof(cell->seconds));
        out += sizeof(cell->seconds);
    }
    move_rows(eval, rows, out, true);
}

void wsr__eval_rows_unpack(wsr_eval *eval, const wsr__eval_rows *rows,
                           char *bytes)
{
    for (size_t e = 0; e < eval->n_eps; e++) {
        wsr__eval_cell *const cell = wsr__eval_at(eval, rows->attack, e);
        double times[TIMES];
        memcpy(times, bytes, sizeof(times));
        bytes += sizeof(times);
        for (size_t m = 0; m < WSR__MEMBERS; m++) {
            cell->member_seconds[m] += times[m];
        }
        cell->seconds += times[WSR__MEMBERS];
    }
    move_rows(eval, rows, bytes, false);
}

void wsr__eval_clear_times(wsr_eval *eval)
{
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        memset(eval->cells[k].member_seconds, 0,
               sizeof(eval->cells[k].member_seconds));
        eval->cells[k].seconds = 0;
    }
}

// ------------------------------------------------------------------ merging

// Rows of a shard, which begin at image `first` of all. Adversarial images are
// kept of the first images alone, in both.
static void copy_rows(wsr_eval *to, const wsr_eval *from)
{
    for (size_t i = 0; i < array_slots(to); i++) {
        const array_of_rows a = slot(to, i);
        const array_of_rows b = slot(from, i);
        const size_t room = a.rows > from->first ? a.rows - from->first : 0;
        const size_t rows = b.rows < room ? b.rows : room;
        if (a.data != NULL && b.data != NULL && rows > 0) {
            memcpy((char *)a.data + from->first * a.width, b.data,
                   rows * a.width);
        }
    }
    for (size_t k = 0; k < to->n_attacks * to->n_eps; k++) {
        to->cells[k].seconds += from->cells[k].seconds;
        for (size_t m = 0; m < WSR__MEMBERS; m++) {
            to->cells[k].member_seconds[m] += from->cells[k].member_seconds[m];
        }
    }
    to->random = to->random || from->random;
}

// Reads the shard that a folder says it is.
static wsr_status read_shard(wsr_eval *out, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__eval_load_state(out, st));
    if (out->position < wsr_eval_steps(out)) {
        status = WSR_FAIL(WSR_ARG,
                          "%s: shard %s is not complete: %zu of %zu steps are "
                          "done; resume it",
                          wsr__st_path(st), out->settings.shard.s,
                          out->position, wsr_eval_steps(out));
    }
out:
    return status;
}

// What the configuration of a folder says of its shard.
typedef struct said {
    const char *dir; // NULL: no folder yet
    char shard[24];
    int64_t keep; // adversarial images
} said;

// The evaluation of a shard, opened like the one that it is part of.
static wsr_status open_shard(wsr_eval **out, const wsr_eval *whole,
                             const wsr__eval_params *params, const said *of)
{
    wsr_status status = WSR_OK;
    wsr__eval_params own = *params;
    wsr_eval *shard = NULL;
    *out = NULL;
    own.settings.keep = of->keep;
    (void)snprintf(own.settings.shard.s, sizeof(own.settings.shard.s), "%s",
                   of->shard);
    WSR_TRY(wsr__eval_make(&shard, &own));
    WSR_TRY(wsr_eval_open(shard, whole->model, whole->dataset));
    if (whole->source != NULL) {
        WSR_TRY(wsr_eval_transfer(shard, whole->source));
    }
    *out = shard;
    shard = NULL;
out:
    wsr_eval_free(shard);
    return status;
}

// All shards in their order.
typedef struct found {
    said *list;
    size_t of;
} found;

// Notes the shard of a folder. The first folder says how many there are.
static wsr_status note(found *f, const said *s)
{
    wsr_status status = WSR_OK;
    wsr__shard shard;
    WSR_TRY(wsr__shard_parse(&shard, s->shard));
    if (f->list == NULL) {
        f->of = shard.of;
        f->list = wsr__alloc(shard.of, sizeof(*f->list));
        if (f->list == NULL) {
            return WSR_NOMEM;
        }
    }
    if (shard.of != f->of) {
        status = WSR_FAIL(WSR_ARG, "%s: is shard %s, others are of %zu", s->dir,
                          s->shard, f->of);
    } else if (f->list[shard.number].dir != NULL) {
        status = WSR_FAIL(WSR_ARG, "%s: shard %s is in %s as well", s->dir,
                          s->shard, f->list[shard.number].dir);
    } else {
        f->list[shard.number] = *s;
    }
out:
    return status;
}

static const char *value_of(const wsr_config *config, const char *key,
                            const char *none)
{
    const char *const value = wsr_config_text(config, key);
    return value == NULL ? none : value;
}

// A run keeps all images for attack.save, else those that its report shows.
static wsr_status read_config(said *out, const char *dir)
{
    wsr_status status = WSR_OK;
    wsr_config *config = NULL;
    char *const path = wsr__path_join(dir, "config.yaml");
    *out = (said){.dir = dir};
    if (path == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr_config_new(&config));
    WSR_TRY(wsr_config_load(config, path));
    (void)snprintf(out->shard, sizeof(out->shard), "%s",
                   value_of(config, "attack.shard", "1/1"));
    if (value_of(config, "attack.save", "")[0] != '\0') {
        out->keep = INT32_MAX;
    } else if (!wsr__parse_int(&out->keep,
                               value_of(config, "attack.show", "0"))) {
        status = WSR_FAIL(WSR_FORMAT, "%s: attack.show is no number", path);
    }
out:
    wsr_config_free(config);
    wsr__free(path);
    return status;
}

// The adversarial images that the whole keeps must be among the shard's.
static wsr_status check_kept(const wsr_eval *whole, const wsr_eval *shard,
                             const char *dir)
{
    const size_t room = whole->keep > shard->first ? whole->keep - shard->first
                                                   : 0;
    const size_t wanted = room < shard->n ? room : shard->n;
    return shard->keep >= wanted
               ? WSR_OK
               : WSR_FAIL(WSR_ARG,
                          "attack.save: %s kept %zu of %zu adversarial images; "
                          "shards must be made with attack.save, too",
                          dir, shard->keep, wanted);
}

static wsr_status merge_one(wsr_eval *eval, const wsr__eval_params *params,
                            const said *of)
{
    wsr_status status = WSR_OK;
    wsr_eval *shard = NULL;
    wsr__st *st = NULL;
    char *const path = wsr__path_join(of->dir, "checkpoint.safetensors");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(open_shard(&shard, eval, params, of));
    WSR_TRY(wsr__checkpoint_load(&st, path));
    WSR_TRY(read_shard(shard, st));
    WSR_TRY(check_kept(eval, shard, of->dir));
    copy_rows(eval, shard);
out:
    wsr__st_free(st);
    wsr_eval_free(shard);
    wsr__free(path);
    return status;
}

static wsr_status check_complete(const found *f)
{
    for (size_t i = 0; i < f->of; i++) {
        if (f->list[i].dir == NULL) {
            return WSR_FAIL(WSR_ARG, "shard %zu/%zu is missing", i + 1, f->of);
        }
    }
    return WSR_OK;
}

wsr_status wsr__eval_merge(wsr_eval *eval, const wsr__eval_params *params,
                           const wsr__merge *merge)
{
    wsr_status status = WSR_OK;
    found f = {0};
    for (size_t i = 0; i < merge->n; i++) {
        said of;
        WSR_TRY(read_config(&of, merge->dirs[i]));
        WSR_TRY(note(&f, &of));
    }
    WSR_TRY(check_complete(&f));
    for (size_t i = 0; i < f.of; i++) {
        WSR_TRY(merge_one(eval, params, &f.list[i]));
    }
    eval->position = wsr_eval_steps(eval);
out:
    wsr__free(f.list);
    return status;
}
