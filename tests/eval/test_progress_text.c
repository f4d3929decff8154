// SPDX-License-Identifier: Apache-2.0
//
// The words of AutoAttack's log, and RobustBench's numbers.

#include "eval/linear_support.h"
#include "io/io.h"

static const float strengths[] = {0.03f, 0.06f};

#define ck_assert_has(text, words)                                         \
    ck_assert_msg(strstr((text), (words)) != NULL, "'%s' is absent in %s", \
                  words, text)

// Eleven of twelve images are recognised. One step of half the strength breaks
// fewer than four.
START_TEST(members_have_lines)
{
    char *text = NULL;
    char line[96];
    world w = begin_with("chain:attacks=[pgd:steps=1,rel_length=0.5,pgd:steps="
                         "4,rel_length=2],fgsm",
                         "batch=5", strengths, 2);
    ck_assert_ok(wsr_eval_progress_text(&text, w.eval));
    ck_assert_str_eq(text, "");
    wsr_text_free(text);
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_ok(wsr_eval_progress_text(&text, w.eval));
    ck_assert_has(text, "linf, eps 0.03, 12 images\ninitial accuracy: 91.67%\n"
                        "robust accuracy after PGD: ");
    size_t weak = 0;
    size_t strong = 0;
    for (size_t i = 0; i < N - 1; i++) {
        weak += smallest_of(i) > 0.015;
        strong += smallest_of(i) > 0.03;
    }
    ck_assert_uint_lt(strong, weak);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof(line),
                       "robust accuracy after PGD: %.2f%% (total time ",
                       100.0 * (double)(i == 0 ? weak : strong) / N);
        ck_assert_has(text, line);
    }
    (void)snprintf(line, sizeof(line), "\nrobust accuracy: %.2f%%\n",
                   100.0 * (double)strong / N);
    ck_assert_has(text, line);
    ck_assert_has(text, "\nmax Linf perturbation: 0.0");
    ck_assert_has(text, ", nan in tensor: 0, max: 0.60784, min: 0.39216\n");
    ck_assert_has(text, "robust accuracy after FGSM: ");
    wsr_text_free(text);
    end(&w);
}
END_TEST

// Pixels of 125 are raised and those of 130 lowered by 0.2.
START_TEST(pixels_are_those_of_adversarial_images)
{
    static const float eps[] = {0.2f};
    char *text = NULL;
    world w = begin_with("fgsm", "batch=5", eps, 1);
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert_ok(wsr_eval_progress_text(&text, w.eval));
    ck_assert_has(text, "max: 0.69020, min: 0.30980\n");
    wsr_text_free(text);
    end(&w);
}
END_TEST

static char *entry_of(const char *attacks, const float *eps, size_t n,
                      bool finish)
{
    char *entry = NULL;
    const wsr__robustbench_of of = {"cifar10", "a \"net\""};
    world w = begin_with(attacks, "batch=5", eps, n);
    ck_assert_ok(finish ? wsr_eval_finish(w.eval) : wsr_eval_step(w.eval));
    ck_assert_ok(wsr__eval_robustbench(&entry, w.eval, &of));
    end(&w);
    return entry;
}

START_TEST(an_entry_of_robustbench_has_its_fields)
{
    static const float eps[] = {0.03f, 8.0f / 255};
    char *entry = entry_of("fgsm,autoattack", eps, 2, true);
    ck_assert_ptr_nonnull(entry);
    ck_assert_has(entry, "\"additional_data\":false");
    ck_assert_has(entry, "\"dataset\":\"cifar10\"");
    ck_assert_has(entry, "\"architecture\":\"a \\\"net\\\"\"");
    ck_assert_has(entry, "\"norm\":\"Linf\",\"eps\":\"8/255\","
                         "\"clean_acc\":\"91.67\"");
    ck_assert_has(entry, "\"autoattack_acc\":\"");
    ck_assert_has(entry, "\"unreliable\":false");
    wsr_text_free(entry);
    entry = entry_of("autoattack:norm=l2", eps, 1, true);
    ck_assert_ptr_nonnull(entry);
    ck_assert_has(entry, "\"norm\":\"L2\",\"eps\":\"0.03\"");
    wsr_text_free(entry);
}
END_TEST

// Weaker budgets, other versions, and part of the images are no entry.
START_TEST(what_is_not_the_standard_version_is_no_entry)
{
    static const float eps[] = {8.0f / 255};
    ck_assert_ptr_null(entry_of("fgsm", eps, 1, true));
    ck_assert_ptr_null(entry_of("autoattack:steps=10", eps, 1, true));
    ck_assert_ptr_null(entry_of("autoattack:norm=l1", eps, 1, true));
    ck_assert_ptr_null(entry_of("autoattack", eps, 1, false));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        members_have_lines, pixels_are_those_of_adversarial_images,
        an_entry_of_robustbench_has_its_fields,
        what_is_not_the_standard_version_is_no_entry, NULL};
    return suite_of("eval/progress_text", tests);
}
