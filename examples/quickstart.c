// SPDX-License-Identifier: Apache-2.0
//
// Train a small network, load it again, classify images, attack them.
//
//   cc quickstart.c $(pkg-config --cflags --libs wsr) -o quickstart

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { IMAGES = 16, PIXELS = 3 * 32 * 32, CLASSES = 10 };

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "quickstart: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

// A run has a folder of its own, which an interrupted one goes on in.
static void train(const char *folder)
{
    static const char *const settings[] = {
        "data.spec=synthetic",   "data.limit=128",   "data.test_limit=32",
        "net.genotype=cna_r",    "net.channels=4",   "net.layers=2",
        "train.trainer=natural", "train.epochs=1",   "train.batch=32",
        "train.eval_every=0",    "eval.attack=fgsm", "eval.eps=0.03",
        "eval.count=16",
    };
    wsr_config *config = NULL;
    check(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        check(wsr_config_set(config, settings[i]));
    }
    check(wsr_train_run(NULL, config, folder, false, NULL, NULL));
    check(wsr_report_write(folder)); // a page for a person
    wsr_config_free(config);
}

static int best(const float *logits)
{
    int best = 0;
    for (int k = 1; k < CLASSES; k++) {
        best = logits[k] > logits[best] ? k : best;
    }
    return best;
}

int main(void)
{
    static float images[IMAGES * PIXELS];
    static float logits[IMAGES * CLASSES];
    const float eps[] = {2.0f / 255, 8.0f / 255};
    char folder[64];
    char file[96];
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr_dataset *data = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;

    (void)snprintf(folder, sizeof(folder), "quickstart-%ld", (long)time(NULL));
    (void)snprintf(file, sizeof(file), "%s/net.safetensors", folder);
    train(folder);

    check(wsr_net_load(&net, file, NULL)); // the file describes itself
    check(wsr_model_from_net(&model, net, IMAGES));
    check(wsr_dataset_open(&data, "synthetic", "test", "limit=16"));
    check(wsr_dataset_images(images, data, NULL, IMAGES));
    check(wsr_model_logits(logits, model, images, IMAGES));
    const int32_t *const labels = wsr_dataset_labels(data);
    for (int i = 0; i < 4; i++) {
        printf("image %d: label %d, recognised as %d\n", i, (int)labels[i],
               best(logits + i * CLASSES));
    }

    check(wsr_attack_new(&attack, "pgd:steps=5", NULL));
    check(wsr_attack_set_strengths(attack, eps, 2));
    check(wsr_attack_run(&result, attack, model, images, labels, IMAGES));
    for (size_t e = 0; e < 2; e++) {
        int robust = 0;
        for (size_t i = 0; i < IMAGES; i++) {
            robust += wsr_attack_result_robust(result, e)[i];
        }
        printf("eps %.4f: %d of %d recognised under attack\n",
               (double)wsr_attack_result_eps(result, e), robust, IMAGES);
    }

    wsr_attack_result_free(result);
    wsr_attack_free(attack);
    wsr_dataset_free(data);
    wsr_model_free(model);
    wsr_net_free(net);
    return EXIT_SUCCESS;
}
