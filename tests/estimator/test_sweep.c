// SPDX-License-Identifier: Apache-2.0
//
// What holds for every estimator, as intended and as released.

#include "estimator_support.h"

static const size_t mixed[N] = {1, 2, 0};

// Each class in turn: its name, and whether the released estimates have the
// norms of the targets.
static const char *name_at(size_t i)
{
    const wsr__class *const cls = wsr__estimators.classes[i];
    return cls != NULL ? cls->name : NULL;
}

// The average of the noises keeps the norm that comes out.
static bool has_norms(const char *spec)
{
    return strcmp(spec, "wa_ane:fidelity=released") != 0;
}

static const char *const fidelities[] = {"intended", "released"};

static const char *spec_of(const char *name, const char *option,
                           const char *value)
{
    static char text[128];
    (void)snprintf(text, sizeof(text), "%s:%s=%s", name, option, value);
    return text;
}

START_TEST(estimates_have_the_norms_that_were_asked_for)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            const char *const spec =
                spec_of(name_at(i), "fidelity", fidelities[k]);
            batch *const b = batch_new(1);
            wsr_estimator *const est = estimator_new(spec);
            run(b, est);
            if (has_norms(spec)) {
                check_norms(b);
            }
            wsr_estimator_free(est);
            wsr__free(b);
        }
    }
}
END_TEST

START_TEST(intended_neither_order_nor_other_targets_matter)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        batch *const a = batch_new(1);
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(name_at(i));
        run(a, est);
        run_in_order(b, est, mixed);
        ck_assert_mem_eq(a->dst, b->dst, sizeof(a->dst));
        check_alone(b, est, true);
        wsr_estimator_free(est);
        wsr__free(a);
        wsr__free(b);
    }
}
END_TEST

// `guard` needs a noise of norm zero, see below.
START_TEST(every_quirk_changes_the_estimate)
{
    size_t quirks = 0;
    for (size_t i = 0; name_at(i) != NULL; i++) {
        const wsr__option *o = wsr__estimators.classes[i]->schema;
        for (; o->key != NULL; o++) {
            if (o->words == wsr__quirk_words && strcmp(o->key, "guard") != 0) {
                check_differs(name_at(i),
                              spec_of(name_at(i), o->key, "released"), mixed);
                quirks++;
            }
        }
    }
    ck_assert_uint_gt(quirks, 6);
}
END_TEST

static bool finite_with_zero_noise(const char *spec)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new(spec);
    bool finite = true;
    memset(b->noises[0], 0, PIXELS * sizeof(float));
    run(b, est);
    for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
        finite = finite && isfinite(b->dst[1][k]);
    }
    wsr_estimator_free(est);
    wsr__free(b);
    return finite;
}

START_TEST(a_zero_noise_yields_nan_only_as_released)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        ck_assert(finite_with_zero_noise(name_at(i)));
        ck_assert_msg(!finite_with_zero_noise(
                          spec_of(name_at(i), "fidelity", "released")),
                      "%s", name_at(i));
    }
}
END_TEST

START_TEST(noises_that_are_all_zero_still_yield_numbers)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(name_at(i));
        memset(b->noises, 0, sizeof(b->noises));
        run(b, est);
        for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
            ck_assert(isfinite(b->dst[0][k]) && isfinite(b->dst[3][k]));
        }
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(gradients_are_the_slope_of_the_loss)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            const char *const spec =
                spec_of(name_at(i), "fidelity", fidelities[k]);
            if (strcmp(spec, "wa_ane:fidelity=intended") != 0) {
                check_slope(spec); // that one has nothing to learn
            }
        }
    }
}
END_TEST

// One round of training on the noises of a batch, released without NaNs.
START_TEST(every_estimator_trains)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            batch *const b = batch_new(2);
            wsr_estimator *const est = estimator_new(
                spec_of(name_at(i), "batch=5,fidelity", fidelities[k]));
            const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                                b->noises[2], b->noises[3]};
            double loss = 0;
            ck_assert_ok(
                wsr_estimator_remember(est, noises, b->images, N + 1, B));
            ck_assert_ok(wsr_estimator_train(&loss, est, 0));
            ck_assert_msg(loss > 0 && isfinite(loss), "%s: loss %g", name_at(i),
                          loss);
            wsr_estimator_free(est);
            wsr__free(b);
        }
    }
}
END_TEST

typedef struct size {
    int64_t c;
    int64_t h;
    int64_t w;
    size_t sources;
} size;

