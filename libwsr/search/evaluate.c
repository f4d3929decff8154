// SPDX-License-Identifier: Apache-2.0
//
// Evaluation of an architecture: its mean loss on clean images and on
// adversarial images of every strength.
//
// PGD attacks the source strengths only; the estimator computes the noise of
// the targets from theirs. Noise arrays (batch, pixels): n sources, one of a
// random strength, then the targets.

#include "search/search.h"

#include "attack/engine/loss.h"

#include <math.h>
#include <string.h>

// Flags of plans for attacks and losses. In the released code batch norms use
// running statistics before the search phase.
static unsigned mode_of(const wsr_search *s)
{
    if (!s->quirks.mixed_norms) {
        return WSR_TRAIN;
    }
    return s->phase == WSR_PHASE_SEARCH ? (unsigned)(WSR_TRAIN | WSR_MOVE_STATS)
                                        : 0u;
}

// A path with "none" on all edges that matter has logits that do not depend on
// the image, and its plan has no gradient. Its images stay clean.
wsr_status wsr__search_pgd(wsr_search *s, const wsr__attack_plans *plans,
                           const wsr_batch *batch, const wsr__pgd *pgd)
{
    const float *const x = wsr_batch_images(batch);
    if (!wsr__attack_plans_differentiable(plans)) {
        memcpy(s->x_adv, x, wsr_batch_count(batch) * s->pixels * sizeof(*x));
        return WSR_OK;
    }
    s->counted.gradient += (double)(wsr_batch_count(batch) * pgd->steps);
    return wsr__attack_plans_pgd(s->x_adv, plans, x, wsr_batch_labels(batch),
                                 pgd);
}

wsr_status wsr__search_attack_begin(wsr_search *s,
                                    const wsr__attack_plans *plans,
                                    const wsr_batch *batch)
{
    const double start = wsr__seconds();
    const wsr_status status =
        wsr__attack_plans_begin(plans, wsr_batch_images(batch));
    if (plans->clean != NULL) {
        s->counted.forward += (double)wsr_batch_count(batch);
    }
    s->seconds[WSR__TIME_ATTACK] += wsr__seconds() - start;
    return status;
}

// Steps of 2.5 eps / steps, the usual choice for PGD.
wsr_status wsr__search_attack(wsr_search *s, const wsr__attack_plans *plans,
                              const wsr_batch *batch, double eps)
{
    const double start = wsr__seconds();
    const wsr__pgd pgd = {
        .eps = (float)eps,
        .alpha = (float)(2.5 * eps / (double)s->params.attack_steps),
        .steps = (size_t)s->params.attack_steps};
    const wsr_status status = wsr__search_pgd(s, plans, batch, &pgd);
    s->seconds[WSR__TIME_ATTACK] += wsr__seconds() - start;
    return status;
}

// Noise of strength eps: x' - x.
static wsr_status attack(float *noise, wsr_search *s,
                         const wsr__attack_plans *plans, const wsr_batch *batch,
                         double eps)
{
    wsr_status status = WSR_OK;
    const float *const x = wsr_batch_images(batch);
    const size_t floats = wsr_batch_count(batch) * s->pixels;
    WSR_TRY(wsr__search_attack(s, plans, batch, eps));
    for (size_t i = 0; i < floats; i++) {
        noise[i] = s->x_adv[i] - x[i];
    }
out:
    return status;
}

static wsr_status attack_sources(wsr_search *s, const wsr__attack_plans *plans,
                                 const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < s->params.sources.n; i++) {
        WSR_TRY(attack(s->noise[i], s, plans, batch, s->params.sources.v[i]));
    }
out:
    return status;
}

// Noises of a training batch: those of all sources and one of a random
// strength, so that the estimator learns more than fixed ratios. Then its
// images. Each is (batch, pixels), one behind the other in `out`.
static wsr_status noise_of_batch(float *out, wsr_search *s,
                                 const wsr__attack_plans *plans, size_t b)
{
    wsr_status status = WSR_OK;
    const wsr_batch *batch = NULL;
    const size_t n = s->params.sources.n;
    const uint64_t serial = wsr__search_serial(s);
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_STRENGTH, serial, (uint32_t)b);
    const double eps = s->params.random_eps * (double)wsr__rng_uniform(&rng);
    WSR_TRY(wsr_loader_next(&batch, s->train_loader));
    WSR_TRY(wsr__search_attack_begin(s, plans, batch));
    status = attack_sources(s, plans, batch);
    status = status != WSR_OK ? status
                              : attack(s->noise[n], s, plans, batch, eps);
    wsr__attack_plans_end(plans);
    WSR_TRY(status);
    const size_t floats = wsr_batch_count(batch) * s->pixels;
    for (size_t i = 0; i <= n; i++) {
        memcpy(out + i * floats, s->noise[i], floats * sizeof(*out));
    }
    memcpy(out + (n + 1) * floats, wsr_batch_images(batch),
           floats * sizeof(*out));
