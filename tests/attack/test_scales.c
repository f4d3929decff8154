// SPDX-License-Identifier: Apache-2.0
//
// Attacks do not depend on the unit of the logits, nor on that of the pixels. A
// linear model shows it, since how far its nearest boundary is is known there:
// images are attacked at 1.3 times that distance, with the logits times powers
// of ten from 1e-30 to 1e4, and with pixels in other ranges. What comes out is
// printed as the tables of docs/attacks.md:
//
//   ctest --test-dir BUILD -R attack/scales --verbose

#include "attack/attack.h"
#include "attack/engine/batch.h"
#include "attack/engine/project.h"
#include "support/support.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

enum { SIDE = 8, D = SIDE * SIDE, CLASSES = 10, N = 40, MOST = 64 };

static const double slack = 1.3;

// logits = scale (W u + b), u = (x - lo) / width.
typedef struct linear {
    double w[CLASSES][D];
    double b[CLASSES];
    double scale;
    double lo;
    double width;
} linear;

static linear model_of;
static double clean[N * D]; // in [0, 1], all of class 0

static wsr_status logits(float *z, const float *x, size_t n, void *user)
{
    const linear *const m = user;
    for (size_t k = 0; k < n * CLASSES; k++) {
        const float *const image = x + k / CLASSES * D;
        const double *const w = m->w[k % CLASSES];
        double sum = m->b[k % CLASSES];
        for (size_t i = 0; i < D; i++) {
            sum += w[i] * (((double)image[i] - m->lo) / m->width);
        }
        z[k] = (float)(m->scale * sum);
    }
    return WSR_OK;
}

// In float, as networks do it: the factor meets the gradient first.
static wsr_status backward(float *dx, const float *dz, size_t n, void *user)
{
    const linear *const m = user;
    for (size_t k = 0; k < n * D; k++) {
        float sum = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            const float scaled = dz[k / D * CLASSES + c] * (float)m->scale;
            sum += scaled * (float)(m->w[c][k % D] / m->width);
        }
        dx[k] = sum;
    }
    return WSR_OK;
}

static double part(wsr__rng *rng)
{
    return (double)wsr__rng_uniform(rng) - 0.5;
}

// Class 0 is told from each of the others by much the same pixels, so that all
// losses lead to a boundary about as near as the nearest.
static void make_model(void)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < D; i++) {
        model_of.w[0][i] = part(&rng);
    }
    model_of.b[0] = 0;
    for (size_t c = 1; c < CLASSES; c++) {
        model_of.b[c] = 0.02 * part(&rng);
        for (size_t i = 0; i < D; i++) {
            model_of.w[c][i] = -model_of.w[0][i] + 0.15 * part(&rng);
        }
    }
    for (size_t k = 0; k < CLASSES * D; k++) { // grey is between all classes
        model_of.b[k / D] -= 0.5 * model_of.w[k / D][k % D];
    }
}

static double value(size_t c, const double *u)
{
    double sum = model_of.b[c];
    for (size_t i = 0; i < D; i++) {
        sum += model_of.w[c][i] * u[i];
    }
    return sum;
}

// How far the boundary of class 0 to another one is, whatever the box.
static double distance_to(size_t c, const double *u, wsr__lp lp)
{
    double dual = 0;
    for (size_t i = 0; i < D; i++) {
        const double w = fabs(model_of.w[c][i] - model_of.w[0][i]);
        dual = lp == WSR__LINF ? dual + w
               : lp == WSR__L2 ? dual + w * w
                               : fmax(dual, w);
    }
    return (value(0, u) - value(c, u)) / (lp == WSR__L2 ? sqrt(dual) : dual);
}

static double radius(const double *u, wsr__lp lp)
{
    double least = (double)INFINITY;
    for (size_t c = 1; c < CLASSES; c++) {
        least = fmin(least, distance_to(c, u, lp));
    }
    return least;
}

