// SPDX-License-Identifier: Apache-2.0
//
// The state of a search in a checkpoint: values, and their checksums corrected.

#include "fuzz/fuzz.h"
#include "io/io.h"
#include "search/runs.h"
#include "search/search.h"

static wsr_dataset *data_of;
static wsr_search *search;

static void open_search(void)
{
    if (search == NULL) {
        wsr_config *const config = make_config("supernet.layers=1");
        MUST_HOLD(wsr_dataset_open(&data_of, "synthetic:size=16", "train",
                                   "limit=64") == WSR_OK);
        MUST_HOLD(wsr_search_new(&search, data_of, config) == WSR_OK);
        wsr_config_free(config);
    }
}

static void seeds(void)
{
    const char *const path = path_in(fuzz_folder(), "seed");
    open_search();
    while (wsr_search_phase(search) != WSR_PHASE_DONE) {
        MUST_HOLD(wsr_search_step(search) == WSR_OK);
    }
    MUST_HOLD(wsr_search_save(search, path) == WSR_OK);
    fuzz_seed_file(path);
}

const fuzz_target fuzz = {.seeds = seeds,
                          .files = 1,
                          .rounds = 400,
                          .mend = fuzz_mend_checkpoint,
                          .change = fuzz_change_tensors};

// The objects that a search is made of are the same for all files.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__st *st = NULL;
    open_search();
    wsr_status status =
        wsr__checkpoint_load(&st, fuzz_file("changed", data, size));
    fuzz_check(status, status == WSR_OK);
    if (status == WSR_OK) {
        status = wsr__search_read_state(search, st);
        fuzz_check(status, status == WSR_OK);
    }
    wsr__st_free(st);
    return 0;
}
