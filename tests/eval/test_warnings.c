// SPDX-License-Identifier: Apache-2.0
//
// Each warning is provoked by a model, or an attack, with the flaw it is about;
// a sound evaluation has none.

#include "attack/model_support.h"
#include "eval/eval.h"

enum { N = 32 };

// A toy behind something that spoils it.
typedef struct flawed {
    toy of;
    size_t calls;
    bool first; // the images of the last call were the first ones
    float clean[N * TOY_D];
} flawed;

static flawed model_of;

static wsr_dataset *data_new(void)
{
    static uint8_t bytes[N * TOY_D];
    int32_t labels[N] = {0};
    wsr_dataset *unlabelled = NULL;
    wsr_dataset *dataset = NULL;
    const wsr_shape shape = wsr__shape4(N, TOY_C, TOY_SIDE, TOY_SIDE);
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, 2, 0);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)wsr__rng_below(&rng, 256);
    }
    ck_assert_ok(
        wsr_dataset_new(&unlabelled, bytes, labels, &shape, TOY_CLASSES));
    ck_assert_ok(wsr_dataset_images(model_of.clean, unlabelled, NULL, N));
    for (size_t i = 0; i < N; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(
            toy_logits(z, model_of.clean + i * TOY_D, 1, &model_of.of));
        labels[i] = wsr__argmax(z, TOY_CLASSES);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, bytes, labels, &shape, TOY_CLASSES));
    wsr_dataset_free(unlabelled);
    return dataset;
}

typedef struct question {
    wsr_model_logits_fn logits;
    wsr_model_backward_fn backward;
    const char *attacks;
    const char *options;
    float eps[2];
} question;

// The warnings of an evaluation; free with wsr_text_free.
static char *ask(const question *q)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_model *model = NULL;
    wsr_eval *eval = NULL;
    char *text = NULL;
    model_of.calls = 0;
    toy_fill(&model_of.of, 4);
    wsr_dataset *const dataset = data_new();
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, q->logits,
                               q->backward, &model_of));
    ck_assert_ok(wsr_eval_new(&eval, q->attacks, q->options));
    ck_assert_ok(wsr_eval_set_strengths(eval, q->eps, 2));
    ck_assert_ok(wsr_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_eval_finish(eval));
    ck_assert_ok(wsr_eval_warnings(&text, eval));
    wsr_eval_free(eval);
    wsr_dataset_free(dataset);
    wsr_model_free(model);
    return text;
}

static void expect(const question *q, const char *name, const char *detail)
{
    char key[64];
    char *const text = ask(q);
    (void)snprintf(key, sizeof(key),
                   "{\"event\":\"warning\",\"warning\":\"%s\"", name);
    const char *const line = strstr(text, key);
    ck_assert_msg(line != NULL, "no warning '%s' in: %s", name, text);
    ck_assert_msg(strstr(line, detail) != NULL, "'%s' lacks '%s'", line,
                  detail);
    ck_assert_ptr_nonnull(strstr(line, "\"remedy\":\""));
    wsr_text_free(text);
}

static wsr_status logits(float *z, const float *x, size_t n, void *user)
{
    flawed *const f = user;
    f->calls++;
    f->first = same_bits(x, f->clean, TOY_D * sizeof(*x));
    return toy_logits(z, x, n, &f->of);
}

static wsr_status backward(float *dx, const float *dz, size_t n, void *user)
{
    flawed *const f = user;
    return toy_backward(dx, dz, n, &f->of);
}

START_TEST(a_sound_evaluation_has_no_warnings)
{
    const question q = {logits,
                        backward,
                        "fgsm,pgd,square:queries=30",
                        "nested=false",
                        {0.01f, 0.02f}};
    char *const text = ask(&q);
    ck_assert_str_eq(text, "");
    wsr_text_free(text);
}
END_TEST

