// SPDX-License-Identifier: Apache-2.0
//
// What trainers share: a pass of images through the training plan. The loss of
// an image is the cross entropy of its logits and its label, smoothed where
// that is asked for (kernel/softmax_cross_entropy.h); that of a batch is the
// mean. It is computed outside of the graph, since attack and training need the
// logits anyway.

#include "kernel/softmax_cross_entropy.h"
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
} output;

// Mean loss of an output; counts `correct`. Its gradient is written, unless
// nothing that is differentiated contributes to the output.
static wsr_status output_loss(double *loss, size_t *correct,
                              wsr__train_step *step, output out)
{
    const float *const z = wsr_plan_dst(step->plan, out.name);
    float *const dz = wsr_plan_diff_dst(step->plan, out.name);
    const size_t n = step->classes;
    double sum = 0;
    *correct = 0;
    for (size_t i = 0; i < step->n; i++) {
        const wsr__ce_target target = {.label = (size_t)step->labels[i],
                                       .smoothing = step->smoothing,
                                       .scale = out.weight / (double)step->n};
        float *const to = dz != NULL ? dz + i * n : NULL;
        sum += wsr__softmax_cross_entropy(to, z + i * n, n, &target);
        *correct += wsr__argmax(z + i * n, n) == step->labels[i];
    }
    *loss = sum / (double)step->n;
    return isfinite(*loss)
               ? WSR_OK
               : WSR_FAIL(WSR_NUMERIC, "loss of %s: %g is not finite", out.name,
                          fabs(*loss));
}

wsr_status wsr__train_step_pass(double *loss, size_t *correct,
                                wsr__train_step *step, const float *x,
                                wsr__pass pass)
{
    wsr_status status = WSR_OK;
    wsr_plan *const plan = step->plan;
    const wsr_shape *const shape = wsr__plan_images(plan);
    double second = 0;
    size_t ignored = 0;
    if (step->net->options->drop_path > 0) {
        WSR_TRY(wsr_net_drop_path(plan, step->net, step->drop_path, step->seed,
                                  step->number));
    }
    memcpy(wsr_plan_src(plan, "x"), x,
           (size_t)wsr_shape_count(shape) * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plan));
    WSR_TRY(output_loss(loss, correct, step, (output){"logits", pass.logits}));
    *loss *= pass.logits;
    // The gradients of all outputs are written: they lie in shared memory.
    if (wsr_plan_dst(plan, "aux") != NULL) {
        WSR_TRY(output_loss(&second, &ignored, step,
                            (output){"aux", pass.auxiliary}));
        *loss += pass.auxiliary * second;
    }
    if (pass.logits != 0 || pass.auxiliary != 0) {
        WSR_TRY(wsr_plan_backward(plan));
    }
out:
    return status;
}
