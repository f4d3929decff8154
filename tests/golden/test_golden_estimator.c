// SPDX-License-Identifier: Apache-2.0
//
// The released noise estimators against tensors that PyTorch computed with the
// authors' modules: estimates for targets below, between and above the norms
// of the sources, loss, every gradient and, with batch norm, the running
// statistics after a pass.

#include "estimator/estimator.h"
#include "golden_support.h"

#define OUTPUT_TOL 2e-5 // absolute
#define LOSS_TOL 1e-5   // absolute
#define STATS_TOL 1e-5  // absolute

// A file, the estimator in evaluation and in training mode where they differ,
// the numbers of its parameters and of those with a gradient.
typedef struct golden_case {
    const char *file;
    const char *eval;
    const char *train;
    int64_t params;
    size_t gradients;
} golden_case;

static const golden_case cases[] = {
    {"ane_search_AN_estimator", "an:fidelity=released", NULL, 76763, 22},
    {"ane_A_ANE", "a_ane:fidelity=released", NULL, 71344, 20},
    {"ane_WA_ANE", "wa_ane:fidelity=released", NULL, 76763, 4},
    {"ane_E_ANE", "e_ane:fidelity=released", NULL, 133281, 22},
    {"ane_E_ANE_minus", "e_ane_minus:fidelity=released", NULL, 223384, 15},
    {"ane_search_AN_estimator_plus", "e_plus:fidelity=released,norms=intended",
     "e_plus:fidelity=released", 138504, 67},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

typedef struct world {
    wsr__st *st;
    wsr_estimator *est;
    size_t b;
    size_t n;
    size_t t;
    size_t pixels;
    float *sources; // (b, n, pixels)
    float *images;
    float *targets; // (b, t)
    float *labels;  // (b, t, pixels)
} world;

static void open_world(world *w, const golden_case *c, bool train)
{
    const char *const spec = train && c->train != NULL ? c->train : c->eval;
    w->st = golden_open(c->file);
    const wsr__st_tensor *const sources = wsr__st_find(w->st, "source_noises");
    const wsr__st_tensor *const targets =
        wsr__st_find(w->st, "target_epsilons");
    ck_assert(sources != NULL && targets != NULL);
    const int64_t *const d = sources->dims;
    const wsr_shape image = wsr__shape3(d[2], d[3], d[4]);
    w->b = (size_t)d[0];
    w->n = (size_t)d[1];
    w->t = (size_t)targets->dims[1];
    w->pixels = (size_t)wsr_shape_count(&image);
    printf("%s, %s\n", c->file, spec);
    ck_assert_ok(wsr_estimator_new(&w->est, spec, &image, 1));
    golden_load(wsr_estimator_params(w->est), w->st, "state.");
    w->sources = golden_read(w->st, "source_noises", w->b * w->n * w->pixels);
    w->images = golden_read(w->st, "input_image", w->b * w->pixels);
    w->targets = golden_read(w->st, "target_epsilons", w->b * w->t);
    w->labels = golden_read(w->st, "label", w->b * w->t * w->pixels);
}

static void close_world(world *w)
{
    wsr__free(w->sources);
    wsr__free(w->images);
    wsr__free(w->targets);
    wsr__free(w->labels);
    wsr_estimator_free(w->est);
    wsr__st_free(w->st);
}

// Estimates (b, t, pixels) of the first t targets.
static float *estimate(const world *w, size_t t)
{
    const size_t row = w->pixels;
    float *const all = wsr__alloc(w->b * t * row, sizeof(float));
    float *const each = wsr__alloc(w->b * t * row, sizeof(float));
    float *const by_source = wsr__alloc(w->b * w->n * row, sizeof(float));
    float *const targets = wsr__alloc(w->b * t, sizeof(float));
    const float *sources[WSR_ESTIMATOR_SOURCES];
    float *dst[WSR_ESTIMATOR_TARGETS];
    const size_t counts[3] = {w->b, w->n, t};
    for (size_t b = 0; b < w->b; b++) {
        memcpy(targets + b * t, w->targets + b * w->t, t * sizeof(float));
        for (size_t n = 0; n < w->n; n++) {
            memcpy(by_source + (n * w->b + b) * row,
                   w->sources + (b * w->n + n) * row, row * sizeof(float));
        }
    }
    for (size_t n = 0; n < w->n; n++) {
        sources[n] = by_source + n * w->b * row;
    }
    for (size_t i = 0; i < t; i++) {
        dst[i] = each + i * w->b * row;
    }
    ck_assert_ok(
        wsr_estimator_run(dst, w->est, sources, w->images, targets, counts));
    for (size_t b = 0; b < w->b; b++) {
        for (size_t i = 0; i < t; i++) {
            memcpy(all + (b * t + i) * row, dst[i] + b * row,
                   row * sizeof(float));
        }
    }
    wsr__free(targets);
    wsr__free(each);
    wsr__free(by_source);
    return all;
}

// Running statistics, and by how many the counts of batches have grown.
static void check_stats(const world *w)
{
    const wsr_params *const params = w->est->params;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        char name[256];
        (void)snprintf(name, sizeof(name), "after.%s", p->name);
        if (wsr__st_find(w->st, name) == NULL) {
            ck_assert_msg(p->trainable, "%s: is not in the file", name);
        } else if (p->integer) {
            int64_t after = 0;
            int64_t before = 0;
            ck_assert_ok(wsr__st_read_i64(&after, w->st, name, 1));
            (void)snprintf(name, sizeof(name), "state.%s", p->name);
            ck_assert_ok(wsr__st_read_i64(&before, w->st, name, 1));
            ck_assert_int_eq((int64_t)p->data[0], after - before);
        } else {
            golden_near(p->data, w->st, name, (size_t)p->count, STATS_TOL);
        }
    }
}

