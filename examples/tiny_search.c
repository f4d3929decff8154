// SPDX-License-Identifier: Apache-2.0
//
// A whole search, as small as it gets: find a cell, train it, measure it, draw
// a report. Nobody should expect much of what it finds.
//
//   cc tiny_search.c $(pkg-config --cflags --libs wsr) -o tiny_search

#include <wsr.h>
#include <wsr/search.h>

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

static bool on_progress(const char *phase, size_t done, size_t total,
                        const char *note, void *user)
{
    (void)user;
    (void)fprintf(stderr, "%s %zu/%zu %s\n", phase, done, total, note);
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
    char file[96];
    char *text = NULL;
    wsr_config *config = NULL;
    wsr_genotype *genotype = NULL;

    (void)snprintf(folder, sizeof(folder), "tiny-search-%ld", (long)time(NULL));
    (void)snprintf(file, sizeof(file), "%s/genotype.yaml", folder);
    check(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        check(wsr_config_set(config, settings[i]));
    }
    check(wsr_search_run(config, folder, false, on_progress, NULL));
    check(wsr_report_write(folder));
    check(wsr_genotype_load(&genotype, file));
    check(wsr_genotype_print(&text, genotype));
    printf("%s", text);

    wsr_text_free(text);
    wsr_genotype_free(genotype);
    wsr_config_free(config);
    return EXIT_SUCCESS;
}
