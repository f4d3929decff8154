// SPDX-License-Identifier: Apache-2.0
//
// A search in the hands of a program: wsr_search_new(), wsr_search_step() and
// the functions around them.
//
// The work is that of a run (run.c), without folder and log. A saved search
// carries the configuration that it was made of, so that loading it needs only
// the file and the data set.

#include "search/search.h"

#include <math.h>
#include <string.h>

enum { COMMON, SECTIONS = 1 + WSR__SEARCH_SECTIONS, FACTS = 5 };

static const char config_key[] = "wsr.search";
static const char data_name[] = "search.data";

// ------------------------------------------------------------------- making

// The settings of a search while it is made.
typedef struct settings {
    wsr__run_common common;
    wsr__search_config config;
    wsr__section sections[SECTIONS];
} settings;

// Starts from the defaults; a section without a schema has no options of its
// own.
static void begin_settings(settings *s)
{
    *s = (settings){0};
    s->sections[COMMON] = (wsr__section){
        .prefix = "", .schema = wsr__run_common_schema, .params = &s->common};
    wsr__search_sections(&s->config, s->sections + 1);
    for (size_t i = 0; i < SECTIONS; i++) {
        if (s->sections[i].schema != NULL) {
            wsr__params_default(s->sections[i].params, s->sections[i].schema);
        }
    }
}

// NULL stands for an empty configuration, that is, for the defaults.
static wsr_status decode(settings *s, const wsr_config *config)
{
    wsr_status status = WSR_OK;
    wsr_config *none = NULL;
    if (config == NULL) {
        WSR_TRY(wsr_config_new(&none));
        config = none;
    }
    WSR_TRY(wsr__config_decode(config, s->sections, SECTIONS));
    wsr__search_decoded(&s->config, config);
out:
    wsr_config_free(none);
    return status;
}

// The resolved configuration, with all defaults, for wsr_search_save().
static wsr_status print_config(char **out, const settings *s)
{
    wsr__str text = {0};
    wsr__sections_print(&text, s->sections, SECTIONS);
    return wsr__str_give(out, &text);
}

// Plans are compiled once here, so that a lack of memory shows now.
wsr_status wsr_search_new(wsr_search **out, const wsr_dataset *train,
                          const wsr_config *config)
{
    wsr_status status = WSR_OK;
    wsr_search *search = NULL;
    settings s;
    *out = NULL;
    begin_settings(&s);
    WSR_TRY(decode(&s, config));
    if (s.common.threads > 0) {
        wsr_set_threads((size_t)s.common.threads);
    }
    WSR_TRY(wsr__search_configured(&search, &s.config, train,
                                   (uint64_t)s.common.seed, false));
    WSR_TRY(print_config(&search->config, &s));
    WSR_TRY(wsr__search_prepare(search));
    wsr__search_advance(search);
    *out = search;
    search = NULL;
out:
    wsr_search_free(search);
    wsr__sections_free(s.sections, SECTIONS);
    return status;
}

// ------------------------------------------------------------------ stepping

void wsr_search_set_hook(wsr_search *search, wsr_progress_hook hook, void *user)
{
    search->hook = hook;
    search->user = user;
}

// The hook of the caller may stop at any time. Only the training of the
// supernet can be continued inside the stage; other stages run to their end,
// so that nothing is done twice.
static bool watch(const wsr_progress *progress, void *user)
{
    wsr_search *const s = user;
    if (s->hook != NULL && !s->hook(progress, s->user)) {
        s->stop = true;
    }
    return !(s->stop && s->stage == WSR__STAGE_TRAIN);
}

// A stop outside of the training stage is reported when the epoch is complete.
wsr_status wsr_search_step(wsr_search *search)
{
    wsr_status status = WSR_OK;
    wsr__run run = {.hook = watch, .user = search};
    search->stop = false;
    WSR_TRY(wsr__search_run_epoch(search, &run));
    wsr__search_advance(search);
    if (search->stop) {
        status = WSR_FAIL(WSR_CANCELED, "stopped after an epoch of the search");
    }
out:
    return status;
}

wsr_phase wsr_search_phase(const wsr_search *search)
{
    return search->phase;
}

size_t wsr_search_epoch(const wsr_search *search)
{
    return search->epoch;
}

size_t wsr_search_epochs(const wsr_search *search)
{
    return wsr__phase_epochs(search, search->phase);
}

double wsr_search_train_loss(const wsr_search *search)
{
    return search->seen > 0 ? search->loss / search->seen : (double)NAN;
}

double wsr_search_train_accuracy(const wsr_search *search)
{
    return search->seen > 0 ? search->correct / search->seen : (double)NAN;
}

// ------------------------------------------------------------------- asking

wsr_net *wsr_search_net(const wsr_search *search)
{
    return search->net;
}

const float *wsr_search_alphas(const wsr_search *search)
{
    return search->alphas;
}

