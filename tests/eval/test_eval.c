// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"
#include "eval/eval.h"
#include "io/io.h"
#include "support/oom.h"

#include <stdio.h>

enum { N = 30 };

static const float strengths[3] = {0.05f, 0, 0.02f};
static const char two_attacks[] = "fgsm,pgd:steps=4,random_start=true";

static toy model_of;

// Labels are the toy's own, every seventh is wrong.
static wsr_dataset *data_new(uint64_t seed)
{
    static uint8_t bytes[N * TOY_D];
    static float x[N * TOY_D];
    int32_t labels[N];
    wsr_dataset *dataset = NULL;
    wsr_dataset *unlabelled = NULL;
    const wsr_shape shape = wsr__shape4(N, TOY_C, TOY_SIDE, TOY_SIDE);
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 2, 0);
    for (size_t i = 0; i < N * TOY_D; i++) {
        bytes[i] = (uint8_t)wsr__rng_below(&rng, 256);
    }
    memset(labels, 0, sizeof(labels));
    ck_assert_ok(
        wsr_dataset_new(&unlabelled, bytes, labels, &shape, TOY_CLASSES));
    ck_assert_ok(wsr_dataset_images(x, unlabelled, NULL, N));
    for (size_t i = 0; i < N; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, x + i * TOY_D, 1, &model_of));
        labels[i] = wsr__argmax(z, TOY_CLASSES);
        labels[i] = i % 7 == 6 ? (labels[i] + 1) % TOY_CLASSES : labels[i];
    }
    ck_assert_ok(wsr_dataset_new(&dataset, bytes, labels, &shape, TOY_CLASSES));
    wsr_dataset_free(unlabelled);
    return dataset;
}

typedef struct world {
    wsr_model *model;
    wsr_dataset *dataset;
    wsr_eval *eval;
} world;

static world begin(const char *attacks, const char *options)
{
    world w = {0};
    toy_fill(&model_of, 4);
    w.model = toy_model(&model_of, true);
    w.dataset = data_new(1);
    ck_assert_ok(wsr_eval_new(&w.eval, attacks, options));
    ck_assert_ok(wsr_eval_set_strengths(w.eval, strengths, 3));
    ck_assert_ok(wsr_eval_open(w.eval, w.model, w.dataset));
    return w;
}

static void end(world *w)
{
    wsr_eval_free(w->eval);
    wsr_dataset_free(w->dataset);
    wsr_model_free(w->model);
}

START_TEST(numbers_follow_from_the_images)
{
    world w = begin(two_attacks, "batch=8,seed=3");
    ck_assert_uint_eq(wsr_eval_steps(w.eval), 8);
    ck_assert(isnan(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_CLEAN)));
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_uint_eq(wsr_eval_count(w.eval, 0), N);
    ck_assert_double_eq_tol(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_CLEAN),
                            26.0 / N, 1e-12);
    // Strength 0 is the clean accuracy.
    ck_assert_double_eq_tol(wsr_eval_get(w.eval, 1, 1, WSR_EVAL_ROBUST),
                            26.0 / N, 1e-12);
    double worst = 0;
    double by_class = 0;
    for (size_t i = 0; i < N; i++) {
        worst += wsr_eval_robust(w.eval, 0, 0, i) &&
                         wsr_eval_robust(w.eval, 1, 0, i)
                     ? 1.0 / N
                     : 0;
    }
    ck_assert_double_eq_tol(wsr_eval_worst(w.eval, "linf", 0), worst, 1e-12);
    ck_assert(isnan(wsr_eval_worst(w.eval, "l2", 0)));
    for (size_t c = 0; c < TOY_CLASSES; c++) {
        size_t count = 0;
        const double accuracy = wsr_eval_class(&count, w.eval, 1, 0, c);
        by_class += count == 0 ? 0 : accuracy * (double)count / N;
    }
    const double robust = wsr_eval_get(w.eval, 1, 0, WSR_EVAL_ROBUST);
    ck_assert_double_eq_tol(by_class, robust, 1e-12);
    ck_assert_double_eq_tol(
        wsr_eval_mean(w.eval, 1),
        (robust + wsr_eval_get(w.eval, 1, 2, WSR_EVAL_ROBUST)) / 2, 1e-12);
    ck_assert_double_le(wsr_eval_get(w.eval, 1, 0, WSR_EVAL_MEDIAN), 0.05);
    ck_assert_uint_eq(wsr_eval_worst_count(w.eval, "linf"), N);
    ck_assert_uint_eq(wsr_eval_worst_count(w.eval, "l2"), 0);
    end(&w);
}
END_TEST

