// SPDX-License-Identifier: Apache-2.0
//
// RobNet codes. What is read is printed, and read again as the same text.

#include "config/config.h"
#include "fuzz/fuzz.h"
#include "wsr/genotype.h"

#include <string.h>

static void seeds(void)
{
    static const char *const names[] = {"robnet_small", "robnet_free"};
    for (size_t i = 0; i < 2; i++) {
        char *path = NULL;
        MUST_HOLD(wsr__shipped_find(&path, "codes", "robnet", names[i]) ==
                  WSR_OK);
        fuzz_seed_file(path);
        wsr__free(path);
    }
}

const fuzz_target fuzz = {.seeds = seeds, .files = 2, .rounds = 1500};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_robnet_codes *codes[2] = {NULL, NULL};
    char *printed[2] = {NULL, NULL};
    const char *const text = fuzz_text(data, size);
    if (text == NULL) {
        return 0;
    }
    FUZZ_CHECK(wsr_robnet_codes_parse(&codes[0], text, "f"), codes[0]);
    if (codes[0] != NULL) {
        fuzz_demand(wsr_robnet_codes_print(&printed[0], codes[0]) == WSR_OK);
        fuzz_demand(wsr_robnet_codes_parse(&codes[1], printed[0], "p") ==
                    WSR_OK);
        fuzz_demand(wsr_robnet_codes_print(&printed[1], codes[1]) == WSR_OK);
        fuzz_demand(strcmp(printed[0], printed[1]) == 0);
    }
    for (size_t i = 0; i < 2; i++) {
        wsr_text_free(printed[i]);
        wsr_robnet_codes_free(codes[i]);
    }
    return 0;
}
