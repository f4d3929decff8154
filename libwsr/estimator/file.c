// SPDX-License-Identifier: Apache-2.0
//
// Estimator files: safetensors with PyTorch's parameter names; the metadata
// hold the spec and the shape of the images.

#include "estimator/estimator.h"
#include "io/io.h"

#include <string.h>

// The spec is printed without defaults, so it decodes to the same options.
wsr_status wsr_estimator_save(const wsr_estimator *estimator, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    wsr__str spec = {0};
    char shape[96];
    wsr__class_print(&spec, &estimator->cls->super, estimator->options);
    wsr__shape_print(shape, &estimator->image);
    WSR_TRY(wsr__str_status(&spec));
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__st_set(b, "format", "pt"));
    WSR_TRY(wsr__st_set(b, "estimator", spec.s));
    WSR_TRY(wsr__st_set(b, "image", shape));
    WSR_TRY(wsr__st_add_params(b, estimator->params, ""));
    WSR_TRY(wsr__st_write(b, path));
out:
    wsr__str_free(&spec);
    wsr__st_builder_free(b);
    return status;
}

// Files of other programs carry no shape; their tensors decide alone.
static wsr_status check_image(const wsr__st *st, const wsr_shape *image)
{
    char wanted[96];
    const char *const made = wsr__st_metadata(st, "image");
    wsr__shape_print(wanted, image);
    return made == NULL || wsr__streq(made, wanted)
               ? WSR_OK
               : WSR_FAIL(WSR_SHAPE,
                          "%s: is an estimator for images of shape %.90s, not "
                          "%s",
                          wsr__st_path(st), made, wanted);
}

// A spec given by the caller goes before that of the file. The seed does not
// matter: every parameter is read.
wsr_status wsr_estimator_load(wsr_estimator **out, const char *path,
                              const wsr_shape *image, const char *spec)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_estimator *est = NULL;
    *out = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    const char *const made = wsr__st_metadata(st, "estimator");
    if (made == NULL && spec == NULL) {
        status = WSR_FAIL(WSR_FORMAT, "%s: does not say which estimator it is",
                          path);
        goto out;
    }
    WSR_TRY(check_image(st, image));
    WSR_TRY(wsr_estimator_new(&est, spec != NULL ? spec : made, image, 0));
    WSR_TRY(wsr__st_read_params(est->params, st, ""));
    *out = est;
    est = NULL;
out:
    wsr_estimator_free(est);
    wsr__st_free(st);
    return status;
}