START_TEST(quartiles_divide_the_changes_of_successes)
{
    static const float norms[6] = {0.5f, 0.1f, 9, 0.4f, 0.2f, 0.3f};
    static const uint8_t fooled[6] = {1, 1, 0, 1, 1, 1};
    world w = begin("fgsm", NULL);
    ck_assert_ok(wsr_eval_finish(w.eval));
    wsr__eval_cell *const cell = wsr__eval_at(w.eval, 0, 0);
    memset(cell->success, 0, N);
    memcpy(cell->success, fooled, sizeof(fooled));
    memcpy(cell->norms[WSR__LINF], norms, sizeof(norms));
    static const wsr_eval_value what[3] = {WSR_EVAL_QUARTILE_1, WSR_EVAL_MEDIAN,
                                           WSR_EVAL_QUARTILE_3};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_double_eq_tol(wsr_eval_get(w.eval, 0, 0, what[i]),
                                0.2 + 0.1 * (double)i, 1e-7);
    }
    cell->success[0] = 0; // 0.1, 0.2, 0.3, 0.4
    ck_assert_double_eq_tol(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_MEDIAN), 0.25,
                            1e-7);
    ck_assert_double_eq_tol(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_QUARTILE_1),
                            0.175, 1e-7);
    memset(cell->success, 0, N);
    ck_assert(isnan(wsr_eval_get(w.eval, 0, 0, WSR_EVAL_QUARTILE_3)));
    end(&w);
}
END_TEST

// Images of the target class are left out; those behind take their place.
START_TEST(images_of_the_target_class_are_left_out)
{
    char path[512];
    world w = begin("pgd:steps=4", "target_class=1,batch=4,count=12,keep=12");
    const int32_t *const labels = wsr_dataset_labels(w.dataset);
    size_t others = 0;
    for (size_t i = 0; i < N; i++) {
        others += labels[i] != 1;
    }
    ck_assert_uint_lt(others, N);
    ck_assert_uint_ge(others, 12);
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_uint_eq(wsr_eval_count(w.eval, 0), 12);
    size_t count = 9;
    size_t k = 0;
    ck_assert(isnan(wsr_eval_class(&count, w.eval, 0, 0, 1)));
    ck_assert_uint_eq(count, 0);
    (void)snprintf(path, sizeof(path), "%s/images", scratch_folder("aimed"));
    ck_assert_ok(wsr_eval_save_images(w.eval, 0, path));
    wsr__st *st = NULL;
    int64_t saved[12];
    int64_t seen[12];
    float x[12 * TOY_D];
    float expected[TOY_D];
    ck_assert_ok(wsr__st_open(&st, path));
    ck_assert_ok(wsr__st_read_i64(saved, st, "labels", 12));
    ck_assert_ok(wsr__st_read_i64(seen, st, "0.0.predictions", 12));
    ck_assert_ok(wsr__st_read_f32(x, st, "clean", (size_t)12 * TOY_D));
    for (size_t i = 0; i < N && k < 12; i++) {
        if (labels[i] == 1) {
            continue;
        }
        ck_assert_int_eq(saved[k], labels[i]);
        ck_assert_ok(wsr_dataset_images(expected, w.dataset, &i, 1));
        ck_assert_mem_eq(x + k * TOY_D, expected, sizeof(expected));
        const bool hit = wsr__eval_at(w.eval, 0, 0)->success[k] != 0;
        ck_assert(!hit || seen[k] == 1);
        k++;
    }
    wsr__st_free(st);
    end(&w);
    // All others, where nothing is said of their number.
    w = begin("fgsm", "target_class=1");
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_uint_eq(wsr_eval_count(w.eval, 0), others);
    end(&w);
}
END_TEST

