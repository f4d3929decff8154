// SPDX-License-Identifier: Apache-2.0
//
// Distillation from a teacher.

#include "support/files.h"
#include "train/each_trainer.h"
#include "train/paired.h"
#include "train/train_step.h"
#include "train/trainer_bench.h"

#include <unistd.h>

static const char norms[] = ",mean=[0.4,0.5,0.6],std=[0.2,0.3,0.25]";

static void write_teacher(char path[600], const char *name, const char *spec,
                          const char *more)
{
    wsr_net *net = NULL;
    char text[300];
    (void)snprintf(text, sizeof(text), "%s%s", spec, more);
    (void)snprintf(path, 600, "%s/teacher", scratch_folder(name));
    ck_assert_ok(wsr_net_new(&net, NULL, text, 9));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
}

// ---------------------------------------------------------------- the loss

static double softmax(const float *z, size_t c, double t)
{
    double sum = 0;
    for (size_t j = 0; j < STEP_CLASSES; j++) {
        sum += exp((double)z[j] / t);
    }
    return exp((double)z[c] / t) / sum;
}

// T^2 KL(p || q), by the definition; a mean over images.
static double distance_of(const float *z, const float *teacher, double t)
{
    double sum = 0;
    for (size_t k = 0; k < STEP_N * STEP_CLASSES; k++) {
        const size_t row = k / STEP_CLASSES * STEP_CLASSES;
        const double p = softmax(teacher + row, k % STEP_CLASSES, t);
        const double q = softmax(z + row, k % STEP_CLASSES, t);
        sum += t * t * p * log(p / q);
    }
    return sum / STEP_N;
}

static const float student_logits[STEP_N * STEP_CLASSES] = {
    1, -2, 0.5F, 3, 0, 0, -1, -1, 4, 0.25F, 0.5F, 0.75F};

static void fill_teacher(float logits[STEP_N * STEP_CLASSES])
{
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < STEP_N * STEP_CLASSES; i++) {
        logits[i] = (float)(2 * wsr__rng_normal(&rng));
    }
}

START_TEST(loss_and_gradient_are_those_of_the_definition)
{
    static const double temperatures[] = {0.5, 1, 4};
    float teacher[STEP_N * STEP_CLASSES];
    fill_teacher(teacher);
    for (size_t k = 0; k < 6; k++) {
        const double t = temperatures[k / 2];
        const double mean = k % 2 == 0 ? 1 : STEP_CLASSES;
        float z[STEP_N * STEP_CLASSES];
        float diff[STEP_N * STEP_CLASSES] = {0};
        const wsr__train_step step = {.n = STEP_N,
                                      .classes = STEP_CLASSES,
                                      .distill = {.logits = teacher,
                                                  .temperature = t,
                                                  .over_classes = k % 2 != 0}};
        memcpy(z, student_logits, sizeof(z));
        ck_assert_double_eq_tol(wsr__distillation(diff, z, &step, 3),
                                distance_of(z, teacher, t) / mean, 1e-9);
        for (size_t i = 0; i < STEP_N * STEP_CLASSES; i++) {
            const float kept = z[i];
            z[i] = kept + 0.01F;
            const double up = distance_of(z, teacher, t);
            z[i] = kept - 0.01F;
            const double down = distance_of(z, teacher, t);
            z[i] = kept;
            ck_assert_double_eq_tol((double)diff[i],
                                    3 / mean * (up - down) / 0.02, 2e-3);
        }
    }
}
END_TEST

// With a weight of 0.7 the labels keep 0.3 of the loss.
START_TEST(the_rest_of_the_loss_is_that_of_the_labels)
{
    float teacher[STEP_N * STEP_CLASSES];
    step_bench b;
    fill_teacher(teacher);
    step_open(&b, "natural");
    b.step.distill = (wsr__distill){teacher, 4, 0.7, false};
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const float *const z = wsr_plan_dst(b.plan, "logits");
    ck_assert_double_eq_tol(b.step.loss,
                            0.3 * step_cross_entropy(z, b.labels) +
                                0.7 * distance_of(z, teacher, 4),
                            1e-6);
    const double taught = b.step.loss;
    b.step.distill.weight = 0;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_double_gt(fabs(b.step.loss - taught), 1e-3);
    step_close(&b);
}
END_TEST

