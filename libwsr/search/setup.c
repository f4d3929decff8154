// SPDX-License-Identifier: Apache-2.0
//
// Makes a search: the split of the data set, the supernet with its optimiser,
// the architecture parameters, the estimator and the predictor.
//
// The losses of an architecture are numbered: 0 is the clean loss, then one
// for each strength of search.sources and search.targets (a slot).
// wsr__search_slot_eps() gives the order of the slots.

#include "search/search.h"

// Conditions between options; the schema checks each value. Both lists of
// strengths ascend, since the estimator takes the weakest noise first. An
// estimator needs two sources to learn from: one is the target of the other.
static wsr_status check_params(const wsr__search_params *p, bool estimates)
{
    const size_t slots = p->sources.n + p->targets.n;
    if (p->weights.n != slots) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.weights: %zu numbers for %zu strengths "
                        "(search.sources and search.targets)",
                        p->weights.n, slots);
    }
    if (estimates && p->targets.n == 0) {
        return WSR_FAIL(WSR_CONFIG, "search.targets: is empty, at least one "
                                    "strength is to be estimated");
    }
    const size_t least = estimates ? 2 : 1;
    if (p->sources.n < least || p->sources.n > WSR_ESTIMATOR_SOURCES) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.sources: %zu strengths are outside [%zu, %d]",
                        p->sources.n, least, WSR_ESTIMATOR_SOURCES);
    }
    if (p->norm_values.n != p->targets.n &&
        wsr__is_released(&p->target_norms, &p->fidelity)) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.norm_values: %zu numbers for the %zu "
                        "strengths of search.targets",
                        p->norm_values.n, p->targets.n);
    }
    const wsr__floats *const lists[] = {&p->sources, &p->targets};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 1; k < lists[i]->n; k++) {
            if (lists[i]->v[k] <= lists[i]->v[k - 1]) {
                return WSR_FAIL(WSR_CONFIG,
                                "search.%s: %g after %g does not ascend",
                                i == 0 ? "sources" : "targets", lists[i]->v[k],
                                lists[i]->v[k - 1]);
            }
        }
    }
    return WSR_OK;
}

// What the released code does to statistics is done with those of the batch.
static wsr_status check_attack_norms(const wsr__search_params *p,
                                     const wsr__searcher_class *cls)
{
    if (wsr__search_batch_norms(p)) {
        return WSR_OK;
    }
    if (cls->network != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.attack_norms: '%s' is for searchers over the "
                        "supernet, not for %s",
                        p->attack_norms.s, cls->super.name);
    }
    const bool released = wsr__is_released(&p->gradients, &p->fidelity) ||
                          wsr__is_released(&p->attack_stats, &p->fidelity) ||
                          wsr__is_released(&p->norms, &p->fidelity);
    return released ? WSR_FAIL(WSR_CONFIG,
                               "search.attack_norms: '%s' needs "
                               "search.gradients, search.attack_stats and "
                               "search.norms as intended",
                               p->attack_norms.s)
                    : WSR_OK;
}

// One flag for each difference between the released code and the paper
// (docs/fidelity.md); all are false as intended.
static void resolve(wsr__search_quirks *q, const wsr__search_params *p)
{
    const wsr__text *const f = &p->fidelity;
    q->path_per_epoch = wsr__is_released(&p->path, f);
    q->leftover = wsr__is_released(&p->gradients, f);
    q->moving = wsr__is_released(&p->attack_stats, f);
    q->weighted = wsr__is_released(&p->edge_weights, f);
    q->scaled = wsr__is_released(&p->loss_scale, f);
    q->clean_on_train = wsr__is_released(&p->clean_split, f);
    q->mixed_norms = wsr__is_released(&p->norms, f);
    q->unclamped = wsr__is_released(&p->noise_range, f);
    q->fixed_norms = wsr__is_released(&p->target_norms, f);
    q->uncentred = wsr__is_released(&p->loss_centring, f);
}