START_TEST(a_target_class_must_exist_and_leave_enough)
{
    static const char *const options[][2] = {
        {"target_class=5", "attack.target_class: 5 is outside [0, 4]"},
        {"target_class=1,count=30", "of other classes than the target"},
    };
    toy_fill(&model_of, 4);
    wsr_model *const model = toy_model(&model_of, true);
    wsr_dataset *const dataset = data_new(1);
    for (size_t i = 0; i < 2; i++) {
        wsr_eval *eval = NULL;
        ck_assert_ok(wsr_eval_new(&eval, "fgsm", options[i][0]));
        for (size_t again = 0; again < 2; again++) {
            const wsr_status status = wsr_eval_open(eval, model, dataset);
            ck_assert(status == WSR_CONFIG || status == WSR_ARG);
            ck_assert_ptr_nonnull(strstr(wsr_error_detail(), options[i][1]));
        }
        wsr_eval_free(eval);
    }
    wsr_dataset_free(dataset);
    wsr_model_free(model);
}
END_TEST

static char *json_of(const wsr_eval *eval)
{
    char *text = NULL;
    ck_assert_ok(wsr_eval_json(&text, eval));
    return text;
}

START_TEST(every_attack_and_strength_has_a_line)
{
    world w = begin(two_attacks, NULL);
    ck_assert_ok(wsr_eval_finish(w.eval));
    char *text = json_of(w.eval);
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    ck_assert_uint_eq(lines, 6 + 3 + 2);
    const char *const first = "{\"event\":\"eval\",\"attack\":\"fgsm\","
                              "\"options\":\"\",\"norm\":\"linf\",\"eps\":0.05,"
                              "\"count\":30,\"clean_accuracy\":0.8666";
    ck_assert_mem_eq(text, first, strlen(first));
    ck_assert_ptr_nonnull(
        strstr(text, "\"options\":\"steps=4,random_start=true\""));
    ck_assert_ptr_nonnull(strstr(text, "\"summary\":\"worst_case\""));
    wsr_text_free(text);
    ck_assert_ok(wsr_eval_csv(&text, w.eval));
    ck_assert_ptr_nonnull(
        strstr(text, "\n\"pgd:steps=4,random_start=true\",linf,0.02,30,"));
    wsr_text_free(text);
    end(&w);
}
END_TEST

// Seconds differ from run to run.
static void expect_same_cell(const wsr__eval_cell *a, const wsr__eval_cell *b)
{
    ck_assert_mem_eq(a->robust, b->robust, N);
    ck_assert_mem_eq(a->success, b->success, N);
    ck_assert_mem_eq(a->queries, b->queries, N * sizeof(uint32_t));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_mem_eq(a->norms[i], b->norms[i], N * sizeof(float));
    }
    ck_assert_mem_eq(a->images, b->images, 5 * TOY_D * sizeof(float));
}

static void expect_same(const wsr_eval *a, const wsr_eval *b)
{
    for (size_t k = 0; k < 6; k++) {
        expect_same_cell(&a->cells[k], &b->cells[k]);
    }
}

START_TEST(an_interrupted_evaluation_ends_like_one_that_was_not)
{
    const char *const options = "batch=4,keep=5,seed=2";
    char path[600];
    world whole = begin(two_attacks, options);
    ck_assert_ok(wsr_eval_finish(whole.eval));
    for (size_t steps = 0; steps < 16; steps += 3) {
        world first = begin(two_attacks, options);
        (void)snprintf(path, sizeof(path), "%s/state", scratch_folder("eval"));
        for (size_t k = 0; k < steps; k++) {
            ck_assert_ok(wsr_eval_step(first.eval));
        }
        ck_assert_ok(wsr_eval_save(first.eval, path));
        end(&first);
        world second = begin(two_attacks, options);
        ck_assert_ok(wsr_eval_resume(second.eval, path));
        ck_assert_uint_eq(wsr_eval_position(second.eval), steps);
        ck_assert_ok(wsr_eval_finish(second.eval));
        expect_same(whole.eval, second.eval);
        end(&second);
    }
    end(&whole);
}
END_TEST

// Stops an evaluation at model call `stop_at`, counted from 1; 0: never.
typedef struct watch {
    size_t stop_at;
    size_t calls;
    double done;
    size_t savepoints;
} watch;

