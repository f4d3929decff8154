// SPDX-License-Identifier: Apache-2.0
//
// One evaluation of those of its shards. Each shard's checkpoint is read as if
// its run were resumed, so all that makes a checkpoint one of another
// evaluation, model or data set is refused here, too. Then its rows are copied
// to where the undivided evaluation has them.

#include "eval/eval.h"
#include "io/io.h"

#include <stdio.h>
#include <string.h>

// ------------------------------------------------------------------- arrays

enum { COMMON = 4, OF_CELL = 15 };

// Array `i` of what is known without an attack, then of smallest changes.
static wsr__eval_array common_array(const wsr_eval *s, size_t i)
{
    const wsr__eval_array all[COMMON] = {
        {s->clean, sizeof(*s->clean), s->n},
        {s->predicted, sizeof(*s->predicted), s->n},
        {s->margin, sizeof(*s->margin), s->n},
        {s->crc32, sizeof(*s->crc32), s->n}};
    return i < COMMON ? all[i]
                      : (wsr__eval_array){s->smallest[i - COMMON],
                                          sizeof(double), s->n};
}

static wsr__eval_array cell_array(const wsr_eval *s, const wsr__eval_cell *c,
                                  size_t i)
{
    const size_t image = (size_t)s->model->pixels * sizeof(float);
    const wsr__eval_array all[OF_CELL] = {
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

static wsr__eval_array slot(const wsr_eval *s, size_t i)
{
    const size_t before = COMMON + s->n_attacks;
    return i < before ? common_array(s, i)
                      : cell_array(s, &s->cells[(i - before) / OF_CELL],
                                   (i - before) % OF_CELL);
}

wsr__eval_array wsr__eval_array_at(const wsr_eval *eval, size_t i)
{
    size_t there = 0;
    for (size_t k = 0; k < array_slots(eval); k++) {
        const wsr__eval_array array = slot(eval, k);
        if (array.data != NULL && there++ == i) {
            return array;
        }
    }
    return (wsr__eval_array){0};
}

// ------------------------------------------------------------------ merging

// Rows of a shard, which begin at image `first` of all. Adversarial images are
// kept of the first images alone, in both.
static void copy_rows(wsr_eval *to, const wsr_eval *from)
{
    for (size_t i = 0; i < array_slots(to); i++) {
        const wsr__eval_array a = slot(to, i);
        const wsr__eval_array b = slot(from, i);
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