// Images of class 0 whose balls do not reach the edges of the range.
static void make_images(void)
{
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    for (size_t k = 0; k < N; k++) {
        double *const u = clean + k * D;
        for (size_t i = 0; i < D; i++) {
            u[i] = 0.5 + 0.02 * part(&rng) + 0.02 * model_of.w[0][i];
        }
        ck_assert_double_gt(radius(u, WSR__LINF), 0.001);
        ck_assert_double_lt(slack * radius(u, WSR__L1), 0.45);
    }
}

static void begin(double scale, double lo, double hi)
{
    make_model();
    make_images();
    model_of.scale = scale;
    model_of.lo = lo;
    model_of.width = hi - lo;
}

static wsr_model *model_new(bool gradients)
{
    const wsr_shape shape = wsr__shape3(1, SIDE, SIDE);
    wsr_model *model = NULL;
    ck_assert_ok(wsr_model_new(&model, &shape, CLASSES, logits,
                               gradients ? backward : NULL, &model_of));
    ck_assert_ok(wsr_model_set_range(model, (float)model_of.lo,
                                     (float)(model_of.lo + model_of.width)));
    return model;
}

// Whether an attack fools the model with image k at `times` its distance; one
// that looks for the smallest change runs without a bound, and has to be that
// near.
static bool fooled(wsr_attack *attack, wsr_model *model, size_t k, double times)
{
    const wsr__lp lp = attack->norm;
    const double reach = times * radius(clean + k * D, lp) * model_of.width;
    const float eps = (float)reach;
    const int32_t label = 0;
    float x[D];
    wsr_attack_result *r = NULL;
    for (size_t i = 0; i < D; i++) {
        x[i] = (float)(model_of.lo + model_of.width * clean[k * D + i]);
    }
    ck_assert_ok(wsr_attack_set_strengths(attack, &eps, 1));
    ck_assert_ok(wsr_attack_run(&r, attack, model, x, &label, 1));
    ck_assert(wsr_attack_result_clean(r)[0]);
    const bool success = wsr_attack_result_success(r, 0)[0];
    wsr_attack_result_free(r);
    return success;
}

static size_t count(const char *spec, double times)
{
    wsr_attack *attack = NULL;
    size_t n = 0;
    ck_assert_ok(wsr_attack_new(&attack, spec, "seed=1"));
    wsr_model *const model = model_new(wsr_attack_needs_gradients(attack));
    for (size_t k = 0; k < N; k++) {
        attack->settings.first = (int64_t)k;
        n += fooled(attack, model, k, times);
    }
    wsr_model_free(model);
    wsr_attack_free(attack);
    return n;
}

// --------------------------------------------------------------- the attacks

// Options by which a search of the nearest boundary gets there, and quickly.
static const char *const quick[] = {
    "apgd_ce",    "steps=30",
    "apgd_dlr",   "steps=60,restarts=3",
    "apgd_t",     "steps=20",
    "autoattack", "steps=10,queries=10",
    "bim",        "steps=20,alpha=0",
    "difgsm",     "prob=0",
    "eotpgd",     "samples=3",
    "fab",        "steps=20",
    "fab_t",      "targets=3",
    "rfgsm",      "alpha=0.05",
    "spsa",       "steps=10,samples=40",
    "square",     "queries=100",
    "tifgsm",     "prob=0,length=1",
    "tpgd",       "steps=20,rel_length=4,sigma=0.0001",
    NULL};

// An attack in one of its norms.
typedef struct member {
    const wsr__attack_class *cls;
    wsr__lp norm;
    char spec[MOST];
} member;

static void spec_of(member *m)
{
    const char *options = "";
    for (size_t i = 0; quick[i] != NULL; i += 2) {
        if (strcmp(quick[i], m->cls->super.name) == 0) {
            options = quick[i + 1];
        }
    }
    (void)snprintf(m->spec, MOST, "%s:%s%s%s%s", m->cls->super.name, options,
                   m->cls->norm != NULL && options[0] != '\0' ? "," : "",
                   m->cls->norm != NULL ? "norm=" : "",
                   m->cls->norm != NULL ? wsr__lp_names[m->norm] : "");
}

