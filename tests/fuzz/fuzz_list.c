// SPDX-License-Identifier: Apache-2.0
//
// Lists of image files and of their labels. The first byte says of which data
// set: "list", or the labels of ImageNet's validation images.

#include "data/files.h"
#include "fuzz/fuzz.h"
#include "support/pictures.h"

#include <stdio.h>

static void seeds(void)
{
    need_pictures();
    fuzz_seed_text("limages/one_two.jpg 3\r\n\n  images/b.jpg\t0  \n"
                   "images/b.jpg 1");
    fuzz_seed_text("fone_two.jpg,1\nb.jpg 0 rest\n");
    fuzz_seed_text("fone_two cat\nb.jpg\tdog\n");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 3, .rounds = 2000};

static void make_images(void)
{
    static bool made;
    if (!made) {
        put_picture(fuzz_folder(), "images/one_two.jpg", 8, 8, 1);
        put_picture(fuzz_folder(), "images/b.jpg", 8, 8, 2);
        made = true;
    }
}

static void try_list(const char *path)
{
    wsr_dataset *dataset = NULL;
    char spec[1300];
    (void)snprintf(spec, sizeof(spec), "list:%s", path);
    FUZZ_CHECK(wsr_dataset_open(&dataset, spec, "train", "size=8"), dataset);
    fuzz_demand(dataset == NULL || wsr_dataset_count(dataset) >= 1);
    wsr_dataset_free(dataset);
}

static void try_labels(const char *path)
{
    wsr__files *const files = wsr__alloc(1, sizeof(*files));
    fuzz_demand(files != NULL);
    fuzz_demand(wsr__names_add(&files->classes, "cat") == WSR_OK);
    fuzz_demand(wsr__names_add(&files->classes, "dog") == WSR_OK);
    const wsr_status status =
        wsr__labelled_add(files, path_in(fuzz_folder(), "images"), path);
    fuzz_check(status, status == WSR_OK);
    fuzz_demand(status != WSR_OK || files->count == 2);
    wsr__files_free(files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    make_images();
    const char *const path = fuzz_file("list.txt", data + 1, size - 1);
    if (data[0] == 'l') {
        try_list(path);
    } else {
        try_labels(path);
    }
    return 0;
}
