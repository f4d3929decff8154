// SPDX-License-Identifier: Apache-2.0
//
// Specs, "name:key=value,...": of attacks, lists of attacks, schedules,
// optimisers, augmentations, data sets in memory. The first byte says of what.

#include "augment/augment.h"
#include "fuzz/fuzz.h"
#include "wsr/attack.h"
#include "wsr/eval.h"
#include "wsr/optim.h"

static void seeds(void)
{
    fuzz_seed_text("apgd:steps=20,restarts=5");
    fuzz_seed_text("aautoattack:norm=l2");
    fuzz_seed_text("achain:attacks=[fgsm,pgd:steps=3]");
    fuzz_seed_text("efgsm,pgd:steps=20,restarts=5,square:queries=10");
    fuzz_seed_text("spiecewise:epochs=[0,10,20],factors=[1,0.1,0.01]");
    fuzz_seed_text("swarmup_cosine:warmup=5");
    fuzz_seed_text("osgd:momentum=0.9,weight_decay=3e-4");
    fuzz_seed_text("grandom_crop:pad=4,flip,cutout:length=8");
    fuzz_seed_text("gcolor_jitter:brightness=0.4,hue=0.1,rand_augment");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 9, .rounds = 1500};

static void try_attack(const char *text)
{
    wsr_attack *attack = NULL;
    FUZZ_CHECK(wsr_attack_new(&attack, text, NULL), attack);
    wsr_attack_free(attack);
}

static void try_eval(const char *text)
{
    wsr_eval *eval = NULL;
    FUZZ_CHECK(wsr_eval_new(&eval, text, NULL), eval);
    wsr_eval_free(eval);
}

static void try_sched(const char *text)
{
    wsr_sched *sched = NULL;
    FUZZ_CHECK(wsr_sched_new(&sched, text), sched);
    for (int64_t epoch = 0; sched != NULL && epoch < 4; epoch++) {
        (void)wsr_sched_rate(sched, 0.1, epoch, 4);
    }
    wsr_sched_free(sched);
}

static void try_optim(const char *text)
{
    wsr_optim *optim = NULL;
    wsr_params *params = NULL;
    fuzz_demand(wsr_params_new(&params, 1) == WSR_OK);
    FUZZ_CHECK(wsr_optim_new(&optim, params, text), optim);
    wsr_optim_free(optim);
    wsr_params_free(params);
}

static void try_augment(const char *text)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {3, 32, 32};
    FUZZ_CHECK(wsr__pipeline_new(&pipeline, text, image), pipeline);
    wsr__pipeline_free(pipeline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const text = size == 0 ? NULL : fuzz_text(data + 1, size - 1);
    if (text == NULL) {
        return 0;
    }
    switch (data[0]) {
    case 'a':
        try_attack(text);
        break;
    case 'e':
        try_eval(text);
        break;
    case 's':
        try_sched(text);
        break;
    case 'o':
        try_optim(text);
        break;
    default:
        try_augment(text);
        break;
    }
    return 0;
}