// Rows of the teacher go with the images, which this trainer reorders.
START_TEST(the_teacher_follows_images_that_change_their_order)
{
    float teacher[STEP_N * STEP_CLASSES];
    step_bench b;
    bool moved = false;
    step_open(&b, "fat:eps=0.05,steps=5,dynamic_tau=false,tau=0");
    for (size_t i = 0; i < STEP_N * STEP_CLASSES; i++) {
        const size_t image = i / STEP_CLASSES;
        teacher[i] = (float)image;
    }
    for (size_t i = 0; i < STEP_N; i++) {
        b.labels[i] = (int32_t)(i * 2 % STEP_CLASSES);
    }
    b.step.distill = (wsr__distill){teacher, 4, 1, false};
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    for (size_t row = 0; row < STEP_N; row++) {
        const size_t i = (size_t)teacher[row * STEP_CLASSES];
        moved = moved || i != row;
        ck_assert_int_eq(b.adv_labels[row], b.labels[i]);
        for (size_t k = 0; k < STEP_PIXELS; k++) {
            ck_assert_float_le(fabsf(b.x_adv[row * STEP_PIXELS + k] -
                                     b.x[i * STEP_PIXELS + k]),
                               0.0501F);
        }
    }
    ck_assert(moved);
    step_close(&b);
}
END_TEST

// --------------------------------------------------------------- the images

// Logits of the first batch by a file's network in evaluation mode; `raw`: as
// without its normalisation.
static void expect_logits(const wsr__training *t, const char *path, bool raw)
{
    enum { N = 32 };
    static float x[N * STEP_PIXELS];
    float want[N * 3];
    const wsr_batch *batch = NULL;
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    ck_assert_ok(wsr_net_load(&net, path, NULL));
    ck_assert_ok(wsr_model_from_net(&model, net, N));
    ck_assert_ok(wsr_loader_seek(t->loader, 0, 0));
    ck_assert_ok(wsr_loader_next(&batch, t->loader));
    memcpy(x, wsr_batch_images(batch), sizeof(x));
    for (size_t i = 0; raw && i < N * STEP_PIXELS; i++) {
        const float mean[] = {0.4F, 0.5F, 0.6F};
        const float std[] = {0.2F, 0.3F, 0.25F};
        const size_t c = i / (16 * 16) % 3;
        x[i] = x[i] * std[c] + mean[c];
    }
    ck_assert_ok(wsr_model_logits(want, model, x, N));
    for (size_t i = 0; i < N * 3; i++) {
        ck_assert_float_eq_tol(want[i], t->teacher_logits[i], 1e-4F);
    }
    wsr_model_free(model);
    wsr_net_free(net);
}

// In the released form trainers that attack show the teacher images that are
// not normalised.
START_TEST(the_teacher_sees_clean_images)
{
    static const struct {
        const char *trainer;
        const char *fidelity;
        bool raw;
    } cases[] = {{"natural", "intended", false},
                 {"natural", "released", false},
                 {"madry:steps=1", "intended", false},
                 {"madry:steps=1", "released", true},
                 {"free:repeats=2", "released", true}};
    char path[600];
    char text[900];
    wsr__train_params params;
    wsr__training *t = NULL;
    bench b = open_bench(NULL);
    write_teacher(path, "seen", network, norms);
    (void)snprintf(text, sizeof(text),
                   "batch=32,trainer=\"%s\",teacher_fidelity=%s,teacher=%s",
                   cases[_i].trainer, cases[_i].fidelity, path);
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(wsr__params_parse(&params, wsr__train_schema, "train.", text));
    const wsr__training_of of = {b.net, b.train, NULL, 1};
    ck_assert_ok(wsr__training_new(&t, &of, &params));
    ck_assert_ok(wsr__training_step(t));
    expect_logits(t, path, cases[_i].raw);
    wsr__training_free(t);
    close_bench(&b);
}
END_TEST