out:
    return status;
}

// Training batches whose noises are stored. All are whole.
static size_t noise_batches(const wsr_search *s)
{
    const size_t all = wsr_loader_batches(s->train_loader);
    const size_t wanted = (size_t)s->params.estimator_batches;
    return wanted < all ? wanted : all;
}

// The noises of batches [mine), one behind the other in `room`; `row` floats a
// batch.
static wsr_status make_noise(float *room, wsr_search *s,
                             const wsr__attack_plans *plans,
                             const wsr__items *mine)
{
    wsr_status status = WSR_OK;
    const size_t n = s->params.sources.n + 2;
    const size_t floats = (size_t)s->params.batch * s->pixels;
    WSR_TRY(
        wsr_loader_seek(s->train_loader, wsr__search_serial(s), mine->begin));
    for (size_t b = mine->begin; b < mine->end; b++) {
        WSR_TRY(
            noise_of_batch(room + (b - mine->begin) * n * floats, s, plans, b));
    }
out:
    return status;
}

// Hands each batch's noises from the process that made them to the estimators
// of all, in the order of the batches. `one` is room for those of others.
static wsr_status remember_noise(wsr_search *s, float *room, float *one,
                                 size_t batches)
{
    wsr_status status = WSR_OK;
    const size_t n = s->params.sources.n + 2;
    const size_t floats = (size_t)s->params.batch * s->pixels;
    for (size_t b = 0; b < batches; b++) {
        const size_t owner = wsr__comm_owner(batches, b);
        const size_t first = wsr__comm_share(batches, owner).begin;
        const bool own = owner == wsr_comm_rank();
        float *const at = own ? room + (b - first) * n * floats : one;
        const float *arrays[WSR__LIST_SIZE + 2] = {NULL};
        for (size_t i = 0; i < n; i++) {
            arrays[i] = at + i * floats;
        }
        WSR_TRY(wsr__comm_broadcast(at, n * floats * sizeof(*at), owner));
        WSR_TRY(wsr_estimator_remember(s->estimator, arrays, arrays[n - 1],
                                       n - 1, (size_t)s->params.batch));
    }
out:
    return status;
}

// Stores the noises of training batches in the estimator's memory. Processes
// make those of a share of the batches each.
static wsr_status store_noise(wsr_search *s, const wsr__attack_plans *plans)
{
    wsr_status status = WSR_OK;
    const size_t batches = noise_batches(s);
    const wsr__items mine = wsr__comm_share(batches, wsr_comm_rank());
    const size_t row = (s->params.sources.n + 2) * (size_t)s->params.batch *
                       s->pixels;
    double passes[3];
    const wsr__passes before = s->counted;
    float *const room =
        wsr__alloc(mine.end - mine.begin + 1, row * sizeof(*room));
    if (room == NULL) {
        status = WSR_NOMEM;
    } else {
        status = make_noise(room, s, plans, &mine);
    }
    WSR_TRY(wsr__comm_agree(status));
    WSR_TRY(
        remember_noise(s, room, room + (mine.end - mine.begin) * row, batches));
    // As many passes for each batch.
    passes[0] = s->counted.gradient - before.gradient;
    passes[1] = (double)(mine.end - mine.begin);
    passes[2] = s->counted.forward - before.forward;
    WSR_TRY(wsr__comm_broadcast(passes, sizeof(passes), 0));
    const double share = passes[1] > 0 ? (double)batches / passes[1] : 0;
    s->counted.gradient = before.gradient + passes[0] * share;
    s->counted.forward = before.forward + passes[2] * share;
out:
    wsr__free(room);
    return status;
}

