// SPDX-License-Identifier: Apache-2.0
//
// The inside of the test bench: names of networks and variants, the order in
// which networks train, samples, and the gradients of a training step.

#include "estimate/estimate.h"

#include "support/support.h"

#include <math.h>
#include <string.h>

// A configuration with these lists and the defaults for all else.
static wsr__estimate_config *config_of(const char *networks,
                                       const char *variants)
{
    wsr__estimate_config *const c = wsr__alloc(1, sizeof(*c));
    wsr__section sections[WSR__ESTIMATE_SECTIONS];
    ck_assert_ptr_nonnull(c);
    wsr__estimate_sections(c, sections);
    for (size_t i = 0; i < WSR__ESTIMATE_SECTIONS; i++) {
        wsr__params_default(sections[i].params, sections[i].schema);
    }
    ck_assert_ok(
        wsr__strcpy(c->top.networks.s, sizeof(c->top.networks.s), networks));
    ck_assert_ok(
        wsr__strcpy(c->top.variants.s, sizeof(c->top.variants.s), variants));
    return c;
}

static wsr__estimate *bench_of(const wsr__estimate_config *config)
{
    wsr__estimate *const b = wsr__alloc(1, sizeof(*b));
    ck_assert_ptr_nonnull(b);
    b->config = config;
    b->quirks = wsr__estimate_resolve(config);
    ck_assert_ok(wsr__estimate_list_nets(b->nets, &b->n_nets, config));
    ck_assert_ok(
        wsr__estimate_list_variants(b->variants, &b->n_variants, config));
    return b;
}

// ------------------------------------------------------------------- names

START_TEST(names_are_unique)
{
    wsr__estimate_config *const c =
        config_of("[cna_r:channels=45, cna_m, dir.d/cna_r.safetensors, cna_r]",
                  "an,an:lr=1e-3,an:fidelity=released");
    wsr__estimate *const b = bench_of(c);
    static const char *const nets[] = {"cna_r", "cna_m", "cna_r-2", "cna_r-3"};
    static const char *const variants[] = {"an", "an-2", "an-released"};
    ck_assert_uint_eq(b->n_nets, 4);
    ck_assert_uint_eq(b->n_variants, 3);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(b->nets[i].label, nets[i]);
        ck_assert(b->nets[i].is_file == (i == 2));
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(b->variants[i].label, variants[i]);
    }
    ck_assert_int_eq(b->nets[0].options.channels, 45);
    ck_assert_int_eq(b->nets[3].options.channels, c->net.channels);
    ck_assert_str_eq(b->nets[2].cells, "dir.d/cna_r.safetensors");
    wsr__estimate_close(b);
    wsr__free(b);
    wsr__free(c);
}
END_TEST

// The run's fidelity is that of the variants, unless they say their own.
START_TEST(fidelity_spreads)
{
    wsr__estimate_config *const c =
        config_of("cna_r", "an,an:fidelity=intended");
    (void)snprintf(c->top.fidelity.s, sizeof(c->top.fidelity.s), "released");
    wsr__estimate *const b = bench_of(c);
    const wsr__estimator_options *const first = b->variants[0].options;
    const wsr__estimator_options *const other = b->variants[1].options;
    ck_assert_str_eq(first->fidelity.s, "released");
    ck_assert_str_eq(other->fidelity.s, "intended");
    ck_assert_str_eq(b->variants[0].label, "an");
    ck_assert_str_eq(b->variants[1].label, "an-intended");
    ck_assert(b->quirks.accumulate && b->quirks.one_turn);
    ck_assert(b->quirks.batch_stats && b->quirks.unclamped);
    wsr__estimate_close(b);
    wsr__free(b);
    wsr__free(c);
}
END_TEST

// ---------------------------------------------------------------- rotation

// Every 100 batches the next of three networks, across epochs.
START_TEST(networks_rotate)
{
    wsr__estimate_config *const c =
        config_of("cna_r,cna_m,cna_n,cna_m_1", "an");
    wsr__estimate *const b = bench_of(c);
    b->train_batches = 250;
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 0), 0);
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 99), 0);
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 100), 1);
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 249), 2);
    ck_assert_uint_eq(wsr__estimate_active(b, 1, 49), 2);
    ck_assert_uint_eq(wsr__estimate_active(b, 1, 50), 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(wsr__estimate_is_seen(b, i) == (i < 3));
    }
    wsr__estimate_close(b);
    wsr__free(b);
    wsr__free(c);
}
END_TEST

// As released 99 batches of the last network, then the second one; from the
// next epoch on the last one alone.
START_TEST(as_released_they_change_once)
{
    wsr__estimate_config *const c =
        config_of("cna_r,cna_m,cna_n,cna_m_1", "an");
    (void)snprintf(c->top.fidelity.s, sizeof(c->top.fidelity.s), "released");
    wsr__estimate *const b = bench_of(c);
    b->train_batches = 300;
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 98), 3);
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 99), 1);
    ck_assert_uint_eq(wsr__estimate_active(b, 0, 299), 1);
    ck_assert_uint_eq(wsr__estimate_active(b, 1, 0), 3);
    ck_assert_uint_eq(wsr__estimate_active(b, 4, 299), 3);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(wsr__estimate_is_seen(b, i) == (i == 1 || i == 3));
    }
    wsr__estimate_close(b);
    wsr__free(b);
    wsr__free(c);
}
END_TEST

