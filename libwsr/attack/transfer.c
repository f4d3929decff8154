// SPDX-License-Identifier: Apache-2.0
//
// Adversarial images of another network. An attack makes them on that network,
// to which it has full access, and the model under attack is asked once for
// each image, with its logits alone. An image counts only if the model under
// attack misclassifies it, so the attack on the other network takes all its
// steps. Papernot, McDaniel and Goodfellow, "Transferability in machine
// learning: from phenomena to black-box attacks using adversarial samples",
// arXiv:1605.07277.
//
//   transfer:net=surrogate.onnx,attack=[mifgsm:steps=20]

#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <string.h>

typedef struct params {
    wsr__text net;
    wsr__text options;
    wsr__text attack;
    wsr_net *source; // of the file
    wsr_model *model;
    wsr_attack *on_source;
} params;

static const wsr__option schema[] = {
    {"net", WSR__TEXT, offsetof(params, net), "", 0, 0, "",
     "file of the other network", NULL},
    {"options", WSR__TEXT, offsetof(params, options), "[]", 0, 0, "",
     "of that network beside its file, in brackets: [mean=0.5,std=0.25]", NULL},
    {"attack", WSR__TEXT, offsetof(params, attack), "[mifgsm]", 0, 0, "",
     "attack on it, with its options in brackets", NULL},
    {0},
};

static void release(void *options)
{
    params *const p = options;
    wsr_attack_free(p->on_source);
    wsr_model_free(p->model);
    wsr_net_free(p->source);
}

static wsr_status prepare(void *options)
{
    wsr_status status = WSR_OK;
    params *const p = options;
    char *spec = NULL;
    char *beside = NULL;
    if (p->net.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "transfer.net: a file is needed");
    }
    WSR_TRY(wsr__spec_list(&spec, p->attack.s));
    WSR_TRY(wsr__spec_list(&beside, p->options.s));
    WSR_TRY(wsr_attack_new(&p->on_source, spec, "stop=false"));
    WSR_TRY(wsr_net_load(&p->source, p->net.s, beside));
    WSR_TRY(wsr_model_from_net(&p->model, p->source, 0));
out:
    wsr__free(spec);
    wsr__free(beside);
    return status;
}

// Both models must take the same images, and the other one must know all
// classes that a label can be of.
static wsr_status fits(const void *options, const wsr_model *model)
{
    const params *const p = options;
    if (!wsr_shape_equal(&model->shape, &p->model->shape) ||
        model->classes != p->model->classes) {
        char a[96];
        char b[96];
        wsr__shape_print(a, &p->model->shape);
        wsr__shape_print(b, &model->shape);
        return WSR_FAIL(WSR_SHAPE,
                        "transfer.net: %s takes images %s of %zu classes, the "
                        "model under attack %s of %zu",
                        p->net.s, a, p->model->classes, b, model->classes);
    }
    return wsr__attack_fits(p->on_source->cls, p->on_source->params, p->model);
}

static wsr__lp norm(const void *options)
{
    return ((const params *)options)->on_source->norm;
}

// ------------------------------------------------------------------ the attack

typedef struct watched {
    wsr__attack_batch *s;
    uint64_t before; // passes of the batch
} watched;

// Passes of the attack on the other network are progress of this one.
static bool pass_on(const wsr_attack_progress *progress, void *user)
{
    const watched *const w = user;
    const uint64_t passes = w->before + progress->passes;
    wsr__attack_batch *const s = w->s;
    s->progress.passes = passes > s->progress.passes ? passes
                                                     : s->progress.passes;
    return wsr__attack_batch_report(s) == WSR_OK;
}

// The whole batch is attacked, so that random numbers follow the numbers of the
// images, whichever of them are still active.
static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    wsr_attack *const attack = p->on_source;
    wsr_attack_result *result = NULL;
    watched w = {s, s->progress.passes};
    int32_t *const labels = wsr__alloc(s->n, sizeof(*labels));
    if (labels == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->n; i++) {
        labels[i] = s->targets[i].label;
    }
    attack->settings.seed = s->attack->settings.seed;
    attack->settings.first = (int64_t)s->id;
    p->model->box = s->model->box;
    wsr_attack_set_hook(attack, pass_on, &w);
    WSR_TRY(wsr_attack_set_strengths(attack, &s->eps, 1));
    WSR_TRY(wsr_attack_run(&result, attack, p->model, s->x0, labels, s->n));
    const float *const images = wsr_attack_result_images(result, 0);
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        memcpy(wsr__at(s->x, s->d, row), wsr__at_const(images, s->d, row),
               (size_t)s->d * sizeof(*s->x));
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    wsr_attack_result_free(result);
    wsr__free(labels);
    return status;
}

// The passes of the attack on the other network, and the one question.
static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    wsr__attack_batch *other = NULL;
    uint64_t sum = 0;
    const params *const p = options;
    const wsr_attack *const attack = p->on_source;
    if (wsr__attack_batch_new(&other, attack, p->model, 1) == WSR_OK) {
        other->eps = s->eps;
        sum = attack->cls->passes(other, attack->params);
    }
    wsr__attack_batch_free(other);
    return sum == 0 ? 0 : sum + 2; // with its clean images
}

const wsr__attack_class wsr__attack_transfer = {
    .super = {.name = "transfer",
              .summary = "adversarial images of another network",
              .reference = "Papernot et al. 2016, arXiv:1605.07277",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = norm,
    .prepare = prepare,
    .release = release,
    .fits = fits,
    .run = run,
    .passes = passes,
};
