// SPDX-License-Identifier: Apache-2.0
//
// Changes of the models of tests/onnx/operators.py: every operator.

#include "fuzz/mutate.h"
#include "io/io.h"

enum { ROUNDS = 40 / FUZZ_SHARE };

START_TEST(changed_models_do_no_harm)
{
    wsr__st *st = NULL;
    size_t models = 0;
    ck_assert_ok(wsr__st_open(&st, OPERATORS));
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        if (t->dtype == WSR__ST_U8) {
            fuzz_file(t->data, t->count, ROUNDS);
            models++;
        }
    }
    ck_assert_uint_gt(models, 600);
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {changed_models_do_no_harm, NULL};
    return suite_of("fuzz onnx", tests);
}