static bool see(const wsr_eval_progress *progress, void *user)
{
    watch *const w = user;
    ck_assert_uint_lt(progress->step, progress->steps);
    ck_assert_double_ge(progress->done, w->done);
    ck_assert_double_le(progress->done, 1);
    // Two attacks: their steps count by their passes, batches alike.
    const size_t whole = progress->step / 2;
    const size_t batches = (progress->steps + 1) / 2;
    ck_assert_double_ge(progress->done, (double)whole / (double)batches);
    ck_assert_uint_ge(progress->savepoints, w->savepoints);
    w->savepoints = progress->savepoints;
    w->done = progress->done;
    w->calls++;
    return w->calls != w->stop_at;
}

START_TEST(an_evaluation_stopped_inside_a_step_ends_like_one_that_was_not)
{
    static const char attacks[] =
        "pgd:steps=4,random_start=true,chain:attacks=[fgsm,square:queries=9]";
    const char *const options = "batch=7,keep=5,seed=2";
    char path[600];
    watch all = {0};
    (void)snprintf(path, sizeof(path), "%s/state", scratch_folder("inside"));
    world whole = begin(attacks, options);
    wsr_eval_set_hook(whole.eval, see, &all);
    ck_assert_ok(wsr_eval_finish(whole.eval));
    for (size_t k = 0; k < 10; k++) {
        watch w = {.stop_at = 1 + k * (all.calls - 1) / 9};
        world first = begin(attacks, options);
        wsr_eval_set_hook(first.eval, see, &w);
        ck_assert_fails(wsr_eval_finish(first.eval), WSR_CANCELED, "canceled");
        ck_assert_uint_eq(w.calls, w.stop_at);
        const size_t position = wsr_eval_position(first.eval);
        ck_assert_uint_lt(position, wsr_eval_steps(first.eval));
        ck_assert_ok(wsr_eval_save(first.eval, path));
        world second = begin(attacks, options);
        ck_assert_ok(wsr_eval_resume(second.eval, path));
        ck_assert_uint_eq(wsr_eval_position(second.eval), position);
        ck_assert_ok(wsr_eval_finish(second.eval));
        expect_same(whole.eval, second.eval);
        end(&second);
        wsr_eval_set_hook(first.eval, NULL, NULL);
        ck_assert_ok(wsr_eval_finish(first.eval)); // or goes on where it is
        expect_same(whole.eval, first.eval);
        end(&first);
    }
    end(&whole);
}
END_TEST

// What a stopped evaluation has done of a step is not done again.
START_TEST(members_that_have_ended_are_kept)
{
    static const char attacks[] =
        "chain:attacks=[pgd:steps=30,pgd:steps=30,chain:attacks=[fgsm,square:"
        "queries=40]]";
    const char *const options = "batch=30,keep=30,seed=2,nested=false";
    char path[600];
    watch all = {0};
    (void)snprintf(path, sizeof(path), "%s/state", scratch_folder("members"));
    world whole = begin(attacks, options);
    wsr_eval_set_hook(whole.eval, see, &all);
    ck_assert_ok(wsr_eval_finish(whole.eval));
    ck_assert_uint_gt(all.savepoints, 6);
    watch w = {.stop_at = all.calls};
    world first = begin(attacks, options);
    wsr_eval_set_hook(first.eval, see, &w);
    ck_assert_fails(wsr_eval_finish(first.eval), WSR_CANCELED, "canceled");
    ck_assert_uint_eq(wsr_eval_position(first.eval), 0);
    ck_assert_ok(wsr_eval_save(first.eval, path));
    end(&first);
    watch rest = {0};
    world second = begin(attacks, options);
    ck_assert_ok(wsr_eval_resume(second.eval, path));
    ck_assert_fails(wsr_eval_resume(second.eval, path), WSR_ARG, "not begun");
    wsr_eval_set_hook(second.eval, see, &rest);
    ck_assert_ok(wsr_eval_finish(second.eval));
    ck_assert_uint_lt(rest.calls, all.calls / 2);
    for (size_t k = 0; k < 3; k++) {
        expect_same_cell(&whole.eval->cells[k], &second.eval->cells[k]);
    }
    end(&second);
    end(&whole);
}
END_TEST

