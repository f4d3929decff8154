// SPDX-License-Identifier: Apache-2.0
//
// Files of named tensors in every format: safetensors, .pth in both formats,
// .npz, .npy.

#include "fuzz/fuzz.h"
#include "io/io.h"

#include <stdio.h>

static void seed_format(const char *ending, size_t tensors)
{
    static const float data[12] = {1, 2, 3, 4, 5, 6};
    static const int64_t dims[] = {2, 3, 2};
    wsr__st_builder *builder = NULL;
    char name[32];
    (void)snprintf(name, sizeof(name), "a.%s", ending);
    const char *const path = path_in(fuzz_folder(), name);
    MUST_HOLD(wsr__st_builder_new(&builder) == WSR_OK);
    for (size_t i = 0; i < tensors; i++) {
        (void)snprintf(name, sizeof(name), tensors == 1 ? "arr_%zu" : "w%zu.x",
                       i);
        MUST_HOLD(wsr__st_add(builder, name, WSR__ST_F32, data, dims, i + 1) ==
                  WSR_OK);
    }
    MUST_HOLD(wsr__st_write(builder, path) == WSR_OK);
    wsr__st_builder_free(builder);
    fuzz_seed_file(path);
}

// What torch.save wrote before 1.6, of two by three zeros: five pickles, then
// the numbers.
static void seed_legacy(void)
{
    static const char file[] =
        "\x80\x02\x8a\nl\xfc\x9c"
        "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80"
        "\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\x0d\x00"
        "\x00\x00little_endianq\x02\x88X\n\x00\x00\x00type_sizesq\x03}q\x04("
        "X\x05\x00\x00\x00shortq\x05K\x02X\x03\x00\x00\x00intq\x06K\x04X\x04"
        "\x00\x00\x00longq\x07K\x04uu.\x80\x02"
        "ccollections\nOrderedDict\nq"
        "\x00)Rq\x01X\x01\x00\x00\x00"
        "aq\x02"
        "ctorch._utils\n_rebuild_tenso"
        "r_v2\nq\x03((X\x07\x00\x00\x00storageq\x04"
        "ctorch\nFloatStorage\nq"
        "\x05X\x09\x00\x00\x00"
        "163965248q\x06X\x03\x00\x00\x00"
        "cpuq\x07K"
        "\x06Ntq\x08QK\x00K\x02K\x03\x86q\x09K\x03K\x01\x86q\n\x89h\x00)Rq"
        "\x0btq\x0cRq\x0ds.\x80\x02]q\x00X\x09\x00\x00\x00"
        "163965248q\x01"
        ""
        "a.\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00";
    fuzz_seed(file, sizeof(file) - 1);
}

static void seeds(void)
{
    seed_format("safetensors", 3);
    seed_format("pth", 3);
    seed_format("npz", 3);
    seed_format("npy", 1);
    seed_legacy();
}

const fuzz_target fuzz = {
    .seeds = seeds, .files = 5, .rounds = 4000, .mend = fuzz_mend_zip};

// Every byte of every tensor must be there.
static void read_all(const wsr__st *st)
{
    unsigned sum = 0;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        const unsigned char *const data = t->data;
        const size_t size = t->count * wsr__st_dtype_size(t->dtype);
        for (size_t k = 0; k < size; k++) {
            sum += data[k];
        }
        fuzz_demand(wsr__st_find(st, t->name) == t);
    }
    // Cannot be otherwise; the sum must not be left out.
    fuzz_demand(sum != 1 || wsr__st_count(st) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__st *st = NULL;
    FUZZ_CHECK(wsr__st_open_memory(&st, data, size, "f"), st);
    if (st != NULL) {
        read_all(st);
    }
    wsr__st_free(st);
    return 0;
}
