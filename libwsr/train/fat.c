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
// 51 epochs, 1 for the next 40, then 2. The attack sees running statistics.
// Images are learned from in the order in which their attacks ended, as in the
// released code; drop path is all that the order can matter for.

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
    size_t pixels;
    int64_t *left; // steps of an image after it is misclassified; -1: ended
    size_t *ended; // passes that the image took
    size_t *order; // images in the order in which their attacks ended
} friendly;

// The images of a plan, rows `first` and following, and what it found of them.
typedef struct group {
    const friendly *f;
    size_t first;
    size_t n;
    size_t k; // step
    const float *grad;
} group;

// Images that are misclassified and have no steps left end. Returns how many
// go on.
static size_t end_images(const group *g, const wsr_plan *plan)
{
    const friendly *const f = g->f;
    const size_t classes = f->step->classes;
    const float *const z = wsr_plan_dst(plan, "logits");
    size_t going = 0;
    for (size_t r = 0; r < g->n; r++) {
        const size_t i = g->first + r;
        const bool wrong = wsr__argmax(z + r * classes, classes) !=
                           f->step->labels[i];
        if (f->left[i] >= 0 && wrong) {
            f->left[i]--;
        }
        if (f->left[i] >= 0) {
            f->ended[i] = g->k + 1;
            going++;
        }
    }
    return going;
}

static void add_noise(float *x, const friendly *f, size_t k, size_t i)
{
    const wsr__train_step *const step = f->step;
    const size_t row = (k * step->n + i) * f->pixels;
    wsr__rng rng =
        wsr__rng_at(step->seed, WSR__RNG_ATTACK, step->id + i, (uint32_t)k + 1);
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
    const group *const g = ctx;
    const friendly *const f = g->f;
    const params *const p = f->p;
    const float alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps);
    for (size_t r = (size_t)begin; r < (size_t)end; r++) {
        const size_t i = g->first + r;
        float *const x = f->step->x_adv + i * f->pixels;
        const wsr__ball ball = {f->step->x + i * f->pixels,
                                (int64_t)f->pixels,
                                (float)p->eps,
                                WSR__LINF,
                                {0, 1}};
        if (f->left[i] < 0) {
            continue;
        }
        for (size_t j = 0; j < f->pixels; j++) {
            const float d = g->grad[r * f->pixels + j];
            x[j] += alpha * ((float)(d > 0) - (float)(d < 0));
        }
        if (p->omega > 0) {
            add_noise(x, f, g->k, i);
        }
        wsr__project(x, &ball);
    }
}

// Passes are taken until the last image of the group ends.
static wsr_status attack_group(void *ctx, wsr_plan *plan, size_t first)
{
    wsr_status status = WSR_OK;
    const friendly *const f = ctx;
    wsr__train_step *const step = f->step;
    group g = {.f = f, .first = first, .n = wsr_plan_batch(plan)};
    const size_t at = first * f->pixels;
    const wsr__pgd pgd = {
        .eps = (float)f->p->eps,
        .uniform = (float)f->p->eps,
        .seed = step->seed,
        .id = step->id + first,
        .start = step->start_noise == NULL ? NULL : step->start_noise + at};
    wsr__pgd_start(step->x_adv + at, plan, step->x + at, &pgd);
    for (size_t going = g.n; g.k < (size_t)f->p->steps && going > 0; g.k++) {
        WSR_TRY(wsr__pgd_gradient(&g.grad, plan, step->x_adv + at,
                                  step->labels + first, &pgd));
        going = end_images(&g, plan);
        wsr__share((int64_t)g.n, (int64_t)f->pixels, move_share, &g);
    }
out:
    return status;
}

// Images that ended in the same pass are in the order of their numbers.
static void sort_images(const friendly *f)
{
    size_t at = 0;
    for (size_t k = 0; k <= (size_t)f->p->steps; k++) {
        for (size_t i = 0; i < f->step->n; i++) {
            if (f->ended[i] == k) {
                f->order[at++] = i;
            }
        }
    }
}

static wsr_status attack_images(friendly *f)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__attack_plans_rows(f->step->attack, attack_group, f));
    sort_images(f);
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
    f->ended = wsr__alloc(n, sizeof(*f->ended));
    if (f->left == NULL || f->order == NULL || f->ended == NULL) {
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
    wsr__free(f.ended);
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
    status = wsr__train_step_last_pass(&step->loss, &step->correct, step,
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