// With two networks one is left for the test; one network has no choice.
START_TEST(the_last_network_is_new)
{
    static const char *const lists[] = {"cna_r", "cna_r,cna_m"};
    for (size_t i = 0; i < 2; i++) {
        wsr__estimate_config *const c = config_of(lists[i], "an");
        wsr__estimate *const b = bench_of(c);
        b->train_batches = 300;
        ck_assert_uint_eq(wsr__estimate_active(b, 3, 250), 0);
        ck_assert(wsr__estimate_is_seen(b, 0));
        ck_assert(i == 0 || !wsr__estimate_is_seen(b, 1));
        wsr__estimate_close(b);
        wsr__free(b);
        wsr__free(c);
    }
}
END_TEST

// ---------------------------------------------------------------- gradients

enum { BATCH = 3, SOURCES = 2, NOISES = SOURCES + 1, PIXELS = 3 * 8 * 8 };

// Noises that grow from source to source.
static void fill_noises(wsr__estimate *b)
{
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, 0, 0);
    for (size_t k = 0; k < NOISES; k++) {
        for (size_t i = 0; i < (size_t)BATCH * PIXELS; i++) {
            b->noise[k][i] = 0.03F * (float)(k + 1) *
                             (wsr__rng_uniform(&rng) < 0.5F ? -1.0F : 1.0F);
        }
        for (size_t i = 0; i < BATCH; i++) {
            b->norms[k * BATCH + i] =
                (float)wsr__estimate_norm(b->noise[k] + i * PIXELS, PIXELS);
        }
    }
}

static wsr__estimate *small_bench(const wsr__estimate_config *c)
{
    wsr__estimate *const b = bench_of(c);
    const wsr_shape image = {3, {3, 8, 8}};
    b->batch = BATCH;
    b->sources = SOURCES;
    b->pixels = PIXELS;
    b->train_batches = 10;
    for (size_t k = 0; k < NOISES; k++) {
        b->noise[k] = wsr__alloc((size_t)BATCH * PIXELS, sizeof(float));
    }
    b->norms = wsr__alloc((size_t)NOISES * BATCH, sizeof(float));
    b->samples =
        wsr__alloc((size_t)2 * NOISES * BATCH, sizeof(wsr__estimator_sample));
    b->order = wsr__alloc((size_t)NOISES * BATCH, sizeof(uint32_t));
    ck_assert_ok(wsr__estimator_make(&b->variants[0].estimator,
                                     b->variants[0].cls, b->variants[0].options,
                                     &image, 7));
    ck_assert_ok(wsr__optim_reserve(b->variants[0].estimator->optim));
    return b;
}

// The gradient that a step on a batch leaves behind, from weights that do not
// change, since the rate is 0.
static double left_behind(const char *fidelity, double *whole)
{
    wsr__estimate_config *const c =
        config_of("cna_r", "an:lr=0,fidelity=intended");
    (void)snprintf(c->top.fidelity.s, sizeof(c->top.fidelity.s), "%s",
                   fidelity);
    wsr__estimate *const b = small_bench(c);
    wsr_estimator *const est = b->variants[0].estimator;
    wsr_dataset *data = NULL;
    wsr_loader *loader = NULL;
    const wsr_batch *batch = NULL;
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=8", "train", "limit=8"));
    wsr__loader_params params;
    wsr__params_default(&params, wsr__loader_schema);
    params.batch = BATCH;
    params.shuffle = false;
    params.seed = 1;
    params.prefetch = 0;
    ck_assert_ok(wsr__loader_make(&loader, data, &params));
    ck_assert_ok(wsr_loader_next(&batch, loader));
    fill_noises(b);
    wsr__estimate_samples(b, batch);
    ck_assert_ok(wsr__estimate_fit(b));
    const wsr_params *const p = est->params;
    size_t at = 0;
    while (wsr_params_grad(p, at) == NULL) {
        at++;
    }
    const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, at));
    const float *const grad = wsr_params_grad(p, at);
    const double left = wsr__estimate_norm(grad, n);
    // Over all samples at once, times their parts: what adding up gives.
    const size_t counts[3] = {(size_t)NOISES * BATCH, SOURCES, 1};
    double loss = 0;
    wsr_params_zero_grad(est->params, true);
    ck_assert_ok(wsr__estimator_gradient(&loss, est, b->samples, counts));
    *whole = NOISES * wsr__estimate_norm(wsr_params_grad(p, at), n);
    wsr_loader_free(loader);
    wsr_dataset_free(data);
    wsr__estimate_close(b);
    wsr__free(b);
    wsr__free(c);
    return left;
}

START_TEST(released_gradients_add_up)
{
    double whole = 0;
    const double released = left_behind("released", &whole);
    ck_assert_double_eq_tol(released, whole, 1e-4 * whole);
    const double intended = left_behind("intended", &whole);
    ck_assert_double_lt(intended, 0.9 * whole);
}
END_TEST

// ----------------------------------------------------------------- estimates

// Zeros stand for what is no number, for that image alone.
START_TEST(undefined_estimates_are_zeros)
{
    float noise[2 * PIXELS];
    wsr__estimate *const b = wsr__alloc(1, sizeof(*b));
    b->batch = 2;
    b->pixels = PIXELS;
    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
        noise[i] = 0.5F;
    }
    noise[PIXELS + 3] = NAN;
    ck_assert_int_eq(wsr__estimate_define(noise, b), 1);
    for (size_t i = 0; i < PIXELS; i++) {
        ck_assert(noise[i] == 0.5F && noise[PIXELS + i] == 0.0F);
    }
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("bench");
    TCase *const t = tcase_create("bench");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, names_are_unique);
    tcase_add_test(t, fidelity_spreads);
    tcase_add_test(t, networks_rotate);
    tcase_add_test(t, as_released_they_change_once);
    tcase_add_test(t, the_last_network_is_new);
    tcase_add_test(t, released_gradients_add_up);
    tcase_add_test(t, undefined_estimates_are_zeros);
    suite_add_tcase(s, t);
    return s;
}