// The first images train the supernet, the others evaluate architectures.
// Held-out images are not augmented, except in the released code. Both loaders
// drop a smaller last batch: plans have one batch size.
static wsr_status split_data(wsr_search *s, const wsr_dataset *data)
{
    wsr_status status = WSR_OK;
    const size_t all = wsr_dataset_count(data);
    const size_t first = (size_t)((double)all * s->params.train_fraction);
    wsr__loader_params loader;
    wsr__params_default(&loader, wsr__loader_schema);
    loader.batch = s->params.batch;
    loader.drop_last = true;
    loader.augment = s->params.augment;
    loader.seed = (int64_t)s->seed;
    if (first < (size_t)s->params.batch ||
        all - first < (size_t)s->params.batch) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.batch: %lld is above the %zu or %zu images of "
                        "the two parts of the data",
                        (long long)s->params.batch, first, all - first);
    }
    WSR_TRY(wsr_dataset_subset(&s->train, data, 0, first));
    WSR_TRY(wsr_dataset_subset(&s->held_out, data, first, all - first));
    WSR_TRY(wsr__loader_make(&s->train_loader, s->train, &loader));
    if (!s->quirks.clean_on_train) { // released: augmented too
        loader.augment = (wsr__text){""};
    }
    WSR_TRY(wsr__loader_make(&s->held_out_loader, s->held_out, &loader));
out:
    return status;
}

// Classes and images are those of the data, unless the options say otherwise.
static wsr__cells_options supernet_options(const wsr_search *s,
                                           const wsr__search_of *of)
{
    const wsr_shape *const image = wsr_loader_shape(s->train_loader);
    wsr__cells_options options = *of->supernet;
    wsr__cells_options usual;
    wsr__params_default(&usual, wsr__net_supernet.super.schema);
    if (options.super.classes == usual.super.classes) {
        options.super.classes = wsr_dataset_classes(of->data);
    }
    if (options.super.image_channels == usual.super.image_channels) {
        options.super.image_channels = image->dims[0];
    }
    if (options.super.image_size == usual.super.image_size) {
        options.super.image_size = image->dims[1];
    }
    return options;
}

// The optimiser and schedule of the supernet are SGD and cosine, as in the
// paper; their numbers are options.
static wsr_status make_supernet(wsr_search *s, const wsr__search_of *of)
{
    wsr_status status = WSR_OK;
    const wsr__cells_options options = supernet_options(s, of);
    const wsr__sgd sgd = {.momentum = s->params.momentum,
                          .weight_decay = s->params.weight_decay};
    const wsr__cosine cosine = {.lr_min = s->params.lr_min};
    WSR_TRY(
        s->cls->network != NULL
            ? s->cls->network(&s->net, &options, of->searcher_params, of->seed)
            : wsr__net_make(&s->net, &wsr__net_supernet, NULL, &options.super,
                            of->seed));
    WSR_TRY(wsr__images_fit(s->train_loader, of->data, s->net,
                            wsr_net_image(s->net)));
    WSR_TRY(wsr__images_fit(s->held_out_loader, of->data, s->net,
                            wsr_net_image(s->net)));
    WSR_TRY(wsr__optim_make(&s->optim, wsr_net_params(s->net), &wsr__optim_sgd,
                            &sgd));
    WSR_TRY(wsr__sched_make(&s->sched, &wsr__sched_cosine, &cosine));
out:
    return status;
}

// The alphas are a parameter set of one tensor (edges, candidates), so that an
// ordinary optimiser updates them. beta1 = 0.5 is DARTS's choice for
// architecture parameters. They start small and random, almost uniform.
static wsr_status make_arch(wsr_search *s)
{
    wsr_status status = WSR_OK;
    s->arch = (wsr__arch){.rows = wsr_supernet_edges(s->net),
                          .cols = wsr_supernet_candidates(s->net),
                          .tau = s->params.tau};
    if (s->arch.rows > WSR__EDGES || s->arch.cols > WSR__CANDIDATES) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "supernet: %zu edges with %zu candidates are more "
                        "than %d with %d",
                        s->arch.rows, s->arch.cols, WSR__EDGES,
                        WSR__CANDIDATES);
    }
    wsr__param *param = NULL;
    wsr__adam adam;
    const wsr_shape shape =
        wsr__shape2((int64_t)s->arch.rows, (int64_t)s->arch.cols);
    WSR_TRY(wsr_params_new(&s->arch_params, s->seed));
    WSR_TRY(wsr__params_trained(&param, s->arch_params, "alphas", &shape,
                                (wsr__init){0}));
    WSR_TRY(wsr__param_need_grad(param));
    wsr__params_default(&adam, wsr__optim_adam.super.schema);
    adam.beta1 = 0.5;
    adam.beta2 = 0.999;
    WSR_TRY(wsr__optim_make(&s->arch_optim, s->arch_params, &wsr__optim_adam,
                            &adam));
    s->alphas = param->data;
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_INIT, UINT64_MAX, 0);
    wsr__alphas_fill(s->alphas, s->arch.rows * s->arch.cols, &rng);
    WSR_TRY(wsr__path_new(&s->path, &s->arch));