static double norm_of(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

// The source nearest to a strength.
static size_t nearest(const wsr_search *s, double eps)
{
    size_t best = 0;
    for (size_t i = 1; i < s->params.sources.n; i++) {
        if (fabs(s->params.sources.v[i] - eps) <
            fabs(s->params.sources.v[best] - eps)) {
            best = i;
        }
    }
    return best;
}

// Norms (count, targets): the norm of the nearest source's noise, scaled by
// the ratio of the strengths. In the released code they are constants.
static void set_norms(wsr_search *s, size_t count)
{
    const size_t t = s->params.targets.n;
    for (size_t k = 0; k < t; k++) {
        const double eps = s->params.targets.v[k];
        const size_t from = nearest(s, eps);
        const double ratio = eps / s->params.sources.v[from];
        const double fixed = s->quirks.fixed_norms ? s->params.norm_values.v[k]
                                                   : 0;
        for (size_t i = 0; i < count; i++) {
            const double norm =
                norm_of(s->noise[from] + i * s->pixels, s->pixels) * ratio;
            s->norms[i * t + k] = (float)(s->quirks.fixed_norms ? fixed : norm);
        }
    }
}

// The targets of a searcher without an estimator are attacked, too.
static wsr_status attack_targets(wsr_search *s, const wsr__attack_plans *plans,
                                 const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const size_t first = s->params.sources.n + 1;
    for (size_t i = 0; i < s->params.targets.n; i++) {
        WSR_TRY(attack(s->noise[first + i], s, plans, batch,
                       s->params.targets.v[i]));
    }
out:
    return status;
}

static wsr_status estimate_targets(wsr_search *s, const wsr_batch *batch)
{
    const double start = wsr__seconds();
    const size_t n = s->params.sources.n;
    const size_t counts[] = {wsr_batch_count(batch), n, s->params.targets.n};
    set_norms(s, counts[0]);
    const wsr_status status = wsr_estimator_run(
        s->noise + n + 1, s->estimator, (const float *const *)s->noise,
        wsr_batch_images(batch), s->norms, counts);
    s->seconds[WSR__TIME_ESTIMATOR] += wsr__seconds() - start;
    return status;
}

// x_adv = x + noise, clamped to [0, 1] except in the released code.
static void perturb(wsr_search *s, const wsr_batch *batch, const float *noise,
                    bool clamp)
{
    const float *const x = wsr_batch_images(batch);
    const size_t floats = wsr_batch_count(batch) * s->pixels;
    for (size_t i = 0; i < floats; i++) {
        const float v = x[i] + noise[i];
        s->x_adv[i] = !clamp ? v : v < 0 ? 0 : v > 1 ? 1 : v;
    }
}

// Adds the mean cross entropy of a batch's images x to *loss, and to *accuracy
// (NULL: nowhere) the share that is recognised. The loss is computed in double
// precision, by the loss of attacks.
static wsr_status loss_of(double *loss, double *accuracy, wsr_search *s,
                          wsr_plan *plan, const wsr_batch *batch,
                          const float *x)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr_batch_count(batch);
    const size_t classes = wsr_net_classes(s->net);
    double sum = 0;
    double correct = 0;
    const double start = wsr__seconds();
    s->counted.forward += (double)n;
    memcpy(wsr_plan_src(plan, "x"), x, n * s->pixels * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plan));
    const float *const z = wsr_plan_dst(plan, "logits");
    for (size_t i = 0; i < n; i++) {
        const wsr__loss_target target = {.label = wsr_batch_labels(batch)[i],
                                         .target_class = -1};
        sum += wsr__loss_ce(NULL, NULL, z + i * classes, &target, classes);
        correct += wsr__argmax(z + i * classes, classes) == target.label ? 1
                                                                         : 0;
    }
    if (!isfinite(sum)) {
        return WSR_FAIL(WSR_NUMERIC, "loss of logits: %g is not finite", sum);
    }
    *loss += sum / (double)n;
    if (accuracy != NULL) {
        *accuracy += correct / (double)n;
    }
    s->seconds[WSR__TIME_EVALUATION] += wsr__seconds() - start;
out:
    return status;
}

// The noise array that belongs to slot i, see wsr__search_slot_eps().
static size_t noise_of(const wsr_search *s, size_t slot)
{
    const size_t n = s->params.sources.n;
    const size_t t = s->params.targets.n;
    const size_t pairs = n < t ? n : t;
    if (slot < 2 * pairs) {
        return slot % 2 == 0 ? slot / 2 : n + 1 + slot / 2;
    }
    return n > t ? slot - t : n + 1 + slot - n;
}

// What the losses of the slots need.
typedef struct slots {
    wsr_plan *plan; // gives the losses
    const wsr__attack_plans *attack;
    bool estimate;
} slots;

