// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over an evaluation of strengths, under two attacks, with intervals
// and the worst case; step by step, as a program with a progress bar would.
//
//   cc eval.c $(pkg-config --cflags --libs wsr) -o evaluation

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "evaluation: %s\n", wsr_error_detail());
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
    wsr_eval *eval = NULL;

    // A file that wsr-train wrote, or else a network that knows nothing.
    if (argc > 1) {
        check(wsr_net_load(&net, argv[1], NULL));
    } else {
        check(wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=2", 1));
    }
    check(wsr_model_from_net(&model, net, 0));
    check(wsr_dataset_open(&data, "synthetic", "test", "limit=32"));

    check(wsr_eval_new(&eval, "fgsm,pgd:steps=5", NULL));
    check(wsr_eval_set_strengths(eval, eps, strengths));
    check(wsr_eval_open(eval, model, data));
    while (wsr_eval_position(eval) < wsr_eval_steps(eval)) {
        check(wsr_eval_step(eval));
    }

    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        const char *const name = wsr_attack_name(wsr_eval_attack(eval, a));
        for (size_t e = 0; e < strengths; e++) {
            printf("%-5s at %.4f: %5.1f %% (95 %%: %.1f to %.1f)\n", name,
                   (double)eps[e],
                   100 * wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST),
                   100 * wsr_eval_get(eval, a, e, WSR_EVAL_LOW),
                   100 * wsr_eval_get(eval, a, e, WSR_EVAL_HIGH));
        }
    }
    for (size_t e = 0; e < strengths; e++) {
        printf("worst at %.4f: %5.1f %%\n", (double)eps[e],
               100 * wsr_eval_worst(eval, "linf", e));
    }

    wsr_eval_free(eval);
    wsr_dataset_free(data);
    wsr_model_free(model);
    wsr_net_free(net);
    return EXIT_SUCCESS;
}
