// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints of a training: values, and their checksums corrected. What is
// read trains on, or says in one line why not.

#include "fuzz/fuzz.h"
#include "train/trainer_bench.h"

#include <stdio.h>

static const char images[] = "synthetic:size=8,count=16,test_count=4,classes=2";
static const char cells[] =
    "genotype=cna_r,channels=2,layers=1,classes=2,image_size=8";
static const char options[] =
    "trainer=natural,epochs=3,batch=4,eval_every=1,eval_count=4,"
    "eval_attack=fgsm,ema=0.9,optimizer=\"sgd:momentum=0.9\",keep=best_robust";

// In the middle of an epoch, and at its end.
static void seeds(void)
{
    bench b = open_with(images, "network", cells, options);
    for (size_t step = 1; step <= 5; step++) {
        MUST_HOLD(wsr_trainer_step(b.trainer) == WSR_OK);
        if (step >= 4) {
            const char *const path = path_in(fuzz_folder(), "seed");
            MUST_HOLD(wsr_trainer_save(b.trainer, path) == WSR_OK);
            fuzz_seed_file(path);
        }
    }
    close_bench(&b);
}

const fuzz_target fuzz = {.seeds = seeds,
                          .files = 2,
                          .rounds = 300,
                          .mend = fuzz_mend_checkpoint,
                          .change = fuzz_change_tensors};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bench b;
    if (b.trainer == NULL) {
        b = open_with(images, "network", cells, options);
    }
    wsr_status status =
        wsr_trainer_load(b.trainer, fuzz_file("changed", data, size));
    fuzz_check(status, status == WSR_OK);
    if (status == WSR_OK && !wsr_trainer_done(b.trainer)) {
        status = wsr_trainer_step(b.trainer);
        fuzz_check(status, status == WSR_OK);
    }
    for (size_t e = 0; status == WSR_OK && e <= wsr_trainer_epochs(b.trainer);
         e++) {
        (void)wsr_trainer_get(b.trainer, e, WSR_TRAIN_TEST_ROBUST);
    }
    return 0;
}
