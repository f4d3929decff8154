// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over a spectrum of strengths, under two attacks, with intervals and
// the worst case; step by step, as a program with a progress bar would.
//
//   cc spectrum.c $(pkg-config --cflags --libs wsr) -o spectrum

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "spectrum: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    const float eps[] = {0.0f, 2.0f / 255, 8.0f / 255};
    const size_t strengths = sizeof(eps) / sizeof(eps[0]);
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr_dataset *data = NULL;
    wsr_spectrum *spectrum = NULL;

    // A file that wsr-train wrote, or else a network that knows nothing.
    if (argc > 1) {
        check(wsr_net_load(&net, argv[1], NULL));
    } else {
        check(wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=2", 1));
    }
    check(wsr_model_from_net(&model, net, 0));
    check(wsr_dataset_open(&data, "synthetic", "test", "limit=32"));

    check(wsr_spectrum_new(&spectrum, "fgsm,pgd:steps=5", NULL));
    check(wsr_spectrum_set_strengths(spectrum, eps, strengths));
    check(wsr_spectrum_open(spectrum, model, data));
    while (wsr_spectrum_position(spectrum) < wsr_spectrum_steps(spectrum)) {
        check(wsr_spectrum_step(spectrum));
    }

    for (size_t a = 0; a < wsr_spectrum_attacks(spectrum); a++) {
        const char *const name =
            wsr_attack_name(wsr_spectrum_attack(spectrum, a));
        for (size_t e = 0; e < strengths; e++) {
            printf("%-5s at %.4f: %5.1f %% (95 %%: %.1f to %.1f)\n", name,
                   (double)eps[e],
                   100 * wsr_spectrum_get(spectrum, a, e, WSR_SPECTRUM_ROBUST),
                   100 * wsr_spectrum_get(spectrum, a, e, WSR_SPECTRUM_LOW),
                   100 * wsr_spectrum_get(spectrum, a, e, WSR_SPECTRUM_HIGH));
        }
    }
    for (size_t e = 0; e < strengths; e++) {
        printf("worst at %.4f: %5.1f %%\n", (double)eps[e],
               100 * wsr_spectrum_worst(spectrum, "linf", e));
    }

    wsr_spectrum_free(spectrum);
    wsr_dataset_free(data);
    wsr_model_free(model);
    wsr_net_free(net);
    return EXIT_SUCCESS;
}