static wsr_status no_gradient(float *dx, const float *dz, size_t n, void *user)
{
    (void)dz;
    (void)user;
    memset(dx, 0, n * TOY_D * sizeof(*dx));
    return WSR_OK;
}

START_TEST(hidden_gradients_are_noticed)
{
    const question q = {
        logits, no_gradient, "pgd,square:queries=100", NULL, {0.03f, 1}};
    expect(&q, "zero_gradients", "gradients are zero");
    expect(&q, "black_box", "square leaves");
    expect(&q, "unbounded", "not 0");
}
END_TEST

static wsr_status noisy(float *z, const float *x, size_t n, void *user)
{
    flawed *const f = user;
    const wsr_status status = logits(z, x, n, user);
    for (size_t i = 0; i < n * TOY_CLASSES; i++) {
        z[i] += 1e-3f * (float)((f->calls * 7 + i) % 5);
    }
    return status;
}

static wsr_status softmax(float *z, const float *x, size_t n, void *user)
{
    const wsr_status status = logits(z, x, n, user);
    for (size_t i = 0; i < n; i++) {
        float *const row = z + i * TOY_CLASSES;
        float sum = 0;
        for (size_t c = 0; c < TOY_CLASSES; c++) {
            row[c] = expf(row[c]);
            sum += row[c];
        }
        for (size_t c = 0; c < TOY_CLASSES; c++) {
            row[c] /= sum;
        }
    }
    return status;
}

static wsr_status log_softmax(float *z, const float *x, size_t n, void *user)
{
    const wsr_status status = softmax(z, x, n, user);
    for (size_t i = 0; i < n * TOY_CLASSES; i++) {
        z[i] = logf(z[i]);
    }
    return status;
}

START_TEST(outputs_that_are_no_logits_are_noticed)
{
    const question q = {
        softmax, NULL, "square:queries=5", NULL, {0.01f, 0.02f}};
    const question r = {
        log_softmax, NULL, "square:queries=5", NULL, {0.01f, 0.02f}};
    expect(&q, "softmax", "ends in a softmax");
    expect(&q, "softmax", "export the network without its softmax");
    expect(&r, "softmax", "ends in a log-softmax");
}
END_TEST

// The labels are those of the unspoilt model: every third image is right.
static wsr_status guesses(float *z, const float *x, size_t n, void *user)
{
    const wsr_status status = logits(z, x, n, user);
    for (size_t i = 0; i < n; i++) {
        const float first = z[i * TOY_CLASSES];
        for (size_t c = 0; c + 1 < TOY_CLASSES; c++) {
            z[i * TOY_CLASSES + c] = z[i * TOY_CLASSES + c + 1];
        }
        z[i * TOY_CLASSES + TOY_CLASSES - 1] = first;
    }
    return status;
}

START_TEST(an_accuracy_of_chance_is_noticed)
{
    const question q = {
        guesses, NULL, "square:queries=5", NULL, {0.01f, 0.02f}};
    expect(&q, "chance", " clean images are recognised, which guesses among");
    expect(&q, "chance", "--mean, --std and --range");
}
END_TEST

START_TEST(a_weak_attack_beside_a_strong_one_is_no_failure)
{
    const question q = {logits,
                        backward,
                        "pgd:steps=1,alpha=0.001,pgd:steps=30",
                        NULL,
                        {0.5f, 1}};
    char *const text = ask(&q);
    ck_assert_ptr_null(strstr(text, "unbounded"));
    wsr_text_free(text);
}
END_TEST