out:
    return status;
}

// One array (batch, pixels) for each noise: of the sources, of one further
// strength that is drawn at random when the estimator trains, and of the
// targets.
static wsr_status make_arrays(wsr_search *s)
{
    const size_t batch = (size_t)s->params.batch;
    const size_t stats = wsr__stats_copy(NULL, wsr_net_params(s->net));
    s->pixels = (size_t)wsr_shape_count(wsr_loader_shape(s->train_loader));
    s->noises = s->params.sources.n + 1 + s->params.targets.n;
    s->x_adv = wsr__alloc(batch * s->pixels, sizeof(float));
    s->kept_stats = wsr__alloc(stats + 1, sizeof(*s->kept_stats));
    s->norms = wsr__alloc(batch * s->params.targets.n, sizeof(float));
    s->noise = wsr__alloc(s->noises, sizeof(*s->noise));
    if (s->x_adv == NULL || s->kept_stats == NULL || s->norms == NULL ||
        s->noise == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->noises; i++) {
        s->noise[i] = wsr__alloc(batch * s->pixels, sizeof(float));
        if (s->noise[i] == NULL) {
            return wsr__fail_at(WSR_NOMEM,
                                "noise of %zu images of %zu numbers at %zu "
                                "strengths",
                                batch, s->pixels, s->noises);
        }
    }
    return WSR_OK;
}

// With centred losses the targets of the predictor may be negative, which
// excludes errors relative to them.
wsr_status wsr__search_fit_predictor(wsr_predictor *predictor,
                                     const wsr_search *s)
{
    wsr_status status = WSR_OK;
    double strengths[WSR__SLOTS] = {0}; // the clean loss first
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        strengths[1 + i] = wsr__search_slot_eps(s, i);
    }
    if (wsr_predictor_takes_strength(predictor)) {
        WSR_TRY(wsr_predictor_set_strengths(predictor, strengths));
    }
    WSR_TRY(wsr__predictor_reserve(predictor));
    if (predictor->common->weighted && !s->quirks.uncentred) {
        status = WSR_FAIL(WSR_CONFIG,
                          "predictor.weighted: errors are divided "
                          "by losses, which only "
                          "search.loss_centring=released leaves positive");
    }
out:
    return status;
}

static wsr_status make_predictor(wsr_search *s, const wsr__search_of *of)
{
    wsr_status status = WSR_OK;
    const wsr_shape table =
        wsr__shape2((int64_t)s->arch.rows, (int64_t)s->arch.cols);
    WSR_TRY((of->resumed ? wsr__predictor_make_random : wsr__predictor_make)(
        &s->predictor, of->predictor, of->predictor_params, &table,
        1 + wsr__search_slots(s), of->seed));
    WSR_TRY(wsr__search_fit_predictor(s->predictor, s));
out:
    return status;
}

