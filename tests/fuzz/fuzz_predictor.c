// SPDX-License-Identifier: Apache-2.0
//
// Predictor files. What is read predicts.

#include "fuzz/fuzz.h"
#include "predictor/predictor_support.h"

static void seeds(void)
{
    static const char *const specs[] = {"lstm:hidden=4", "gae", "strength"};
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        wsr_predictor *const p = predictor_new(specs[i], HEADS);
        const char *const path = path_in(fuzz_folder(), "p.safetensors");
        remember(p, 0, 4);
        MUST_HOLD(wsr_predictor_train(NULL, p, 1) == WSR_OK);
        MUST_HOLD(wsr_predictor_save(p, path) == WSR_OK);
        wsr_predictor_free(p);
        fuzz_seed_file(path);
    }
}

const fuzz_target fuzz = {
    .seeds = seeds, .files = 3, .rounds = 150, .change = fuzz_change_tensors};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_predictor *p = NULL;
    const char *const path = fuzz_file("changed", data, size);
    FUZZ_CHECK(wsr_predictor_load(&p, path), p);
    wsr_predictor_free(p);
    return 0;
}