// All attacks in all of their norms, apart from those that need another network
// and combinations of attacks; false after the last.
static bool next(member *m, size_t number)
{
    size_t k = 0;
    for (size_t i = 0; wsr__attacks.classes[i] != NULL; i++) {
        m->cls = (const wsr__attack_class *)wsr__attacks.classes[i];
        const char *const name = m->cls->super.name;
        const bool left_out = strcmp(name, "estimator") == 0 ||
                              strcmp(name, "transfer") == 0 ||
                              strcmp(name, "chain") == 0;
        for (int norm = 0; norm < 3 && !left_out; norm++) {
            if ((m->cls->norms >> norm & 1) != 0 && k++ == number) {
                m->norm = (wsr__lp)norm;
                spec_of(m);
                return true;
            }
        }
    }
    return false;
}

// ---------------------------------------------------------------- the tests

// "-30" is 1e-30.
static const int powers[] = {-30, -20, -10, -5, 0, 1, 2, 3, 4};

enum { POWERS = sizeof(powers) / sizeof(powers[0]), PLAIN = 4 };

// Counts of one attack, as a line of the table; how many are not as they should
// be: all images, or for an attack that does not look for the label's boundary
// those of the plain logits.
static size_t scales_line(const member *m)
{
    const bool seeks = strcmp(m->cls->super.name, "tpgd") != 0;
    size_t n[POWERS];
    size_t wrong = 0;
    printf("| `%s` | %s |", m->cls->super.name, wsr__lp_names[m->norm]);
    for (size_t p = 0; p < POWERS; p++) {
        begin(pow(10, powers[p]), 0, 1);
        n[p] = count(m->spec, slack);
        printf(" %zu |", n[p]);
    }
    printf("\n");
    for (size_t p = 0; p < POWERS; p++) {
        wrong += n[p] != (seeks ? N : n[PLAIN]);
    }
    return wrong;
}

START_TEST(logits_of_any_size_are_attacked_alike)
{
    member m;
    size_t wrong = 0;
    printf("| attack | norm |");
    for (size_t p = 0; p < POWERS; p++) {
        printf(" 1e%d |", powers[p]);
    }
    printf("\n");
    for (size_t k = 0; next(&m, k); k++) {
        wrong += m.cls->needs_gradient ? scales_line(&m) : 0;
    }
    (void)fflush(stdout);
    ck_assert_msg(wrong == 0, "%zu counts are wrong", wrong);
}
END_TEST

// A pixel range.
typedef struct range {
    float lo;
    float hi;
} range;

static const range ranges[] = {{0, 1},   {0, 256}, {0, 0x1p-8f},
                               {0, 255}, {-1, 1},  {0, 65535}};

enum { RANGES = sizeof(ranges) / sizeof(ranges[0]) };

START_TEST(pixels_of_any_range_are_attacked_alike)
{
    member m;
    size_t other = 0;
    printf("| attack | norm |");
    for (size_t p = 0; p < RANGES; p++) {
        printf(" [%g, %g] |", (double)ranges[p].lo, (double)ranges[p].hi);
    }
    printf("\n");
    for (size_t k = 0; next(&m, k); k++) {
        size_t first = 0;
        printf("| `%s` | %s |", m.cls->super.name, wsr__lp_names[m.norm]);
        for (size_t p = 0; p < RANGES; p++) {
            begin(1, (double)ranges[p].lo, (double)ranges[p].hi);
            const size_t n = count(m.spec, m.cls->needs_gradient ? 1.2 : 4);
            printf(" %zu |", n);
            first = p == 0 ? n : first;
            other += n != first;
        }
        printf("\n");
    }
    (void)fflush(stdout);
    ck_assert_msg(other == 0, "%zu counts differ", other);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {logits_of_any_size_are_attacked_alike,
                                  pixels_of_any_range_are_attacked_alike, NULL};
    return suite_of("scales", tests);
}
