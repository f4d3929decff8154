// SPDX-License-Identifier: Apache-2.0
//
// Warnings when robustness is unlearned.

#include "support/files.h"
#include "support/support.h"
#include "train/train.h"

#include <string.h>

typedef struct bench {
    wsr_dataset *data;
    wsr_net *net;
    wsr__training *training;
    wsr__run *run;
    const char *folder;
} bench;

static bench open_bench(const char *trainer)
{
    bench b = {0};
    wsr__train_params params;
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(
        &b.data, "synthetic:size=16,count=16,classes=3", "train", NULL));
    ck_assert_ok(wsr_net_new(&b.net, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=3,"
                             "image_size=16",
                             1));
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", trainer));
    const wsr__training_of of = {b.net, b.data, NULL, 1};
    ck_assert_ok(wsr__training_new(&b.training, &of, &params));
    b.folder = scratch_folder("run");
    ck_assert_ok(wsr__run_open(&b.run, b.folder, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(b.run));
    ck_assert_ok(wsr__run_begin(b.run, NULL));
    return b;
}

static void close_bench(bench *b)
{
    wsr__run_close(b->run);
    wsr__training_free(b->training);
    wsr_net_free(b->net);
    wsr_dataset_free(b->data);
}

// An epoch with so many of 100 training images learned and so many of 400
// validated ones robust.
static void epoch(bench *b, double learned, double robust)
{
    b->training->sums = (wsr__sums){0, learned, 0, 100};
    ck_assert_ok(wsr__training_guard(b->training, b->run, robust / 400, 400));
    b->training->epoch++;
}

static size_t count_of(const bench *b, const char *word)
{
    size_t n = 0;
    const size_t length = strlen(word);
    bytes log = get_file(path_in(b->folder, "log.jsonl"));
    for (size_t i = 0; i + length <= log.size; i++) {
        n += memcmp(log.data + i, word, length) == 0;
    }
    bytes_free(&log);
    return n;
}

START_TEST(a_gap_is_said_once_until_there_is_a_new_peak)
{
    bench b = open_bench("trainer=madry");
    epoch(&b, 40, 120);
    epoch(&b, 50, 160); // 40 %
    epoch(&b, 60, 150); // within its interval
    ck_assert_uint_eq(count_of(&b, "robust_overfitting"), 0);
    epoch(&b, 70, 130);
    ck_assert_uint_eq(count_of(&b, "robust_overfitting"), 1);
    ck_assert_uint_eq(count_of(&b, "fell from 40.0 % after epoch 2 to 32.5 %"),
                      1);
    epoch(&b, 80, 120);
    ck_assert_uint_eq(count_of(&b, "robust_overfitting"), 1);
    epoch(&b, 80, 170);
    epoch(&b, 90, 100);
    ck_assert_uint_eq(count_of(&b, "robust_overfitting"), 2);
    ck_assert_uint_eq(count_of(&b, "catastrophic"), 0);
    close_bench(&b);
}
END_TEST

// A network that has lost everything, its training images too, is another
// matter: a loss that diverges.
START_TEST(training_must_still_learn)
{
    bench b = open_bench("trainer=madry");
    epoch(&b, 50, 160);
    epoch(&b, 10, 40);
    ck_assert_uint_eq(count_of(&b, "overfitting"), 0);
    close_bench(&b);
}
END_TEST

START_TEST(a_single_step_collapses)
{
    static const char *const trainers[] = {"trainer=fast", "trainer=fgsm",
                                           "trainer=madry"};
    for (size_t i = 0; i < 3; i++) {
        bench b = open_bench(trainers[i]);
        epoch(&b, 50, 160);
        epoch(&b, 60, 130);
        epoch(&b, 90, 4);
        epoch(&b, 95, 0);
        ck_assert_uint_eq(count_of(&b, "robust_overfitting"), 1);
        ck_assert_uint_eq(count_of(&b, "catastrophic_overfitting"),
                          i < 2 ? 1 : 0);
        close_bench(&b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_gap_is_said_once_until_there_is_a_new_peak,
                                  training_must_still_learn,
                                  a_single_step_collapses, NULL};
    return suite_of("guard", tests);
}
