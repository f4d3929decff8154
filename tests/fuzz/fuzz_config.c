// SPDX-License-Identifier: Apache-2.0
//
// Configurations: YAML. What is read is printed, and read again as the same
// text.

#include "config/config.h"
#include "fuzz/fuzz.h"

#include <string.h>

static void seeds(void)
{
    static const char *const names[][2] = {{"presets/train", "wsrnet-plus"},
                                           {"presets/search", "quick"}};
    for (size_t i = 0; i < 2; i++) {
        char *path = NULL;
        MUST_HOLD(wsr__shipped_find(&path, "preset", names[i][0],
                                    names[i][1]) == WSR_OK);
        fuzz_seed_file(path);
        wsr__free(path);
    }
    fuzz_seed_text(
        "a: {b: [1, 'x''y', \"\\u00e9\"], c: text}\nd: >-\n  text\n  more\n");
    fuzz_seed_text("\xef\xbb\xbfseed: 3\ndata:\n  spec: \"idx:a,b\"\n"
                   "eval: {attack: [fgsm, \"pgd:steps=3\"], eps: [0, 1e-2]}\n"
                   "# comment\ntop: >-\n  folded\n  text\n");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 4, .rounds = 3000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_config *configs[2] = {NULL, NULL};
    char *printed[2] = {NULL, NULL};
    const char *const text = fuzz_text(data, size);
    if (text == NULL) {
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        fuzz_demand(wsr_config_new(&configs[i]) == WSR_OK);
    }
    const wsr_status status = wsr_config_load_text(configs[0], text, "f");
    fuzz_check(status, status == WSR_OK);
    if (status == WSR_OK) {
        fuzz_demand(wsr_config_print(&printed[0], configs[0]) == WSR_OK);
        fuzz_demand(wsr_config_load_text(configs[1], printed[0], "p") ==
                    WSR_OK);
        fuzz_demand(wsr_config_print(&printed[1], configs[1]) == WSR_OK);
        fuzz_demand(strcmp(printed[0], printed[1]) == 0);
    }
    for (size_t i = 0; i < 2; i++) {
        wsr_text_free(printed[i]);
        wsr_config_free(configs[i]);
    }
    return 0;
}
