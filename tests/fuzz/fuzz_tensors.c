// SPDX-License-Identifier: Apache-2.0
//
// Files of named tensors in every format (safetensors, .pth in both formats,
// .npz, .npy), and the same bytes as a bare pickle, since checksums of archives
// stop most changes before its reader sees them.

#include "fuzz/one_input.h"
#include "io/io.h"
#include "io/pickle.h"

#include <stdlib.h>
#include <string.h>

// Every byte of every tensor must be there.
static void read_all(const wsr__st *st)
{
    unsigned sum = 0;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        const unsigned char *const data = t->data;
        const size_t bytes = t->count * wsr__st_dtype_size(t->dtype);
        for (size_t k = 0; k < bytes; k++) {
            sum += data[k];
        }
        if (wsr__st_find(st, t->name) != t) {
            abort();
        }
    }
    if (sum == 1 && wsr__st_count(st) == 0) {
        abort(); // cannot be; the sum must not be left out
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__st *st = NULL;
    wsr__pickle pickle = {0};
    if (wsr__st_open_memory(&st, data, size, "f") == WSR_OK) {
        read_all(st);
    } else if (st != NULL || strchr(wsr_error_detail(), '\n') != NULL) {
        abort();
    }
    wsr__st_free(st);
    (void)!wsr__pickle_read(&pickle, data, size, "f");
    wsr__pickle_free(&pickle);
    return 0;
}
