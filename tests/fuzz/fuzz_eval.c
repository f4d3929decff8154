// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints of evaluations, whole steps and parts of a step: values, and
// their checksums corrected. What is read goes on.

#include "attack/model_support.h"
#include "fuzz/fuzz.h"
#include "wsr/eval.h"

enum { COUNT = 6 };

static toy model_of;
static wsr_model *model;
static wsr_dataset *dataset;

static wsr_eval *open_eval(void)
{
    static const float strengths[] = {0.05f, 0.02f};
    wsr_eval *eval = NULL;
    if (model == NULL) {
        static uint8_t pixels[COUNT * TOY_D];
        static const int32_t labels[COUNT] = {0, 1, 2, 3, 4, 0};
        const wsr_shape shape = wsr__shape4(COUNT, TOY_C, TOY_SIDE, TOY_SIDE);
        for (size_t i = 0; i < sizeof(pixels); i++) {
            pixels[i] = pixel_of(5, i);
        }
        toy_fill(&model_of, 4);
        model = toy_model(&model_of, true);
        MUST_HOLD(wsr_dataset_new(&dataset, pixels, labels, &shape,
                                  TOY_CLASSES) == WSR_OK);
    }
    MUST_HOLD(wsr_eval_new(&eval, "fgsm,chain:attacks=[gn,pgd:steps=2],fab",
                           "batch=3,keep=1,seed=3") == WSR_OK);
    MUST_HOLD(wsr_eval_set_strengths(eval, strengths, 2) == WSR_OK);
    MUST_HOLD(wsr_eval_open(eval, model, dataset) == WSR_OK);
    return eval;
}

static bool stop(const wsr_eval_progress *progress, void *user)
{
    (void)user;
    return progress->step < 3 || progress->savepoints < 8;
}

static void save(const wsr_eval *eval)
{
    const char *const path = path_in(fuzz_folder(), "seed");
    MUST_HOLD(wsr_eval_save(eval, path) == WSR_OK);
    fuzz_seed_file(path);
}

static void seeds(void)
{
    wsr_eval *eval = open_eval();
    MUST_HOLD(wsr_eval_step(eval) == WSR_OK);
    save(eval);
    wsr_eval_set_hook(eval, stop, NULL);
    MUST_HOLD(wsr_eval_finish(eval) == WSR_CANCELED);
    save(eval);
    wsr_eval_set_hook(eval, NULL, NULL);
    MUST_HOLD(wsr_eval_finish(eval) == WSR_OK);
    save(eval);
    wsr_eval_free(eval);
}

const fuzz_target fuzz = {.seeds = seeds,
                          .files = 3,
                          .rounds = 600,
                          .mend = fuzz_mend_checkpoint,
                          .change = fuzz_change_tensors};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_eval *const eval = open_eval();
    wsr_status status = wsr_eval_resume(eval, fuzz_file("changed", data, size));
    fuzz_check(status, status == WSR_OK);
    if (status == WSR_OK) {
        status = wsr_eval_finish(eval);
        fuzz_check(status, status == WSR_OK);
        for (int what = 0; what <= WSR_EVAL_QUANTIZED_HIGH; what++) {
            (void)wsr_eval_get(eval, 0, 0, (wsr_eval_value)what);
        }
    }
    wsr_eval_free(eval);
    return 0;
}
