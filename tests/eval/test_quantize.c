// SPDX-License-Identifier: Apache-2.0
//
// Images of 8 bits: on the grid, in the ball, near what was rounded; and what
// of an evaluation survives it.

#include "eval/linear_support.h"
#include "support/files.h"

#include <stdlib.h>

enum { PIXELS = 48, ROUNDS = 300 };

static void expect_rounded(const float *out, const float *x, const float *x0,
                           wsr__lp norm, float eps)
{
    ck_assert_double_le(wsr__distance(norm, out, x0, PIXELS), (double)eps);
    for (size_t i = 0; i < PIXELS; i++) {
        const double level = round((double)out[i] * 255);
        ck_assert(out[i] == (float)level / 255.0f);
        ck_assert(out[i] >= 0 && out[i] <= 1);
        // Half a level, or a whole one where the ball ends.
        ck_assert_double_le(fabs((double)out[i] - (double)x[i]), 1.001 / 255);
    }
}

// Changes of any size around clean images of bytes, projected into the ball.
START_TEST(pictures_lie_in_the_ball)
{
    static const float eps[][2] = {{8.0f / 255, 0.02f}, {0.5f, 0.1f}, {3, 1}};
    for (uint32_t round = 0; round < ROUNDS * 6; round++) {
        const wsr__lp norm = (wsr__lp)(round % 3);
        const float strength = eps[norm][round / 3 % 2];
        wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, round, 0);
        float x0[PIXELS];
        float x[PIXELS];
        float out[PIXELS];
        for (size_t i = 0; i < PIXELS; i++) {
            x0[i] = (float)wsr__rng_below(&rng, 256) / 255.0f;
            x[i] = x0[i] + 0.2f * (wsr__rng_uniform(&rng) - 0.5f);
        }
        const wsr__ball ball = {x0, PIXELS, strength, norm, {0, 1}};
        wsr__project(x, &ball);
        ck_assert(wsr__quantize(out, x, &ball));
        expect_rounded(out, x, x0, norm, strength);
    }
}
END_TEST

START_TEST(what_is_on_the_grid_stays_as_it_is)
{
    float x0[PIXELS];
    float x[PIXELS];
    float out[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        x0[i] = (float)(i * 5) / 255.0f;
        x[i] = (float)(i * 5 + 8 - 16 * (i % 2)) / 255.0f;
        x[i] = i == 1 ? 0 : x[i];
    }
    for (int norm = 0; norm < 3; norm++) {
        const wsr__ball ball = {x0, PIXELS, 100, (wsr__lp)norm, {0, 1}};
        ck_assert(wsr__quantize(out, x, &ball));
        ck_assert_mem_eq(out, x, sizeof(x));
    }
}
END_TEST

// No multiple of 1/255 lies within 0.0005 of 100.5/255.
START_TEST(a_ball_without_a_picture_is_reported)
{
    float x0[PIXELS];
    float out[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        x0[i] = 100.5f / 255.0f;
    }
    const wsr__ball ball = {x0, PIXELS, 0.0005f, WSR__LINF, {0, 1}};
    ck_assert(!wsr__quantize(out, x0, &ball));
}
END_TEST

// A change of less than one level rounds to none: at 0.5/255 nothing survives.
START_TEST(rounding_undoes_changes_below_a_level)
{
    static const float eps[] = {0.6f / 255, 30.0f / 255, 10.0f / 255};
    world w = begin_with("fgsm", "batch=5,quantize=true", eps, 3);
    ck_assert(isnan(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_QUANTIZED)));
    ck_assert_ok(wsr_eval_finish(w.eval));
    const double clean = wsr_eval_get(w.eval, 0, 0, WSR_EVAL_CLEAN);
    ck_assert_double_eq(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_QUANTIZED), clean);
    for (size_t e = 1; e < 3; e++) {
        size_t robust = 0;
        for (size_t i = 0; i < N - 1; i++) {
            // Whole levels: both accuracies are those of the formula.
            robust += smallest_of(i) > (double)eps[e];
        }
        ck_assert_double_eq_tol(wsr_eval_get(w.eval, 0, e, WSR_EVAL_QUANTIZED),
                                (double)robust / N, 1e-9);
        ck_assert_double_le(wsr_eval_get(w.eval, 0, e, WSR_EVAL_QUANTIZED_LOW),
                            (double)robust / N);
        ck_assert_double_ge(wsr_eval_get(w.eval, 0, e, WSR_EVAL_QUANTIZED_HIGH),
                            (double)robust / N);
    }
    char *json = NULL;
    ck_assert_ok(wsr_eval_json(&json, w.eval));
    ck_assert_ptr_nonnull(strstr(json, "\"quantized_accuracy\":"));
    wsr_text_free(json);
    end(&w);
    w = begin_with("fgsm", "", eps, 3);
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert(isnan(wsr_eval_get(w.eval, 0, 1, WSR_EVAL_QUANTIZED)));
    ck_assert_ok(wsr_eval_json(&json, w.eval));
    ck_assert_ptr_null(strstr(json, "quantized"));
    wsr_text_free(json);
    end(&w);
}
END_TEST

