// SPDX-License-Identifier: Apache-2.0
//
// Another network for the toy's images, and a file of it.

#ifndef WSR_TESTS_ATTACK_TOY_SURROGATE_H
#define WSR_TESTS_ATTACK_TOY_SURROGATE_H

#include "attack/model_support.h"
#include "wsr/genotype.h"

#include <stdio.h>

/// Without training some class wins everywhere; the bias takes that away.
static inline void toy_balance(wsr_net *net)
{
    enum { N = 32 };
    static toy of;
    static float x[N * TOY_D];
    int32_t labels[N];
    float logits[N * TOY_CLASSES];
    float bias[TOY_CLASSES] = {0};
    size_t at = 0;
    wsr_model *model = NULL;
    wsr_params *const params = wsr_net_params(net);
    toy_fill(&of, 3);
    toy_images(x, labels, N, &of, 4);
    ck_assert_ok(wsr_params_find(&at, params, "classifier.bias"));
    memcpy(bias, wsr_params_data(params, at), sizeof(bias));
    ck_assert_ok(wsr_model_from_net(&model, net, 0));
    ck_assert_ok(wsr_model_logits(logits, model, x, N));
    for (size_t i = 0; i < N * TOY_CLASSES; i++) {
        bias[i % TOY_CLASSES] -= logits[i] / N;
    }
    memcpy(wsr_params_edit(params, at), bias, sizeof(bias));
    wsr_model_free(model);
}

static inline wsr_net *toy_surrogate(void)
{
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&net, genotype,
                             "channels=4,layers=2,classes=5,image_size=6", 7));
    wsr_genotype_free(genotype);
    toy_balance(net);
    return net;
}

/// Path of its file, written by the first call. [borrowed, static]
static inline const char *toy_surrogate_file(void)
{
    static char path[400];
    if (path[0] == '\0') {
        wsr_net *const net = toy_surrogate();
        (void)snprintf(path, sizeof(path), "%s/net.safetensors",
                       scratch_folder("surrogate"));
        ck_assert_ok(wsr_net_save(net, path));
        wsr_net_free(net);
    }
    return path;
}

#endif
