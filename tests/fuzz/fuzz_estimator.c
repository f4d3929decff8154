// SPDX-License-Identifier: Apache-2.0
//
// Estimator files. What is read estimates.

#include "estimator/estimator_support.h"
#include "fuzz/fuzz.h"

static void seeds(void)
{
    static const char *const specs[] = {"an", "e_ane", "an:fidelity=released"};
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        wsr_estimator *const est = estimator_new(specs[i]);
        const char *const path = path_in(fuzz_folder(), "e.safetensors");
        MUST_HOLD(wsr_estimator_save(est, path) == WSR_OK);
        wsr_estimator_free(est);
        fuzz_seed_file(path);
    }
}

const fuzz_target fuzz = {
    .seeds = seeds, .files = 3, .rounds = 150, .change = fuzz_change_tensors};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t order[N] = {0, 1, 2};
    const wsr_shape image = wsr__shape3(C, H, W);
    wsr_estimator *est = NULL;
    const char *const path = fuzz_file("changed", data, size);
    FUZZ_CHECK(wsr_estimator_load(&est, path, &image, NULL), est);
    if (est != NULL) {
        batch *const b = batch_new(1);
        run_in_order(b, est, order);
        wsr__free(b);
    }
    wsr_estimator_free(est);
    return 0;
}
