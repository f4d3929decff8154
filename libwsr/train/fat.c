// SPDX-License-Identifier: Apache-2.0
//
// Friendly adversarial training: an image is attacked only until it is
// misclassified, and `tau` steps further.
//
//   x' = x + U(-eps, eps); up to `steps` times, while x' is classified
//   correctly or has some of its tau steps left:
//     x' <- clip of x' + alpha sign(grad CE(f(x'), y)) + omega N(0, 1) to the
//           ball around x and to [0, 1]
//   loss = CE(f(x'), y) + w CE(aux(x'), y)
//
// Zhang et al. 2020, arXiv:2002.11242. With dynamic_tau tau is 0 for the first
// 51 epochs, 1 for the next 40, then 2. The attack sees frozen statistics.
// Images are learned from in the order in which their attacks ended, as in the
// released code; drop path is all that the order can matter for. The whole
// batch takes every pass of the attack until its last image ends.

#include "train/inner.h"
#include "train/train.h"

#include <stddef.h>

typedef struct params {
    double eps;
    int64_t steps;
    double alpha;
    int64_t tau;
    bool dynamic_tau;
    double omega;
} params;

static const wsr__option schema[] = {
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "10", 1, 1000, "steps",
     "most steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0.007", 0, 1, "",
     "length of a step, 0: 2.5 eps / steps", NULL},
    {"tau", WSR__INT, offsetof(params, tau), "0", 0, 1000, "steps",
     "steps after an image is misclassified", NULL},
    {"dynamic_tau", WSR__BOOL, offsetof(params, dynamic_tau), "true", 0, 0, "",
     "tau by epoch: 0 to the 51st, 1 to the 91st, then 2", NULL},
    {"omega", WSR__FLOAT, offsetof(params, omega), "0.001", 0, 1, "",
     "deviation of the noise in each step", NULL},
    {0},
};

static unsigned attack(const void *options)
{
    (void)options;
    return WSR_GRAD_INPUT;
}

static int64_t tau_of(const params *p, uint64_t epoch)
{
    return !p->dynamic_tau ? p->tau : epoch <= 50 ? 0 : epoch <= 90 ? 1 : 2;
}

// Each array has an entry for each image of the batch.
typedef struct friendly {
    const params *p;
    wsr__train_step *step;
    const float *grad;
    size_t pixels;
    size_t k; // step
    size_t ended;
    int64_t *left; // steps of an image after it is misclassified; -1: ended
    size_t *order; // images that ended, one after the other
} friendly;

// Images that are misclassified and have no steps left end, in the order of
// their numbers.
static void end_images(friendly *f)
{
    const wsr__train_step *const step = f->step;
    const float *const z = wsr_plan_dst(step->attack, "logits");
    for (size_t i = 0; i < step->n; i++) {
        const bool wrong = wsr__argmax(z + i * step->classes, step->classes) !=
                           step->labels[i];
        if (f->left[i] < 0 || !wrong) {
            continue;
        }
        if (f->left[i] == 0) {
            f->order[f->ended++] = i;
        }
        f->left[i]--;
    }
}

static void add_noise(float *x, const friendly *f, size_t i)
{
    const wsr__train_step *const step = f->step;
    const size_t row = (f->k * step->n + i) * f->pixels;
    wsr__rng rng = wsr__rng_at(step->seed, WSR__RNG_ATTACK, step->id + i,
                               (uint32_t)f->k + 1);
    for (size_t j = 0; j < f->pixels; j++) {
        const double noise = step->step_noise != NULL
                                 ? (double)step->step_noise[row + j]
                                 : wsr__rng_normal(&rng);
        x[j] += (float)(f->p->omega * noise);
    }
}