// Everything is allocated here, so that a lack of memory shows before the
// first epoch.
wsr_status wsr__search_make(wsr_search **out, const wsr__searcher_class *cls,
                            const wsr__search_of *of,
                            const wsr__search_params *params)
{
    wsr_status status = WSR_OK;
    wsr_search *s = NULL;
    *out = NULL;
    WSR_TRY(check_params(params, cls->estimates));
    WSR_TRY(check_attack_norms(params, cls));
    s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    s->cls = cls;
    s->evaluator = cls->evaluator != NULL ? cls->evaluator : wsr__path_evaluate;
    s->params = *params;
    s->seed = of->seed;
    resolve(&s->quirks, params);
    WSR_TRY(split_data(s, of->data));
    WSR_TRY(make_supernet(s, of));
    WSR_TRY(make_arch(s));
    if (params->table.s[0] != '\0') {
        WSR_TRY(wsr__lookup_open(&s->lookup, s));
        s->evaluator = wsr__lookup_evaluate;
    }
    if (params->ranking.s[0] != '\0') {
        WSR_TRY(wsr__ranking_open(&s->ranking, s));
    }
    WSR_TRY(make_arrays(s));
    WSR_TRY(wsr__search_make_parts(s));
    WSR_TRY(wsr__estimator_make(&s->estimator, of->estimator,
                                of->estimator_params,
                                wsr_loader_shape(s->train_loader), of->seed));
    WSR_TRY(wsr__estimator_reserve(s->estimator, params->sources.n));
    WSR_TRY(make_predictor(s, of));
    WSR_TRY(wsr__rivals_new(&s->rivals, s));
    if (cls->make != NULL) {
        WSR_TRY(cls->make(s, of->searcher_params));
    }
    WSR_TRY(wsr__search_prepare_best(s));
    WSR_TRY(wsr__search_spend(s));
    *out = s;
    s = NULL;
out:
    wsr_search_free(s);
    return status;
}

// A path that takes one candidate on every edge; which of them is heaviest
// depends on the supernet, so all are tried.
static wsr_status prepare_candidate(wsr_search *s, size_t candidate)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    wsr__path path = {0};
    const unsigned purpose =
        WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS |
        (s->quirks.leftover ? (unsigned)WSR_GRAD_INPUT : 0u);
    WSR_TRY(wsr__path_new(&path, &s->arch));
    for (size_t i = 0; i < s->arch.rows; i++) {
        path.choices[i] = (unsigned char)candidate;
        path.top[i] = 1;
    }
    WSR_TRY(wsr__path_plan(&plan, s, &path, (size_t)s->params.batch, purpose));
out:
    wsr_plan_free(plan);
    wsr__path_free(&path);
    return status == WSR_OK
               ? status
               : wsr__fail_at(status, "search: plans for %lld images at once",
                              (long long)s->params.batch);
}

wsr_status wsr__search_prepare(wsr_search *s)
{
    wsr_status status = WSR_OK;
    // Networks that are no supernet have their plans already.
    for (size_t i = 0; s->cls->network == NULL && i < s->arch.cols; i++) {
        WSR_TRY(prepare_candidate(s, i));
    }
out:
    return status;
}

// Bytes of the trained parameters.
static double bytes_of(const wsr_params *params)
{
    return sizeof(float) * (double)wsr_params_scalars(params);
}

// Memory and disk space, for the check before a run. Plans of the supernet
// share one arena, whose size wsr__search_prepare() has found.
void wsr__search_needs(wsr__needs *needs, const wsr_search *s)
{
    const wsr__ae_memory *const memory = &s->estimator->memory;
    const wsr__predictor_options *const predictor = s->predictor->common;
    const double batch = (double)s->params.batch * (double)s->pixels;
    const double net = bytes_of(wsr_net_params(s->net));
    const double samples = sizeof(float) * (double)memory->capacity *
                           (double)wsr__ae_memory_floats(memory);
    const double tables =
        (double)predictor->memory *
        (sizeof(float) * (double)(s->predictor->rows * s->predictor->cols) +
         sizeof(double) * (double)s->predictor->heads);
    wsr__needs_memory(needs, "plans of the supernet",
                      sizeof(float) * (double)s->arena.floats);
    wsr__needs_memory(needs, "parts of batches (search.shards)",
                      wsr__search_parts_bytes(s, net));
    // Data, gradients, momentum.
    wsr__needs_memory(needs, "the supernet's parameters", 3 * net);
    wsr__needs_memory(needs, "samples of the estimator (estimator.memory)",
                      samples);
    wsr__needs_memory(needs, "samples of the predictor (predictor.memory)",
                      tables);
    wsr__needs_memory(needs, "the estimator's parameters",
                      4 * bytes_of(s->estimator->params));
    wsr__needs_memory(needs, "batches",
                      sizeof(float) * batch * (double)(s->noises + 4));
    // Checkpoint, its predecessor and its successor.
    needs->disk +=
        3 * (2 * net + samples + tables + 3 * bytes_of(s->estimator->params));
}