static void expect_refused(world *w, const char *path, const char *words)
{
    ck_assert_fails(wsr_eval_resume(w->eval, path), WSR_CONFIG, words);
    ck_assert_uint_eq(wsr_eval_position(w->eval), 0);
    end(w);
}

START_TEST(a_state_fits_one_evaluation_alone)
{
    char path[600];
    world w = begin(two_attacks, NULL);
    (void)snprintf(path, sizeof(path), "%s/state", scratch_folder("eval"));
    ck_assert_ok(wsr_eval_step(w.eval));
    ck_assert_ok(wsr_eval_save(w.eval, path));
    end(&w);
    w = begin("fgsm,pgd:steps=5", NULL);
    expect_refused(&w, path, "another evaluation");
    w = begin(two_attacks, "seed=1");
    expect_refused(&w, path, "another evaluation");
    w = begin(two_attacks, NULL);
    model_of.w[0] += 0.1f;
    expect_refused(&w, path, "another model");
    w = begin(two_attacks, NULL);
    wsr_eval_free(w.eval);
    wsr_dataset_free(w.dataset);
    w.dataset = data_new(9);
    ck_assert_ok(wsr_eval_new(&w.eval, two_attacks, NULL));
    ck_assert_ok(wsr_eval_set_strengths(w.eval, strengths, 3));
    ck_assert_ok(wsr_eval_open(w.eval, w.model, w.dataset));
    expect_refused(&w, path, "other images");
}
END_TEST

START_TEST(kept_images_are_written_with_their_outcomes)
{
    char path[600];
    float images[5 * TOY_D];
    unsigned char success[5];
    wsr__st *st = NULL;
    world w = begin(two_attacks, "keep=5");
    (void)snprintf(path, sizeof(path), "%s/images", scratch_folder("eval"));
    ck_assert_fails(wsr_eval_save_images(w.eval, 0, path), WSR_ARG,
                    "no images were kept");
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_ok(wsr_eval_save_images(w.eval, 0, path));
    ck_assert_ok(wsr__st_open(&st, path));
    ck_assert_ok(wsr__st_read_f32(images, st, "1.0.images", 5 * TOY_D));
    ck_assert_ok(wsr__st_read_u8(success, st, "1.0.success", 5));
    ck_assert_str_eq(wsr__st_metadata(st, "1.0.eps"), "0.05");
    for (size_t i = 0; i < 5; i++) {
        float z[TOY_CLASSES];
        ck_assert_mem_eq(images + i * TOY_D, wsr_eval_image(w.eval, 1, 0, i),
                         TOY_D * sizeof(float));
        ck_assert_ok(toy_logits(z, images + i * TOY_D, 1, &model_of));
        ck_assert_int_eq(wsr__argmax(z, TOY_CLASSES) !=
                             wsr_dataset_labels(w.dataset)[i],
                         success[i] != 0);
    }
    ck_assert_ptr_null(wsr_eval_image(w.eval, 1, 0, 5));
    wsr__st_free(st);
    end(&w);
}
END_TEST

START_TEST(attacks_on_another_model_are_evaluated_on_this_one)
{
    static toy other_of;
    world w = begin("pgd", "keep=30");
    toy_fill(&other_of, 5);
    wsr_model *const other = toy_model(&other_of, true);
    ck_assert_ok(wsr_eval_transfer(w.eval, other));
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_uint_eq(wsr_model_gradients(w.model), 0);
    for (size_t i = 0; i < N; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(
            toy_logits(z, wsr_eval_image(w.eval, 0, 0, i), 1, &model_of));
        ck_assert_int_eq(wsr_eval_robust(w.eval, 0, 0, i),
                         i % 7 != 6 && wsr__argmax(z, TOY_CLASSES) ==
                                           wsr_dataset_labels(w.dataset)[i]);
    }
    wsr_model_free(other);
    end(&w);
}
END_TEST

START_TEST(attacks_on_another_model_have_no_target)
{
    static toy other_of;
    world w = begin("pgd", "target=least");
    toy_fill(&other_of, 5);
    wsr_model *const other = toy_model(&other_of, true);
    ck_assert_fails(wsr_eval_transfer(w.eval, other), WSR_CONFIG,
                    "attack.target: least");
    wsr_model_free(other);
    end(&w);
}
END_TEST

