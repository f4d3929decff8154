// SPDX-License-Identifier: Apache-2.0
//
// A network under attack, as an evaluation has it: through a model, with the
// running statistics.

#ifndef WSR_TESTS_BENCH_MODEL_H
#define WSR_TESTS_BENCH_MODEL_H

#include "wsr/attack.h"

#include <stddef.h>
#include <stdint.h>

typedef struct bench_model {
    wsr_model *model; // owned
    size_t batch;
    size_t pixels; // of an image
    size_t steps;
    float *x, *x_adv, *grad, *logits;
    int32_t *labels;
} bench_model;

/// Random images and some labels for a model [taken over].
void bench_model_new(bench_model *m, wsr_model *model, size_t batch,
                     size_t steps);
void bench_model_free(bench_model *m);

/// Logits of the images. `ctx` is the bench_model.
void bench_model_forward(void *ctx);

/// The steps of PGD at 0.03 alone: no image is checked or leaves the batch.
void bench_model_attack(void *ctx);

#endif
