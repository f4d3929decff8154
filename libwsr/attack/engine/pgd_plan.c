// SPDX-License-Identifier: Apache-2.0
//
// The attack inside adversarial training and search: all images of a batch
// take all steps on a plan in whatever mode it has, for in train mode the
// statistics of the batch are those of all its images. Nothing is checked, so
// n steps cost n forward and n backward passes.

#include "attack/engine/pgd_plan.h"
#include "attack/engine/model.h"
#include "graph/plan.h"

#include <math.h>
#include <string.h>

typedef struct step_work {
    float *out;
    const float *x;
    const float *grad; // NULL: the random start
    const wsr__pgd *pgd;
    int64_t pixels;
} step_work;

// Random numbers belong to the image, by its number, not to its place in the
// batch.
static void start_row(float *x, const wsr__pgd *pgd, int64_t pixels, int64_t i)
{
    wsr__rng rng =
        wsr__rng_at(pgd->seed, WSR__RNG_ATTACK, pgd->id + (uint64_t)i, 0);
    for (int64_t p = 0; p < pixels && pgd->uniform > 0; p++) {
        x[p] += pgd->uniform * (2 * wsr__rng_uniform(&rng) - 1);
    }
    for (int64_t p = 0; p < pixels && pgd->gaussian > 0; p++) {
        x[p] += (float)((double)pgd->gaussian * wsr__rng_normal(&rng));
    }
}

static void clip_row(float *x, int64_t d)
{
    for (int64_t p = 0; p < d; p++) {
        x[p] = fminf(fmaxf(x[p], 0), 1);
    }
}

static wsr__ball ball_of(const step_work *work, int64_t i)
{
    const int64_t d = work->pixels;
    const wsr__box box = work->pgd->box_at_use
                             ? (wsr__box){-HUGE_VALF, HUGE_VALF}
                             : (wsr__box){0, 1};
    return (wsr__ball){work->x + i * d, d, work->pgd->eps, WSR__LINF, box};
}

// One step of some images.
static void step_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const step_work *const work = ctx;
    const wsr__pgd *const pgd = work->pgd;
    const int64_t d = work->pixels;
    for (int64_t i = begin; i < end; i++) {
        const wsr__ball ball = ball_of(work, i);
        float *const x = work->out + i * d;
        if (pgd->move != NULL) {
            pgd->move(x, work->grad + i * d, &ball, pgd->first + (uint64_t)i,
                      pgd->ctx);
        } else {
            wsr__sign_step(x, work->grad + i * d, pgd->alpha, &ball);
        }
    }
}

static void start_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const step_work *const work = ctx;
    const wsr__pgd *const pgd = work->pgd;
    const int64_t d = work->pixels;
    for (int64_t i = begin; i < end; i++) {
        const wsr__ball ball = ball_of(work, i);
        float *const x = work->out + i * d;
        for (int64_t p = 0; p < d && pgd->start != NULL; p++) {
            x[p] += pgd->start[i * d + p];
        }
        if (pgd->start == NULL) {
            start_row(x, pgd, d, i);
        }
        if (!pgd->start_outside) {
            wsr__project(x, &ball);
        }
    }
}

// Steps follow signs, so that each image may have an exponent of its own; in
// train mode all images have a part in the gradients of each.
static void seed_backward(wsr_plan *plan, const int32_t *labels,
                          const wsr__pgd *pgd)
{
    const wsr_shape *const shape = wsr_plan_shape(plan, "logits");
    const float *const z = wsr_plan_dst(plan, "logits");
    float *const dz = wsr_plan_diff_dst(plan, "logits");
    const size_t classes = (size_t)shape->dims[1];
    const wsr__loss loss = pgd->loss != NULL ? pgd->loss : wsr__loss_ce;
    const bool joint = (plan->purpose & WSR_TRAIN) != 0;
    int common = WSR__EXPONENT_NONE;
    for (size_t i = 0; i < (size_t)shape->dims[0]; i++) {
        const wsr__loss_target target = {
            labels[i], -1,
            pgd->clean == NULL ? NULL : pgd->clean + i * classes};
        int exponent = 0;
        (void)loss(dz + i * classes, &exponent, z + i * classes, &target,
                   classes);
        if (joint) {
            wsr__gradient_join(dz, &common, exponent, i, classes);
        }
    }
}

// Where labels are smoothed or mixed, the gradient is hardly ever too small for
// a float.
static void seed_soft(wsr_plan *plan, const int32_t *labels,
                      const wsr__pgd *pgd)
{
    const wsr_shape *const shape = wsr_plan_shape(plan, "logits");
    const wsr__ce_batch of = {.labels = labels,
                              .n = (size_t)shape->dims[0],
                              .classes = (size_t)shape->dims[1],
                              .smoothing = pgd->smoothing,
                              .weight = (double)shape->dims[0],
                              .mixed = pgd->mixed};
    (void)wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                  wsr_plan_dst(plan, "logits"), &of);
}

static wsr_status check_plan(wsr_plan *plan)
{
    return wsr_plan_src(plan, "x") == NULL ||
                   wsr_plan_diff_dst(plan, "logits") == NULL ||
                   wsr_plan_diff_src(plan, "x") == NULL
               ? WSR_FAIL(WSR_ARG, "pgd: the plan lacks x, logits or gradients")
               : WSR_OK;
}

static int64_t pixels_of(const wsr_plan *plan)
{
    return wsr_shape_count(wsr__plan_images(plan)) /
           (int64_t)wsr_plan_batch(plan);
}

void wsr__pgd_start(float *out, const wsr_plan *plan, const float *x,
                    const wsr__pgd *pgd)
{
    const int64_t n = (int64_t)wsr_plan_batch(plan);
    step_work work = {out, x, NULL, pgd, pixels_of(plan)};
    memmove(out, x, (size_t)(n * work.pixels) * sizeof(*x));
    if (pgd->uniform > 0 || pgd->gaussian > 0 || pgd->start != NULL) {
        wsr__share(n, work.pixels, start_share, &work);
    }
}

wsr_status wsr__pgd_gradient(const float **grad, wsr_plan *plan,
                             const float *at, const int32_t *labels,
                             const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    float *const src = wsr_plan_src(plan, "x");
    const int64_t floats = wsr_shape_count(wsr__plan_images(plan));
    *grad = NULL;
    memcpy(src, at, (size_t)floats * sizeof(*at));
    if (pgd->box_at_use) {
        clip_row(src, floats);
    }
    WSR_TRY(wsr_plan_forward(plan));
    if (pgd->smoothing > 0 || pgd->mixed.others != NULL) {
        seed_soft(plan, labels, pgd);
    } else {
        seed_backward(plan, labels, pgd);
    }
    WSR_TRY(wsr_plan_backward(plan));
    *grad = wsr_plan_diff_src(plan, "x");
out:
    return status;
}

wsr_status wsr__pgd_plan(float *out, wsr_plan *plan, const float *x,
                         const int32_t *labels, const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    const int64_t n = (int64_t)wsr_plan_batch(plan);
    WSR_TRY(check_plan(plan));
    step_work work = {out, x, NULL, pgd, pixels_of(plan)};
    wsr__pgd_start(out, plan, x, pgd);
    for (size_t k = 0; k < pgd->steps; k++) {
        WSR_TRY(wsr__pgd_gradient(&work.grad, plan, out, labels, pgd));
        wsr__share(n, work.pixels, step_share, &work);
    }
    if (pgd->box_at_use || pgd->start_outside) {
        clip_row(out, n * work.pixels);
    }
out:
    return status;
}