START_TEST(warnings_say_the_same_in_sentences)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    const float eps = 1;
    wsr_model *model = NULL;
    wsr_eval *eval = NULL;
    char *text = NULL;
    toy_fill(&model_of.of, 4);
    wsr_dataset *const dataset = data_new();
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, logits, no_gradient,
                               &model_of));
    ck_assert_ok(wsr_eval_new(&eval, "pgd:steps=3", NULL));
    ck_assert_ok(wsr_eval_set_strengths(eval, &eps, 1));
    ck_assert_ok(wsr_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_eval_finish(eval));
    ck_assert_ok(wsr_eval_warnings_text(&text, eval));
    ck_assert_ptr_nonnull(
        strstr(text, "unbounded: pgd:steps=3, linf, 1: accuracy is 1, not 0. "
                     "With enough change"));
    ck_assert_ptr_nonnull(strstr(text, "zero_gradients: pgd:steps=3, linf, 1: "
                                       "96 of 96 gradients are zero. The"));
    wsr_text_free(text);
    wsr_eval_free(eval);
    wsr_dataset_free(dataset);
    wsr_model_free(model);
}
END_TEST

START_TEST(a_model_that_answers_differently_is_noticed)
{
    const question q = {noisy, backward, "fgsm", NULL, {0.01f, 0.02f}};
    expect(&q, "random", "other logits");
}
END_TEST

// The gradient is right at the clean images and wrong everywhere else.
static wsr_status misleading(float *dx, const float *dz, size_t n, void *user)
{
    const flawed *const f = user;
    const wsr_status status = backward(dx, dz, n, user);
    for (size_t i = 0; !f->first && i < n * TOY_D; i++) {
        dx[i] = -dx[i];
    }
    return status;
}

START_TEST(single_steps_that_beat_many_are_noticed)
{
    const question q = {logits,
                        misleading,
                        "fgsm,pgd:steps=10",
                        "stop=false,batch=28",
                        {0.03f, 0.05f}};
    expect(&q, "single_step", "fgsm leaves");
}
END_TEST

// What counts is how many steps are taken, not what the attack is called.
START_TEST(one_step_of_an_attack_with_many_is_a_single_step)
{
    const question q = {logits,
                        misleading,
                        "pgd:steps=1,random_start=false,rfgsm:steps=3",
                        "stop=false,batch=28",
                        {0.03f, 0.05f}};
    expect(&q, "single_step", "pgd leaves");
}
END_TEST

START_TEST(budgets_that_still_help_are_noticed)
{
    const question q = {logits,
                        backward,
                        "pgd:steps=2,alpha=0.002,pgd:steps=40,alpha=0.002",
                        NULL,
                        {0.03f, 0.05f}};
    expect(&q, "budget", "with less work");
}
END_TEST

// Class 0 in waves of the mean pixel: a step of one wavelength comes back to
// where it was.
static wsr_status waves(float *z, const float *x, size_t n, void *user)
{
    float toy_z[N * TOY_CLASSES];
    ck_assert_ok(logits(toy_z, x, n, user));
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t p = 0; p < TOY_D; p++) {
            sum += x[i * TOY_D + p] - model_of.clean[i * TOY_D + p];
        }
        const float turn = 2 * 3.14159265f * sum / TOY_D / 0.02f;
        for (size_t c = 0; c < TOY_CLASSES; c++) {
            z[i * TOY_CLASSES + c] = (c == 0 ? -1.0f : 1.0f) *
                                     cosf(turn + 0.3f) *
                                     (c == 0 || c == 1 ? 1.0f : 0.1f);
        }
    }
    return WSR_OK;
}

static wsr_status upwards(float *dx, const float *dz, size_t n, void *user)
{
    (void)dz;
    (void)user;
    for (size_t i = 0; i < n * TOY_D; i++) {
        dx[i] = 1;
    }
    return WSR_OK;
}