static wsr_status make_noises(wsr_search *s, const slots *of,
                              const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__search_attack_begin(s, of->attack, batch));
    status = attack_sources(s, of->attack, batch);
    if (status == WSR_OK && !of->estimate) {
        status = attack_targets(s, of->attack, batch);
    }
    wsr__attack_plans_end(of->attack);
    WSR_TRY(status);
    if (of->estimate) {
        WSR_TRY(estimate_targets(s, batch));
    }
out:
    return status;
}

// losses[0] is the clean loss and is computed elsewhere.
static wsr_status evaluate_batch(double *losses, wsr_search *s, const slots *of,
                                 const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    WSR_TRY(make_noises(s, of, batch));
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        perturb(s, batch, s->noise[noise_of(s, i)], !s->quirks.unclamped);
        WSR_TRY(loss_of(&losses[i], NULL, s, of->plan, batch, s->x_adv));
    }
out:
    return status;
}

// search.val_batches batches, or all.
static size_t count_batches(const wsr_search *s, const wsr_loader *loader)
{
    const size_t all = wsr_loader_batches(loader);
    const size_t wanted = (size_t)s->params.val_batches;
    return wanted > 0 && wanted < all ? wanted : all;
}

size_t wsr__search_batches(const wsr_search *s)
{
    return count_batches(s, s->held_out_loader);
}

// What a batch adds to sums.
typedef struct batch_of {
    wsr_search *search;
    wsr_plan *plan;     // of clean images, or
    const slots *slots; // what attacks need
} batch_of;

typedef wsr_status (*batch_fn)(double *sums, const batch_of *of,
                               const wsr_batch *batch);

enum { COUNTED = 2 }; // sums beside those of a function: passes

// The sums of one batch, with the passes that it took.
static wsr_status sum_batch(double *sums, size_t n, const batch_of *of,
                            const wsr_batch *batch, batch_fn fn)
{
    wsr_search *const s = of->search;
    const wsr__passes before = s->counted;
    const wsr_status status = fn(sums, of, batch);
    sums[n] = s->counted.gradient - before.gradient;
    sums[n + 1] = s->counted.forward - before.forward;
    s->counted = before;
    return status;
}

static wsr_status sum_here(double *rows, size_t n, const batch_of *of,
                           wsr_loader *loader, const wsr__items *mine,
                           batch_fn fn)
{
    wsr_status status = WSR_OK;
    wsr_search *const s = of->search;
    WSR_TRY(wsr_loader_seek(loader, wsr__search_serial(s), mine->begin));
    for (size_t b = mine->begin; b < mine->end; b++) {
        const wsr_batch *batch = NULL;
        WSR_TRY(wsr_loader_next(&batch, loader));
        WSR_TRY(sum_batch(rows + b * (n + COUNTED), n, of, batch, fn));
    }
out:
    return status;
}

// Sums of n numbers over the batches, in their order. Processes of a job have
// a share of the batches each, unless these move running statistics: then all
// do all. Batches start at the epoch's serial number, so that all architectures
// of an epoch see the same images.
static wsr_status sum_batches(double *sums, size_t n, const batch_of *of,
                              wsr_loader *loader, batch_fn fn)
{
    wsr_status status = WSR_OK;
    wsr_search *const s = of->search;
    const size_t batches = count_batches(s, loader);
    const size_t width = n + COUNTED;
    const bool shared = wsr__comm_many() && !s->quirks.mixed_norms;
    const wsr__items mine = shared ? wsr__comm_share(batches, wsr_comm_rank())
                                   : (wsr__items){0, batches};
    double *const rows = wsr__alloc(batches * width, sizeof(*rows));
    if (rows == NULL) {
        return WSR_NOMEM;
    }
    status = sum_here(rows, n, of, loader, &mine, fn);
    if (shared) {
        WSR_TRY(wsr__comm_agree(status));
        WSR_TRY(wsr__comm_gather_shares(rows, width * sizeof(*rows), batches));
    }
    WSR_TRY(status);
    for (size_t b = 0; b < batches; b++) {
        const double *const row = rows + b * width;
        for (size_t i = 0; i < n; i++) {
            sums[i] += row[i];
        }
        s->counted.gradient += row[n];
        s->counted.forward += row[n + 1];
    }
out:
    wsr__free(rows);
    return status;
}

// Sums: mean loss, and the share that is recognised.
static wsr_status clean_batch(double *sums, const batch_of *of,
                              const wsr_batch *batch)
{
    return loss_of(&sums[0], &sums[1], of->search, of->plan, batch,
                   wsr_batch_images(batch));
}

