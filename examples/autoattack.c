// SPDX-License-Identifier: Apache-2.0
//
// An AutoAttack evaluation as the benchmarks of robustness ask for it: the
// four attacks of the standard version, each on what those before it have left
// standing, with the published budgets.
//
//   cc autoattack.c $(pkg-config --cflags --libs wsr) -o autoattack
//   ./autoattack net.safetensors cifar10:DIR 8/255 1000
//
// Without arguments it shows itself on a network that knows nothing.

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "autoattack: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

// "8/255" or "0.03".
static float strength(const char *text)
{
    char *end = NULL;
    const float above = strtof(text, &end);
    return *end == '/' ? above / strtof(end + 1, NULL) : above;
}

int main(int argc, char **argv)
{
    const bool shown = argc < 4;
    const float eps = strength(shown ? "8/255" : argv[3]);
    // What the public implementation does with version='standard'.
    const char *const spec = shown ? "autoattack:steps=5,queries=20"
                                   : "autoattack:version=standard";
    char options[64];
    char *text = NULL;
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr_dataset *data = NULL;
    wsr_eval *eval = NULL;

    if (shown) {
        check(wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=2", 1));
    } else {
        check(wsr_net_load(&net, argv[1], NULL));
    }
    check(wsr_model_from_net(&model, net, 0));
    check(wsr_dataset_open(&data, shown ? "synthetic" : argv[2], "test", NULL));
    (void)snprintf(options, sizeof(options), "count=%s,seed=0",
                   shown      ? "32"
                   : argc > 4 ? argv[4]
                              : "0");
    check(wsr_eval_new(&eval, spec, options));
    check(wsr_eval_set_strengths(eval, &eps, 1));
    check(wsr_eval_open(eval, model, data));
    check(wsr_eval_finish(eval));

    printf("clean accuracy %5.2f %%\n",
           100 * wsr_eval_get(eval, 0, 0, WSR_EVAL_CLEAN));
    printf("robust accuracy %5.2f %% (95 %%: %.2f to %.2f)\n",
           100 * wsr_eval_get(eval, 0, 0, WSR_EVAL_ROBUST),
           100 * wsr_eval_get(eval, 0, 0, WSR_EVAL_LOW),
           100 * wsr_eval_get(eval, 0, 0, WSR_EVAL_HIGH));
    printf("per image: %.0f logits, %.0f gradients\n",
           wsr_eval_get(eval, 0, 0, WSR_EVAL_QUERIES),
           wsr_eval_get(eval, 0, 0, WSR_EVAL_GRADIENTS));
    check(wsr_eval_warnings_text(&text, eval));
    printf("%s", text);

    wsr_text_free(text);
    wsr_eval_free(eval);
    wsr_dataset_free(data);
    wsr_model_free(model);
    wsr_net_free(net);
    return EXIT_SUCCESS;
}
