// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"
#include "io/io.h"
#include "support/params.h"

#include <string.h>

static const wsr_shape image = {3, {C, H, W}};

START_TEST(a_file_holds_weights_spec_and_shape)
{
    char path[600];
    wsr_estimator *back = NULL;
    wsr__st *st = NULL;
    wsr_estimator *const est = estimator_new("an:fidelity=released,memory=7");
    (void)snprintf(path, sizeof(path), "%s/e.safetensors",
                   scratch_folder("file"));
    ck_assert_ok(wsr_estimator_save(est, path));
    ck_assert_ok(wsr__st_open(&st, path));
    const char *const spec = wsr__st_metadata(st, "estimator");
    ck_assert_ptr_nonnull(strstr(spec, "an:"));
    ck_assert_ptr_nonnull(strstr(spec, "fidelity=released"));
    wsr__st_free(st);
    ck_assert_ok(wsr_estimator_load(&back, path, &image, NULL));
    ck_assert_int_eq(back->common->memory, 7);
    expect_same_params(wsr_estimator_params(est), wsr_estimator_params(back));
    wsr_estimator_free(back);
    wsr_estimator_free(est);
}
END_TEST

START_TEST(files_that_do_not_fit_are_named)
{
    char path[600];
    wsr_estimator *back = NULL;
    wsr__st_builder *b = NULL;
    const wsr_shape other = {3, {C, H + 4, W}};
    const float number = 1;
    wsr_estimator *const est = estimator_new("an");
    (void)snprintf(path, sizeof(path), "%s/e.safetensors",
                   scratch_folder("file"));
    ck_assert_fails(wsr_estimator_load(&back, path, &image, NULL), WSR_IO,
                    "e.safetensors");
    ck_assert_ok(wsr_estimator_save(est, path));
    ck_assert_fails(wsr_estimator_load(&back, path, &other, NULL), WSR_SHAPE,
                    "is an estimator for images of shape");
    ck_assert_ptr_null(back);
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add_f32(b, "number", &number, 1));
    ck_assert_ok(wsr__st_write(b, path));
    wsr__st_builder_free(b);
    ck_assert_fails(wsr_estimator_load(&back, path, &image, NULL), WSR_FORMAT,
                    "does not say which estimator");
    ck_assert_fails(wsr_estimator_load(&back, path, &image, "an"), WSR_FORMAT,
                    "e.safetensors");
    wsr_estimator_free(est);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_file_holds_weights_spec_and_shape,
                                  files_that_do_not_fit_are_named, NULL};
    return suite_of("estimator file", tests);
}