START_TEST(quotes_of_a_spec_are_doubled_in_csv)
{
    char *csv = NULL;
    world w = begin("chain:attacks=[fgsm,gn]", NULL);
    ck_assert_ok(wsr_eval_csv(&csv, w.eval));
    ck_assert_ptr_nonnull(
        strstr(csv, "\n\"chain:attacks=\"\"[fgsm,gn]\"\"\",linf,0.05,"));
    wsr_text_free(csv);
    end(&w);
}
END_TEST

static wsr_status whole_evaluation(void *ctx)
{
    wsr_status status = WSR_OK;
    const world *const w = ctx;
    wsr_eval *s = NULL;
    char *csv = NULL;
    char *warnings = NULL;
    WSR_TRY(wsr_eval_new(&s, "fgsm,chain:attacks=[gn,square:queries=2]",
                         "count=3,keep=2"));
    WSR_TRY(wsr_eval_set_strengths(s, strengths, 3));
    WSR_TRY(wsr_eval_open(s, w->model, w->dataset));
    WSR_TRY(wsr_eval_finish(s));
    WSR_TRY(wsr_eval_csv(&csv, s));
    WSR_TRY(wsr_eval_warnings(&warnings, s));
out:
    wsr_text_free(csv);
    wsr_text_free(warnings);
    wsr_eval_free(s);
    return status;
}

START_TEST(memory_that_runs_short_is_reported_and_returned)
{
    world w = begin("fgsm", NULL);
    float z[TOY_CLASSES * TOY_MOST];
    float x[TOY_D];
    // What the model allocates once is not the evaluation's.
    ck_assert_ok(wsr_dataset_images(x, w.dataset, NULL, 1));
    ck_assert_ok(wsr_model_logits(z, w.model, x, 1));
    ck_assert_uint_gt(oom_sweep(whole_evaluation, &w), 100);
    end(&w);
}
END_TEST

START_TEST(bad_input_is_named)
{
    wsr_eval *s = NULL;
    const wsr_shape shape = wsr__shape3(1, 6, 6);
    wsr_model *other = NULL;
    ck_assert_fails(wsr_eval_new(&s, "", NULL), WSR_CONFIG, "none");
    ck_assert_fails(wsr_eval_new(&s, "fgsm,pdg", NULL), WSR_NOTFOUND, "pgd");
    ck_assert_fails(wsr_eval_new(&s, "fgsm", "sed=3"), WSR_CONFIG, "seed");
    ck_assert_ptr_null(s);
    world w = begin("fgsm", NULL);
    ck_assert_fails(wsr_eval_set_strengths(w.eval, strengths, 3), WSR_ARG,
                    "fixed");
    ck_assert_ok(wsr_eval_new(&s, "fgsm", "count=31"));
    ck_assert_fails(wsr_eval_open(s, w.model, w.dataset), WSR_ARG,
                    "31 images are more than the 30");
    wsr_eval_free(s);
    ck_assert_ok(wsr_eval_new(&s, "fgsm", NULL));
    ck_assert_ok(wsr_model_new(&other, &shape, TOY_CLASSES, toy_logits,
                               toy_backward, &model_of));
    ck_assert_fails(wsr_eval_open(s, other, w.dataset), WSR_SHAPE,
                    "(3, 6, 6), the model takes (1, 6, 6)");
    wsr_model_free(other);
    ck_assert_fails(wsr_eval_step(s), WSR_ARG, "no step left");
    wsr_eval_free(s);
    end(&w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        numbers_follow_from_the_images,
        quartiles_divide_the_changes_of_successes,
        images_of_the_target_class_are_left_out,
        a_target_class_must_exist_and_leave_enough,
        every_attack_and_strength_has_a_line,
        an_interrupted_evaluation_ends_like_one_that_was_not,
        an_evaluation_stopped_inside_a_step_ends_like_one_that_was_not,
        members_that_have_ended_are_kept,
        a_state_fits_one_evaluation_alone,
        kept_images_are_written_with_their_outcomes,
        attacks_on_another_model_are_evaluated_on_this_one,
        attacks_on_another_model_have_no_target,
        quotes_of_a_spec_are_doubled_in_csv,
        memory_that_runs_short_is_reported_and_returned,
        bad_input_is_named,
        NULL};
    return suite_of("eval", tests);
}
