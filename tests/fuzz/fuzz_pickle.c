// SPDX-License-Identifier: Apache-2.0
//
// Bare pickles, since checksums of archives stop most changes before the reader
// of pickles sees them.

#include "fuzz/fuzz.h"
#include "io/pickle.h"

// The pickle of a checkpoint: protocol 2, as torch.save writes.
static void seeds(void)
{
    static const char pickle[] =
        "\x80\x02}q\x00(X\x05\x00\x00\x00"
        "epochq\x01K\x03X\n\x00\x00\x00sta"
        "te_dictq\x02"
        "ccollections\nOrderedDict\nq\x03)Rq\x04X\x01\x00\x00"
        "\x00"
        "aq\x05"
        "ctorch._utils\n_rebuild_tensor_v2\nq\x06((X\x07\x00"
        "\x00\x00storageq\x07"
        "ctorch\nFloatStorage\nq\x08X\x01\x00\x00\x00"
        ""
        "0q\x09X\x03\x00\x00\x00"
        "cpuq\nK\x06tq\x0bQK\x00K\x02K\x03\x86q"
        "\x0cK\x03K\x01\x86q\x0d\x89h\x03)Rq\x0etq\x0fRq\x10sX\x01\x00\x00"
        "\x00xq\x11(\x88G?\xf0\x00\x00\x00\x00\x00\x00M\xe8\x03NNtq\x12X\x01"
        "\x00\x00\x00lq\x13]q\x14(K\x01K\x02"
        "eu.";
    fuzz_seed(pickle, sizeof(pickle) - 1);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 1, .rounds = 40000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__pickle pickle = {0};
    const wsr_status status = wsr__pickle_read(&pickle, data, size, "f");
    fuzz_check(status, status == WSR_OK);
    wsr__pickle_free(&pickle);
    return 0;
}
