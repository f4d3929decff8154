// SPDX-License-Identifier: Apache-2.0
//
// What tests of formats of images share.

#ifndef WSR_TESTS_DATA_IMAGE_SUPPORT_H
#define WSR_TESTS_DATA_IMAGE_SUPPORT_H

#include "data/image_file.h"
#include "support/support.h"

/// Decode a window of a file, NULL: all of it, that is opened anew.
static inline wsr_status decode(wsr__bitmap *out, wsr__image_file *file,
                                const char *path, const wsr__window *window)
{
    wsr_status status = WSR_OK;
    wsr__window whole;
    WSR_TRY(wsr__image_open(file, path));
    whole = (wsr__window){0, 0, file->super.shape.h, file->super.shape.w};
    WSR_TRY(file->super.decode(out, &file->super,
                               window != NULL ? window : &whole));
out:
    return status;
}

/// Decode the file of this path, for oom_sweep.
static inline wsr_status decode_once(void *path)
{
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    const wsr_status status = decode(&image, &file, path, NULL);
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
    return status;
}

#endif
