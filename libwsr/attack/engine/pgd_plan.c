// SPDX-License-Identifier: Apache-2.0
//
// The attack inside adversarial training and search: all images of a batch
// take all steps on a plan in whatever mode it has, for in train mode the
// statistics of the batch are those of all its images. Nothing is checked, so
// n steps cost n forward and n backward passes.

#include "attack/engine/pgd_plan.h"
#include "attack/engine/model.h"
#include "graph/plan.h"

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

// One step, or the random start, of some images; the pixel range is [0, 1].
static void step_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const step_work *const work = ctx;
    const int64_t d = work->pixels;
    for (int64_t i = begin; i < end; i++) {
        const wsr__ball ball = {
            work->x + i * d, d, work->pgd->eps, WSR__LINF, {0, 1}};
        float *const x = work->out + i * d;
        if (work->grad != NULL) {
            wsr__sign_step(x, work->grad + i * d, work->pgd->alpha, &ball);
        } else {
            start_row(x, work->pgd, d, i);
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

wsr_status wsr__pgd_plan(float *out, wsr_plan *plan, const float *x,
                         const int32_t *labels, const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    const int64_t n = (int64_t)wsr_plan_batch(plan);
    float *const src = wsr_plan_src(plan, "x");
    if (src == NULL || wsr_plan_diff_dst(plan, "logits") == NULL ||
        wsr_plan_diff_src(plan, "x") == NULL) {
        return WSR_FAIL(WSR_ARG, "pgd: the plan lacks x, logits or gradients");
    }
    const int64_t floats = wsr_shape_count(wsr__plan_images(plan));
    step_work work = {out, x, NULL, pgd, floats / n};
    memmove(out, x, (size_t)floats * sizeof(*x));
    if (pgd->uniform > 0 || pgd->gaussian > 0) {
        wsr__share(n, work.pixels, step_share, &work);
    }
    for (size_t k = 0; k < pgd->steps; k++) {
        memcpy(src, out, (size_t)floats * sizeof(*x));
        WSR_TRY(wsr_plan_forward(plan));
        seed_backward(plan, labels, pgd);
        WSR_TRY(wsr_plan_backward(plan));
        work.grad = wsr_plan_diff_src(plan, "x");
        wsr__share(n, work.pixels, step_share, &work);
    }
out:
    return status;
}
