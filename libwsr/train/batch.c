// SPDX-License-Identifier: Apache-2.0
//
// What trainers share: a pass of images through the training plan. The loss of
// an image is the cross entropy of its logits and its label or its two labels,
// smoothed where that is asked for, or a loss of the caller's own, and that of
// a teacher; the loss of a batch is the mean. It is computed outside of the
// graph, since attack and training need the logits anyway.

#include "train/train.h"

#include <math.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "train/trainers.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__trainers = {"trainer", classes};

typedef struct output {
    const char *name;
    double weight;
    bool taught; // the teacher has a part in its loss
} output;

// A loss of the caller's own, its gradient times the weight. Where the weight
// is 0 it is not asked.
static wsr_status own_loss(double *loss, const wsr__train_step *step,
                           wsr_plan *plan, output out)
{
    const wsr_shape *const shape = wsr_plan_shape(plan, out.name);
    const float *const logits = wsr_plan_dst(plan, out.name);
    float *const diff = wsr_plan_diff_dst(plan, out.name);
    const size_t floats = step->n * step->classes;
    *loss = 0;
    if (diff == NULL) {
        return WSR_FAIL(WSR_ARG, "loss: nothing that is trained leads to it");
    }
    if (step->mixed.others != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "train.mixup, train.cutmix: a loss function "
                        "of one label has no use for mixed images");
    }
    if (out.weight == 0) {
        memset(diff, 0, floats * sizeof(*diff));
        return WSR_OK;
    }
    (void)wsr__fail(WSR_OK, "%s", ""); // so that a detail is the function's
    const wsr_status status =
        step->loss_fn(loss, diff, logits, shape, step->labels, step->loss_user);
    for (size_t i = 0; out.weight != 1 && i < floats; i++) {
        diff[i] *= (float)out.weight;
    }
    if (status != WSR_OK && wsr_error_detail()[0] == '\0') {
        return WSR_FAIL(status, "the loss function returned '%s'",
                        wsr_status_string(status));
    }
    return status;
}

static wsr_status label_loss(double *loss, const wsr__train_step *step,
                             wsr_plan *plan, output out)
{
    if (step->loss_fn != NULL) {
        return own_loss(loss, step, plan, out);
    }
    const wsr__ce_batch of = {.labels = step->labels,
                              .n = step->n,
                              .classes = step->classes,
                              .smoothing = step->smoothing,
                              .weight = out.weight,
                              .mixed = step->mixed};
    *loss = wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, out.name),
                                    wsr_plan_dst(plan, out.name), &of);
    return WSR_OK;
}

// The loss of labels, and, where there is a teacher, its loss.
static wsr_status both_losses(double *loss, const wsr__train_step *step,
                              wsr_plan *plan, output out)
{
    wsr_status status = WSR_OK;
    const double w = step->distill.weight;
    float *const diff = wsr_plan_diff_dst(plan, out.name);
    if (step->distill.logits == NULL || !out.taught || out.weight == 0) {
        return label_loss(loss, step, plan, out);
    }
    if (diff == NULL) {
        return WSR_FAIL(WSR_ARG, "loss: nothing that is trained leads to it");
    }
    WSR_TRY(label_loss(loss, step, plan,
                       (output){out.name, (1 - w) * out.weight, true}));
    *loss = (1 - w) * *loss +
            w * wsr__distillation(diff, wsr_plan_dst(plan, out.name), step,
                                  w * out.weight);
out:
    return status;
}

// Mean loss of an output; counts images that are classified correctly. The
// gradient is written, unless nothing that is trained leads to the output.
static wsr_status output_loss(double *loss, size_t *correct,
                              const wsr__train_step *step, wsr_plan *plan,
                              output out)
{
    wsr_status status = WSR_OK;
    *correct = wsr_count_correct(wsr_plan_dst(plan, out.name),
                                 wsr_plan_shape(plan, out.name), step->labels);
    WSR_TRY(both_losses(loss, step, plan, out));
    if (!isfinite(*loss)) {
        status = WSR_FAIL(WSR_NUMERIC, "loss of %s: %g is not finite", out.name,
                          fabs(*loss));
    }
out:
    return status;
}

wsr_status wsr__train_step_forward(const wsr__train_step *step, wsr_plan *plan,
                                   const float *x)
{
    wsr_status status = WSR_OK;
    const wsr_shape *const shape = wsr__plan_images(plan);
    const wsr_params *const params = wsr_net_params(step->net);
    if (wsr__net_drop_path(step->net) > 0) {
        WSR_TRY(wsr_net_drop_path(plan, step->net, step->drop_path, step->seed,
                                  step->number));
    }
    WSR_TRY(wsr_net_dropout(plan, step->net, step->seed, step->number));
    memcpy(wsr_plan_src(plan, "x"), x,
           (size_t)wsr_shape_count(shape) * sizeof(*x));
    if (step->stats != NULL) {
        (void)wsr__stats_copy(step->stats, params);
    }
    WSR_TRY(wsr_plan_forward(plan));
    if (step->stats != NULL) {
        wsr__stats_put(params, step->stats);
    }
out:
    return status;
}

wsr_status wsr__train_step_loss(double *loss, size_t *correct,
                                const wsr__train_step *step, wsr_plan *plan,
                                wsr__pass pass)
{
    wsr_status status = WSR_OK;
    double second = 0;
    size_t ignored = 0;
    WSR_TRY(output_loss(loss, correct, step, plan,
                        (output){"logits", pass.logits, true}));
    *loss *= pass.logits;
    // The gradients of all outputs are written: they lie in shared memory.
    if (wsr_plan_dst(plan, "aux") != NULL) {
        WSR_TRY(output_loss(&second, &ignored, step, plan,
                            (output){"aux", pass.auxiliary, false}));
        *loss += pass.auxiliary * second;
    }
out:
    return status;
}

wsr_status wsr__train_step_last_backward(const wsr__train_step *step,
                                         wsr_plan *plan)
{
    return step->reducer != NULL ? wsr__reducer_backward(step->reducer, plan)
                                 : wsr_plan_backward(plan);
}

static wsr_status forward_pass(double *loss, size_t *correct,
                               wsr__train_step *step, const float *x,
                               wsr__pass pass)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__train_step_forward(step, step->plan, x));
    WSR_TRY(wsr__train_step_loss(loss, correct, step, step->plan, pass));
out:
    return status;
}

static bool has_gradient(wsr__pass pass)
{
    return pass.logits != 0 || pass.auxiliary != 0;
}

wsr_status wsr__train_step_pass(double *loss, size_t *correct,
                                wsr__train_step *step, const float *x,
                                wsr__pass pass)
{
    const wsr_status status = forward_pass(loss, correct, step, x, pass);
    return status == WSR_OK && has_gradient(pass)
               ? wsr_plan_backward(step->plan)
               : status;
}

wsr_status wsr__train_step_last_pass(double *loss, size_t *correct,
                                     wsr__train_step *step, const float *x,
                                     wsr__pass pass)
{
    const wsr_status status = forward_pass(loss, correct, step, x, pass);
    return status == WSR_OK && has_gradient(pass)
               ? wsr__train_step_last_backward(step, step->plan)
               : status;
}
