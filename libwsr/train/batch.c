// SPDX-License-Identifier: Apache-2.0
//
// What trainers share: a pass of images through the training plan. With
// labels smoothed by s over C classes, t = (1 - s) onehot(y) + s / C, the loss
// of an image is
//
//   CE(z, t) = log sum exp z - sum_c t_c z_c,   gradient softmax(z) - t
//
// (Szegedy et al. 2016, arXiv:1512.00567), and that of a batch its mean. It is
// computed outside of the graph, in double, since attack and training need the
// logits anyway; 1 - p of a sure classifier keeps its digits.

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

typedef struct target {
    size_t label;
    double smoothing;
    double scale; // of the gradient
} target;

static double cross_entropy(float *dz, const float *z, size_t n,
                            const target *t)
{
    const double top = (double)z[wsr__argmax(z, n)];
    const double rest = t->smoothing / (double)n;
    double sum = 0;
    double mean = 0; // sum_c t_c z_c
    for (size_t c = 0; c < n; c++) {
        sum += exp((double)z[c] - top);
        mean += rest * (double)z[c];
    }
    mean += (1 - t->smoothing) * (double)z[t->label];
    const double total = top + log(sum);
    double others = 0;
    for (size_t c = 0; c < n; c++) {
        const double p = exp((double)z[c] - total);
        others += c == t->label ? 0 : p;
        dz[c] = (float)(t->scale * (p - rest));
    }
    dz[t->label] = (float)(t->scale * (t->smoothing - rest - others));
    return total - mean;
}

typedef struct output {
    const char *name;
    double weight;
} output;

// Mean loss of an output, whose gradient is written; adds to `correct`.
static wsr_status output_loss(double *loss, size_t *correct,
                              wsr__train_step *step, output out)
{
    const float *const z = wsr_plan_dst(step->plan, out.name);
    float *const dz = wsr_plan_diff_dst(step->plan, out.name);
    const size_t n = step->classes;
    double sum = 0;
    *correct = 0;
    for (size_t i = 0; i < step->n; i++) {
        const target t = {(size_t)step->labels[i], step->smoothing,
                          out.weight / (double)step->n};
        sum += cross_entropy(dz + i * n, z + i * n, n, &t);
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
    if (step->net->options.drop_path > 0) {
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
