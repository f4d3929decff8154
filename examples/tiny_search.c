// SPDX-License-Identifier: Apache-2.0
//
// A whole search, as small as it gets: find a cell, train it, measure it, draw
// a report. Nobody should expect much of what it finds.
//
//   cc tiny_search.c $(pkg-config --cflags --libs wsr) -o tiny_search

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "tiny_search: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

static bool on_progress(const wsr_progress *p, void *user)
{
    (void)user;
    if (p->line == NULL) { // else: what the log has got, as JSON
        (void)fprintf(stderr, "%3.0f %% %s %zu/%zu %s\n", 100 * p->part,
                      p->phase, p->step, p->steps, p->note);
    }
    return true; // false: stop, to go on some other time
}

int main(void)
{
    static const char *const settings[] = {
        "data.spec=synthetic",
        "data.limit=64",
        "data.test_limit=16",
        "supernet.channels=4",
        "supernet.layers=2",
        "search.warm_up=1",
        "search.population=1",
        "search.epochs=1",
        "search.batch=16",
        "search.steps=1",
        "search.train_batches=1",
        "search.val_batches=1",
        "search.estimator_batches=1",
        "search.predictor_warm_up=2",
        "search.predictor_passes=2",
        "net.channels=4",
        "net.layers=2",
        "train.trainer=madry:steps=1",
        "train.epochs=1",
        "train.batch=16",
        "train.eval_every=0",
        "eval.attack=fgsm",
        "eval.eps=0.03",
        "eval.count=16",
    };
    char folder[64];
    char *text = NULL;
    wsr_config *config = NULL;
    wsr_result *result = NULL;

    (void)snprintf(folder, sizeof(folder), "tiny-search-%ld", (long)time(NULL));
    check(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        check(wsr_config_set(config, settings[i]));
    }
    check(wsr_search_run(&result, config, folder, false, on_progress, NULL));
    check(wsr_report_write(folder));
    check(wsr_genotype_print(&text, wsr_result_genotype(result)));
    printf("%s", text);
    printf("accuracy under attack: %.2f\n",
           wsr_eval_get(wsr_result_eval(result), 0, 0, WSR_EVAL_ROBUST));

    wsr_text_free(text);
    wsr_result_free(result);
    wsr_config_free(config);
    return EXIT_SUCCESS;
}