void wsr_search_free(wsr_search *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; s->noise != NULL && i < s->noises; i++) {
        wsr__free(s->noise[i]);
    }
    if (s->own != NULL) {
        s->cls->free(s->own);
    }
    wsr__importance_free(s->importance);
    wsr__free(s->noise);
    wsr__free(s->norms);
    wsr__free(s->x_adv);
    wsr__free(s->kept_stats);
    wsr__search_free_parts(s);
    wsr_optim_free(s->arch_optim);
    wsr_params_free(s->arch_params);
    wsr__path_free(&s->path);
    wsr__rivals_free(s->rivals);
    wsr__lookup_free(s->lookup);
    wsr__ranking_free(s->ranking);
    wsr__free(s->best_room);
    wsr_predictor_free(s->predictor);
    wsr_estimator_free(s->estimator);
    wsr_sched_free(s->sched);
    wsr_optim_free(s->optim);
    wsr_loader_free(s->held_out_loader);
    wsr_loader_free(s->train_loader);
    wsr_dataset_free(s->held_out);
    wsr_dataset_free(s->train);
    wsr_net_free(s->net);
    wsr__arena_free(&s->arena);
    wsr__free(s->config);
    wsr__free(s);
}

// Numbers of the architecture update; 0 takes the default, which depends on
// `search.path` (docs/fidelity.md).
wsr__alpha_update wsr__search_alpha_update(const wsr_search *s)
{
    const bool released = s->quirks.path_per_epoch;
    const wsr__search_params *const p = &s->params;
    return (wsr__alpha_update){
        .steps = p->arch_steps > 0 ? (size_t)p->arch_steps
                 : released        ? 1
                                   : 10,
        .samples = p->arch_samples > 0 ? (size_t)p->arch_samples
                   : released          ? 1
                                       : 16,
        .lr = p->arch_lr > 0 ? p->arch_lr
              : released     ? 3e-5
                             : 1e-3,
        .tau = p->arch_tau > 0 ? p->arch_tau
               : released      ? p->tau
                               : 1};
}

// Weights of the losses: clean_weight for the clean one, the rest divided
// among the strengths in proportion to search.weights. Their sum is 1.
void wsr__search_weights(double *w, const wsr_search *s)
{
    double sum = 0;
    const wsr__floats *const list = &s->params.weights;
    for (size_t i = 0; i < list->n; i++) {
        sum += list->v[i];
    }
    w[0] = s->params.clean_weight;
    for (size_t i = 0; i < list->n; i++) {
        w[1 + i] = sum > 0 ? (1 - s->params.clean_weight) * list->v[i] / sum
                           : 0;
    }
}

double wsr_search_objective(const wsr_search *s, const double *losses)
{
    double w[WSR__SLOTS] = {0};
    double sum = 0;
    wsr__search_weights(w, s);
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        sum += w[i] * losses[i];
    }
    return sum;
}

size_t wsr__search_slots(const wsr_search *s)
{
    return s->params.sources.n + s->params.targets.n;
}

// Sources and targets take turns: the usual lists interleave (0.03, 0.045,
// 0.06, ...), so that slots ascend. What is left of the longer list follows.
double wsr__search_slot_eps(const wsr_search *s, size_t i)
{
    const size_t n = s->params.sources.n;
    const size_t t = s->params.targets.n;
    const size_t pairs = n < t ? n : t;
    if (i >= 2 * pairs) {
        return n > t ? s->params.sources.v[i - t] : s->params.targets.v[i - n];
    }
    return i % 2 == 0 ? s->params.sources.v[i / 2] : s->params.targets.v[i / 2];
}

const float *wsr__search_table(const wsr_search *s)
{
    if (s->best != NULL) {
        return s->best;
    }
    return s->cls->table != NULL ? s->cls->table(s) : s->alphas;
}

wsr_status wsr_search_genotype(wsr_genotype **out, const wsr_search *s,
                               const char *name)
{
    return wsr__genotype_derive(out, name, wsr__supernet_space(s->net),
                                wsr__search_table(s));
}