START_TEST(all_targets_at_once_give_the_same_noises)
{
    for (size_t i = 0; i < CASES; i++) {
        world w;
        open_world(&w, &cases[i], false);
        const size_t floats = w.b * w.t * w.pixels;
        float *const dst = estimate(&w, w.t);
        double sum = 0;
        for (size_t k = 0; k < floats; k++) {
            const double d = (double)dst[k] - (double)w.labels[k];
            sum += d * d;
        }
        const float loss = (float)(sum / (double)floats);
        golden_near(dst, w.st, "eval.output", floats, OUTPUT_TOL);
        golden_near(&loss, w.st, "eval.loss", 1, LOSS_TOL);
        wsr__free(dst);
        close_world(&w);
    }
}
END_TEST

START_TEST(one_target_gives_the_same_noise)
{
    for (size_t i = 0; i < CASES; i++) {
        world w;
        open_world(&w, &cases[i], false);
        float *const dst = estimate(&w, 1);
        golden_near(dst, w.st, "eval.output_first_target_only", w.b * w.pixels,
                    OUTPUT_TOL);
        wsr__free(dst);
        close_world(&w);
    }
}
END_TEST

START_TEST(in_training_mode_noises_and_statistics_are_the_same)
{
    for (size_t i = 0; i < CASES; i++) {
        world w;
        open_world(&w, &cases[i], true);
        float *const dst = estimate(&w, w.t);
        golden_near(dst, w.st, "train.output", w.b * w.t * w.pixels,
                    OUTPUT_TOL);
        check_stats(&w);
        wsr__free(dst);
        close_world(&w);
    }
}
END_TEST

static void check_gradients(const world *w, size_t gradients)
{
    wsr__estimator_sample *const samples = wsr__alloc(w->b, sizeof(*samples));
    const size_t counts[3] = {w->b, w->n, w->t};
    double loss = 0;
    for (size_t b = 0; b < w->b; b++) {
        samples[b].image = w->images + b * w->pixels;
        samples[b].target = w->targets + b * w->t;
        samples[b].label = w->labels + b * w->t * w->pixels;
        for (size_t n = 0; n < w->n; n++) {
            samples[b].noise[n] = w->sources + (b * w->n + n) * w->pixels;
        }
    }
    ck_assert_ok(wsr__estimator_gradient(&loss, w->est, samples, counts));
    const float as_float = (float)loss;
    golden_near(&as_float, w->st, "train.loss", 1, LOSS_TOL);
    ck_assert_uint_eq(golden_gradients(w->est->params, w->st, "grad."),
                      gradients);
    wsr__free(samples);
}

START_TEST(loss_and_gradients_are_the_same)
{
    for (size_t i = 0; i < CASES; i++) {
        world w;
        open_world(&w, &cases[i], true);
        check_gradients(&w, cases[i].gradients);
        check_stats(&w);
        close_world(&w);
    }
}
END_TEST

START_TEST(the_number_of_parameters_is_the_same)
{
    for (size_t i = 0; i < CASES; i++) {
        world w;
        open_world(&w, &cases[i], false);
        const wsr_params *const params = w.est->params;
        int64_t scalars = 0;
        for (size_t k = 0; k < wsr_params_count(params); k++) {
            const wsr__param *const p = wsr__params_at(params, k);
            scalars += p->trainable ? p->count : 0;
        }
        ck_assert_int_eq(scalars, cases[i].params);
        close_world(&w);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_targets_at_once_give_the_same_noises,
        one_target_gives_the_same_noise,
        in_training_mode_noises_and_statistics_are_the_same,
        loss_and_gradients_are_the_same,
        the_number_of_parameters_is_the_same,
        NULL,
    };
    return suite_of("golden_estimator", tests);
}