// A student that is a copy of its teacher, on its way to other weights, comes
// back: the teacher has no labels.
START_TEST(a_student_learns_its_teacher)
{
    char path[600];
    char text[900];
    double first = 0;
    write_teacher(path, "learned", network, "");
    (void)snprintf(text, sizeof(text),
                   "trainer=natural,epochs=12,batch=16,augment=[],lr=0.05,"
                   "eval_every=0,teacher=%s",
                   path);
    bench b = open_bench(text);
    ck_assert_ok(wsr_trainer_epoch(b.trainer));
    first = wsr_trainer_get(b.trainer, 0, WSR_TRAIN_LOSS);
    finish(&b);
    ck_assert_double_lt(wsr_trainer_get(b.trainer, 11, WSR_TRAIN_LOSS),
                        first / 2);
    close_bench(&b);
}
END_TEST

// ----------------------------------------------------------------- misfits

START_TEST(a_teacher_must_be_there_and_fit)
{
    char path[600];
    char text[700];
    wsr_trainer *other = NULL;
    bench b = open_bench(NULL);
    ck_assert_fails(wsr_trainer_new(&other, b.net, b.train, NULL,
                                    "teacher=/nowhere/net", 1),
                    WSR_NOTFOUND, "train.teacher: /nowhere/net: there is no");
    write_teacher(path, "wide", "genotype=cna_r,channels=4,layers=3,classes=4,",
                  "image_size=16");
    (void)snprintf(text, sizeof(text), "teacher=%s", path);
    ck_assert_fails(wsr_trainer_new(&other, b.net, b.train, NULL, text, 1),
                    WSR_ARG, "has 4 classes, the trained network 3");
    write_teacher(path, "large",
                  "genotype=cna_r,channels=4,layers=3,classes=3,",
                  "image_size=32");
    (void)snprintf(text, sizeof(text), "teacher=%s", path);
    ck_assert_fails(wsr_trainer_new(&other, b.net, b.train, NULL, text, 1),
                    WSR_SHAPE, "takes images");
    close_bench(&b);
}
END_TEST

static const char tiny[] =
    "seed: 3\n"
    "threads: 1\n"
    "data: {spec: \"synthetic:size=16,count=44,test_count=24,classes=3\"}\n"
    "net: {genotype: cna_r, channels: 4, layers: 3}\n"
    "train: {trainer: natural, epochs: 2, batch: 16, eval_every: 0,\n"
    "        teacher: \"PATH\"}\n"
    "eval: {attack: \"\"}\n";

static bool stop_early(const wsr_progress *p, void *user)
{
    size_t *const calls = user;
    return p->line != NULL || ++*calls < 4;
}

// A run that goes on says what it lacks, and goes on once it is back.
START_TEST(a_resumed_run_names_a_teacher_that_is_gone)
{
    char path[600];
    char away[640];
    char dir[512];
    char text[700];
    size_t calls = 0;
    wsr_config *config = NULL;
    write_teacher(path, "gone", network, "");
    (void)snprintf(away, sizeof(away), "%s.away", path);
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("gone-run"));
    (void)snprintf(text, sizeof(text), "train.teacher=%s", path);
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load_text(config, tiny, "test"));
    ck_assert_ok(wsr_config_set(config, text));
    ck_assert_int_eq(
        wsr_train_run(NULL, config, dir, false, stop_early, &calls),
        WSR_CANCELED);
    ck_assert_int_eq(rename(path, away), 0);
    ck_assert_fails(wsr_train_run(NULL, NULL, dir, true, NULL, NULL),
                    WSR_NOTFOUND,
                    "reads it when it begins and when it "
                    "resumes");
    ck_assert_int_eq(rename(away, path), 0);
    ck_assert_ok(wsr_train_run(NULL, NULL, dir, true, NULL, NULL));
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        loss_and_gradient_are_those_of_the_definition,
        the_rest_of_the_loss_is_that_of_the_labels,
        the_teacher_follows_images_that_change_their_order,
        a_student_learns_its_teacher,
        a_teacher_must_be_there_and_fit,
        a_resumed_run_names_a_teacher_that_is_gone,
        NULL};
    Suite *const s = suite_of("teacher", tests);
    TCase *const loop = tcase_create("images");
    tcase_add_loop_test(loop, the_teacher_sees_clean_images, 0, 5);
    suite_add_tcase(s, loop);
    return s;
}
