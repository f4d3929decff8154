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

#endif