// All values are checked before the first is copied.
wsr_status wsr_search_set_alphas(wsr_search *search, const float *alphas)
{
    const size_t n = search->arch.rows * search->arch.cols;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(alphas[i])) {
            return WSR_FAIL(WSR_NUMERIC,
                            "alphas: %g of edge %zu, candidate %zu, is not "
                            "finite",
                            (double)alphas[i], i / search->arch.cols,
                            i % search->arch.cols);
        }
    }
    memcpy(search->alphas, alphas, n * sizeof(*alphas));
    return WSR_OK;
}

// A stream of random numbers of its own: a program that samples does not
// change the search.
void wsr_search_sample(unsigned char *choices, const wsr_search *search,
                       uint64_t number)
{
    float weights[WSR__EDGES * WSR__CANDIDATES];
    float top[WSR__EDGES];
    wsr__path path = {.weights = weights, .top = top, .choices = choices};
    wsr__path_sample(&path, search, number, WSR__SAMPLE_CALLER);
}

size_t wsr_search_losses(const wsr_search *search)
{
    return 1 + wsr__search_slots(search);
}

double wsr_search_eps(const wsr_search *search, size_t i)
{
    const bool attacked = i > 0 && i < wsr_search_losses(search);
    return attacked ? wsr__search_slot_eps(search, i - 1) : 0;
}

// The path has edge weights 1, and statistics are not updated, so that the
// search stays as it is.
wsr_status wsr_search_evaluate(double *losses, wsr_search *search,
                               const unsigned char *choices)
{
    wsr_status status = WSR_OK;
    double values[WSR__SLOTS];
    wsr__path path = {0};
    WSR_TRY(wsr__path_new(&path, &search->arch));
    WSR_TRY(wsr__supernet_check(search->net, choices));
    memcpy(path.choices, choices, search->arch.rows);
    for (size_t i = 0; i < search->arch.rows; i++) {
        path.top[i] = 1;
    }
    WSR_TRY(
        search->evaluator(values, search, &path, WSR__EVALUATE_FIXED_STATS));
    memcpy(losses, values, wsr_search_losses(search) * sizeof(*losses));
out:
    wsr__path_free(&path);
    return status;
}

// -------------------------------------------------------------------- files

// Facts about the data set that a saved search records. They cannot prove that
// the images are the same, but find most mistakes.
static void list_facts(uint64_t facts[FACTS], const wsr_search *search)
{
    const wsr_shape *const image = wsr_dataset_shape(search->train);
    facts[0] = wsr_dataset_count(search->train) +
               wsr_dataset_count(search->held_out);
    facts[1] = (uint64_t)wsr_dataset_classes(search->train);
    for (size_t i = 0; i < 3; i++) {
        facts[2 + i] = (uint64_t)image->dims[i];
    }
}

static wsr_status check_data(const wsr_search *search, const wsr__st *st)
{
    static const char *const names[FACTS] = {"images", "classes", "channels",
                                             "rows", "columns"};
    wsr_status status = WSR_OK;
    uint64_t have[FACTS];
    uint64_t want[FACTS];
    list_facts(have, search);
    WSR_TRY(wsr__st_read_u64(want, st, data_name, FACTS));
    for (size_t i = 0; i < FACTS; i++) {
        if (have[i] != want[i]) {
            return WSR_FAIL(WSR_ARG,
                            "train: %llu %s are not the %llu of the search "
                            "(%s)",
                            (unsigned long long)have[i], names[i],
                            (unsigned long long)want[i], wsr__st_path(st));
        }
    }
out:
    return status;
}

wsr_status wsr_search_save(const wsr_search *search, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    uint64_t facts[FACTS];
    list_facts(facts, search);
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_set(builder, config_key, search->config));
    WSR_TRY(wsr__st_add_u64(builder, data_name, facts, FACTS));
    WSR_TRY(wsr__search_add_state(search, builder));
    WSR_TRY(wsr__checkpoint_save(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}

static wsr_status read_config(wsr_config **out, const wsr__st *st)
{
    const char *const text = wsr__st_metadata(st, config_key);
    *out = NULL;
    if (text == NULL) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: is not what wsr_search_save() writes, its "
                        "metadata lack %s",
                        wsr__st_path(st), config_key);
    }
    const wsr_status status = wsr_config_new(out);
    return status == WSR_OK ? wsr_config_load_text(*out, text, wsr__st_path(st))
                            : status;
}

// A search is made anew from its configuration, then its state is read.
wsr_status wsr_search_load(wsr_search **out, const char *path,
                           const wsr_dataset *train)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_config *config = NULL;
    wsr_search *search = NULL;
    *out = NULL;
    WSR_TRY(wsr__checkpoint_load(&st, path));
    WSR_TRY(read_config(&config, st));
    WSR_TRY(wsr_search_new(&search, train, config));
    WSR_TRY(check_data(search, st));
    WSR_TRY(wsr__search_read_state(search, st));
    wsr__search_advance(search);
    *out = search;
    search = NULL;
out:
    wsr_search_free(search);
    wsr_config_free(config);
    wsr__st_free(st);
    return status;
}