START_TEST(a_resumed_evaluation_remembers_it)
{
    static const float eps[] = {20.0f / 255};
    world whole = begin_with("fgsm,pgd", "batch=5,quantize=true", eps, 1);
    world part = begin_with("fgsm,pgd", "batch=5,quantize=true", eps, 1);
    world rest = begin_with("fgsm,pgd", "batch=5,quantize=true", eps, 1);
    world other = begin_with("fgsm,pgd", "batch=5", eps, 1);
    const char *const path = path_in(scratch_folder("quantized"), "state");
    ck_assert_ok(wsr_eval_finish(whole.eval));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(wsr_eval_step(part.eval));
    }
    ck_assert_ok(wsr_eval_save(part.eval, path));
    ck_assert_fails(wsr_eval_resume(other.eval, path), WSR_CONFIG,
                    "quantize=1");
    ck_assert_ok(wsr_eval_resume(rest.eval, path));
    ck_assert_ok(wsr_eval_finish(rest.eval));
    for (size_t a = 0; a < 2; a++) {
        ck_assert_double_eq(wsr_eval_get(rest.eval, a, 0, WSR_EVAL_QUANTIZED),
                            wsr_eval_get(whole.eval, a, 0, WSR_EVAL_QUANTIZED));
    }
    end(&whole);
    end(&part);
    end(&rest);
    end(&other);
}
END_TEST

// A folder of PNG files, an array, and what an array has no room for.
START_TEST(kept_images_become_pictures)
{
    static const float eps[] = {0.6f / 255, 30.0f / 255};
    static const unsigned char png[] = {0x89, 'P', 'N', 'G'};
    const char *const names[] = {"clean/00000.png", "0.0/00011.png",
                                 "0.1/00003.png"};
    world w = begin_with("fgsm", "batch=5,keep=12", eps, 2);
    world one = begin_with("fgsm", "batch=5,keep=12", eps, 1);
    char dir[600];
    (void)snprintf(dir, sizeof(dir), "%s/pictures/",
                   scratch_folder("pictures"));
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_ok(wsr_eval_finish(one.eval));
    for (size_t twice = 0; twice < 2; twice++) {
        ck_assert_ok(wsr_eval_save_images(w.eval, 0, dir));
        for (size_t i = 0; i < 3; i++) {
            bytes file = get_file(path_in(dir, names[i]));
            ck_assert_uint_gt(file.size, 50);
            ck_assert_mem_eq(file.data, png, sizeof(png));
            bytes_free(&file);
        }
    }
    bytes table = get_file(path_in(dir, "images.csv"));
    bytes_add(&table, "", 1);
    ck_assert_ptr_nonnull(
        strstr((char *)table.data, "\n00011.png,11,1,0,0,0\n"));
    bytes_free(&table);
    ck_assert_fails(wsr_eval_save_images(w.eval, 0, path_in(dir, "a.npy")),
                    WSR_ARG, "holds one array");
    ck_assert_ok(wsr_eval_save_images(one.eval, 0, path_in(dir, "a.npy")));
    bytes array = get_file(path_in(dir, "a.npy"));
    ck_assert_mem_eq(array.data + 1, "NUMPY", 5);
    bytes_free(&array);
    end(&w);
    end(&one);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {pictures_lie_in_the_ball,
                                  what_is_on_the_grid_stays_as_it_is,
                                  a_ball_without_a_picture_is_reported,
                                  rounding_undoes_changes_below_a_level,
                                  a_resumed_evaluation_remembers_it,
                                  kept_images_become_pictures,
                                  NULL};
    return suite_of("eval/quantize", tests);
}