static wsr_status evaluate_clean(double *loss, wsr_search *s, wsr_plan *plan,
                                 wsr_loader *loader)
{
    wsr_status status = WSR_OK;
    const double batches = (double)count_batches(s, loader);
    const batch_of of = {.search = s, .plan = plan};
    double sums[2] = {0, 0};
    WSR_TRY(sum_batches(sums, 2, &of, loader, clean_batch));
    *loss = sums[0] / batches;
    s->clean_accuracy = sums[1] / batches;
out:
    return status;
}

// Sums: mean losses by slot.
static wsr_status slots_batch(double *sums, const batch_of *of,
                              const wsr_batch *batch)
{
    return evaluate_batch(sums, of->search, of->slots, batch);
}

static wsr_status evaluate_slots(double *losses, wsr_search *s,
                                 const slots *slots_of)
{
    wsr_status status = WSR_OK;
    wsr_loader *const loader = s->held_out_loader;
    double scale = 1 / (double)count_batches(s, loader);
    const batch_of of = {.search = s, .slots = slots_of};
    WSR_TRY(sum_batches(losses + 1, wsr__search_slots(s), &of, loader,
                        slots_batch));
    if (s->quirks.scaled) {
        scale /= (double)s->params.batch;
    }
    for (size_t i = 1; i <= wsr__search_slots(s); i++) {
        losses[i] *= scale;
    }
out:
    return status;
}

wsr_status wsr__search_measure(double *losses, wsr_search *s, wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    const wsr__attack_plans attack = {.n = (size_t)s->params.batch,
                                      .batch = plan};
    const slots of = {plan, &attack, false};
    memset(losses, 0, (1 + wsr__search_slots(s)) * sizeof(*losses));
    WSR_TRY(evaluate_clean(&losses[0], s, plan, s->held_out_loader));
    WSR_TRY(evaluate_slots(losses, s, &of));
out:
    return status;
}

// Makes the plans of a path, evaluates, and frees them: a search evaluates a
// path only once. A caller's evaluation must not change the running
// statistics.
wsr_status wsr__path_evaluate(double *losses, wsr_search *s,
                              const wsr__path *path, wsr__evaluation how)
{
    wsr_status status = WSR_OK;
    const size_t batch = (size_t)s->params.batch;
    const bool other_split = s->quirks.clean_on_train &&
                             s->phase == WSR_PHASE_SEARCH;
    const unsigned mode = mode_of(s);
    const unsigned still = ~(unsigned)WSR_MOVE_STATS;
    const unsigned purpose =
        WSR_GRAD_INPUT |
        (how >= WSR__EVALUATE_FIXED_STATS ? mode & still : mode);
    wsr__path_attack attack = {0};
    wsr_plan *plan = NULL;
    wsr_plan *clean = NULL;
    wsr_graph *graph = NULL;
    memset(losses, 0, (1 + wsr__search_slots(s)) * sizeof(*losses));
    // Clean losses: in released mode always with running statistics.
    WSR_TRY(wsr__path_graph(&graph, s, path));
    WSR_TRY(wsr__path_plan_in(&clean, s, graph, batch,
                              s->quirks.mixed_norms ? 0u : (unsigned)WSR_TRAIN,
                              &s->arena));
    WSR_TRY(evaluate_clean(&losses[0], s, clean,
                           other_split ? s->train_loader : s->held_out_loader));
    WSR_TRY(wsr__path_plan_in(&plan, s, graph, batch, purpose, &s->arena));
    if (wsr__search_batch_norms(&s->params)) {
        attack.plans.n = batch;
        attack.plans.batch = plan;
        attack.borrowed = true;
    } else {
        WSR_TRY(wsr__path_attack_new(&attack, s, graph, purpose, plan));
    }
    if (how == WSR__EVALUATE_AND_STORE) {
        WSR_TRY(store_noise(s, &attack.plans));
    }
    const slots of = {plan, &attack.plans,
                      s->cls->estimates && how != WSR__EVALUATE_BY_ATTACKS};
    WSR_TRY(evaluate_slots(losses, s, &of));
out:
    wsr__path_attack_free(&attack);
    wsr_plan_free(plan);
    wsr_plan_free(clean);
    wsr_graph_free(graph);
    return status == WSR_NUMERIC
               ? wsr__fail_at(status,
                              "evaluating an architecture, %s epoch %zu",
                              wsr__phase_names[s->phase], s->epoch)
               : status;
}
