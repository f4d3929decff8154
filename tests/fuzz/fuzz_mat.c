// SPDX-License-Identifier: Apache-2.0
//
// Matlab files as SVHN has them, with and without compression.

#include "data/data.h"
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#if WSR_HAVE_LIBMATIO

#include <matio.h>

enum { N = 2 };

static void add(mat_t *file, const char *name, int rank, size_t *dims,
                enum matio_compression packed)
{
    static unsigned char data[N * 3 * 32 * 32];
    memset(data, 1, sizeof(data));
    matvar_t *const v =
        Mat_VarCreate(name, MAT_C_UINT8, MAT_T_UINT8, rank, dims, data, 0);
    MUST_HOLD(v != NULL);
    MUST_HOLD(Mat_VarWrite(file, v, packed) == 0);
    Mat_VarFree(v);
}

static void seeds(void)
{
    static const enum matio_compression kinds[] = {MAT_COMPRESSION_NONE,
                                                   MAT_COMPRESSION_ZLIB};
    for (size_t i = 0; i < 2; i++) {
        size_t x[] = {32, 32, 3, N};
        size_t y[] = {N, 1};
        const char *const path = path_in(fuzz_folder(), "seed.mat");
        mat_t *const file = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
        MUST_HOLD(file != NULL);
        add(file, "X", 4, x, kinds[i]);
        add(file, "y", 2, y, kinds[i]);
        MUST_HOLD(Mat_Close(file) == 0);
        fuzz_seed_file(path);
    }
}

#else

static void seeds(void)
{
    fuzz_seed_text("MATLAB 5.0 MAT-file");
    fuzz_seed_text("");
}

#endif

const fuzz_target fuzz = {.seeds = seeds, .files = 2, .rounds = 500};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_dataset *dataset = NULL;
    char spec[1300];
    (void)fuzz_file("train_32x32.mat", data, size);
    (void)snprintf(spec, sizeof(spec), "svhn:%s", fuzz_folder());
    FUZZ_CHECK(wsr_dataset_open(&dataset, spec, "train", NULL), dataset);
    wsr_dataset_free(dataset);
    return 0;
}