// One image, `s->sources` noises, a target between them and one above.
static void estimate_size(const char *spec, const size *s)
{
    const wsr_shape image = wsr__shape3(s->c, s->h, s->w);
    const size_t pixels = (size_t)wsr_shape_count(&image);
    const float *sources[WSR_ESTIMATOR_SOURCES];
    float *const x = wsr__alloc((s->sources + 3) * pixels, sizeof(float));
    float *const dst[2] = {x, x + pixels};
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    wsr_estimator *est = NULL;
    float targets[2];
    for (size_t i = 0; i < (s->sources + 1) * pixels; i++) {
        const size_t source = i / pixels;
        x[2 * pixels + i] = (float)(1 + source) *
                            (2 * wsr__rng_uniform(&rng) - 1);
    }
    for (size_t n = 0; n < s->sources; n++) {
        sources[n] = x + (n + 2) * pixels;
    }
    targets[0] = 1.2F * (float)norm_of_row(sources[0], pixels);
    targets[1] = 2 * (float)norm_of_row(sources[s->sources - 1], pixels);
    ck_assert_ok(wsr_estimator_new(&est, spec, &image, 1));
    ck_assert_ok(wsr_estimator_run(dst, est, sources, x + 2 * pixels, targets,
                                   (const size_t[3]){1, s->sources, 2}));
    for (size_t t = 0; t < 2 && has_norms(spec); t++) {
        const double norm = norm_of_row(dst[t], pixels);
        ck_assert_msg(fabs(norm - (double)targets[t]) < 1e-3 * norm,
                      "%s of (%d, %d, %d), %zu sources: norm %g, not %g", spec,
                      (int)s->c, (int)s->h, (int)s->w, s->sources, norm,
                      (double)targets[t]);
    }
    wsr_estimator_free(est);
    wsr__free(x);
}

START_TEST(any_size_and_number_of_sources_will_do)
{
    static const size sizes[] = {{1, 5, 5, 1},   {2, 16, 16, 2}, {1, 28, 28, 3},
                                 {3, 32, 32, 8}, {4, 17, 40, 5}, {3, 64, 48, 4},
                                 {1, 7, 96, 6},  {3, 96, 96, 1}};
    for (size_t i = 0; name_at(i) != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            const char *const spec =
                spec_of(name_at(i), "fidelity", fidelities[k]);
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                estimate_size(spec, &sizes[s]);
            }
        }
    }
}
END_TEST

START_TEST(images_that_are_too_small_are_refused_with_their_size)
{
    for (size_t i = 0; name_at(i) != NULL; i++) {
        const wsr__estimator_class *const cls =
            (const void *)wsr__estimators.classes[i];
        const wsr_shape low = wsr__shape3(3, cls->min_side - 1, 32);
        const wsr_shape narrow = wsr__shape3(3, 32, cls->min_side - 1);
        const wsr_shape least = wsr__shape3(1, cls->min_side, cls->min_side);
        wsr_estimator *est = NULL;
        ck_assert_fails(wsr_estimator_new(&est, name_at(i), &low, 1), WSR_SHAPE,
                        name_at(i));
        ck_assert_fails(wsr_estimator_new(&est, name_at(i), &narrow, 1),
                        WSR_SHAPE, "not (3, 32, ");
        ck_assert_ok(wsr_estimator_new(&est, name_at(i), &least, 1));
        wsr_estimator_free(est);
    }
}
END_TEST

START_TEST(a_file_gives_the_same_estimates)
{
    const wsr_shape image = wsr__shape3(C, H, W);
    const wsr_shape other = wsr__shape3(C, H, W + 1);
    for (size_t i = 0; name_at(i) != NULL; i++) {
        char path[600];
        batch *const a = batch_new(1);
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(name_at(i));
        wsr_estimator *back = NULL;
        (void)snprintf(path, sizeof(path), "%s/%s.safetensors",
                       scratch_folder("sweep"), name_at(i));
        ck_assert_ok(wsr_estimator_save(est, path));
        ck_assert_ok(wsr_estimator_load(&back, path, &image, NULL));
        run(a, est);
        run(b, back);
        ck_assert_mem_eq(a->dst, b->dst, sizeof(a->dst));
        wsr_estimator_free(back);
        ck_assert_fails(wsr_estimator_load(&back, path, &other, NULL),
                        WSR_SHAPE, "is an estimator for images of shape");
        ck_assert_fails(wsr_estimator_load(&back, path, &other, name_at(i)),
                        WSR_SHAPE, "is an estimator for images of shape");
        wsr_estimator_free(est);
        wsr__free(a);
        wsr__free(b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        estimates_have_the_norms_that_were_asked_for,
        intended_neither_order_nor_other_targets_matter,
        every_quirk_changes_the_estimate,
        a_zero_noise_yields_nan_only_as_released,
        noises_that_are_all_zero_still_yield_numbers,
        gradients_are_the_slope_of_the_loss,
        every_estimator_trains,
        any_size_and_number_of_sources_will_do,
        images_that_are_too_small_are_refused_with_their_size,
        a_file_gives_the_same_estimates,
        NULL,
    };
    return suite_of("estimators", tests);
}