START_TEST(accuracy_that_rises_with_the_strength_is_noticed)
{
    // Pixels away from the edges, all labelled by the wave: class 1.
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    const wsr_shape all = wsr__shape4(N, TOY_C, TOY_SIDE, TOY_SIDE);
    const float eps[2] = {0.008f, 0.02f};
    static uint8_t bytes[N * TOY_D];
    int32_t labels[N];
    wsr_model *model = NULL;
    wsr_eval *eval = NULL;
    wsr_dataset *dataset = NULL;
    char *text = NULL;
    memset(bytes, 128, sizeof(bytes));
    for (size_t i = 0; i < N; i++) {
        labels[i] = 1;
    }
    toy_fill(&model_of.of, 4);
    ck_assert_ok(wsr_dataset_new(&dataset, bytes, labels, &all, TOY_CLASSES));
    ck_assert_ok(wsr_dataset_images(model_of.clean, dataset, NULL, N));
    ck_assert_ok(
        wsr_model_new(&model, &shape, TOY_CLASSES, waves, upwards, &model_of));
    ck_assert_ok(wsr_eval_new(&eval, "fgsm", "nested=false"));
    ck_assert_ok(wsr_eval_set_strengths(eval, eps, 2));
    ck_assert_ok(wsr_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_eval_finish(eval));
    ck_assert_ok(wsr_eval_warnings(&text, eval));
    ck_assert_ptr_nonnull(
        strstr(text, "{\"event\":\"warning\",\"warning\":\"rising\""));
    ck_assert_ptr_nonnull(strstr(text, "accuracy is 0 at 0.008 and 1 at 0.02"));
    wsr_text_free(text);
    wsr_eval_free(eval);
    wsr_dataset_free(dataset);
    wsr_model_free(model);
}
END_TEST

// Attacks at fault, as none of ours is: one forgets the ball, one the range.
static float moved_by;

static void move_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    float *const x = wsr__at(s->x, s->d, row);
    const bool up = moved_by > 1;
    for (int64_t i = 0; i < s->d; i++) {
        x[i] = up ? moved_by : x[i] < 0.5f ? x[i] + moved_by : x[i] - moved_by;
    }
}

static wsr_status move(wsr__attack_batch *s, const void *params)
{
    (void)params;
    wsr__attack_batch_reset(s);
    wsr__attack_batch_each(s, move_row, NULL);
    return wsr__attack_batch_finish(s);
}

static void expect_outside(float by, float eps)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr__attack_class careless = wsr__attack_fgsm;
    wsr_model *model = NULL;
    wsr_eval *eval = NULL;
    char *text = NULL;
    careless.run = move;
    moved_by = by;
    toy_fill(&model_of.of, 4);
    wsr_dataset *const dataset = data_new();
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, logits, backward,
                               &model_of));
    ck_assert_ok(wsr_eval_new(&eval, "fgsm", NULL));
    ck_assert_ok(wsr_eval_set_strengths(eval, &eps, 1));
    eval->attacks[0]->cls = &careless;
    ck_assert_ok(wsr_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_eval_finish(eval));
    ck_assert_ok(wsr_eval_warnings(&text, eval));
    ck_assert_ptr_nonnull(
        strstr(text, "{\"event\":\"warning\",\"warning\":\"outside\""));
    ck_assert_ptr_nonnull(strstr(text, "32 images lie outside"));
    wsr_text_free(text);
    wsr_eval_free(eval);
    wsr_dataset_free(dataset);
    wsr_model_free(model);
}

START_TEST(images_outside_of_ball_or_range_are_noticed)
{
    expect_outside(0.25f, 0.2f); // in the range
    expect_outside(1.5f, 2);     // in the ball
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_sound_evaluation_has_no_warnings,
        hidden_gradients_are_noticed,
        outputs_that_are_no_logits_are_noticed,
        an_accuracy_of_chance_is_noticed,
        a_weak_attack_beside_a_strong_one_is_no_failure,
        warnings_say_the_same_in_sentences,
        a_model_that_answers_differently_is_noticed,
        single_steps_that_beat_many_are_noticed,
        one_step_of_an_attack_with_many_is_a_single_step,
        budgets_that_still_help_are_noticed,
        accuracy_that_rises_with_the_strength_is_noticed,
        images_outside_of_ball_or_range_are_noticed,
        NULL};
    return suite_of("evaluation warnings", tests);
}
