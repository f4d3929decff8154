// SPDX-License-Identifier: Apache-2.0
//
// Distillation: the loss of labels gives way, by a weight w, to how far the
// prediction is from that of another network, the teacher, at a temperature T,
//
//   (1 - w) CE(z, y) + w T^2 KL(softmax(teacher / T) || softmax(z / T))
//
// Hinton et al. 2015, arXiv:1503.02531. The teacher runs in evaluation mode on
// clean images, mixed ones where they are; attacked images are learned from
// with the same prediction (Goldblum et al. 2020, arXiv:1905.09747), and
// attacks keep the loss of labels. The second classifier learns from labels.
//
// teacher_fidelity=released: the divergence is a mean over images and classes,
// and trainers that attack show the teacher images without normalisation.

#include "base/fidelity.h"
#include "train/paired.h"

#include <math.h>
#include <string.h>

static bool is_released(const wsr__training *t)
{
    return wsr__streq(t->params.teacher_fidelity.s, "released");
}

wsr_status wsr__training_open_teacher(wsr__training *t)
{
    const char *const path = t->params.teacher.s;
    const size_t classes = wsr_net_classes(t->of.net);
    const size_t n = t->sizes.batch;
    if (path[0] == '\0') {
        return WSR_OK;
    }
    t->teacher_logits = wsr__alloc(n * classes, sizeof(*t->teacher_logits));
    return t->teacher_logits == NULL
               ? WSR_NOMEM
               : wsr__paired_open(&t->teacher, "train.teacher", path, &t->of,
                                  t->shard, 0);
}

wsr__distill wsr__distill_of(const wsr__training *t)
{
    return (wsr__distill){.logits = t->teacher_logits,
                          .temperature = t->params.temperature,
                          .weight = t->params.teacher_weight,
                          .over_classes = is_released(t)};
}

static bool attacks(const wsr__trainer_class *trainer)
{
    return trainer->attack != NULL || (trainer->purposes & WSR_GRAD_INPUT) != 0;
}

wsr_status wsr__training_teach(wsr__training *t, const wsr__train_step *part)
{
    wsr_status status = WSR_OK;
    float *x = NULL;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr__paired_input(&x, &plan, t->teacher, part->n));
    const wsr_shape *const shape = wsr__plan_images(plan);
    if (is_released(t) && attacks(t->trainer)) {
        wsr__denormalise(x, part->x, t->teacher->net, shape);
    } else {
        memcpy(x, part->x, (size_t)wsr_shape_count(shape) * sizeof(*x));
    }
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(part->distill.logits, wsr_plan_dst(plan, "logits"),
           part->n * part->classes * sizeof(*part->distill.logits));
out:
    return status;
}

// log sum_c exp(z_c / T)
static double log_sum(const float *z, size_t classes, double temperature)
{
    float top = z[0];
    double sum = 0;
    for (size_t c = 1; c < classes; c++) {
        top = fmaxf(top, z[c]);
    }
    for (size_t c = 0; c < classes; c++) {
        sum += exp(((double)z[c] - (double)top) / temperature);
    }
    return (double)top / temperature + log(sum);
}

// T^2 KL(p || q) of one image, p that of the teacher; its gradient is
// T (q - p).
static double row_loss(float *diff, const float *z, const float *teacher,
                       size_t classes, double temperature, double scale)
{
    const double t = temperature;
    const double total_q = log_sum(z, classes, t);
    const double total_p = log_sum(teacher, classes, t);
    double kl = 0;
    for (size_t c = 0; c < classes; c++) {
        const double log_q = (double)z[c] / t - total_q;
        const double log_p = (double)teacher[c] / t - total_p;
        const double p = exp(log_p);
        kl += p > 0 ? p * (log_p - log_q) : 0;
        diff[c] += (float)(scale * t * (exp(log_q) - p));
    }
    return t * t * kl;
}

double wsr__distillation(float *diff, const float *logits,
                         const wsr__train_step *step, double weight)
{
    const wsr__distill *const d = &step->distill;
    const size_t classes = step->classes;
    const double mean = (double)step->n *
                        (d->over_classes ? (double)classes : 1);
    double sum = 0;
    for (size_t i = 0; i < step->n; i++) {
        const size_t at = i * classes;
        sum += row_loss(diff + at, logits + at, d->logits + at, classes,
                        d->temperature, weight / mean);
    }
    return sum / mean;
}
