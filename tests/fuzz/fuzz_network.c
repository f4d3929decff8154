// SPDX-License-Identifier: Apache-2.0
//
// Network files: descriptions and tensors of every format. What is read is
// written, and read again.

#include "fuzz/fuzz.h"
#include "wsr/net.h"

#include <string.h>

static const struct {
    const char *kind;
    const char *options;
    const char *file;
} nets[] = {
    {"network", "genotype=cna_r,channels=2,layers=1,classes=2,image_size=8",
     "a.safetensors"},
    {"network", "genotype=cna_r,channels=2,layers=1,classes=2,image_size=8",
     "a.pth"},
    {"network", "genotype=DARTS,channels=2,layers=2,classes=3,image_size=16",
     "b.safetensors"},
    {"robnet", "codes=robnet_small,channels=2,layers=1,image_size=16",
     "c.safetensors"},
};

static void seeds(void)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        wsr_net *net = NULL;
        const char *const path = path_in(fuzz_folder(), nets[i].file);
        MUST_HOLD(wsr_net_new_kind(&net, nets[i].kind, nets[i].options, 1) ==
                  WSR_OK);
        MUST_HOLD(wsr_net_save(net, path) == WSR_OK);
        wsr_net_free(net);
        fuzz_seed_file(path);
    }
}

static void mend(uint8_t *data, size_t size)
{
    if (size > 2 && data[0] == 'P' && data[1] == 'K') {
        fuzz_mend_zip(data, size);
    }
}

static void change(uint8_t *data, size_t size, uint64_t dice)
{
    if (size > 2 && data[0] != 'P') {
        fuzz_change_tensors(data, size, dice);
    }
}

const fuzz_target fuzz = {
    .seeds = seeds, .files = 4, .rounds = 200, .mend = mend, .change = change};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_net *net = NULL;
    wsr_net *again = NULL;
    const char *const path = fuzz_file("net.safetensors", data, size);
    FUZZ_CHECK(wsr_net_load(&net, path, NULL), net);
    if (net != NULL) {
        const char *const copy = path_in(fuzz_folder(), "copy.safetensors");
        fuzz_demand(wsr_net_save(net, copy) == WSR_OK);
        fuzz_demand(wsr_net_load(&again, copy, NULL) == WSR_OK);
    }
    wsr_net_free(again);
    wsr_net_free(net);
    return 0;
}