// The noise is added before the projection, so wsr__sign_step() does not serve.
static void move_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const friendly *const f = ctx;
    const params *const p = f->p;
    const float alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps);
    for (size_t i = (size_t)begin; i < (size_t)end; i++) {
        const size_t at = i * f->pixels;
        float *const x = f->step->x_adv + at;
        const wsr__ball ball = {f->step->x + at,
                                (int64_t)f->pixels,
                                (float)p->eps,
                                WSR__LINF,
                                {0, 1}};
        if (f->left[i] < 0) {
            continue;
        }
        for (size_t j = 0; j < f->pixels; j++) {
            const float g = f->grad[at + j];
            x[j] += alpha * ((float)(g > 0) - (float)(g < 0));
        }
        if (p->omega > 0) {
            add_noise(x, f, i);
        }
        wsr__project(x, &ball);
    }
}

static wsr_status attack_images(friendly *f)
{
    wsr_status status = WSR_OK;
    wsr__train_step *const step = f->step;
    const wsr__pgd pgd = {.eps = (float)f->p->eps,
                          .uniform = (float)f->p->eps,
                          .seed = step->seed,
                          .id = step->id,
                          .start = step->start_noise};
    wsr__pgd_start(step->x_adv, step->attack, step->x, &pgd);
    for (f->k = 0; f->k < (size_t)f->p->steps && f->ended < step->n; f->k++) {
        WSR_TRY(wsr__pgd_gradient(&f->grad, step->attack, step->x_adv,
                                  step->labels, &pgd));
        end_images(f);
        wsr__share((int64_t)step->n, (int64_t)f->pixels, move_share, f);
    }
    for (size_t i = 0; i < step->n; i++) {
        if (f->left[i] >= 0) {
            f->order[f->ended++] = i;
        }
    }
out:
    return status;
}

static void swap_rows(float *rows, size_t i, size_t j, size_t floats)
{
    float *const a = rows + i * floats;
    float *const b = rows + j * floats;
    for (size_t k = 0; i != j && k < floats; k++) {
        const float kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

// Puts row order[i] into row i. The rows before i are in place already, and
// what was there has moved to where the order says.
static void arrange(const friendly *f)
{
    const wsr__train_step *const step = f->step;
    for (size_t i = 0; i < step->n; i++) {
        size_t from = f->order[i];
        while (from < i) {
            from = f->order[from];
        }
        swap_rows(step->x_adv, i, from, f->pixels);
        if (step->distill.logits != NULL) {
            swap_rows(step->distill.logits, i, from, step->classes);
        }
        step->adv_labels[i] = step->labels[f->order[i]];
    }
}

static wsr_status make_room(friendly *f)
{
    const size_t n = f->step->n;
    f->left = wsr__alloc(n, sizeof(*f->left));
    f->order = wsr__alloc(n, sizeof(*f->order));
    if (f->left == NULL || f->order == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        f->left[i] = tau_of(f->p, f->step->epoch);
    }
    return WSR_OK;
}

static wsr_status make_images(wsr__train_step *step, const params *p)
{
    wsr_status status = WSR_OK;
    const size_t floats = (size_t)wsr_shape_count(wsr__plan_images(step->plan));
    friendly f = {.p = p, .step = step, .pixels = floats / step->n};
    WSR_TRY(make_room(&f));
    WSR_TRY(attack_images(&f));
    wsr__train_step_mix(step);
    arrange(&f);
out:
    wsr__free(f.left);
    wsr__free(f.order);
    return status;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    wsr_status status = WSR_OK;
    const int32_t *const labels = step->labels;
    const wsr__pass pass = {1, step->auxiliary};
    if (!step->reuse) {
        WSR_TRY(make_images(step, options));
    }
    step->labels = step->adv_labels;
    status = wsr__train_step_pass(&step->loss, &step->correct, step,
                                  step->x_adv, pass);
    step->labels = labels;
out:
    return status;
}

static double passes(const void *options)
{
    return (double)((const params *)options)->steps + 1;
}

const wsr__trainer_class wsr__trainer_fat = {
    .super = {.name = "fat",
              .summary = "images attacked until they are misclassified "
                         "(friendly)",
              .reference = "Zhang et al. 2020, arXiv:2002.11242",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .one_label = true,
    .passes = passes,
    .batch = batch,
};
